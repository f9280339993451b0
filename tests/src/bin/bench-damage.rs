//! Damaged caches: a thousand times one file of a cache is damaged at random, and the cache is opened. It panics if anything
//! is lost that only this computer knows.
//!
//!     cargo xtask bench damage [TIMES]      (1000 unless told otherwise)

use bedside_tests::damage::survive;
use bedside_tests::results::{Figure, keep};
use std::collections::BTreeMap;
use std::time::Instant;

fn main() {
    let times = std::env::args().nth(1).map_or(1_000, |times| times.parse().expect("how many"));
    let start = Instant::now();
    let outcomes = survive(0..times);
    let each = start.elapsed().as_secs_f64() * 1000.0 / times as f64;
    println!(
        "{times} damaged caches opened, and nothing lost; {each:.0} ms each, with all that was looked at"
    );
    let mut damaged: BTreeMap<_, u32> = BTreeMap::new();
    for ((damage, _), times) in &outcomes {
        *damaged.entry(damage).or_default() += times;
    }
    let figures = outcomes.iter().map(|((damage, repairs), times)| {
        let name = format!("caches mended by {repairs:?}: {damage}");
        Figure::new(&name, f64::from(*times), "of", "damaged so", f64::from(damaged[damage]))
    });
    keep(&figures.collect::<Vec<_>>());
}
