//! Runs the simulator (`tests/sim`), optimised.

use crate::process::{self, Result, cargo};
use crate::setup;
use std::path::Path;

/// What can be chosen.
#[derive(clap::Args)]
pub struct Options {
    /// The seeds, A..B; 10,000 of them write some 570,000 messages.
    #[arg(long, value_name = "A..B", default_value = "0..10000")]
    seeds: String,
}

/// Builds the simulator and runs it.
pub fn run(root: &Path, options: &Options) -> Result {
    setup::run(root, &[setup::Tier::Build])?;
    process::step("simulate", || {
        let run =
            ["run", "--quiet", "--profile", "sim", "-p", "bedside-sim", "--", "--seeds", &options.seeds];
        process::run(&mut cargo(&run, root))
    })
}
