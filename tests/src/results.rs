//! Benchmarks' results: printed, and kept in `target/bench/results.json`.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// One figure, beside what a peer needed for the same in the same run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// Ours.
    pub value: f64,
    /// Of both values.
    pub unit: String,
    /// Beside whom.
    pub peer: String,
    /// The peer's.
    pub peer_value: f64,
    /// Ours by the peer's.
    pub ratio: f64,
}

impl Figure {
    /// Ours beside a peer's.
    pub fn new(name: &str, value: f64, unit: &str, peer: &str, peer_value: f64) -> Self {
        let (name, unit, peer) = (name.to_owned(), unit.to_owned(), peer.to_owned());
        Self { name, value, unit, peer, peer_value, ratio: value / peer_value }
    }
}

/// Where the figures are kept.
pub fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench/results.json")
}

/// Prints the figures, and keeps them in place of earlier ones of the same name and peer.
pub fn keep(figures: &[Figure]) {
    let file = file();
    let known = std::fs::read(&file).ok().and_then(|json| serde_json::from_slice(&json).ok());
    let mut all: Vec<Figure> = known.unwrap_or_default();
    all.retain(|old| !figures.iter().any(|new| (&new.name, &new.peer) == (&old.name, &old.peer)));
    for figure in figures {
        let Figure { name, value, unit, peer, peer_value, ratio } = figure;
        println!("{name}: {value:.1} {unit}; {peer}: {peer_value:.1} {unit}; ratio {ratio:.2}");
    }
    all.extend_from_slice(figures);
    all.sort_by(|a, b| (&a.name, &a.peer).cmp(&(&b.name, &b.peer)));
    let folder = file.parent().expect("a file has a folder");
    std::fs::create_dir_all(folder).expect("target/bench can be made");
    let json = serde_json::to_vec_pretty(&all).expect("figures are JSON");
    std::fs::write(&file, json).expect("the results can be written");
    println!("kept in {}", file.display());
}
