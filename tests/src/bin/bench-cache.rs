//! The console's cache with many messages: what they weigh, how fast they are written and indexed, and how long search as one
//! types and opening a conversation take. Beside each search the bare FTS5 statement, in the same run.
//!
//!     cargo xtask bench cache [MESSAGES…]      (10000, 100000 and 1000000 unless told otherwise)

use bedside_engine::{Change, Range};
use bedside_protocol::{
    Author, Body, ClinicId, Conversation, ConversationId, Entry, EntryId, Extra, Limits, Me, Patient, Rev,
    Role, Seq, Time, UserId,
};
use bedside_store::{Account, Cache, Files, Reader, Search, Write};
use bedside_tests::keychain::{connection, keys};
use bedside_tests::patients::load_dialogues;
use bedside_tests::results::{Figure, keep};
use fastrand::Rng;
use rusqlite::Connection;
use std::path::Path;
use std::time::Instant;

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];
const CONVERSATIONS: u64 = 2_000;
/// Of one transaction.
const BATCH: usize = 500;
/// Of each kind.
const QUERIES: usize = 1_000;
/// As many as the window shows, and one to know of more.
const HITS: usize = 50;
/// As many entries as the window asks for first.
const NEWEST: u32 = 200;

/// Makes the phrases of a query out of sentences.
type MakeQuery = fn(&mut Rng, &[String]) -> Vec<Vec<String>>;

fn main() {
    let asked: Vec<u64> =
        std::env::args().skip(1).map(|size| size.parse().expect("a number of messages")).collect();
    let sizes = if asked.is_empty() { SIZES.to_vec() } else { asked };
    let sentences = sentences();
    let figures: Vec<Figure> = sizes.into_iter().flat_map(|size| measure(size, &sentences)).collect();
    keep(&figures);
}

