//! The floor: SQLite alone with the rows that the cache gets. And the cache alone, to see what it adds.

use crate::log::Log;
use bedside_engine::{Change, Range};
use bedside_protocol::{Limits, Me, Role};
use bedside_store::{Account, Cache, Files, Write};
use bedside_tests::keychain::{connection, keys};
use rusqlite::params;
use std::time::Instant;

/// As many entries as one transaction of the cache's writer has in a flood.
pub const BATCH: usize = 64;

/// Rows of the table `entry` a second, through the cache's schema and its statement for them, and nothing else.
pub fn rusqlite(log: &Log) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let mut cache = cache(&Files::new(folder.path(), keys()));
    commit(&mut cache, &log.conversations.iter().cloned().map(summary).collect::<Vec<_>>());
    drop(cache);
    let mut connection = connection(&Files::new(folder.path(), keys()));
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
        .expect("SQLite's settings");
    let rows: Vec<_> = log
        .frames
        .iter()
        .map(|frame| {
            let entry = &frame.entry;
            let json = serde_json::to_string(entry).expect("JSON");
            let by_patient = entry.author.role == Role::Patient;
            (entry.conversation.as_str(), entry.seq.get() as i64, entry.id.to_string(), by_patient, json)
        })
        .collect();
    let start = Instant::now();
    for rows in rows.chunks(BATCH) {
        let transaction = connection.transaction().expect("a transaction");
        let mut insert = transaction
            .prepare_cached(
                "INSERT INTO entry (conversation, seq, id, by_patient, entry) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (id) DO UPDATE SET seq = seq WHERE conversation = excluded.conversation AND seq = excluded.seq",
            )
            .expect("the cache's table");
        for (conversation, seq, id, by_patient, json) in rows {
            insert.execute(params![conversation, seq, id, by_patient, json]).expect("a new row");
        }
        drop(insert);
        transaction.commit().expect("a commit");
    }
    log.frames.len() as f64 / start.elapsed().as_secs_f64()
}

/// Entries a second through the cache's own code, each as the engine commits a live one.
pub fn store(log: &Log) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let mut cache = cache(&Files::new(folder.path(), keys()));
    commit(&mut cache, &log.conversations.iter().cloned().map(summary).collect::<Vec<_>>());
    let writes = |n: usize| {
        let frame = &log.frames[n];
        let (entry, first) = (frame.entry.clone(), log.frames[n % log.conversations.len()].entry.seq);
        let range = Range::new(first, entry.seq).expect("a range");
        let conversation = entry.conversation.clone();
        vec![
            summary(frame.conversation.clone()),
            Write::Sync(Change::Entries { conversation, range, entries: vec![entry] }),
            Write::Sync(Change::Cursor(log.rev(n + 1))),
        ]
    };
    let commits: Vec<_> = (0..log.frames.len()).map(writes).collect();
    let start = Instant::now();
    for commits in commits.chunks(BATCH) {
        cache.commit(commits.iter().map(Vec::as_slice)).expect("a commit");
    }
    log.frames.len() as f64 / start.elapsed().as_secs_f64()
}

fn cache(files: &Files) -> Cache {
    let mut cache = Cache::open(files, "d-bench").expect("a new cache");
    let me = Me {
        id: "pr-amara".to_owned().try_into().expect("a good id"),
        name: "Dr. Amara Osei".to_owned(),
        role: Role::Provider,
        clinic: "riverside".to_owned().try_into().expect("a good id"),
    };
    let (server, token) = ("http://127.0.0.1".to_owned(), "token".to_owned());
    commit(&mut cache, &[Write::Account(Account { me, server, token, limits: Limits::default() })]);
    cache
}

fn summary(conversation: bedside_protocol::Conversation) -> Write {
    Write::Sync(Change::Summary(conversation))
}

fn commit(cache: &mut Cache, writes: &[Write]) {
    cache.commit([writes]).expect("a commit");
}
