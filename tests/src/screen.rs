//! A screen for windows: the one that `DISPLAY` names, or one in memory.

use crate::program::{Program, SOON};
use std::process::Command;
use std::time::Instant;
use tempfile::TempDir;

/// Where windows open. A screen in memory ends with this value.
#[derive(Debug)]
pub struct Screen {
    name: String,
    _memory: Option<(Program, TempDir)>,
}

impl Screen {
    /// Opens one in memory unless there is one.
    pub fn open() -> Self {
        if let Some(name) = std::env::var("DISPLAY").ok().filter(|name| !name.is_empty()) {
            return Self { name, _memory: None };
        }
        let folder = tempfile::tempdir().expect("a folder");
        // It takes a free number, and prints it.
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
        let mut xvfb = Program::start("Xvfb", &mut command, &folder.path().join("xvfb.log"));
        let start = Instant::now();
        let number = loop {
            let said = xvfb.said();
            if let Some(number) = said.lines().find_map(|line| line.trim().parse::<u32>().ok()) {
                break number;
            }
            xvfb.assert_running();
            assert!(start.elapsed() < SOON, "Xvfb doesn't start:\n{said}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        Self { name: format!(":{number}"), _memory: Some((xvfb, folder)) }
    }

    /// Its name, for `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }
}
