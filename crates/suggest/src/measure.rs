//! How alike two replies are.

use crate::text::tokens;
use std::collections::BTreeSet;

/// From this set cosine on, an offer counts as the reply that was written: a hit.
pub const HIT: f32 = 0.5;

/// The part of two sets that is common, as a cosine. Both are sorted and without repetition.
pub fn set_cosine<T: Ord>(a: &[T], b: &[T]) -> f32 {
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    let mut common = 0_usize;
    while let (Some(x), Some(y)) = (left.peek(), right.peek()) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => left.next(),
            std::cmp::Ordering::Greater => right.next(),
            std::cmp::Ordering::Equal => {
                common += 1;
                right.next();
                left.next()
            }
        };
    }
    cosine(common, a.len(), b.len())
}

/// The cosine of two sets of these sizes that have so many in common.
pub fn cosine(common: usize, a: usize, b: usize) -> f32 {
    let size = ((a * b) as f32).sqrt();
    // Rounding must not make half of a half less.
    if size == 0.0 { 0.0 } else { (common as f32 + 1e-6) / size }
}

/// The set cosine of two texts' words.
pub fn likeness(a: &str, b: &str) -> f32 {
    let set = |text| tokens(text).into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    set_cosine(&set(a), &set(b))
}

/// ROUGE-L: the F1 of the longest common subsequence of two texts' words.
pub fn rouge_l(a: &str, b: &str) -> f32 {
    let (a, b) = (tokens(a), tokens(b));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let mut row = vec![0_u32; b.len()];
    for word in &a {
        let (mut diagonal, mut left) = (0, 0);
        for (cell, other) in row.iter_mut().zip(&b) {
            let above = *cell;
            *cell = if word == other { diagonal + 1 } else { above.max(left) };
            (diagonal, left) = (above, *cell);
        }
    }
    let longest = row.last().copied().unwrap_or_default();
    2.0 * longest as f32 / (a.len() + b.len()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f32, b: f32) -> bool {
        (a - b).abs() < 1e-4
    }

    #[test]
    fn likeness_is_the_cosine_of_the_words_as_sets() {
        assert!(near(likeness("How long, how long?", "how LONG"), 1.0));
        assert!(likeness("a b c d", "a b x y") >= HIT, "just half");
        assert!(near(likeness("a b c d", "e"), 0.0));
        assert!(near(likeness("", "a"), 0.0) && near(likeness("", ""), 0.0));
    }

    #[test]
    fn rouge_l_takes_the_words_in_their_order() {
        assert!(near(rouge_l("the cat sat", "the cat sat"), 1.0));
        assert!(near(rouge_l("a b c d", "a c d b"), 0.75));
        assert!(near(rouge_l("a b", "b a"), 0.5));
        assert!(near(rouge_l("", "a"), 0.0));
    }
}
