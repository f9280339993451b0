//! Builds the pages and the programs. Cargo's own progress goes through to the terminal.

use crate::process::{self, Result, cargo, command};
use crate::stamp;
use std::path::{Path, PathBuf};

/// The app serves its window from `ui/dist` instead of a development server. Every cargo call names it: packages built
/// with other features would be built twice.
pub const FEATURES: [&str; 2] = ["--features", "bedside/custom-protocol"];

/// The packages whose programs one runs.
pub const PACKAGES: [&str; 6] = ["-p", "bedside-server", "-p", "bedside", "-p", "bedside-tests"];

/// Pages that programs carry inside.
const PAGES: [(&str, &str); 2] = [("ui", "the window's page"), ("crates/server/page", "the patients' page")];

/// The pages, where their sources have changed.
pub fn pages(root: &Path) -> Result {
    for (folder, what) in PAGES {
        let name = format!("build-{}", folder.replace('/', "-"));
        let made = format!("{folder}/dist/index.html");
        stamp::unless_fresh(root, &name, &[folder], &[&made], || {
            process::step(&format!("build {what}"), || {
                process::run(&mut command("npm", &["run", "build"], &root.join(folder)))
            })
        })?;
    }
    Ok(())
}

/// What the demo runs: the server, the app and the simulated patients.
pub fn programs(root: &Path) -> Result {
    pages(root)?;
    process::step("build the server, the window and the simulated patients", || {
        let binaries = ["--bin", "bedside-server", "--bin", "bedside", "--bin", "patients"];
        process::run(cargo(&["build"], root).args(PACKAGES).args(binaries).args(FEATURES))
    })
}

/// A program that was built.
pub fn program(root: &Path, name: &str) -> PathBuf {
    root.join("target/debug").join(name)
}
