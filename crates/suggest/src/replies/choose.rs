//! Which few offers serve best, given how likely each past reply is.
//!
//! The most likely reply alone is a poor offer: it is one of many ways to say one of a few things. What counts is how much of
//! the whole likelihood an offer is like. So the offers are chosen one after the other, each as the one that adds most, and
//! near-duplicates are merged by themselves.

use crate::measure::{HIT, cosine, set_cosine};
use std::collections::BTreeMap;

/// Likely replies that are looked at.
pub const LIKELY: usize = 300;

/// From this likeness on, two offers say the same.
const SAME: f32 = 0.8;

/// A choice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// The candidates' places, best first, each with the share of the likelihood that it is like.
    pub offers: Vec<(usize, f32)>,
    /// The share that the offers together are like.
    pub share: f32,
}

/// The most likely replies, each with its share of the likelihood of them all.
pub fn shares(likelihoods: &[f32]) -> Vec<(usize, f32)> {
    let mut order: Vec<(usize, f32)> = likelihoods.iter().copied().enumerate().collect();
    order.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
    order.truncate(LIKELY);
    let most = order.first().map_or(0.0, |(_, most)| *most);
    let mut sum = 0.0;
    for (_, value) in &mut order {
        *value = (*value - most).exp();
        sum += *value;
    }
    for (_, value) in &mut order {
        *value /= sum;
    }
    order
}

/// The `number` candidates that together are like most of the likely replies.
pub fn choose(likely: &[(&[u32], f32)], candidates: &[&[u32]], number: usize) -> Choice {
    let uses = uses(likely, candidates);
    let share = |covered: &mut dyn Iterator<Item = f32>| -> f32 {
        covered.zip(likely).map(|(covered, (_, share))| covered * share).sum()
    };
    let mut covered = vec![0.0_f32; likely.len()];
    let mut choice = Choice::default();
    while choice.offers.len() < number {
        let mut best: Option<(usize, &Vec<f32>, f32)> = None;
        for (at, (candidate, uses)) in candidates.iter().zip(&uses).enumerate() {
            let together = share(&mut covered.iter().zip(uses).map(|(a, b)| a.max(*b)));
            let more = together > best.map_or(choice.share, |(_, _, best)| best);
            let said = |(chosen, _): &(usize, f32)| {
                candidates.get(*chosen).is_some_and(|chosen| set_cosine(chosen, candidate) >= SAME)
            };
            if more && !choice.offers.iter().any(said) {
                best = Some((at, uses, together));
            }
        }
        let Some((at, uses, together)) = best else { break };
        choice.offers.push((at, share(&mut uses.iter().copied())));
        choice.share = together;
        for (covered, usefulness) in covered.iter_mut().zip(uses) {
            *covered = covered.max(*usefulness);
        }
    }
    choice
}

/// What each candidate is worth, should one of the likely replies be the one that is written.
fn uses(likely: &[(&[u32], f32)], candidates: &[&[u32]]) -> Vec<Vec<f32>> {
    // By words: to compare each candidate with each reply takes twenty times as long.
    let mut having: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, (set, _)) in likely.iter().enumerate() {
        for word in *set {
            having.entry(*word).or_default().push(at);
        }
    }
    let of = |candidate: &&[u32]| -> Vec<f32> {
        let mut common = vec![0_usize; likely.len()];
        for at in candidate.iter().filter_map(|word| having.get(word)).flatten() {
            if let Some(count) = common.get_mut(*at) {
                *count += 1;
            }
        }
        let sizes = likely.iter().map(|(set, _)| set.len());
        common
            .into_iter()
            .zip(sizes)
            .map(|(common, size)| useful(cosine(common, candidate.len(), size)))
            .collect()
    };
    candidates.iter().map(of).collect()
}

/// What an offer is worth that is this much like the reply: half for a hit, half for how near it is.
fn useful(likeness: f32) -> f32 {
    0.5 * f32::from(likeness >= HIT) + 0.5 * likeness.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_one_and_in_order() {
        let shares = shares(&[0.0, 2_f32.ln(), 0.0]);
        let rounded: Vec<(usize, i32)> =
            shares.iter().map(|(at, share)| (*at, (share * 100.0).round() as i32)).collect();
        assert_eq!(rounded, [(1, 50), (0, 25), (2, 25)]);
        assert!(super::shares(&[]).is_empty());
    }

    #[test]
    fn many_ways_to_say_one_thing_count_together_and_are_offered_once() {
        // The likeliest single reply stands alone; three others say the same as each other.
        let sets: [&[u32]; 4] = [&[9, 8, 7], &[1, 2, 3], &[1, 2, 3, 4], &[1, 2, 3, 5]];
        let likely: Vec<(&[u32], f32)> = sets.iter().copied().zip([0.4, 0.2, 0.2, 0.2]).collect();
        let choice = choose(&likely, &sets, 3);
        let places: Vec<usize> = choice.offers.iter().map(|(at, _)| *at).collect();
        assert_eq!(places[..2], [1, 0]);
        assert!(choice.offers[0].1 > 0.5 && choice.share > 0.9, "{choice:?}");
        assert_eq!(places.len(), 2, "the others would say it again");
    }

    #[test]
    fn nothing_likely_or_nothing_to_offer_is_no_choice() {
        assert_eq!(choose(&[], &[&[1]], 3), Choice::default());
        assert_eq!(choose(&[(&[1], 1.0)], &[], 3), Choice::default());
    }
}
