//! Simulated patients: each writes the turns of a script, at its pace, and reacts to the provider's replies.
//!
//! A patient who is interrupted (the server dies, the program ends) goes on where the conversation's log stops, so
//! no turn is lost and none is written twice.

mod dialogue;
mod patient;
mod recording;
mod script;

use std::time::Duration;
use tokio::task::JoinSet;

pub use dialogue::load as load_dialogues;
pub use patient::{Event, Written};
pub use recording::{Consultation, Speaker, Spoken, load as load_recording};
pub use script::{LoadError, Pace, Script, Turn, When};

/// Lets all patients write at once, and ends when each has written everything. Dropping the future stops them.
pub async fn run(
    server: &str,
    scripts: Vec<Script>,
    pace: Pace,
    report: impl Fn(Event) + Clone + Send + Sync + 'static,
) {
    let start = tokio::time::Instant::now();
    let mut patients = JoinSet::new();
    for script in scripts {
        patients.spawn(patient::play(server.to_owned(), script, pace, start, report.clone()));
    }
    while patients.join_next().await.is_some() {}
}

/// How long a patient waits for a reply before writing on.
pub const PATIENCE: Duration = Duration::from_secs(120);
