//! From a score to the chance that one of the offers is what the provider would write, as it was on turns held out.

/// Turns that are looked at together; fewer say little about a chance.
const TOGETHER: usize = 40;

/// The chance at and above each score, both rising.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    steps: Vec<(f32, f32)>,
}

impl Calibration {
    /// Learns from scores and whether each was a hit: isotonic regression, by pooling neighbours that are in the wrong order.
    pub fn of(mut turns: Vec<(f32, bool)>) -> Self {
        turns.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        // Its lowest score, its hits and its turns.
        let mut pools: Vec<(f32, usize, usize)> = Vec::new();
        for group in turns.chunks_exact(TOGETHER) {
            let lowest = group.first().map_or(0.0, |(score, _)| *score);
            let mut pool = (lowest, group.iter().filter(|(_, hit)| *hit).count(), group.len());
            while let Some((score, hits, all)) =
                pools.pop_if(|(_, hits, all)| *hits * pool.2 >= pool.1 * *all)
            {
                pool = (score, hits + pool.1, all + pool.2);
            }
            pools.push(pool);
        }
        Self {
            steps: pools.into_iter().map(|(score, hits, all)| (score, hits as f32 / all as f32)).collect(),
        }
    }

    /// The chance at a score; none if nothing is known. Below all known scores it falls with the score.
    pub fn chance(&self, score: f32) -> f32 {
        let above = self.steps.partition_point(|(from, _)| *from <= score);
        match (above.checked_sub(1).and_then(|at| self.steps.get(at)), self.steps.first()) {
            (Some((_, chance)), _) => *chance,
            (None, Some((from, chance))) if *from > 0.0 => chance * (score / from).clamp(0.0, 1.0),
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_chance_is_the_share_of_hits_and_rises() {
        // 40 turns each without a hit, all hits, a quarter (out of order), all hits.
        let turns = (40..200_usize).map(|at| {
            let hit = match at / TOGETHER - 1 {
                0 => false,
                2 => at.is_multiple_of(4),
                _ => true,
            };
            (at as f32, hit)
        });
        let calibration = Calibration::of(turns.collect());
        let chances = [-1.0, 40.0, 79.0, 80.0, 159.0, 160.0, 999.0].map(|score| calibration.chance(score));
        assert_eq!(chances, [0.0, 0.0, 0.0, 0.625, 0.625, 1.0, 1.0]);
        let hits = Calibration::of(vec![(0.8, true); TOGETHER]);
        assert_eq!([0.8, 0.4, -1.0].map(|score| hits.chance(score)), [1.0, 0.5, 0.0]);
        assert_eq!(Calibration::of(vec![(1.0, true); TOGETHER - 1]).chance(2.0), 0.0, "too few to tell");
    }

    proptest! {
        #[test]
        fn a_higher_score_never_has_a_lower_chance(turns in prop::collection::vec((0.0_f32..1.0, any::<bool>()), 0..400)) {
            let calibration = Calibration::of(turns);
            let chances: Vec<f32> = (0..=20).map(|score| calibration.chance(score as f32 / 20.0)).collect();
            prop_assert!(chances.is_sorted() && chances.iter().all(|chance| (0.0..=1.0).contains(chance)));
        }
    }
}
