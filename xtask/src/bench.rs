//! Dispatches to the benchmarks: each is a program `bench-NAME` of the tests' package, built with optimisation.

use crate::process::{self, Context, Result, cargo, failed};
use crate::surroundings::Surroundings;
use crate::{build, setup};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// What can be chosen.
#[derive(clap::Args)]
pub struct Options {
    /// Which; without a name, those that there are are named.
    name: Option<String>,
    /// Further arguments go to the benchmark.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Where the benchmarks' sources are.
const PROGRAMS: &str = "tests/src/bin";

/// An optimised window can be driven only if it was built to be.
const FEATURES: [&str; 2] = ["--features", "bedside/custom-protocol,bedside/automation"];

/// Builds the benchmark and what it measures, and runs it.
pub fn run(root: &Path, options: &Options) -> Result {
    let names = names(&root.join(PROGRAMS))?;
    let there = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let Some(name) = &options.name else {
        println!("cargo xtask bench NAME, where NAME is one of: {there}");
        return Ok(());
    };
    if !names.contains(name) {
        return failed(format!("there is no benchmark {name}, only: {there}"));
    }
    setup::run(root, &setup::Tier::ALL)?;
    build::pages(root)?;
    let program = format!("bench-{name}");
    process::step(&format!("build {program} and what it measures"), || {
        let binaries =
            ["--bin", "bedside-server", "--bin", "bedside", "--bin", "patients", "--bin", &program];
        process::run(cargo(&["build", "--release"], root).args(build::PACKAGES).args(binaries).args(FEATURES))
    })?;
    let surroundings = Surroundings::open(root)?;
    let mut bench = Command::new(root.join("target/release").join(&program));
    bench.args(&options.arguments).current_dir(root);
    surroundings.give_to(&mut bench);
    process::step(&program, || process::run(&mut bench))
}

/// The programs `bench-NAME` in `folder`, each a file or a folder.
fn names(folder: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).context(format_args!("read {}", folder.display()))? {
        let name = entry.context("read a folder")?.file_name();
        let name = name.to_string_lossy();
        if let Some(name) = name.strip_prefix("bench-") {
            names.insert(name.trim_end_matches(".rs").to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_are_found_as_files_and_folders() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bench-loop.rs"), "").unwrap();
        std::fs::write(folder.path().join("patients.rs"), "").unwrap();
        std::fs::create_dir(folder.path().join("bench-server")).unwrap();
        assert_eq!(names(folder.path()).unwrap().into_iter().collect::<Vec<_>>(), ["loop", "server"]);
    }
}
