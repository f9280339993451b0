//! The seeds that every change must pass. More by hand: `cargo xtask sim --seeds A..B`.

use bedside_sim::{Trace, explain, plan, run, run_seed};

/// As many as take less than a minute without optimisation.
const FIXED: std::ops::Range<u64> = 0..400;

/// Seeds that failed once.
const REGRESSIONS: [u64; 1] = [290];

#[test]
fn no_seed_loses_doubles_reorders_or_misdirects_anything() {
    let halves = [FIXED.step_by(2).collect::<Vec<_>>(), FIXED.skip(1).step_by(2).collect()];
    let failed: Vec<u64> = std::thread::scope(|scope| {
        let running = halves.map(|seeds| {
            scope.spawn(move || seeds.into_iter().filter(|seed| run_seed(*seed).is_err()).collect::<Vec<_>>())
        });
        running.into_iter().flat_map(|half| half.join().expect("a run's faults are its result")).collect()
    });
    let worst = failed.iter().min().map(|seed| explain(*seed)).unwrap_or_default();
    assert!(failed.is_empty(), "{} seeds fail; the first:\n{worst}", failed.len());
}

#[test]
fn what_failed_once_passes() {
    for seed in REGRESSIONS {
        assert!(run_seed(seed).is_ok(), "{}", explain(seed));
    }
}

#[test]
fn the_same_seed_is_the_same_run_byte_for_byte() {
    let traced = |seed| {
        let trace = Trace::default();
        let outcome = run(seed, &plan::plan(seed), Some(Trace::clone(&trace))).expect("a run that goes well");
        (outcome, trace.take())
    };
    for seed in [3, 14, 159] {
        let (first, second) = (traced(seed), traced(seed));
        assert!(first.1.len() > 10_000, "a trace of something");
        assert_eq!(first, second);
    }
}
