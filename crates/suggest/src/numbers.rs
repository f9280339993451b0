//! Words as numbers, so that sets of them compare quickly.

use std::collections::BTreeMap;

/// The words that were met so far.
#[derive(Clone, Debug, Default)]
pub struct Numbers(BTreeMap<String, u32>);

impl Numbers {
    /// The words' numbers, sorted and without repetition; a new word gets the next one.
    pub fn set(&mut self, words: &[String]) -> Vec<u32> {
        let number = |word: &String| {
            let next = self.0.len() as u32;
            *self.0.entry(word.clone()).or_insert(next)
        };
        let mut set: Vec<u32> = words.iter().map(number).collect();
        set.sort_unstable();
        set.dedup();
        set
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens;

    #[test]
    fn a_word_keeps_its_number() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.set(&tokens("how long, how bad")), [0, 1, 2]);
        assert_eq!(numbers.set(&tokens("new bad how")), [0, 2, 3]);
        assert_eq!(numbers.len(), 4);
    }
}
