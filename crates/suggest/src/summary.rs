//! A summary in the conversation's own words: sentences, each of which says where it stands. Nothing is reworded, so nothing
//! can be made up; something can be missing.

use crate::redflags;
use crate::text::{Span, sentences, tokens};
use crate::turn::{Turn, Who};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Words of a sentence that is worth citing: a shorter one means nothing alone, a longer one is no summary.
const WORDS: std::ops::RangeInclusive<usize> = 4..=45;

/// How much a sentence's length counts against it: nearly all, so that it is chosen for what it says a word.
const LENGTH: f32 = 0.8;

/// How much more red-flag words make a sentence count.
const RED_FLAG: f32 = 3.0;

static PLAIN: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let lines = include_str!("../data/plain.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).collect()
});

/// A sentence of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cited {
    /// The place of its message among those that were given.
    pub message: usize,
    /// Its place in the message.
    pub span: Span,
    /// Its words as they stand there.
    pub text: String,
}

struct Candidate {
    cited: Cited,
    /// Its words that say what it is about.
    about: BTreeSet<String>,
    length: usize,
    emphasis: f32,
}

/// Sentences that together say most of what the messages are about, in their order, with about so many words at most: the
/// patient's complaint first, then whichever adds most. Questions are left out; what is said in answer stays.
pub fn summary(messages: &[Turn], words: usize) -> Vec<Cited> {
    let mut left = candidates(messages);
    let mut counts: BTreeMap<String, f32> = BTreeMap::new();
    for word in left.iter().flat_map(|candidate| &candidate.about) {
        *counts.entry(word.clone()).or_default() += 1.0;
    }
    let mut room = words;
    let mut said: BTreeSet<String> = BTreeSet::new();
    let mut chosen = Vec::new();
    let by_patient = |candidate: &Candidate| {
        messages.get(candidate.cited.message).is_some_and(|turn| turn.who == Who::Patient)
    };
    let mut next = left.iter().position(by_patient);
    loop {
        left.retain(|candidate| candidate.length <= room || chosen.is_empty());
        let gain = |candidate: &Candidate| -> f32 {
            let new = candidate.about.difference(&said);
            let weight: f32 = new.filter_map(|word| counts.get(word)).map(|count| (1.0 + count).ln()).sum();
            candidate.emphasis * weight / (candidate.length as f32).powf(LENGTH)
        };
        let best = next.take().or_else(|| {
            let gains = left.iter().map(gain).enumerate().filter(|(_, gain)| *gain > 0.0);
            // The earlier one of two that add as much.
            gains.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(at, _)| at)
        });
        let Some(best) = best.filter(|best| *best < left.len()) else { break };
        let Candidate { cited, about, length, .. } = left.remove(best);
        room = room.saturating_sub(length);
        said.extend(about);
        chosen.push(cited);
    }
    chosen.sort_by_key(|cited| (cited.message, cited.span));
    chosen
}

fn candidates(messages: &[Turn]) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for (message, turn) in messages.iter().enumerate() {
        for bytes in sentences(&turn.text) {
            let Some(text) = turn.text.get(bytes.clone()).filter(|text| !text.ends_with('?')) else {
                continue;
            };
            let words = tokens(text);
            let Some(span) = Span::of(&turn.text, bytes).filter(|_| WORDS.contains(&words.len())) else {
                continue;
            };
            let flagged = turn.who == Who::Patient && !redflags::find(text).is_empty();
            candidates.push(Candidate {
                cited: Cited { message, span, text: text.to_owned() },
                length: words.len(),
                emphasis: if flagged { RED_FLAG } else { 1.0 },
                about: words
                    .into_iter()
                    .filter(|word| word.len() > 2 && !PLAIN.contains(word.as_str()))
                    .collect(),
            });
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn messages() -> Vec<Turn> {
        [
            (Who::Provider, "Hello, how can I help you today?"),
            (Who::Patient, "Good morning. \u{1f623} My left knee has been swollen since the football match."),
            (Who::Provider, "I see. Does the knee lock?"),
            (Who::Patient, "No, it doesn't lock at all. My dog is called Rex by the way."),
            (
                Who::Patient,
                "The swelling of the knee is worse after the match. By the way I also have chest pain.",
            ),
            (Who::Provider, "Rest the swollen knee and come in for an examination."),
        ]
        .map(|(who, text)| Turn { who, text: text.to_owned() })
        .to_vec()
    }

    #[test]
    fn complaint_and_red_flags_are_cited_where_they_stand() {
        let messages = messages();
        let found = summary(&messages, 30);
        let texts: Vec<&str> = found.iter().map(|cited| cited.text.as_str()).collect();
        assert!(texts.contains(&"By the way I also have chest pain."), "{texts:?}");
        assert!(texts.iter().any(|text| text.contains("football match")), "{texts:?}");
        assert!(!texts.iter().any(|text| text.contains('?')), "{texts:?}");
        assert!(found.iter().map(|cited| tokens(&cited.text).len()).sum::<usize>() <= 30);
        for cited in &found {
            let units: Vec<u16> = messages[cited.message].text.encode_utf16().collect();
            assert_eq!(String::from_utf16(&units[cited.span.start..cited.span.end]).unwrap(), cited.text);
        }
        assert!(found.is_sorted_by_key(|cited| (cited.message, cited.span)));
    }

    #[test]
    fn nothing_said_is_no_summary() {
        assert_eq!(summary(&[], 100), []);
        assert_eq!(summary(&[Turn { who: Who::Patient, text: "Hi!".into() }], 100), []);
    }

    proptest! {
        #[test]
        fn any_messages_have_a_summary_of_their_own_sentences(texts in prop::collection::vec("\\PC{0,40}|[a-d é😀.?]{0,60}", 0..12)) {
            let messages: Vec<Turn> = texts
                .iter()
                .enumerate()
                .map(|(at, text)| Turn {
                    who: if at.is_multiple_of(2) { Who::Patient } else { Who::Provider },
                    text: text.clone(),
                })
                .collect();
            for cited in summary(&messages, 40) {
                let units: Vec<u16> = messages[cited.message].text.encode_utf16().collect();
                prop_assert_eq!(String::from_utf16(&units[cited.span.start..cited.span.end]).unwrap(), cited.text);
            }
        }
    }
}
