//! The language that `data/redflags.rules` is written in; the file says how.

use crate::text::Word;
use std::collections::BTreeMap;

/// Words that may stand between two items of a pattern that `..` joins.
const GAP: usize = 4;

/// A word, several in a row, or their beginnings.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Phrase(Vec<(String, bool)>);

/// One place of a pattern: any of these phrases, some words after the place before.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    gap: usize,
    phrases: Vec<Phrase>,
}

/// Items in their order, within one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Item>);

/// What must be found for a group, each part somewhere in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub parts: Vec<Pattern>,
    /// It counts also when it is about somebody else.
    pub anyone: bool,
}

/// What the words warn of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub reason: String,
    pub rules: Vec<Rule>,
}

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    pub groups: Vec<Group>,
    contexts: BTreeMap<String, Vec<Pattern>>,
}

impl Rules {
    /// What takes a finding back, by its name in the file.
    pub fn context(&self, name: &str) -> &[Pattern] {
        self.contexts.get(name).map_or(&[], Vec::as_slice)
    }

    /// Reads the file, with the numbers of lines that make no sense; the others hold.
    pub fn read(text: &str) -> (Self, Vec<usize>) {
        let mut rules = Self::default();
        let mut classes = BTreeMap::new();
        let mut context = None;
        let mut wrong = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let understood = if let Some(heading) = line.strip_prefix('[') {
                heading.split_once(']').map(|(name, reason)| {
                    context = name.strip_prefix('~').map(str::to_owned);
                    if context.is_none() {
                        let (name, reason) = (name.to_owned(), reason.trim().to_owned());
                        rules.groups.push(Group { name, reason, rules: Vec::new() });
                    }
                })
            } else if let Some((name, words)) = line.split_once('=') {
                phrases(words, &classes).map(|found| {
                    classes.insert(name.trim().to_owned(), found);
                })
            } else if let Some(name) = &context {
                pattern(line, &classes)
                    .map(|found| rules.contexts.entry(name.clone()).or_default().push(found))
            } else {
                rule(line, &classes).zip(rules.groups.last_mut()).map(|(rule, group)| group.rules.push(rule))
            };
            if understood.is_none() {
                wrong.push(number + 1);
            }
        }
        (rules, wrong)
    }
}

type Classes = BTreeMap<String, Vec<Phrase>>;

fn rule(line: &str, classes: &Classes) -> Option<Rule> {
    let (anyone, line) = line.strip_prefix('+').map_or((false, line), |line| (true, line));
    let parts = line.split('&').map(|part| pattern(part, classes)).collect::<Option<_>>()?;
    Some(Rule { parts, anyone })
}

fn pattern(text: &str, classes: &Classes) -> Option<Pattern> {
    let mut items = Vec::new();
    let mut gap = 0;
    for item in text.split_whitespace() {
        if item == ".." {
            gap = GAP;
        } else {
            items.push(Item { gap, phrases: phrases(item, classes)? });
            gap = 0;
        }
    }
    (!items.is_empty()).then_some(Pattern(items))
}

fn phrases(text: &str, classes: &Classes) -> Option<Vec<Phrase>> {
    let mut found = Vec::new();
    for choice in text.split_whitespace().flat_map(|choices| choices.split('|')) {
        if choice.starts_with('@') {
            found.extend(classes.get(choice)?.iter().cloned());
        } else {
            let words = choice.split('_').map(|word| match word.strip_suffix('*') {
                Some(beginning) => (beginning.to_owned(), true),
                None => (word.to_owned(), false),
            });
            found.push(Phrase(words.collect()));
        }
    }
    (!found.is_empty()).then_some(found)
}

impl Phrase {
    /// How many words it takes from here on.
    fn length(&self, words: &[Word]) -> Option<usize> {
        let fits = words.len() >= self.0.len()
            && self.0.iter().zip(words).enumerate().all(|(place, ((text, beginning), word))| {
                (place == 0 || !word.opens_sentence())
                    && if *beginning { word.text.starts_with(text.as_str()) } else { word.text == *text }
            });
        fits.then_some(self.0.len())
    }
}

impl Pattern {
    /// The places in `words` of what the pattern names, if it begins at `at`. What stands in its gaps isn't among them.
    pub fn at(&self, words: &[Word], at: usize) -> Option<Vec<usize>> {
        let mut places = Vec::new();
        follow(&self.0, words, at, &mut places).then_some(places)
    }

    /// Everywhere it begins.
    pub fn all<'a>(&'a self, words: &'a [Word]) -> impl Iterator<Item = Vec<usize>> + 'a {
        (0..words.len()).filter_map(|at| self.at(words, at))
    }
}

fn follow(items: &[Item], words: &[Word], at: usize, places: &mut Vec<usize>) -> bool {
    let Some((item, rest)) = items.split_first() else { return true };
    for skipped in 0..=item.gap {
        let here = at + skipped;
        let Some(ahead) = words.get(here..).filter(|ahead| !ahead.is_empty()) else { return false };
        let begins = places.is_empty();
        if !begins && ahead.first().is_some_and(Word::opens_sentence) {
            return false;
        }
        for length in item.phrases.iter().filter_map(|phrase| phrase.length(ahead)) {
            let kept = places.len();
            places.extend(here..here + length);
            if follow(rest, words, here + length, places) {
                return true;
            }
            places.truncate(kept);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words;

    fn places(pattern: &str, text: &str) -> Vec<Vec<usize>> {
        let (rules, wrong) = Rules::read(&format!("@limb = arm|left_leg\n[~x]\n{pattern}"));
        assert_eq!(wrong, []);
        let words = words(text);
        rules.context("x").iter().flat_map(|pattern| pattern.all(&words).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn a_pattern_takes_words_beginnings_classes_and_gaps() {
        assert_eq!(places("numb*|weak @limb", "Numbness left leg"), [[0, 1, 2]]);
        assert_eq!(places("weak @limb", "weak leg"), [[0; 0]; 0]);
        assert_eq!(places("pain .. @limb", "Pain down in my arm"), [[0, 4]]);
        assert_eq!(places("pain .. @limb", "pain a b c d e arm"), [[0; 0]; 0]);
        assert_eq!(places("pain .. @limb", "No pain. My arm is fine"), [[0; 0]; 0], "another sentence");
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named_and_the_others_hold() {
        let (rules, wrong) = Rules::read("lost\n[a] A\npain\n@unknown pain\n+ a & b\n..\n[broken\n");
        assert_eq!(wrong, [1, 4, 6, 7]);
        let [group] = rules.groups.as_slice() else { panic!("one group") };
        assert_eq!((group.name.as_str(), group.reason.as_str(), group.rules.len()), ("a", "A", 2));
        assert!(group.rules[1].anyone && group.rules[1].parts.len() == 2);
    }
}
