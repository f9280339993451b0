//! Bedside's tasks. It needs only Rust, so that it can say and install what the rest needs.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal talks to the terminal"
)]

mod bench;
mod build;
mod demo;
mod display;
mod process;
mod setup;
mod sim;
mod stamp;
mod surroundings;
mod test;
mod tidy;

use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Bedside's tasks: try it, test it, measure it.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Start a server, simulated patients and the window, signed in.
    Demo(demo::Options),
    /// Run every check and test, as CI does.
    Test(test::Options),
    /// Measure, beside what else would do the same work.
    Bench(bench::Options),
    /// Run the sync path's simulator under many seeds.
    Sim(sim::Options),
    /// Install what building, showing and testing need.
    Setup,
    /// Build the server, the window and the simulated patients.
    Build,
    /// Check what no lint holds: arrows between crates, purity, dead links and names.
    Tidy,
}

/// The checkout's root.
fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let root = root();
    let done = process::catch_signals().and_then(|()| match arguments.task {
        Task::Demo(options) => demo::run(&root, &options),
        Task::Test(options) => test::run(&root, &options),
        Task::Bench(options) => bench::run(&root, &options),
        Task::Sim(options) => sim::run(&root, &options),
        Task::Setup => setup::run(&root, &setup::Tier::ALL),
        Task::Build => setup::run(&root, &[setup::Tier::Build]).and_then(|()| build::programs(&root)),
        Task::Tidy => tidy::run(&root),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(process::Error::Interrupted) => {
            eprintln!("\nStopped.");
            // What shells expect of a program that Ctrl+C ended.
            ExitCode::from(130)
        }
        Err(process::Error::Failed(words)) => {
            eprintln!("\nFailed: {words}");
            ExitCode::FAILURE
        }
    }
}
