//! Simulated patients for a demonstration server: `patients --help`.

use bedside_tests::patients::{self, Event, Pace, Script, Written};
use clap::{ArgGroup, Parser};
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Lets simulated patients write to a Bedside server that was started with --demo.
///
/// Prints a line for each message, with the patient's name and the message's place, never its text. Ends when all
/// is written, or with SIGINT or SIGTERM; started again, it goes on where each conversation stands.
#[derive(Parser)]
#[command(version, group = ArgGroup::new("script").required(true))]
struct Arguments {
    /// The server's address.
    #[arg(long, value_name = "URL")]
    server: String,
    /// A folder of dialogues, one patient each (demo/README.md describes them).
    #[arg(long, value_name = "DIR", group = "script")]
    dialogues: Option<PathBuf>,
    /// Recorded consultations, a JSON line each: the patients' turns, at their own times.
    #[arg(long, value_name = "FILE", group = "script")]
    replay: Option<PathBuf>,
    /// Divides all times.
    #[arg(long, value_name = "N", default_value = "1")]
    speed: Pace,
}

impl Arguments {
    fn scripts(&self) -> Result<Vec<Script>, patients::LoadError> {
        let mut scripts = Vec::new();
        if let Some(folder) = &self.dialogues {
            scripts.extend(patients::load_dialogues(folder)?);
        }
        if let Some(file) = &self.replay {
            scripts.extend(patients::load_recording(file)?.iter().map(|consultation| consultation.script()));
        }
        Ok(scripts)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let scripts = match arguments.scripts() {
        Ok(scripts) => scripts,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let stopped = async {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            // Without handlers the signals end the program by themselves.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    tokio::select! {
        () = patients::run(&arguments.server, scripts, arguments.speed, print) => {}
        () = stopped => {}
    }
    ExitCode::SUCCESS
}

fn print(event: Event) {
    let Event { patient, turn, turns, written } = event;
    match written {
        Written::Committed(seq) => println!("{patient}: {turn} of {turns} sent, seq {seq}"),
        Written::Refused(code) => println!("{patient}: {turn} of {turns} refused: {code:?}"),
        Written::NotSignedIn => println!("{patient}: not signed in; was the server started with --demo?"),
    }
}
