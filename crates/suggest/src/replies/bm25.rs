//! BM25: which earlier situations share this one's rare words.

use std::collections::{BTreeMap, BTreeSet};

/// How soon a word's repetition stops counting, and how much a long text is held against it: the usual values.
const SATURATION: f32 = 1.2;
const LENGTH: f32 = 0.75;

/// Where each word stands.
#[derive(Clone, Debug, Default)]
pub struct Bm25 {
    texts: usize,
    /// Of each word: the texts that have it, and what it counts there.
    words: BTreeMap<String, Vec<(usize, f32)>>,
}

impl Bm25 {
    /// Reads the texts.
    pub fn of<'a, T: Iterator<Item = &'a String>>(texts: impl Iterator<Item = T>) -> Self {
        let mut words: BTreeMap<String, Vec<(usize, f32)>> = BTreeMap::new();
        let mut lengths: Vec<f32> = Vec::new();
        for (at, text) in texts.enumerate() {
            let mut length = 0.0;
            for word in text {
                length += 1.0;
                let places = words.entry(word.clone()).or_default();
                match places.last_mut().filter(|(last, _)| *last == at) {
                    Some((_, count)) => *count += 1.0,
                    None => places.push((at, 1.0)),
                }
            }
            lengths.push(length);
        }
        let texts = lengths.len();
        let average = (lengths.iter().sum::<f32>() / texts.max(1) as f32).max(1.0);
        for places in words.values_mut() {
            let (all, some) = (texts as f32, places.len() as f32);
            let rarity = (1.0 + (all - some + 0.5) / (some + 0.5)).ln();
            for (at, count) in places {
                let length = lengths.get(*at).copied().unwrap_or(average);
                let saturation = SATURATION * (1.0 - LENGTH + LENGTH * length / average);
                *count = rarity * *count * (SATURATION + 1.0) / (*count + saturation);
            }
        }
        Self { texts, words }
    }

    /// Each text's score.
    pub fn scores<'a>(&self, query: impl Iterator<Item = &'a String>) -> Vec<f32> {
        let mut scores = vec![0.0; self.texts];
        for word in query.collect::<BTreeSet<_>>() {
            for (at, weight) in self.places(word) {
                if let Some(score) = scores.get_mut(*at) {
                    *score += weight;
                }
            }
        }
        scores
    }

    /// The texts that have a word, and what it counts there.
    pub fn places(&self, word: &str) -> &[(usize, f32)] {
        self.words.get(word).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens;

    #[test]
    fn a_rare_word_counts_more_than_a_common_one_and_a_short_text_more_than_a_long() {
        let texts =
            ["the rash", "the the cough", "the rash and the cough and the fever and the chills"].map(tokens);
        let index = Bm25::of(texts.iter().map(|text| text.iter()));
        let scores = index.scores(tokens("the fever rash").iter());
        assert!(scores[2] > scores[0] && scores[0] > scores[1], "{scores:?}");
        let scores = index.scores(tokens("rash rash").iter());
        assert!(scores[0] > scores[2] && scores[1] == 0.0, "{scores:?}");
        assert!(Bm25::default().scores(tokens("rash").iter()).is_empty());
    }
}
