use super::*;
use crate::migrate::{CACHE, KEPT, Migrations, migrate};
use rusqlite::Connection;
use std::path::Path;

/// What a file's schema is, as text to compare.
fn schema(connection: &Connection) -> String {
    let mut rows = connection
        .prepare(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT GLOB '*found_*' ORDER BY type DESC, name",
        )
        .unwrap();
    let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|sql| sql.unwrap() + ";\n").collect()
}

/// `schema/` shows what each version's file looks like. Where a version's page is missing, the test writes it, and fails.
#[test]
fn each_version_is_as_it_was_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    for (name, migrations) in [("cache", CACHE), ("kept", KEPT)] {
        let mut connection = Connection::open_in_memory().unwrap();
        for version in 1..=migrations.len() {
            migrate(&mut connection, &migrations[..version]).unwrap();
            let page = folder.join(format!("{name}-{version}.sql"));
            if !page.exists() {
                std::fs::write(&page, schema(&connection)).unwrap();
                panic!("{page:?} was missing and is written now: read it, and keep it");
            }
            assert_eq!(std::fs::read_to_string(&page).unwrap(), schema(&connection), "{page:?}");
        }
    }
}

/// A file of an earlier version with something in each table that a later one changed.
fn old_file(version: usize, files: &Files) -> OutboxRow {
    let connection = match version {
        // The first three were kept in the clear.
        ..=3 => Connection::open(files.database()),
        _ => {
            std::fs::write(files.database(), "").unwrap();
            Ok(crate::connection::open(&files.database(), files.cache_key()).unwrap())
        }
    };
    let mut old = connection.unwrap();
    let migrations: Migrations = CACHE;
    migrate(&mut old, &migrations[..version]).unwrap();
    let row = OutboxRow { hold_until: Time::ZERO, ..outbox_row(3, OutboxState::Waiting) };
    let summary = serde_json::to_string(&conversation("a", 7, 1, Some(1))).unwrap();
    let Change::Entries { entries, .. } = entries("a", 1..=1) else { unreachable!() };
    let entry = &entries[0];
    old.execute("INSERT INTO device (one, id, cursor) VALUES (1, 'device-0', 41)", []).unwrap();
    old.execute("INSERT INTO conversation (id, rev, head, lo, hi, waiting_since, last_at, unread, summary) VALUES ('a', 7, 1, 1, 1, 1, 7, 1, ?1)", [summary]).unwrap();
    old.execute(
        "INSERT INTO entry (conversation, seq, id, by_patient, entry) VALUES ('a', 1, ?1, 1, ?2)",
        [entry.id.to_string(), serde_json::to_string(&entry).unwrap()],
    )
    .unwrap();
    old.execute(
        "INSERT INTO outbox (place, id, conversation, send, at, attempts) VALUES (3, ?1, 'a', ?2, 5, 2)",
        [row.send.id.to_string(), serde_json::to_string(&row.send).unwrap()],
    )
    .unwrap();
    old.execute("INSERT INTO draft (conversation, text) VALUES ('a', 'half')", []).unwrap();
    old.execute("INSERT INTO own_read (conversation, upto) VALUES ('a', 1)", []).unwrap();
    row
}

#[test]
fn a_file_of_each_version_is_brought_up_to_date_and_keeps_what_it_holds() {
    for version in 1..=CACHE.len() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path(), keys());
        let row = old_file(version, &files);
        let mut cache = crate::Cache::open(&files, "device-9").unwrap();
        assert_eq!(cache.repair(), None, "{version}");
        while cache.index().unwrap() > 0 {}
        let reader = Reader::open(&files).unwrap();
        let snapshot = reader.snapshot().unwrap();
        assert_eq!(
            (reader.device().unwrap().as_str(), snapshot.cursor),
            ("device-0", Rev::new(41)),
            "{version}"
        );
        assert_eq!(snapshot.outbox, [row], "{version}");
        let a = ConversationId::new("a").unwrap();
        let shown = reader.conversation(&a, 9, None).unwrap().unwrap();
        assert_eq!((shown.draft.text.as_str(), shown.entries.len()), ("half", 1), "{version}");
        let search = Search { phrases: vec![vec!["text".into()]], ..Search::default() };
        assert_eq!(reader.search(&search, 9).unwrap().hits.len(), 1, "{version}");
        for (name, bytes) in super::files::contents(folder.path()) {
            assert!(!bytes.starts_with(b"SQLite format"), "{version}: {name} is in the clear");
        }
    }
}

#[test]
fn a_newer_file_is_refused_and_not_touched() {
    for newer in ["cache.db", "kept.db"] {
        let mut cache = Cache::new();
        cache.writer = None;
        let private = cache.folder.path().join("private");
        let key = if newer == "cache.db" { cache.files.cache_key() } else { cache.files.kept_key() };
        let connection = crate::connection::open(&private.join(newer), key).unwrap();
        connection.execute_batch("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        drop(connection);
        let before = super::files::contents(&private);
        assert!(matches!(crate::Cache::open(&cache.files, "x"), Err(StoreError::Newer(99))));
        assert_eq!(super::files::contents(&private), before, "{newer}");
    }
}

/// What no migration may forget: strict tables, no column that may be null without being meant to, and a copy that has all
/// the columns of what it is a copy of.
#[test]
fn the_schema_keeps_the_rules() {
    let cache = Cache::new();
    let (connection, _) = crate::open::open_both(&cache.files, false).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut rows = connection.prepare(sql).unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let loose = names(
        "SELECT name FROM pragma_table_list
         WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%' AND schema <> 'temp'",
    );
    assert_eq!(loose, [""; 0]);
    let nullable = names(
        "SELECT list.name || '.' || info.name FROM pragma_table_list AS list, pragma_table_info(list.name) AS info
         WHERE list.schema <> 'temp' AND list.type = 'table' AND list.name NOT LIKE 'sqlite_%' AND info.\"notnull\" = 0
         ORDER BY 1",
    );
    assert_eq!(
        nullable,
        [
            "conversation.waiting_since",
            "device.epoch",
            "entry.amends",
            "kept_outbox.refused",
            "outbox.refused"
        ]
    );
    let columns = |table: &str| {
        names(&format!("SELECT name || type || \"notnull\" FROM pragma_table_info('{table}') ORDER BY name"))
    };
    for table in ["account", "outbox", "draft", "own_file", "own_read"] {
        assert_eq!(columns(table), columns(&format!("kept_{table}")), "{table}");
    }
}
