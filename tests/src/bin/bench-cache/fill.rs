//! A cache full of messages, written as the engine writes them.

use bedside_engine::{Change, Range};
use bedside_protocol::{
    Author, Body, Conversation, ConversationId, Entry, EntryId, Extra, File, Patient, Rev, Role, Seq, Time,
    UserId,
};
use bedside_store::{Cache, Files, Write};
use bedside_tests::cache::account;
use bedside_tests::corpus::Corpus;
use bedside_tests::keychain::{connection, keys};
use bedside_tests::results::Figure;
use fastrand::Rng;
use std::time::Instant;
use tempfile::TempDir;

/// How many there are.
pub const CONVERSATIONS: u64 = 2_000;
/// Every so many messages one goes to the first conversation: of a million, 50,000.
const TO_THE_LONG_ONE: u64 = 20;
/// One message in so many is a file.
const FILES: u64 = 200;
/// One conversation in so many has not been read to its end, where so many entries are new.
const UNREAD: u64 = 20;
const NEW: u64 = 3;
/// Of every second conversation so many entries aren't here: those that came first.
const EARLIER: u64 = 100;
/// Messages of one transaction.
const BATCH: u64 = 500;
/// A minute.
const APART: u64 = 60_000;
const BEGIN: u64 = 1_700_000_000_000;

/// A cache, filled and indexed.
pub struct Filled {
    /// What it is for.
    pub files: Files,
    /// Messages.
    pub size: u64,
    /// Bytes without the index, and with it.
    pub bytes: (f64, f64),
    /// Messages a second: written, and indexed.
    pub rate: (f64, f64),
    /// Where everything lies.
    pub folder: TempDir,
}

impl Filled {
    pub fn new(corpus: &Corpus, size: u64, what: &str) -> (Self, Vec<Figure>) {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::new(folder.path(), keys());
        let mut cache = Cache::open(&files, "d-bench").expect("a new cache");
        cache.commit([[Write::Account(account())].as_slice()]).expect("the disk");

        let mut generator = Generator::new(corpus);
        let start = Instant::now();
        let mut spent = 0.0;
        for from in (0..size).step_by(BATCH as usize) {
            let writes: Vec<_> = (from..size.min(from + BATCH)).flat_map(|n| generator.message(n)).collect();
            let begin = Instant::now();
            cache.commit([writes.as_slice()]).expect("the disk");
            spent += begin.elapsed().as_secs_f64();
            progress("written", from + BATCH, size, start);
        }
        cache.commit([generator.reads().as_slice()]).expect("the disk");
        let written = size as f64 / spent;
        let without = weight(&files);
        let (start, mut indexed) = (Instant::now(), 0);
        loop {
            match cache.index().expect("the disk") as u64 {
                0 => break,
                step => indexed += step,
            }
            progress("indexed", indexed, size, start);
        }
        let rate = (written, size as f64 / start.elapsed().as_secs_f64());
        let filled = Self { bytes: (without, weight(&files)), files, size, rate, folder };
        let each = |bytes: f64| bytes / size as f64;
        let (without, with) = filled.bytes;
        let figures = vec![Figure::new(
            &format!("bytes on the disk of each of {what}, without their index"),
            each(without),
            "B",
            "their index",
            each(with - without),
        )];
        (filled, figures)
    }
}

/// What the file weighs, its log included.
pub fn weight(files: &Files) -> f64 {
    connection(files).execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
    std::fs::metadata(files.database()).map_or(0, |file| file.len()) as f64
}

/// Every tenth of a large work.
fn progress(what: &str, done: u64, of: u64, since: Instant) {
    let tenth = (of / 10).max(100_000);
    if done.is_multiple_of(tenth) && done < of {
        println!("  {done} of {of} {what} in {:.0} s", since.elapsed().as_secs_f64());
    }
}

