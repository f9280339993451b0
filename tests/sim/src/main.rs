//! Runs seeds, on all cores, and explains the first that fail.

use bedside_sim::{explain, run_seed};
use clap::Parser;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

/// Simulates the sync path under seeded misfortune.
#[derive(Parser)]
#[command(name = "sim")]
struct Options {
    /// The seeds, `A..B`.
    #[arg(long, default_value = "0..300", value_parser = seeds)]
    seeds: std::ops::Range<u64>,
    /// Ends at the first failing seed, and says only which.
    #[arg(long)]
    first: bool,
}

/// So many seeds are worth a line on the way.
const PROGRESS: u64 = 500;

fn seeds(text: &str) -> Result<std::ops::Range<u64>, String> {
    let ends = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    ends.filter(|range: &std::ops::Range<u64>| !range.is_empty()).ok_or_else(|| "A..B, with A below B".into())
}

fn main() -> ExitCode {
    let options = Options::parse();
    // What fails is told with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    let (next, messages, slowest) =
        (AtomicU64::new(options.seeds.start), AtomicUsize::new(0), AtomicU64::new(0));
    let failed = Mutex::new(Vec::new());
    let began = Instant::now();
    let done = AtomicU64::new(0);
    let runs = options.seeds.end - options.seeds.start;
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if options.seeds.end <= seed {
                        break;
                    }
                    let so_far = done.fetch_add(1, Ordering::Relaxed);
                    if so_far > 0 && so_far.is_multiple_of(PROGRESS) {
                        eprintln!("{so_far} of {runs} seeds, {:.0} s", began.elapsed().as_secs_f64());
                    }
                    match run_seed(seed) {
                        Ok(outcome) => {
                            messages.fetch_add(outcome.messages, Ordering::Relaxed);
                            slowest.fetch_max(outcome.quiet_after_ms, Ordering::Relaxed);
                        }
                        Err(_) => {
                            if options.first {
                                next.store(options.seeds.end, Ordering::Relaxed);
                            }
                            failed.lock().unwrap_or_else(|broken| broken.into_inner()).push(seed);
                        }
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap_or_else(|broken| broken.into_inner());
    failed.sort_unstable();
    println!(
        "{runs} seeds, {} messages, {} failed; in order again {} ms after the last fault at the latest; {:.1} s",
        messages.into_inner(),
        failed.len(),
        slowest.into_inner(),
        began.elapsed().as_secs_f64()
    );
    if options.first {
        failed.first().into_iter().for_each(|seed| println!("first failing seed: {seed}"));
    } else {
        failed.iter().take(3).for_each(|seed| println!("{}", explain(*seed)));
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