/// What the demonstration's patients say, a sentence each.
fn sentences() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
    let scripts = load_dialogues(&folder).expect("the demonstration's patients");
    let turns = scripts.into_iter().flat_map(|script| script.turns);
    turns.flat_map(|turn| turn.text.split(". ").map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn measure(size: u64, sentences: &[String]) -> Vec<Figure> {
    let mut rng = Rng::with_seed(7);
    let folder = tempfile::tempdir().expect("a folder");
    let files = Files::new(folder.path(), keys());
    let mut cache = Cache::open(&files, "d-bench").expect("a new cache");
    cache.commit([[Write::Account(account())].as_slice()]).expect("the disk");
    let weight = || std::fs::metadata(files.database()).map_or(0, |file| file.len()) as f64;

    let start = Instant::now();
    let mut written = 0;
    while written < size {
        let mut writes = Vec::new();
        for n in written..size.min(written + BATCH as u64) {
            writes.extend(message(n, text(&mut rng, sentences)));
        }
        written = size.min(written + BATCH as u64);
        cache.commit([writes.as_slice()]).expect("the disk");
    }
    let inserted = size as f64 / start.elapsed().as_secs_f64();
    checkpoint(&files);
    let plain = weight();
    let start = Instant::now();
    while cache.index().expect("the disk") > 0 {}
    let indexed = size as f64 / start.elapsed().as_secs_f64();
    checkpoint(&files);
    println!(
        "{size} messages: written {inserted:.0}/s, indexed {indexed:.0}/s; {:.0} bytes a message, its index {:.0}",
        plain / size as f64,
        (weight() - plain) / size as f64
    );

    let reader = Reader::open(&files).expect("the cache");
    let bare = Connection::open(files.database()).expect("the cache's file");
    let mut figures = Vec::new();
    let kinds: [(&str, MakeQuery); 4] = [
        ("a word", |rng, sentences| vec![vec![word(rng, sentences)]]),
        ("two letters", |rng, sentences| vec![vec![word(rng, sentences).chars().take(2).collect()]]),
        ("two words", |rng, sentences| vec![vec![word(rng, sentences)], vec![word(rng, sentences)]]),
        ("a phrase", |rng, sentences| vec![phrase(rng, sentences)]),
    ];
    for (kind, make) in kinds {
        let queries: Vec<Vec<Vec<String>>> = (0..QUERIES).map(|_| make(&mut rng, sentences)).collect();
        let ours = times(&queries, |phrases| {
            let search = Search { phrases: phrases.clone(), ..Search::default() };
            reader.search(&search, HITS).expect("the cache");
        });
        let theirs = times(&queries, |phrases| {
            let expression: Vec<_> =
                phrases.iter().map(|words| format!("\"{}\" *", words.join(" "))).collect();
            bare.prepare_cached("SELECT rowid FROM found WHERE found MATCH ?1 ORDER BY rowid DESC LIMIT ?2")
                .and_then(|mut found| {
                    let rows = found
                        .query_map((expression.join(" "), HITS as i64 + 1), |row| row.get::<_, i64>(0))?;
                    rows.collect::<Result<Vec<_>, _>>()
                })
                .expect("the cache's file");
        });
        for percent in [50, 99] {
            let name = format!("search for {kind} among {size} messages, p{percent}");
            figures.push(Figure::new(
                &name,
                at(&ours, percent),
                "ms",
                "the bare FTS5 statement",
                at(&theirs, percent),
            ));
        }
    }
    let ids: Vec<ConversationId> = (0..QUERIES).map(|_| conversation(rng.u64(..CONVERSATIONS))).collect();
    let opened = times(&ids, |id| {
        reader.conversation(id, NEWEST, None).expect("the cache");
    });
    println!(
        "opening a conversation of {size} messages: p50 {:.2} ms, p99 {:.2} ms",
        at(&opened, 50),
        at(&opened, 99)
    );
    figures
}

/// How long each takes, in milliseconds, sorted.
fn times<T>(queries: &[T], run: impl Fn(&T)) -> Vec<f64> {
    // Once for the operating system's cache.
    queries.iter().take(20).for_each(&run);
    let mut times: Vec<f64> = queries
        .iter()
        .map(|query| {
            let start = Instant::now();
            run(query);
            start.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

fn at(times: &[f64], percent: usize) -> f64 {
    times[(times.len() - 1) * percent / 100]
}

fn checkpoint(files: &Files) {
    let connection = connection(files);
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
}

/// A sentence, and a few words of others: as many texts as messages.
fn text(rng: &mut Rng, sentences: &[String]) -> String {
    let more: Vec<_> = (0..rng.usize(3..20)).map(|_| word(rng, sentences)).collect();
    format!("{}. {}", sentences[rng.usize(..sentences.len())], more.join(" "))
}

fn words(sentence: &str) -> Vec<String> {
    sentence
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn word(rng: &mut Rng, sentences: &[String]) -> String {
    let words = words(&sentences[rng.usize(..sentences.len())]);
    words.get(rng.usize(..words.len().max(1))).cloned().unwrap_or_else(|| "pain".to_owned())
}

fn phrase(rng: &mut Rng, sentences: &[String]) -> Vec<String> {
    let words = words(&sentences[rng.usize(..sentences.len())]);
    let start = rng.usize(..words.len().saturating_sub(2).max(1));
    words.into_iter().skip(start).take(3).collect()
}

fn conversation(n: u64) -> ConversationId {
    ConversationId::new(format!("c-{n}")).expect("an id")
}

/// Message `n` as the engine commits it; the conversations take turns.
fn message(n: u64, text: String) -> [Write; 2] {
    let (of, seq, rev) = (conversation(n % CONVERSATIONS), Seq::new(n / CONVERSATIONS + 1), Rev::new(n + 1));
    let patient = UserId::new(format!("pt-{}", n % CONVERSATIONS)).expect("an id");
    let name = format!("Patient {}", n % CONVERSATIONS);
    let body = Body::text(text);
    let entry = Entry {
        conversation: of.clone(),
        seq,
        rev,
        id: EntryId::from_parts(Time::new(1_700_000_000_000 + n), [(n % 251) as u8; 10]),
        at: Time::new(1_700_000_000_000 + n * 60_000),
        author: Author { id: patient.clone(), role: Role::Patient, name: name.clone(), extra: Extra::new() },
        preview: body.preview(),
        body,
        from: None,
        prev: None,
        extra: Extra::new(),
    };
    let patient = Patient { id: patient, name, born: None, extra: Extra::new() };
    let summary = Conversation { head: seq, ..Conversation::new(of.clone(), rev, patient) };
    let range = Range::new(Seq::new(1), seq).expect("a range");
    let entries = Change::Entries { conversation: of, range, entries: vec![entry] };
    [Write::Sync(Change::Summary(summary)), Write::Sync(entries)]
}

fn account() -> Account {
    let me = Me {
        id: UserId::new("pr-bench").expect("an id"),
        name: "Bench".into(),
        role: Role::Provider,
        clinic: ClinicId::new("bench").expect("an id"),
    };
    Account { me, server: "https://chat.example".into(), token: "t".into(), limits: Limits::default() }
}
