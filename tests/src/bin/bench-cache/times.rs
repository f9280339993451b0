//! How long things take. On Linux, time in which another program had the processor isn't counted.

use bedside_tests::results::Figure;
use std::time::{Duration, Instant};

/// Run before anything is measured, for the caches of SQLite and the system.
const WARM: usize = 20;

/// How long this thread has waited for a processor.
fn waited() -> Duration {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let waited = schedule.split(' ').nth(1).and_then(|nanoseconds| nanoseconds.parse().ok());
    Duration::from_nanos(waited.unwrap_or(0))
}

/// Milliseconds, in order.
pub struct Times(Vec<f64>);

impl Times {
    /// How long each takes.
    pub fn of<T>(queries: &[T], mut run: impl FnMut(&T)) -> Self {
        queries.iter().take(WARM).for_each(&mut run);
        let mut times: Vec<f64> = queries
            .iter()
            .map(|query| {
                let (before, start) = (waited(), Instant::now());
                run(query);
                let spent = start.elapsed();
                spent.saturating_sub(waited().saturating_sub(before)).as_secs_f64() * 1000.0
            })
            .collect();
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    fn at(&self, percent: usize) -> f64 {
        self.0[(self.0.len() - 1) * percent / 100]
    }

    /// Median and 99th percentile beside the peer's.
    pub fn beside(&self, name: &str, peer: &str, theirs: &Self) -> [Figure; 2] {
        [50, 99].map(|percent| {
            Figure::new(&format!("{name}, p{percent}"), self.at(percent), "ms", peer, theirs.at(percent))
        })
    }

    /// The 99th percentile beside what it should be.
    pub fn aim(&self, name: &str, aim: f64) -> Figure {
        Figure::new(&format!("{name}, p99"), self.at(99), "ms", "the aim", aim)
    }
}
