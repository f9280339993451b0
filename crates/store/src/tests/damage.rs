use super::*;
use crate::connection::beside;
use std::fs;
use std::path::Path;

/// What only this computer knows.
#[derive(Debug, PartialEq)]
struct Known {
    device: String,
    account: Option<Account>,
    outbox: Vec<OutboxRow>,
    drafts: Vec<Draft>,
    files: Vec<Option<Vec<u8>>>,
    reads: Vec<(ConversationId, Seq)>,
}

/// Everything that can be read of it, as the program does: what turns out to be damaged is made anew.
fn known(files: &Files) -> (Known, Vec<Repair>) {
    let mut cache = crate::Cache::open(files, "device-new").unwrap();
    let mut repairs: Vec<_> = cache.repair().into_iter().collect();
    let look = || -> Result<Known, StoreError> {
        let reader = Reader::open(files)?;
        reader.check()?;
        reader.inbox()?;
        reader.log()?;
        let snapshot = reader.snapshot()?;
        let draft = |id: &ConversationId| Ok(reader.conversation(id, 99, None)?.map(|shown| shown.draft));
        let drafts = snapshot.conversations.keys().filter_map(|id| draft(id).transpose());
        Ok(Known {
            device: reader.device()?,
            account: reader.account()?,
            drafts: drafts.collect::<Result<_, StoreError>>()?,
            files: Vec::new(),
            outbox: snapshot.outbox,
            reads: snapshot.reads.into_iter().collect(),
        })
    };
    let mut found = look().unwrap_or_else(|error| {
        assert!(error.is_damage(), "{error:?}");
        cache = crate::Cache::rebuild(files, "device-new").unwrap();
        repairs.extend(cache.repair());
        look().unwrap()
    });
    // Drafts are shown with their conversations, which come back from the server.
    cache.commit([[Write::Sync(Change::Summary(conversation("a", 90, 90, None)))].as_slice()]).unwrap();
    let a = ConversationId::new("a").unwrap();
    let reader = Reader::open(files).unwrap();
    found.drafts = vec![reader.conversation(&a, 1, None).unwrap().unwrap().draft];
    let attached = reader.attached(&a).unwrap();
    found.files = attached.iter().map(|file| reader.bytes(&a, &file.sha256).unwrap()).collect();
    (found, repairs)
}

/// A cache as a crash leaves it, its newest changes in the logs alone.
fn crashed(folder: &Path) -> Known {
    let cache = Cache::new();
    let a = ConversationId::new("a").unwrap();
    cache.sync(vec![Change::Summary(conversation("a", 7, 80, Some(1))), entries("a", 1..=80)]);
    let gone = outbox_row(1, OutboxState::Waiting);
    cache.sync(vec![Change::Outbox(gone.clone())]);
    for place in 2..30 {
        let mut row = outbox_row(place, OutboxState::Waiting);
        row.send.body = Body::text("x".repeat(200));
        cache.sync(vec![Change::Outbox(row)]);
    }
    cache.write(vec![Write::Draft(a.clone(), draft("earlier"))]).unwrap();
    cache.write(vec![Write::Attach(a.clone(), file(1), vec![1; 5_000].into())]).unwrap();
    // From here on in the logs.
    let (connection, _) = crate::open::open_both(&cache.files, false).unwrap();
    connection
        .execute_batch("PRAGMA main.wal_checkpoint(TRUNCATE); PRAGMA kept.wal_checkpoint(TRUNCATE)")
        .unwrap();
    drop(connection);
    cache.sync(vec![Change::OutboxDone(gone.send.id), Change::Read(a.clone(), Seq::new(4))]);
    cache.sync(vec![Change::Outbox(outbox_row(31, OutboxState::Refused(Code::Behind)))]);
    cache.write(vec![Write::Attach(a.clone(), file(2), vec![2; 5_000].into())]).unwrap();
    cache.write(vec![Write::Draft(a, draft("later"))]).unwrap();
    fs::create_dir(folder).unwrap();
    for file in ["cache.db", "cache.db-wal", "kept.db", "kept.db-wal"] {
        fs::copy(cache.folder.path().join("private").join(file), folder.join(file)).unwrap();
    }
    let whole = folder.with_extension("whole");
    copy(folder, &whole);
    let (known, repairs) = known(&Files::new(whole, keys()));
    assert_eq!(repairs, []);
    assert_eq!((known.outbox.len(), known.drafts.as_slice()), (29, [draft("later")].as_slice()));
    assert_eq!(known.files, [1, 2].map(|n| Some(vec![n; 5_000])));
    known
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for (name, bytes) in super::files::contents(from) {
        fs::write(to.join(name), bytes).unwrap();
    }
}

/// One file damaged in one way, chosen by the seed; says which.
fn damage(folder: &Path, rng: &mut fastrand::Rng) -> String {
    let name = ["cache.db", "cache.db-wal", "kept.db", "kept.db-wal"][rng.usize(..4)];
    let path = folder.join(name);
    let mut bytes = fs::read(&path).unwrap();
    let size = bytes.len();
    let kind = rng.usize(..6);
    match kind {
        0 => (0..=rng.usize(..200)).for_each(|_| bytes[rng.usize(..size)] ^= rng.u8(1..)),
        1 => bytes.truncate(rng.usize(..size)),
        2 => {
            let page = rng.usize(..size.div_ceil(4096)) * 4096;
            let end = size.min(page + 4096);
            bytes[page..end].fill(0);
        }
        3 => {
            let at = rng.usize(..size);
            bytes[at] ^= 1 << rng.u8(..8);
        }
        4 => bytes.rotate_left(rng.usize(..size)),
        _ if name.ends_with("wal") => {
            let other = if name.starts_with("cache") { "kept.db-wal" } else { "cache.db-wal" };
            bytes = fs::read(folder.join(other)).unwrap();
        }
        _ => bytes.clear(),
    }
    fs::write(&path, bytes).unwrap();
    if kind == 1 && rng.bool() {
        fs::remove_file(&path).unwrap();
    }
    let kinds = [
        "flipped bytes",
        "cut off or gone",
        "a page of zeros",
        "one flipped bit",
        "shifted",
        "emptied or swapped",
    ];
    format!("{name}: {}", kinds[kind])
}

