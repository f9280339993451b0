//! What a model must beat: the same three always, and plain retrieval.

use super::situation::Situation;
use super::{Model, OFFERS};
use crate::measure::{HIT, set_cosine};
use crate::turn::Turn;
use std::collections::BTreeSet;

impl Model {
    /// The three past replies that most others are like, each counted for one of them.
    pub fn popular(&self) -> Vec<&str> {
        let replies = &self.pool.replies;
        let mut left: Vec<&[u32]> = replies.iter().map(|reply| reply.set.as_slice()).collect();
        let mut popular = Vec::new();
        while popular.len() < OFFERS {
            let like = |set: &[u32]| left.iter().filter(|other| set_cosine(set, other) >= HIT).count();
            let mut best = None;
            for reply in replies {
                let count = like(&reply.set);
                if best.is_none_or(|(most, _)| count > most) {
                    best = Some((count, reply));
                }
            }
            let Some((_, reply)) = best else { break };
            popular.push(reply.text.as_str());
            left.retain(|other| set_cosine(&reply.set, other) < HIT);
        }
        popular
    }

    /// The replies to the three situations that BM25 finds nearest, repetitions left out.
    pub fn nearest(&self, turns: &[Turn]) -> Vec<&str> {
        let scores = self.pool.bm25.scores(Situation::after(turns).query());
        let mut order: Vec<(f32, usize)> =
            scores.into_iter().enumerate().map(|(at, score)| (score, at)).collect();
        order.sort_by(|(x, a), (y, b)| y.total_cmp(x).then(a.cmp(b)));
        let mut said = BTreeSet::new();
        order
            .into_iter()
            .filter_map(|(_, at)| self.pool.replies.get(at))
            .filter(|reply| said.insert(&reply.set))
            .map(|reply| reply.text.as_str())
            .take(OFFERS)
            .collect()
    }
}
