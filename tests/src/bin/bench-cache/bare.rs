//! What SQLite alone needs: only the statements without which there is no cache, beside ours and without encryption.

use crate::fill::{Filled, Generator};
use crate::plain::{self, sqlite};
use bedside_engine::Change;
use bedside_protocol::{Entry, Role};
use bedside_store::{Search, Write};
use bedside_tests::corpus::Corpus;
use bedside_tests::keychain::connection;
use bedside_tests::results::Figure;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use std::time::Instant;

/// Messages of one transaction.
const BATCH: usize = 500;
/// No more are written anew.
const MOST: u64 = 100_000;

/// The newest entries that FTS5 finds: their numbers.
pub const FIND: &str = "SELECT rowid FROM found WHERE found MATCH ?1 ORDER BY rowid DESC LIMIT ?2";
/// And what they say.
pub const FETCH: &str = "SELECT entry.entry FROM found CROSS JOIN entry ON entry.rev = found.rowid
     WHERE found MATCH ?1 ORDER BY found.rowid DESC LIMIT ?2";

/// Runs one of these for the words of a search.
pub fn run(connection: &Connection, sql: &str, search: &Search, hits: usize) {
    let phrases = search.phrases.iter().map(|words| format!("\"{}\" *", words.join(" ")));
    let expression = format!("words : ({})", phrases.collect::<Vec<_>>().join(" "));
    connection
        .prepare_cached(sql)
        .and_then(|mut found| {
            let rows = found.query_map((expression, hits as i64 + 1), |row| row.get::<_, Value>(0))?;
            rows.collect::<Result<Vec<_>, _>>()
        })
        .expect("the cache's file");
}

/// Messages a second.
struct Rate {
    written: f64,
    indexed: f64,
}

pub fn writing(filled: &Filled, corpus: &Corpus, what: &str) -> Vec<Figure> {
    let mut generator = Generator::new(corpus);
    let entries: Vec<Entry> = (0..filled.size.min(MOST))
        .map(|n| match generator.message(n) {
            [_, Write::Sync(Change::Entries { mut entries, .. })] => entries.remove(0),
            other => unreachable!("no entry: {other:?}"),
        })
        .collect();
    let encrypted = rate(filled, &entries, true);
    let plain = rate(filled, &entries, false);
    let figure = |name: String, value, peer, theirs| Figure::new(&name, value, "per second", peer, theirs);
    let bare = "bare SQLCipher";
    let (written, indexed) = filled.rate;
    vec![
        figure(format!("messages written: {what}"), written, bare, encrypted.written),
        figure(format!("messages indexed: {what}"), indexed, bare, encrypted.indexed),
        figure(
            format!("messages written by bare SQLCipher: {what}"),
            encrypted.written,
            plain::PEER,
            plain.written,
        ),
        figure(
            format!("messages indexed by bare SQLCipher: {what}"),
            encrypted.indexed,
            plain::PEER,
            plain.indexed,
        ),
    ]
}

fn rate(filled: &Filled, entries: &[Entry], encrypted: bool) -> Rate {
    let path = filled.folder.path().join(if encrypted { "bare-encrypted.db" } else { "bare-plain.db" });
    let mut bare = sqlite(&path, encrypted);
    let schema = schema(&connection(&filled.files));
    bare.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
         PRAGMA foreign_keys = OFF; {schema}"
    ))
    .expect("a new file");
    let written = each_batch(&mut bare, entries, |transaction, entry| {
        transaction
            .prepare_cached(
                "INSERT INTO entry (conversation, seq, id, by_patient, entry, rev) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                entry.conversation.as_str(),
                entry.seq.get() as i64,
                entry.id.to_string(),
                entry.author.role == Role::Patient,
                serde_json::to_string(entry).expect("JSON"),
                entry.rev.get() as i64,
            ])
    });
    let indexed = each_batch(&mut bare, entries, |transaction, entry| {
        transaction
            .prepare_cached("INSERT INTO found (rowid, words, facets) VALUES (?1, ?2, ?3)")?
            .execute(params![entry.rev.get() as i64, entry.body.words(), "c1000"])
    });
    Rate { written, indexed }
}

/// The tables and indexes that are written here, as the cache has them.
fn schema(cache: &Connection) -> String {
    let mut statement = cache
        .prepare(
            "SELECT sql FROM sqlite_schema WHERE tbl_name IN ('entry', 'found') AND sql IS NOT NULL
             ORDER BY type DESC",
        )
        .expect("the cache's file");
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("the cache's file");
    rows.map(|sql| sql.expect("a text") + ";").collect()
}

fn each_batch(
    bare: &mut Connection,
    entries: &[Entry],
    write: impl Fn(&Connection, &Entry) -> rusqlite::Result<usize>,
) -> f64 {
    let start = Instant::now();
    for batch in entries.chunks(BATCH) {
        let transaction = bare.transaction().expect("a file");
        for entry in batch {
            write(&transaction, entry).expect("the disk");
        }
        transaction.commit().expect("the disk");
    }
    entries.len() as f64 / start.elapsed().as_secs_f64()
}