fn survive(seeds: std::ops::Range<u64>) -> std::collections::BTreeMap<(String, Vec<Repair>), u32> {
    let base = tempfile::tempdir().unwrap();
    let whole = crashed(&base.path().join("crashed"));
    let mut outcomes = std::collections::BTreeMap::new();
    for seed in seeds {
        let folder = base.path().join(seed.to_string());
        copy(&base.path().join("crashed"), &folder);
        let what = damage(&folder, &mut fastrand::Rng::with_seed(seed));
        let (found, repairs) = known(&Files::new(&folder, keys()));
        assert_eq!(found, whole, "seed {seed}: {what}, {repairs:?}");
        *outcomes.entry((what, repairs)).or_default() += 1;
        fs::remove_dir_all(folder).unwrap();
    }
    outcomes
}

#[test]
fn no_damage_of_one_file_loses_what_only_this_computer_knows() {
    survive(0..150);
}

/// As above, a thousand times, with a table of what came of it.
#[test]
#[ignore = "by hand: the table of a thousand damaged files"]
fn a_thousand_damaged_files() {
    for ((what, repairs), times) in survive(0..1_000) {
        println!("{times:>4}  {what:<34} {repairs:?}");
    }
}

/// A message that was thrown away must not come back from the copy, and go out.
#[test]
fn the_newer_of_the_two_counts() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("crashed");
    let whole = crashed(&folder);
    let without = |log: &str| {
        let at = base.path().join(format!("without-{log}"));
        copy(&folder, &at);
        fs::remove_file(at.join(log)).unwrap();
        known(&Files::new(at, keys()))
    };
    let (found, repairs) = without("cache.db-wal");
    assert_eq!((found, repairs.as_slice()), (whole, [Repair::CaughtUp].as_slice()));
    let (found, repairs) = without("kept.db-wal");
    assert_eq!((found.outbox.len(), repairs.as_slice()), (29, [].as_slice()));
}

#[test]
fn with_both_damaged_what_can_be_read_is_kept_and_the_copy_is_set_aside() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("crashed");
    let whole = crashed(&folder);
    fs::write(folder.join("kept.db"), [1; 8192]).unwrap();
    let files = Files::new(&folder, keys());
    // Its last page is search's; the rest reads well.
    let size = fs::metadata(files.database()).unwrap().len();
    fs::File::options().write(true).open(files.database()).unwrap().set_len(size - 4096).unwrap();
    let mut cache = crate::Cache::rebuild(&files, "x").unwrap();
    assert_eq!(cache.repair(), Some(Repair::Salvaged));
    assert!(fs::metadata(beside(&files.kept(), ".unreadable")).is_ok());
    assert_eq!(Reader::open(&files).unwrap().outbox().unwrap(), whole.outbox);
    drop(cache);
    // Neither opens with its key, as with those of another.
    let others = Keys { cache: Key::new([1; 32]), kept: Key::new([2; 32]) };
    cache = crate::Cache::open(&Files::new(&folder, others.clone()), "y").unwrap();
    assert_eq!(cache.repair(), Some(Repair::SetAside));
    assert_eq!(Reader::open(&Files::new(&folder, others)).unwrap().device().unwrap(), "y");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_no_damage() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("crashed");
    crashed(&folder);
    // A folder in a file's place: nobody can write there, root included.
    fs::remove_file(folder.join("kept.db")).unwrap();
    fs::create_dir(folder.join("kept.db")).unwrap();
    let before = fs::read(folder.join("cache.db")).unwrap();
    let error = crate::Cache::open(&Files::new(&folder, keys()), "x").unwrap_err();
    assert!(!error.is_damage(), "{error:?}");
    assert_eq!(fs::read(folder.join("cache.db")).unwrap(), before);
}

/// A copy that is gone or damaged, and one bad page in the cache among what only this computer knows: what can be read is kept.
#[test]
fn a_bad_page_among_what_is_copied_costs_that_page_alone() {
    for copy_is in ["gone", "damaged"] {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("crashed");
        let whole = crashed(&folder);
        let files = Files::new(&folder, keys());
        let connection = crate::connection::open(&files.database(), files.cache_key()).unwrap();
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'own_read'";
        let page: u32 = connection.query_row(root, [], |row| row.get(0)).unwrap();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(connection);
        let mut bytes = fs::read(files.database()).unwrap();
        bytes[page as usize * 4096 - 2000] ^= 1;
        fs::write(files.database(), bytes).unwrap();
        fs::remove_file(beside(&files.kept(), "-wal")).unwrap();
        match copy_is {
            "gone" => fs::remove_file(files.kept()).unwrap(),
            _ => fs::write(files.kept(), [1; 8192]).unwrap(),
        }
        let cache = crate::Cache::open(&files, "x").unwrap();
        assert_eq!(cache.repair(), Some(Repair::Salvaged), "{copy_is}");
        let reader = Reader::open(&files).unwrap();
        assert_eq!(reader.outbox().unwrap(), whole.outbox, "{copy_is}");
        assert_eq!(reader.account().unwrap(), whole.account, "{copy_is}");
    }
}
