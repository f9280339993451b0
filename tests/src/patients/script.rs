//! What a patient is going to write, and when.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One patient's turns.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// The name to sign in with.
    pub name: String,
    /// In order.
    pub turns: Vec<Turn>,
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// When it is written.
    pub when: When,
    /// What it says.
    pub text: String,
}

/// When a turn is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So long after the program's start.
    At(Duration),
    /// So long after the turn before.
    After(Duration),
    /// So long after a provider has replied to the turn before, or patience has ended.
    AfterReply(Duration),
}

/// How much faster than life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace(f64);

impl Pace {
    /// `None` unless it is a positive number.
    pub fn new(speed: f64) -> Option<Self> {
        (speed.is_finite() && speed > 0.0).then_some(Self(speed))
    }

    /// How long that takes at this pace.
    pub fn scale(self, time: Duration) -> Duration {
        time.div_f64(self.0)
    }
}

impl std::str::FromStr for Pace {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().ok().and_then(Self::new).ok_or("a positive number")
    }
}

/// A file that can't be read as what it should be.
#[derive(Debug)]
pub struct LoadError {
    path: PathBuf,
    reason: String,
}

impl LoadError {
    pub(super) fn new(path: &Path, reason: impl fmt::Display) -> Self {
        let (path, reason) = (path.to_owned(), reason.to_string());
        Self { path, reason }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for LoadError {}
