//! Texts as sparse vectors: words and pairs of neighbours, weighed by how rare they are.

use std::collections::{BTreeMap, BTreeSet};

/// Places and weights, by place.
pub type Sparse = Vec<(usize, f32)>;

/// The terms that are known, each with its place and weight.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    terms: BTreeMap<String, (usize, f32)>,
}

/// A term of one text alone says nothing about others.
const TEXTS: usize = 2;

fn terms(words: &[String]) -> impl Iterator<Item = String> {
    let pairs = words.iter().zip(words.iter().skip(1)).map(|(a, b)| format!("{a} {b}"));
    words.iter().cloned().chain(pairs)
}

impl Vocabulary {
    /// The terms of these texts.
    pub fn of<'a>(texts: impl Iterator<Item = &'a [String]>) -> Self {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut all = 0;
        for text in texts {
            all += 1;
            for term in terms(text).collect::<BTreeSet<_>>() {
                *counts.entry(term).or_default() += 1;
            }
        }
        let weight = |count: usize| (1.0 + all as f32 / (count as f32 + 0.5)).ln();
        let known = counts.into_iter().filter(|(_, count)| *count >= TEXTS).enumerate();
        Self { terms: known.map(|(place, (term, count))| (term, (place, weight(count)))).collect() }
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// A text's vector, of length 1, or empty.
    pub fn vector(&self, words: &[String]) -> Sparse {
        let mut counts: BTreeMap<usize, (f32, f32)> = BTreeMap::new();
        for term in terms(words) {
            if let Some((place, weight)) = self.terms.get(&term) {
                counts.entry(*place).or_insert((0.0, *weight)).0 += 1.0;
            }
        }
        let weighed: Sparse =
            counts.into_iter().map(|(place, (count, weight))| (place, (1.0 + count.ln()) * weight)).collect();
        let length = weighed.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        weighed.into_iter().map(|(place, weight)| (place, weight / length)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens;

    #[test]
    fn rare_terms_weigh_more_and_lone_ones_nothing() {
        let texts = ["any pain", "any fever", "any pain today", "any more"].map(tokens);
        let vocabulary = Vocabulary::of(texts.iter().map(Vec::as_slice));
        assert_eq!(vocabulary.len(), 3, "any, pain, and both");
        let vector = vocabulary.vector(&tokens("Any pain?"));
        let weights: Vec<f32> = vector.iter().map(|(_, weight)| *weight).collect();
        assert!(weights[0] < weights[2], "{weights:?}");
        assert!((weights.iter().map(|weight| weight * weight).sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(vocabulary.vector(&tokens("never seen")).is_empty());
    }
}
