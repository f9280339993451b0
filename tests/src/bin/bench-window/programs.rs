//! What is started: our window, and an empty one.

use bedside_tests::program::built;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Ours.
pub fn bedside() -> PathBuf {
    built("bedside", "--release -p bedside --features bedside/custom-protocol,bedside/automation")
}

/// Builds the empty window, beside what of Tauri is built already.
pub fn build_empty_window() -> PathBuf {
    let release = bedside().with_file_name("");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--release", "--locked", "--manifest-path"]);
    cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../bench/peers/empty-window/Cargo.toml"));
    cargo.arg("--target-dir").arg(release.parent().expect("the target folder"));
    assert!(cargo.status().is_ok_and(|status| status.success()), "the empty window can't be built");
    release.join("bench-empty-window")
}
