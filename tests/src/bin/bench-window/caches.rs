//! Caches full of messages, made once and kept.

use bedside_client::Client;
use bedside_client::api::Command;
use bedside_protocol::Time;
use bedside_store::{Cache, Write};
use bedside_tests::bulk::{BATCH, CONVERSATIONS, account, message, sentences, text};
use bedside_tests::keychain::{connection, files, setup};
use bedside_tests::program::eventually;
use bedside_tests::{results, trust};
use fastrand::Rng;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// From so many messages on, many of them are one conversation's, the newest.
const LARGE: u64 = 1_000_000;
/// So many.
const LONG: u64 = 50_000;
/// The file that says that a cache is whole.
const WHOLE: &str = "whole";

/// A console's folder with so many messages, of which nothing is to be fetched.
pub struct Full {
    pub size: u64,
    folder: PathBuf,
}

impl Full {
    /// The one with `size` messages, as if its server had been reached just now.
    pub async fn of(size: u64) -> Self {
        let folder = results::file().with_file_name(format!("window-{size}"));
        fs::create_dir_all(results::file().with_file_name("")).expect("a folder");
        if !folder.join(WHOLE).exists() {
            drop(fs::remove_dir_all(&folder));
            fs::create_dir(&folder).expect("a folder");
            fill(&folder.canonicalize().expect("a path"), size).await;
            fs::write(folder.join(WHOLE), "").expect("a file");
        }
        let folder = folder.canonicalize().expect("a path");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        let mut cache = Cache::open(&files(&folder), "d-bench").expect("the cache");
        cache.commit([[Write::Reached(Time::new(now.as_millis() as u64))].as_slice()]).expect("the disk");
        Self { size, folder }
    }

    /// Its folder, for `--data`.
    pub fn data(&self) -> &str {
        self.folder.to_str().expect("a path in UTF-8")
    }
}

async fn fill(folder: &Path, size: u64) {
    let start = Instant::now();
    // A console makes keys and files, and lets go of them.
    let console =
        Client::start(setup(folder, trust()), &tokio::runtime::Handle::current()).expect("a console");
    console.call(Command::Active).await.expect("an open cache");
    drop(console);
    eventually("the console is gone", async || bedside_store::lock(folder).is_ok()).await;
    let files = files(folder);
    let mut cache = Cache::open(&files, "d-bench").expect("the cache");
    cache.commit([[Write::Account(account())].as_slice()]).expect("the disk");
    let (mut rng, sentences) = (Rng::with_seed(7), sentences());
    for first in (0..size).step_by(BATCH as usize) {
        let numbers = first..size.min(first + BATCH);
        let writes = numbers.flat_map(|n| {
            let (of, seq) = place(n, size);
            message(n, of, seq, text(&mut rng, &sentences))
        });
        cache.commit([writes.collect::<Vec<_>>().as_slice()]).expect("the disk");
    }
    while cache.index().expect("the disk") > 0 {}
    drop(cache);
    connection(&files).execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
    println!("a cache of {size} messages, made in {:.0} s", start.elapsed().as_secs_f64());
}

/// Whose message `n` is, and its place there: conversations take turns, and the newest ones are one conversation's.
fn place(n: u64, size: u64) -> (u64, u64) {
    let spread = if size < LARGE { size } else { size - LONG };
    if n < spread {
        (n % CONVERSATIONS, n / CONVERSATIONS + 1)
    } else {
        (0, spread / CONVERSATIONS + n - spread + 1)
    }
}
