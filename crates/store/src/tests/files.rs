use super::*;
use std::fs;
use std::path::Path;

/// All that is known to stand in the cache, wherever it is derived to: tables, search index, log, copy.
const SECRETS: [&str; 8] = [
    "zanthoxylum",
    "Quillfeather",
    "amlodipine-draft",
    "outgoing-wort",
    "bearer-token-1",
    "biopsy-of-quill.pdf",
    "bytes-of-ones-own",
    "bytes-that-were-fetched",
];

fn filled() -> Cache {
    let cache = Cache::new();
    let mut summary = conversation("a", 7, 3, Some(1));
    summary.patient.name = SECRETS[1].into();
    let Change::Entries { conversation, range, mut entries } = entries("a", 1..=3) else { unreachable!() };
    entries[1].body = Body::text(format!("I took the {} again", SECRETS[0]));
    let mut row = outbox_row(1, OutboxState::Waiting);
    row.send.body = Body::text(SECRETS[3]);
    let seen = entries[2].id;
    cache.sync(vec![
        Change::Summary(summary),
        Change::Entries { conversation: conversation.clone(), range, entries },
        Change::Outbox(row),
    ]);
    cache.write(vec![Write::Draft(conversation.clone(), draft(SECRETS[2]))]).unwrap();
    let attached = bedside_protocol::File { name: SECRETS[5].into(), ..file(1) };
    cache
        .write(vec![
            Write::Attach(conversation, attached, SECRETS[6].as_bytes().into()),
            Write::Fetched(seen, file(2).sha256, SECRETS[7].as_bytes().into(), Time::ZERO),
        ])
        .unwrap();
    cache.write(vec![Write::Account(Account { token: SECRETS[4].into(), ..account() })]).unwrap();
    cache
}

/// Every file of a folder, with what is in it.
pub(super) fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn nothing_in_the_files_can_be_read_without_the_keys() {
    let mut cache = filled();
    super::search::indexed(&cache);
    let private = cache.folder.path().join("private");
    for while_open in [true, false] {
        if !while_open {
            cache.writer = None;
        }
        let files = contents(&private);
        assert!(files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > 100_000, "there is something");
        for (name, bytes) in files {
            for text in SECRETS.iter().chain(&["CREATE TABLE", "SQLite format"]) {
                assert!(!holds(&bytes, text), "{text} in {name}");
            }
            for key in [[7; 8], [9; 8]] {
                assert!(!bytes.windows(8).any(|window| window == key), "a key in {name}");
            }
        }
    }
    // The same search finds them where they are in the clear.
    let plain = rusqlite::Connection::open(cache.files.database()).unwrap();
    plain.pragma_update(None, "key", cache.files.cache_key().raw().as_str()).unwrap();
    let out = cache.folder.path().join("plain.db");
    plain.execute("ATTACH ?1 AS plain KEY ''", [out.to_str().unwrap()]).unwrap();
    plain.execute_batch("SELECT sqlcipher_export('plain'); DETACH plain").unwrap();
    let bytes = fs::read(out).unwrap();
    SECRETS.iter().for_each(|text| assert!(holds(&bytes, text), "{text}"));
}

#[test]
fn what_is_deleted_is_overwritten() {
    let cache = filled();
    let (writing, _) = crate::open::open_both(&cache.files, false).unwrap();
    for schema in ["main", "kept"] {
        let on: i64 = writing.pragma_query_value(Some(schema), "secure_delete", |row| row.get(0)).unwrap();
        assert_eq!(on, 1, "{schema}");
    }
}

#[test]
fn a_second_program_is_refused_until_the_first_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let first = lock(folder.path()).unwrap();
    assert!(matches!(lock(folder.path()), Err(StoreError::InUse)));
    drop(first);
    lock(folder.path()).unwrap();
}

#[cfg(unix)]
#[test]
fn the_files_are_the_users_alone_and_go_when_deleted() {
    use std::os::unix::fs::PermissionsExt;
    let mut cache = Cache::new();
    let private = cache.folder.path().join("private");
    let alone = lock(&private).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&private), 0o700);
    let files = contents(&private);
    assert!(files.len() > 4, "the logs are files too");
    files.iter().for_each(|(name, _)| assert_eq!(mode(&private.join(name)), 0o600, "{name}"));
    assert!(is_there(&private));
    cache.writer = None;
    delete(&private).unwrap();
    assert_eq!(contents(&private), [("lock".into(), vec![])]);
    assert!(!is_there(&private));
    drop(alone);
}
