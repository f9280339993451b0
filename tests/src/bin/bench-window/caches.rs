//! Caches full of messages, made once and kept.

use bedside_client::Client;
use bedside_client::api::Command;
use bedside_engine::{Change, Range};
use bedside_protocol::{
    Author, Body, Conversation, ConversationId, Entry, EntryId, Extra, Last, Patient, Rev, Role, Seq, Time,
    UserId,
};
use bedside_store::{Cache, Write};
use bedside_tests::cache::account;
use bedside_tests::corpus::Corpus;
use bedside_tests::keychain::{connection, files, setup};
use bedside_tests::program::eventually;
use bedside_tests::{results, trust};
use fastrand::Rng;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Over how many conversations the messages are spread.
const CONVERSATIONS: u64 = 2_000;
/// Messages of one transaction.
const BATCH: u64 = 500;
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
    let (mut rng, corpus) = (Rng::with_seed(7), Corpus::demo());
    for first in (0..size).step_by(BATCH as usize) {
        let numbers = first..size.min(first + BATCH);
        let writes = numbers.flat_map(|n| {
            let (of, seq) = place(n, size);
            message(n, of, seq, corpus.text(&mut rng))
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

/// The id of conversation `n`.
fn conversation(n: u64) -> ConversationId {
    ConversationId::new(format!("c-{n}")).expect("an id")
}

/// Message `n` of all, the `seq`th of conversation `of`, as the engine commits it.
fn message(n: u64, of: u64, seq: u64, text: String) -> [Write; 2] {
    let (conversation, seq, rev) = (conversation(of), Seq::new(seq), Rev::new(n + 1));
    let id = UserId::new(format!("pt-{of}")).expect("an id");
    let patient = Patient { id, name: format!("Patient {of}"), born: None, extra: Extra::new() };
    let author = Author {
        id: patient.id.clone(),
        role: Role::Patient,
        name: patient.name.clone(),
        extra: Extra::new(),
    };
    let (at, body) = (Time::new(1_700_000_000_000 + n * 60_000), Body::text(text));
    let entry = Entry {
        conversation: conversation.clone(),
        seq,
        rev,
        id: EntryId::from_parts(Time::new(1_700_000_000_000 + n), [(n % 251) as u8; 10]),
        at,
        author: author.clone(),
        preview: body.preview(),
        body,
        from: None,
        prev: None,
        extra: Extra::new(),
    };
    let last = Last { seq, at, author, preview: entry.preview.clone(), extra: Extra::new() };
    let new = Conversation::new(conversation.clone(), rev, patient);
    let summary = Conversation { head: seq, last: Some(last), ..new };
    let range = Range::new(Seq::new(1), seq).expect("a range");
    let entries = Change::Entries { conversation, range, entries: vec![entry] };
    [Write::Sync(Change::Summary(summary)), Write::Sync(entries)]
}
