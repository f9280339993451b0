//! A screen for the window where there is none.

use crate::process::{Process, Result, command};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The screen's size, that of the smallest laptop the desk is drawn for.
const SCREEN: &str = "1280x800x24";

/// Xvfb starts within a second; a machine under load gets much more.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Where windows go.
pub enum Display {
    /// The person's own screen.
    Real,
    /// A screen in memory, which ends with this value.
    Virtual {
        /// `:N`.
        name: String,
        /// Held for its end.
        _server: Process,
    },
}

/// Whether this machine has a screen.
pub fn exists() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

impl Display {
    /// The person's screen, or a virtual one where there is none, which it says.
    pub fn open(root: &Path, logs: &Path) -> Result<Self> {
        if exists() {
            return Ok(Self::Real);
        }
        // It takes the first free number and prints it.
        let mut xvfb =
            command("Xvfb", &["-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp"], root);
        let (server, number) =
            Process::start_until("Xvfb", &mut xvfb, &logs.join("xvfb.log"), START_LIMIT, |line| {
                line.trim().parse::<u32>().ok()
            })?;
        println!("There is no display here: windows open on a virtual one, :{number} (Xvfb, {SCREEN}).");
        Ok(Self::Virtual { name: format!(":{number}"), _server: server })
    }

    /// Lets a command open its windows here.
    pub fn give_to(&self, command: &mut Command) {
        if let Self::Virtual { name, .. } = self {
            command.env("DISPLAY", name);
        }
    }

    /// Whether it is a virtual one.
    pub fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual { .. })
    }
}