/// A conversation's name.
pub fn conversation(n: u64) -> ConversationId {
    ConversationId::new(format!("c-{n}")).expect("an id")
}

/// A patient's name: one of few first names, and a surname that nobody else has.
pub fn patient(n: u64) -> [String; 2] {
    const FIRST: [&str; 8] = ["Ana", "Bruno", "Chidi", "Dana", "Élise", "Farid", "Grace", "Hana"];
    const SYLLABLES: [&str; 16] =
        ["ba", "ko", "li", "mu", "ne", "ra", "so", "ti", "va", "wo", "xi", "ze", "du", "fe", "go", "hi"];
    let syllable = |place: u32| SYLLABLES[(n >> (4 * place)) as usize % SYLLABLES.len()];
    [FIRST[n as usize % FIRST.len()].to_owned(), (0..3).map(syllable).collect()]
}

/// When message `n` was committed.
pub fn time(n: u64) -> Time {
    Time::new(BEGIN + n * APART)
}

/// Makes messages, each after the one before it.
pub struct Generator<'a> {
    corpus: &'a Corpus,
    rng: Rng,
    heads: Vec<u64>,
}

impl<'a> Generator<'a> {
    pub fn new(corpus: &'a Corpus) -> Self {
        Self { corpus, rng: Rng::with_seed(7), heads: (0..CONVERSATIONS).map(earlier).collect() }
    }

    /// Message `n` as the engine commits it; but for the long one, the conversations take turns.
    pub fn message(&mut self, n: u64) -> [Write; 2] {
        let of = if n.is_multiple_of(TO_THE_LONG_ONE) { 0 } else { n % CONVERSATIONS };
        let head = &mut self.heads[of as usize];
        *head += 1;
        let (id, seq, rev) = (conversation(of), Seq::new(*head), Rev::new(n + 1));
        let user = |id: String| UserId::new(id).expect("an id");
        let patient = Patient {
            id: user(format!("pt-{of}")),
            name: patient(of).join(" "),
            born: None,
            extra: Extra::new(),
        };
        let author = match self.rng.u8(..5) {
            0 | 1 => (user("pr-bench".into()), Role::Provider, "Dr. Bench".to_owned()),
            _ => (patient.id.clone(), Role::Patient, patient.name.clone()),
        };
        let text = self.corpus.text(&mut self.rng);
        let body = if self.rng.u64(..FILES) == 0 { Body::File(file(n, &text)) } else { Body::text(text) };
        let entry = Entry {
            conversation: id.clone(),
            seq,
            rev,
            id: EntryId::from_parts(time(n), [(n % 251) as u8; 10]),
            at: time(n),
            author: Author { id: author.0, role: author.1, name: author.2, extra: Extra::new() },
            preview: body.preview(),
            body,
            from: None,
            prev: None,
            extra: Extra::new(),
        };
        let summary = Conversation { head: seq, ..Conversation::new(id.clone(), rev, patient) };
        let range = Range::new(Seq::new(earlier(of) + 1), seq).expect("a range");
        let entries = Change::Entries { conversation: id, range, entries: vec![entry] };
        [Write::Sync(Change::Summary(summary)), Write::Sync(entries)]
    }

    /// How far each conversation is read.
    fn reads(&self) -> Vec<Write> {
        let read = (0..).zip(&self.heads).map(|(of, head)| {
            let new = if of % UNREAD == 1 { NEW } else { 0 };
            Write::Sync(Change::Read(conversation(of), Seq::new(head.saturating_sub(new))))
        });
        read.collect()
    }
}

/// How many entries of a conversation came before those that are here.
fn earlier(of: u64) -> u64 {
    of % 2 * EARLIER
}

fn file(n: u64, text: &str) -> File {
    let name: String = text.chars().take(30).collect();
    File {
        sha256: format!("{n:064x}"),
        name: name + ".png",
        media_type: "image/png".into(),
        bytes: 5_000,
        extra: Extra::new(),
    }
}
