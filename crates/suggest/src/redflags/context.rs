//! What takes found words back: a negation, somebody else, the past, a mere question, an idiom.

use super::rules::Rules;
use crate::text::{Break, Word};

/// Words before a finding among which a negation counts.
const REACH: usize = 6;

/// A message's words, each with what is said around it.
pub struct Context<'a> {
    words: &'a [Word],
    negators: Vec<bool>,
    others: Vec<bool>,
    selves: Vec<bool>,
    idioms: Vec<bool>,
    past: Vec<bool>,
    asked: Vec<bool>,
    /// The number of the clause that each word is in.
    clauses: Vec<usize>,
}

impl<'a> Context<'a> {
    pub fn new(rules: &Rules, words: &'a [Word]) -> Self {
        let mark = |name: &str| {
            let mut marks = vec![false; words.len()];
            for place in rules.context(name).iter().flat_map(|pattern| pattern.all(words)).flatten() {
                if let Some(mark) = marks.get_mut(place) {
                    *mark = true;
                }
            }
            marks
        };
        let mut negators = mark("negation");
        for (negator, harmless) in negators.iter_mut().zip(mark("no negation")) {
            *negator &= !harmless;
        }
        let turns = mark("clause");
        let mut clause = 0;
        let clauses = words
            .iter()
            .zip(&turns)
            .map(|(word, turn)| {
                clause += usize::from(word.opens_sentence() || *turn);
                clause
            })
            .collect();
        Self {
            words,
            negators,
            others: mark("others"),
            selves: mark("self"),
            idioms: mark("idiom"),
            past: mark("past"),
            asked: mark("asked"),
            clauses,
        }
    }

    /// Whether the words at `places` don't say what they seem to. `anyone`: it counts whoever has it.
    pub fn takes_back(&self, places: &[usize], anyone: bool) -> bool {
        let (Some(&first), Some(&last)) = (places.first(), places.last()) else { return true };
        let at = |marks: &[bool], place: usize| marks.get(place).copied().unwrap_or_default();
        let in_clause = |marks: &[bool]| {
            self.clauses
                .iter()
                .zip(marks)
                .any(|(clause, mark)| *mark && self.clauses.get(first) == Some(clause))
        };
        places.iter().any(|place| at(&self.idioms, *place))
            || (first..last).any(|place| at(&self.negators, place) && !places.contains(&place))
            || self.negated(first)
            || in_clause(&self.past)
            || in_clause(&self.asked)
            || (!anyone && self.about_somebody_else(last))
    }

    /// Whether a "no" before this word reaches it.
    fn negated(&self, first: usize) -> bool {
        for place in (first.saturating_sub(REACH)..first).rev() {
            let same = self.clauses.get(place) == self.clauses.get(place + 1);
            let Some(next) = self.words.get(place + 1).filter(|_| same) else { return false };
            // "No, my chest hurts" and "no fever, my chest hurts" begin something new after the comma.
            let anew = self.selves.get(place + 1).copied().unwrap_or_default();
            if next.before == Break::Comma && anew {
                return false;
            }
            if self.negators.get(place).copied().unwrap_or_default() {
                return true;
            }
        }
        false
    }

    /// Whether the last person who is named before the end of the finding, in its clause, is neither the writer nor a child.
    fn about_somebody_else(&self, last: usize) -> bool {
        (0..=last)
            .rev()
            .take_while(|place| self.clauses.get(*place) == self.clauses.get(last))
            .find_map(|place| {
                let marked = |marks: &[bool]| marks.get(place).copied().unwrap_or_default();
                if marked(&self.others) { Some(true) } else { marked(&self.selves).then_some(false) }
            })
            .unwrap_or_default()
    }
}
