//! Next questions: what the clinic asked in conversations like this one, and hasn't been asked here.

use crate::measure::{HIT, set_cosine};
use crate::numbers::Numbers;
use crate::replies::bm25::Bm25;
use crate::replies::offerable::Offerable;
use crate::replies::{Clinic, Offer, provider_texts};
use crate::text::{sentences, tokens};
use crate::turn::{Turn, Who};

/// Questions at most.
const QUESTIONS: usize = 3;

/// Conversations like this one that are looked at.
const ALIKE: usize = 20;

/// A question is worth asking if this share of the conversations like this one had it.
const ASKED_BY: f32 = 0.1;

/// Words of a question at least: "And?" leads nowhere.
const WORDS: usize = 3;

/// A question and its words as sorted numbers.
#[derive(Clone, Debug)]
struct Question {
    text: String,
    set: Vec<u32>,
    offerable: bool,
}

/// The clinic's questions.
#[derive(Clone, Debug, Default)]
pub struct Questions {
    /// What patients wrote, by conversation.
    complaints: Bm25,
    /// What was asked, by conversation.
    asked: Vec<Vec<Question>>,
    numbers: Numbers,
}

impl Questions {
    /// Learns from the clinic's conversations.
    pub fn learn(clinic: Clinic<'_>) -> Self {
        let texts: Vec<Vec<&str>> =
            clinic.conversations.iter().map(|conversation| provider_texts(conversation)).collect();
        let rule = Offerable::of(&texts, clinic.names);
        let mut numbers = Numbers::default();
        let asked = clinic
            .conversations
            .iter()
            .map(|conversation| {
                questions(conversation)
                    .map(|text| Question {
                        set: numbers.set(&tokens(text)),
                        offerable: rule.may(text),
                        text: text.to_owned(),
                    })
                    .collect()
            })
            .collect();
        let words: Vec<Vec<String>> = clinic.conversations.iter().map(|turns| patient_words(turns)).collect();
        Self { complaints: Bm25::of(words.iter().map(|words| words.iter())), asked, numbers }
    }

    /// Up to three questions, the most usual first, each with the share of the conversations like this one that had it.
    pub fn next(&self, turns: &[Turn]) -> Vec<Offer> {
        let mut numbers = self.numbers.clone();
        let mut said: Vec<Vec<u32>> = questions(turns).map(|text| numbers.set(&tokens(text))).collect();
        let alike = self.alike(turns);
        let mut usual: Vec<(f32, &Question)> = alike
            .iter()
            .flat_map(|(asked, _)| *asked)
            .filter(|question| question.offerable)
            .map(|question| {
                let has = |asked: &[Question]| {
                    asked.iter().any(|other| set_cosine(&other.set, &question.set) >= HIT)
                };
                let share = alike.iter().filter(|(asked, _)| has(asked)).map(|(_, share)| share).sum();
                (share, question)
            })
            .filter(|(share, _)| *share >= ASKED_BY)
            .collect();
        // Stable: of equally usual ones the one from the conversation that is most like this one.
        usual.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let mut offers = Vec::new();
        for (score, question) in usual {
            if offers.len() < QUESTIONS && said.iter().all(|other| set_cosine(other, &question.set) < HIT) {
                said.push(question.set.clone());
                offers.push(Offer { text: question.text.clone(), score });
            }
        }
        offers
    }

    /// The conversations that are most like this one, each with its share of the likeness.
    fn alike(&self, turns: &[Turn]) -> Vec<(&[Question], f32)> {
        let words = patient_words(turns);
        let mut scores: Vec<(f32, &[Question])> = self
            .complaints
            .scores(words.iter())
            .into_iter()
            .zip(&self.asked)
            .map(|(score, asked)| (score, asked.as_slice()))
            .filter(|(score, _)| *score > 0.0)
            .collect();
        scores.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        scores.truncate(ALIKE);
        let sum: f32 = scores.iter().map(|(score, _)| score * score).sum();
        scores.into_iter().map(|(score, asked)| (asked, score * score / sum)).collect()
    }
}

/// What a provider asks in these turns.
pub fn questions(turns: &[Turn]) -> impl Iterator<Item = &str> {
    turns.iter().filter(|turn| turn.who == Who::Provider).flat_map(|turn| {
        sentences(&turn.text)
            .into_iter()
            .filter_map(move |bytes| turn.text.get(bytes))
            .filter(|sentence| sentence.ends_with('?') && tokens(sentence).len() >= WORDS)
    })
}

fn patient_words(turns: &[Turn]) -> Vec<String> {
    turns.iter().filter(|turn| turn.who == Who::Patient).flat_map(|turn| tokens(&turn.text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::turns;
    use proptest::prelude::*;

    fn clinic() -> Vec<Vec<Turn>> {
        let rash =
            ["I have an itchy rash", "Is the rash spreading? Thanks.", "A bit", "Any new soap or food?"];
        let cough = ["I have a dry cough", "Do you smoke at all?", "No", "Any fever with it?"];
        let whole =
            |texts: [&'static str; 4]| {
                turns(texts.into_iter().enumerate().map(|(at, text)| {
                    (if at.is_multiple_of(2) { Who::Patient } else { Who::Provider }, text)
                }))
            };
        [rash, cough].repeat(4).into_iter().map(whole).collect()
    }

    fn next(texts: &[(Who, &str)]) -> Vec<String> {
        let conversations = clinic();
        let questions = Questions::learn(Clinic { conversations: &conversations, ..Clinic::default() });
        questions.next(&turns(texts.iter().copied())).into_iter().map(|offer| offer.text).collect()
    }

    #[test]
    fn questions_of_such_conversations_that_are_open_are_proposed() {
        let complaint = (Who::Patient, "There is a rash, itchy");
        let both = next(&[complaint]);
        assert!(
            both.contains(&"Is the rash spreading?".to_owned())
                && both.contains(&"Any new soap or food?".to_owned())
        );
        let open = next(&[complaint, (Who::Provider, "Hm, is this rash spreading?"), (Who::Patient, "no")]);
        assert_eq!(open.first().map(String::as_str), Some("Any new soap or food?"));
        assert!(!open.contains(&"Is the rash spreading?".to_owned()), "{open:?}");
        assert!(next(&[(Who::Patient, "xyz")]).is_empty(), "nothing alike, nothing to ask");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_texts_are_learned_from_and_asked_about(texts in prop::collection::vec("\\PC{0,20}|[ab?é ]{0,12}", 0..20)) {
            let side = |at: usize| if at.is_multiple_of(2) { Who::Patient } else { Who::Provider };
            let all: Vec<Vec<Turn>> = texts
                .chunks(4)
                .map(|part| turns(part.iter().enumerate().map(|(at, text)| (side(at), text.as_str()))))
                .collect();
            let questions = Questions::learn(Clinic { conversations: &all, ..Clinic::default() });
            for conversation in &all {
                prop_assert!(questions.next(conversation).len() <= QUESTIONS);
            }
        }
    }
}
