//! Which past replies may be offered again: none that says something of one patient.

use crate::text::{Break, tokens, words};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// A word counts as everybody's once it stands in this many conversations' replies.
const CONVERSATIONS: usize = 3;

/// Words that are a number, a day, a month, a unit or a drug, and endings of drugs' names.
static FACTS: LazyLock<(BTreeSet<&str>, Vec<&str>)> = LazyLock::new(|| {
    let words = include_str!("../../data/facts.txt").lines().filter(|line| !line.starts_with('#'));
    let (endings, words): (Vec<&str>, Vec<&str>) =
        words.flat_map(str::split_whitespace).partition(|word| word.starts_with('-'));
    (words.into_iter().collect(), endings.into_iter().map(|ending| ending.trim_start_matches('-')).collect())
});

/// What the clinic's replies as a whole tell about their words.
#[derive(Clone, Debug, Default)]
pub struct Offerable {
    common: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Offerable {
    /// Learns from each conversation's replies. `names`: of patients and providers; others are known by their capitals.
    pub fn of(conversations: &[Vec<&str>], names: &[String]) -> Self {
        let mut having: BTreeMap<String, usize> = BTreeMap::new();
        // Of each word within a sentence: how often it was written with a capital, and how often without.
        let mut cases: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for replies in conversations {
            let mut own = BTreeSet::new();
            for reply in replies {
                for word in words(reply) {
                    if word.before != Break::Sentence {
                        let (capitals, small) = cases.entry(word.text.clone()).or_default();
                        *(if capital(reply, word.bytes.start) { capitals } else { small }) += 1;
                    }
                    own.insert(word.text);
                }
            }
            for word in own {
                *having.entry(word).or_default() += 1;
            }
        }
        let proper = cases.into_iter().filter(|(word, (capitals, small))| capitals > small && !is_i(word));
        let names = names.iter().flat_map(|name| tokens(name)).chain(proper.map(|(word, _)| word)).collect();
        let common = having.into_iter().filter(|(_, count)| *count >= CONVERSATIONS).map(|(word, _)| word);
        Self { common: common.collect(), names }
    }

    /// Whether a past reply may be offered to somebody else.
    pub fn may(&self, reply: &str) -> bool {
        words(reply).iter().all(|word| {
            self.common.contains(&word.text)
                && !fact(&word.text)
                && !(capital(reply, word.bytes.start) && self.names.contains(&word.text))
        })
    }
}

/// "I" and what begins with it has a capital and names nobody; so has "OK".
fn is_i(word: &str) -> bool {
    matches!(word, "i" | "im" | "ive" | "id" | "ill" | "ok" | "okay" | "gp")
}

fn capital(text: &str, at: usize) -> bool {
    text.get(at..).and_then(|rest| rest.chars().next()).is_some_and(char::is_uppercase)
}

/// Whether a word is a number, a day, a month, a unit or a drug.
pub fn fact(word: &str) -> bool {
    let (words, endings) = &*FACTS;
    word.chars().any(char::is_numeric)
        || words.contains(word)
        || endings.iter().any(|ending| word.len() > ending.len() + 2 && word.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_something_of_one_patient_is_not_offered() {
        let same = vec![
            "How long have you had it? Thank you. Have you taken the amoxicillin?",
            "Take two, or 3, or one of the tablets by Friday with Martha.",
            "I think I will call you. Will you rest, please? Good, ok. Will and you, Jo.",
        ];
        let mut conversations = vec![same; CONVERSATIONS];
        conversations[0].push("How is your vineyard, martha?");
        let offerable = Offerable::of(&conversations, &["Jo Will".to_owned()]);
        for (reply, may) in [
            ("How long have you had it?", true),
            ("I think one of the tablets", true),
            ("Have you taken the amoxicillin?", false),
            ("Take two", false),
            ("Take 3", false),
            ("By Friday", false),
            ("Thank you, Martha", false),
            ("Thank you, Jo", false),
            ("I will call you", true),
            ("How is your vineyard?", false),
            ("Never seen", false),
        ] {
            assert_eq!(offerable.may(reply), may, "{reply}");
        }
    }

    #[test]
    fn an_ending_alone_is_no_drug() {
        assert!(fact("lisinopril") && fact("atorvastatin") && fact("b12") && fact("april"));
        assert!(!fact("pain") && !fact("one") && !fact("tablet") && !fact("cholesterol"));
    }
}
