//! What encryption costs: the same reads, by the same code, of two copies of the cache that differ in nothing else.

use crate::fill::Filled;
use crate::opening::{chosen, open};
use crate::searching::{HITS, queries};
use crate::times::Times;
use bedside_store::Reader;
use bedside_tests::corpus::Corpus;
use bedside_tests::keychain::{self, connection, keys};
use bedside_tests::results::Figure;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// Beside whom.
pub const PEER: &str = "the same without encryption";
/// Times that a copy is opened.
const OPENED: usize = 100;
/// Queries of each kind.
const QUERIES: usize = 300;

/// A copy of the cache.
struct Copy {
    path: PathBuf,
    encrypted: bool,
}

impl Copy {
    fn new(filled: &Filled, encrypted: bool) -> Self {
        let path = filled.folder.path().join(if encrypted { "encrypted.db" } else { "plain.db" });
        let from = connection(&filled.files);
        let key = if encrypted { keychain::raw(&keys().cache) } else { String::new() };
        let to = path.to_str().expect("a path");
        from.execute("ATTACH ?1 AS copy KEY ?2", [to, &key]).expect("a new file");
        let copied =
            "PRAGMA copy.journal_mode = WAL; PRAGMA copy.synchronous = OFF; SELECT sqlcipher_export('copy');
                      PRAGMA copy.wal_checkpoint(TRUNCATE); DETACH copy";
        from.execute_batch(copied).expect("the disk");
        Self { path, encrypted }
    }

    fn reader(&self) -> Reader {
        Reader::on(sqlite(&self.path, self.encrypted))
    }

    fn weight(&self) -> f64 {
        std::fs::metadata(&self.path).expect("a copy").len() as f64
    }
}

/// SQLite's own connection to a file.
pub fn sqlite(path: &Path, encrypted: bool) -> Connection {
    if encrypted { keychain::open(path, &keys().cache) } else { Connection::open(path).expect("a file") }
}

pub fn measure(filled: &Filled, corpus: &Corpus, what: &str) -> Vec<Figure> {
    let copies = [true, false].map(|encrypted| Copy::new(filled, encrypted));
    let readers = copies.each_ref().map(Copy::reader);
    let beside = |name: &str, [ours, theirs]: [Times; 2]| ours.beside(name, PEER, &theirs);
    let mut figures = Vec::new();
    for (kind, queries) in queries(corpus, filled.size) {
        let times = readers.each_ref().map(|reader| {
            Times::of(&queries[..QUERIES], |search| {
                reader.search(search, HITS).expect("a copy");
            })
        });
        figures.extend(beside(&format!("search for {kind} among {what}"), times));
    }
    let times = readers.each_ref().map(|reader| Times::of(&chosen(), |id| open(reader, id)));
    figures.extend(beside(&format!("opening a conversation of {what}"), times));
    let times = copies.each_ref().map(|copy| {
        Times::of(&[(); OPENED], |()| {
            copy.reader().inbox().expect("a copy");
        })
    });
    figures.extend(beside(&format!("opening the cache and its inbox with {what}"), times));
    let [ours, theirs] = copies.each_ref().map(|copy| copy.weight() / 1e6);
    figures.push(Figure::new(&format!("weight of {what}"), ours, "MB", PEER, theirs));
    figures
}
