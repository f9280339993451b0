//! What tests and benchmarks find around them: a display, a browser, Python.

use crate::display::Display;
use crate::process::{Context, Result};
use crate::setup;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Held while they run.
pub struct Surroundings {
    python: PathBuf,
    display: Display,
    browser: Option<PathBuf>,
}

impl Surroundings {
    /// The person's display, or one virtual display for the whole run, and the browser that set-up has found.
    pub fn open(root: &Path) -> Result<Self> {
        let logs = root.join("target/xtask");
        std::fs::create_dir_all(&logs).context("make target/xtask")?;
        Ok(Self {
            python: setup::venv(root).join("bin/python"),
            display: Display::open(root, &logs)?,
            browser: setup::browser(),
        })
    }

    /// Tells a command where they are.
    pub fn give_to(&self, command: &mut Command) {
        self.display.give_to(command);
        command.env("BEDSIDE_PYTHON", &self.python);
        if let Some(browser) = &self.browser {
            command.env("CHROME", browser);
        }
    }
}
