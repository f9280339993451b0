//! The wire as others see it: what goes out comes back, what is hostile is refused, and the document is right.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's helper fails by panicking, as the test itself does"
)]

mod any;
mod document;
mod hostile;
mod numbers;
mod preview;
mod round_trip;

use proptest::test_runner::{Config, RngSeed};

/// The same cases every time: a failure is found again by running the test again.
fn config(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(0x0be5_1de5), failure_persistence: None, ..Config::default() }
}
