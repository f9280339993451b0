//! Damaged caches: what only this computer knows is never lost with one file, and as little as can be with both.

use bedside_store::{Cache, Files, Key, Keys, Reader, Repair};
use bedside_tests::damage::{Crashed, known, survive};
use bedside_tests::keychain::{keys, open};
use std::fs;

/// `cargo xtask bench damage` does the same a thousand times.
#[test]
fn no_damage_of_one_file_loses_what_only_this_computer_knows() {
    survive(0..150);
}

/// A message that was thrown away must not come back from the copy, and go out.
#[test]
fn the_newer_of_the_two_counts() {
    let crashed = Crashed::new();
    let without = |log: &str| {
        let folder = crashed.copied(&format!("without-{log}"));
        fs::remove_file(folder.join(log)).unwrap();
        known(&Files::new(folder, keys()))
    };
    let (found, repairs) = without("cache.db-wal");
    assert_eq!((&found, repairs.as_slice()), (&crashed.whole, [Repair::CaughtUp].as_slice()));
    let (found, repairs) = without("kept.db-wal");
    assert_eq!((found.outbox.len(), repairs.as_slice()), (29, [].as_slice()));
}

#[test]
fn with_both_damaged_what_can_be_read_is_kept_and_the_copy_is_set_aside() {
    let crashed = Crashed::new();
    let folder = crashed.copied("both");
    fs::write(folder.join("kept.db"), [1; 8192]).unwrap();
    let files = Files::new(&folder, keys());
    // Its last page is search's; the rest reads well.
    let size = fs::metadata(files.database()).unwrap().len();
    fs::File::options().write(true).open(files.database()).unwrap().set_len(size - 4096).unwrap();
    let mut cache = Cache::rebuild(&files, "x").unwrap();
    assert_eq!(cache.repair(), Some(Repair::Salvaged));
    assert!(fs::metadata(folder.join("kept.db.unreadable")).is_ok());
    assert_eq!(Reader::open(&files).unwrap().outbox().unwrap(), crashed.whole.outbox);
    drop(cache);
    // Neither opens with its key, as with those of another.
    let others = Keys { cache: Key::new([1; 32]), kept: Key::new([2; 32]) };
    cache = Cache::open(&Files::new(&folder, others.clone()), "y").unwrap();
    assert_eq!(cache.repair(), Some(Repair::SetAside));
    assert_eq!(Reader::open(&Files::new(&folder, others)).unwrap().device().unwrap(), "y");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_no_damage() {
    let crashed = Crashed::new();
    let folder = crashed.copied("folder");
    // A folder in a file's place: nobody can write there, root included.
    fs::remove_file(folder.join("kept.db")).unwrap();
    fs::create_dir(folder.join("kept.db")).unwrap();
    let before = fs::read(folder.join("cache.db")).unwrap();
    let error = Cache::open(&Files::new(&folder, keys()), "x").unwrap_err();
    assert!(!error.is_damage(), "{error:?}");
    assert_eq!(fs::read(folder.join("cache.db")).unwrap(), before);
}

/// SQLCipher takes a page of zeros for one that was never written: what a long value has there is zeros then.
#[test]
fn zeros_in_the_middle_of_a_file_are_noticed() {
    let crashed = Crashed::new();
    for (file, table, key, repair) in [
        ("cache.db", "own_file", keys().cache, Repair::Rebuilt),
        ("kept.db", "kept_own_file", keys().kept, Repair::Copied),
    ] {
        let folder = crashed.copied(file);
        let connection = open(&folder.join(file), &key);
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let page: u32 = connection
            .query_row(
                "SELECT min(pageno) FROM dbstat WHERE name = ?1 AND pagetype = 'overflow'",
                [table],
                |row| row.get(0),
            )
            .unwrap();
        drop(connection);
        let page = usize::try_from(page).unwrap();
        let mut bytes = fs::read(folder.join(file)).unwrap();
        bytes[(page - 1) * 4096..page * 4096].fill(0);
        fs::write(folder.join(file), bytes).unwrap();
        let (found, repairs) = known(&Files::new(folder, keys()));
        assert_eq!((&found, repairs.as_slice()), (&crashed.whole, [repair].as_slice()), "{file}");
    }
}

/// A copy that is gone or damaged, and one bad page in the cache among what only this computer knows: what can be read is kept.
#[test]
fn a_bad_page_among_what_is_copied_costs_that_page_alone() {
    let crashed = Crashed::new();
    for copy_is in ["gone", "damaged"] {
        let folder = crashed.copied(copy_is);
        let files = Files::new(&folder, keys());
        let connection = open(&files.database(), &keys().cache);
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'own_read'";
        let page: u32 = connection.query_row(root, [], |row| row.get(0)).unwrap();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(connection);
        let mut bytes = fs::read(files.database()).unwrap();
        bytes[page as usize * 4096 - 2000] ^= 1;
        fs::write(files.database(), bytes).unwrap();
        fs::remove_file(folder.join("kept.db-wal")).unwrap();
        match copy_is {
            "gone" => fs::remove_file(files.kept()).unwrap(),
            _ => fs::write(files.kept(), [1; 8192]).unwrap(),
        }
        let cache = Cache::open(&files, "x").unwrap();
        assert_eq!(cache.repair(), Some(Repair::Salvaged), "{copy_is}");
        let reader = Reader::open(&files).unwrap();
        assert_eq!(reader.outbox().unwrap(), crashed.whole.outbox, "{copy_is}");
        assert_eq!(reader.account().unwrap(), crashed.whole.account, "{copy_is}");
    }
}
