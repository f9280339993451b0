//! Entries a second from the socket's frame to the committed row and the window's difference: a server floods one
//! console's core, which has its inbox and one conversation watched. Beside it, in the same run, what the parts cost
//! alone: SQLite with the same rows (the floor), the event cache store of matrix-sdk-sqlite, and `rust_socketio`.
//!
//! `bench-receive [ENTRIES] [CONVERSATIONS]`. A round counts from its first frame until the last entry is in the cache
//! and a window has been told of it. The middle one of three counts.

mod console;
mod flood;
mod floor;
mod log;
mod peers;

use bedside_tests::results::{Figure, keep};
use clap::Parser;
use console::{Pace, Received};
use log::Log;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// As many of each; the middle one counts.
const ROUNDS: usize = 3;
/// Nothing takes this long unless it has failed.
const TOO_LONG: Duration = Duration::from_secs(240);

/// Floods a console's core with entries.
#[derive(Parser)]
struct Arguments {
    /// How many.
    #[arg(default_value_t = 20_000)]
    entries: usize,
    /// Over how many conversations.
    #[arg(default_value_t = 20)]
    conversations: usize,
    /// How often.
    #[arg(long, default_value_t = ROUNDS)]
    rounds: usize,
    /// Measure the console alone, for a profiler.
    #[arg(long)]
    alone: bool,
}

#[tokio::main]
async fn main() {
    let Arguments { entries, conversations, rounds, alone } = Arguments::parse();
    let log = Arc::new(Log::new(entries, conversations));
    let matrix = if alone { None } else { peers::Matrix::build() };
    // One after the other within a round, since the disk's syncs take ten times as long in one minute as in another.
    let mut rates: Vec<(&str, Vec<f64>)> = Vec::new();
    for _ in 0..rounds {
        let mut note = |name, rate| match rates.iter_mut().find(|(known, _)| *known == name) {
            Some((_, rates)) => rates.push(rate),
            None => rates.push((name, vec![rate])),
        };
        note(OURS, round(&log, Pace::Window).await);
        if alone {
            continue;
        }
        note("rusqlite alone with the same rows", floor::rusqlite(&log));
        note("the cache alone with the same commits", floor::store(&log));
        if let Some(matrix) = &matrix {
            note("matrix-sdk-sqlite's event cache store alone", matrix.save(&log));
        }
        let bare = timeout(TOO_LONG, peers::rust_socketio(&log)).await;
        note("rust_socketio alone", bare.expect("all frames come"));
        let wrapped = timeout(TOO_LONG, peers::socket(&log)).await;
        note("the console's socket alone", wrapped.expect("all frames come"));
        note("the console in a burst: disconnected, and caught up", round(&log, Pace::Burst).await);
    }
    let mut rates = rates.into_iter().map(|(name, mut rates)| (name, middle(name, &mut rates)));
    let (_, ours) = rates.next().expect("a round");
    if !alone {
        let name =
            format!("entries received, committed and shown: {entries} of {conversations} conversations");
        keep(
            &rates.map(|(peer, rate)| Figure::new(&name, ours, "entries/s", peer, rate)).collect::<Vec<_>>(),
        );
    }
}

/// What is measured.
const OURS: &str = "the console";

/// Entries a second.
async fn round(log: &Arc<Log>, pace: Pace) -> f64 {
    let received = timeout(TOO_LONG, console::receive(log, pace)).await.expect("all entries come");
    let Received { committed, shown, updates, connections, busy } = received;
    let busy: Vec<_> = busy.iter().map(|(name, seconds)| format!("{name} {seconds:.2}")).collect();
    println!(
        "  committed after {committed:.2?}, shown after {shown:.2?}, {updates} updates, {connections} connections; \
         processor seconds: {}",
        busy.join(", ")
    );
    log.frames.len() as f64 / shown.as_secs_f64()
}

fn middle(name: &str, rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    println!("{name}: {rates:.0?} entries/s");
    rates[rates.len() / 2]
}
