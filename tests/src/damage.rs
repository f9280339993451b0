//! Caches as a crash leaves them, damaged at random; and what is there once they were opened again.

use crate::cache::account;
use crate::keychain::{keys, open};
use bedside_engine::{Change, OutboxRow, OutboxState, Range};
use bedside_protocol::{
    Author, Body, Code, Conversation, ConversationId, Entry, EntryId, Extra, File, Patient, Rev, Role, Send,
    Seq, Time, UserId,
};
use bedside_store::{Account, Cache, Draft, Files, Reader, Repair, Search, StoreError, Write};
use fastrand::Rng;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};

/// The files that hold a cache, its newest changes in the logs.
pub const FILES: [&str; 4] = ["cache.db", "cache.db-wal", "kept.db", "kept.db-wal"];
/// Entries of the conversation.
const ENTRIES: u64 = 80;
/// Of the files.
const PAGE: usize = 4096;

/// What only this computer knows.
#[derive(Debug, PartialEq)]
pub struct Known {
    /// This device's id.
    pub device: String,
    /// Whose it is.
    pub account: Option<Account>,
    /// What waits, and what was refused.
    pub outbox: Vec<OutboxRow>,
    /// The conversation's draft.
    pub draft: Draft,
    /// The bytes of its files.
    pub files: Vec<Option<Vec<u8>>>,
    /// How far one has read.
    pub reads: Vec<(ConversationId, Seq)>,
}

/// Opens a cache and reads everything, as the program does: what turns out to be damaged is made anew. Then the server's
/// entries come again, and are found.
pub fn known(files: &Files) -> (Known, Vec<Repair>) {
    let mut cache = Cache::open(files, "device-new").expect("a cache that heals");
    let mut repairs: Vec<_> = cache.repair().into_iter().collect();
    let look = || -> Result<_, StoreError> {
        let reader = Reader::open(files)?;
        reader.check()?;
        reader.inbox()?;
        reader.log()?;
        Ok((reader.device()?, reader.account()?, reader.snapshot()?))
    };
    let (device, account, snapshot) = look().unwrap_or_else(|error| {
        assert!(error.is_damage(), "{error:?}");
        drop(std::mem::replace(&mut cache, Cache::rebuild(files, "device-new").expect("a new cache")));
        repairs.extend(cache.repair());
        look().expect("a new cache")
    });
    // A draft is shown with its conversation, which comes from the server.
    sync(&mut cache, [vec![Change::Summary(conversation())], vec![entries()]].concat());
    while cache.index().expect("an index") > 0 {}
    let reader = Reader::open(files).expect("a cache");
    let search = Search { phrases: vec![vec!["text".into()]], ..Search::default() };
    assert_eq!(reader.search(&search, 99).expect("an index").hits.len() as u64, ENTRIES);
    let shown = reader.conversation(&id(), 1, None).expect("a cache").expect("the conversation");
    let bytes = |file: &File| reader.bytes(&id(), &file.sha256).expect("a cache");
    let attached = reader.attached(&id()).expect("a cache").iter().map(bytes).collect();
    let reads = snapshot.reads.into_iter().collect();
    let known =
        Known { device, account, outbox: snapshot.outbox, draft: shown.draft, files: attached, reads };
    (known, repairs)
}

/// A cache after a crash.
#[derive(Debug)]
pub struct Crashed {
    base: tempfile::TempDir,
    /// What it held.
    pub whole: Known,
}

impl Default for Crashed {
    fn default() -> Self {
        Self::new()
    }
}

impl Crashed {
    /// Writes some, and more that is in the logs alone.
    pub fn new() -> Self {
        let base = tempfile::tempdir().expect("a folder");
        let running = base.path().join("running");
        let files = Files::new(&running, keys());
        let mut cache = Cache::open(&files, "device-1").expect("a new cache");
        let commit = |cache: &mut Cache, writes: Vec<Write>| {
            cache.commit([writes.as_slice()]).expect("the disk");
        };
        commit(&mut cache, vec![Write::Account(account())]);
        sync(&mut cache, vec![Change::Summary(conversation()), entries()]);
        let gone = outbox_row(1, OutboxState::Waiting);
        sync(&mut cache, vec![Change::Outbox(gone.clone())]);
        for place in 2..30 {
            let mut row = outbox_row(place, OutboxState::Waiting);
            row.send.body = Body::text("x".repeat(200));
            sync(&mut cache, vec![Change::Outbox(row)]);
        }
        commit(&mut cache, vec![Write::Draft(id(), draft("earlier"))]);
        commit(&mut cache, vec![Write::Attach(id(), file(1), vec![1; 5_000].into())]);
        for (path, key) in [(files.database(), keys().cache), (files.kept(), keys().kept)] {
            let connection = open(&path, &key);
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("a checkpoint");
        }
        // From here on in the logs.
        sync(&mut cache, vec![Change::OutboxDone(gone.send.id), Change::Read(id(), Seq::new(4))]);
        sync(&mut cache, vec![Change::Outbox(outbox_row(31, OutboxState::Refused(Code::Behind)))]);
        commit(&mut cache, vec![Write::Attach(id(), file(2), vec![2; 5_000].into())]);
        commit(&mut cache, vec![Write::Draft(id(), draft("later"))]);
        copy(&running, &base.path().join("crashed"));
        let (whole, repairs) = known(&Files::new(copied(&base, "whole"), keys()));
        assert_eq!(repairs, []);
        assert_eq!((whole.outbox.len(), &whole.draft), (29, &draft("later")));
        assert_eq!(whole.files, [1, 2].map(|n| Some(vec![n; 5_000])));
        Self { base, whole }
    }

    /// Another folder with a copy of it.
    pub fn copied(&self, name: &str) -> PathBuf {
        copied(&self.base, name)
    }

    /// Damages one file of a copy in one way, opens it, and panics if anything is lost; says what was damaged, and mended.
    pub fn survive(&self, seed: u64) -> (Damage, Vec<Repair>) {
        let folder = self.copied(&seed.to_string());
        let damage = Damage::new(&folder, &mut Rng::with_seed(seed));
        let (found, repairs) = known(&Files::new(&folder, keys()));
        let same = found == self.whole;
        assert!(same, "seed {seed}: {damage}, {repairs:?}: something is lost");
        fs::remove_dir_all(folder).expect("a folder");
        (damage, repairs)
    }
}

/// What came of damaging a cache once for each seed.
pub fn survive(seeds: std::ops::Range<u64>) -> BTreeMap<(Damage, Vec<Repair>), u32> {
    let crashed = Crashed::new();
    let mut outcomes = BTreeMap::new();
    for seed in seeds {
        *outcomes.entry(crashed.survive(seed)).or_default() += 1;
    }
    outcomes
}

/// What became of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    file: &'static str,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    FlippedBit,
    FlippedBytes,
    PageOfZeros,
    CutOff,
    Shifted,
    Emptied,
    Removed,
    Swapped,
}

impl Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.how {
            How::FlippedBit => "a flipped bit",
            How::FlippedBytes => "flipped bytes",
            How::PageOfZeros => "a page of zeros",
            How::CutOff => "cut off",
            How::Shifted => "shifted",
            How::Emptied => "emptied",
            How::Removed => "removed",
            How::Swapped => "the other's in its place",
        };
        write!(f, "{}: {how}", self.file)
    }
}

impl Damage {
    fn new(folder: &Path, rng: &mut Rng) -> Self {
        use How::{CutOff, Emptied, FlippedBit, FlippedBytes, PageOfZeros, Removed, Shifted, Swapped};
        let which = rng.usize(..FILES.len());
        let (file, other) = (FILES[which], FILES[(which + 2) % FILES.len()]);
        let path = folder.join(file);
        let mut bytes = fs::read(&path).expect("a file");
        let size = bytes.len();
        let kinds = [FlippedBit, FlippedBytes, PageOfZeros, CutOff, Shifted, Emptied, Removed, Swapped];
        let how = kinds[rng.usize(..kinds.len())];
        match how {
            FlippedBit => bytes[rng.usize(..size)] ^= 1 << rng.u8(..8),
            FlippedBytes => (0..=rng.usize(1..200)).for_each(|_| bytes[rng.usize(..size)] ^= rng.u8(1..)),
            PageOfZeros => {
                let page = rng.usize(..size.div_ceil(PAGE)) * PAGE;
                bytes[page..size.min(page + PAGE)].fill(0);
            }
            CutOff => bytes.truncate(rng.usize(..size)),
            Shifted => bytes.rotate_left(rng.usize(1..size)),
            Emptied | Removed => bytes.clear(),
            Swapped => bytes = fs::read(folder.join(other)).expect("a file"),
        }
        match how {
            Removed => fs::remove_file(&path),
            _ => fs::write(&path, bytes),
        }
        .expect("the disk");
        Self { file, how }
    }
}

fn copied(base: &tempfile::TempDir, name: &str) -> PathBuf {
    let folder = base.path().join(name);
    copy(&base.path().join("crashed"), &folder);
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for file in FILES {
        fs::copy(from.join(file), to.join(file)).expect("a file");
    }
}

fn sync(cache: &mut Cache, changes: Vec<Change>) {
    let writes: Vec<_> = changes.into_iter().map(Write::Sync).collect();
    cache.commit([writes.as_slice()]).expect("the disk");
}

fn id() -> ConversationId {
    ConversationId::new("a").expect("an id")
}

fn user() -> UserId {
    UserId::new("p").expect("an id")
}

/// What is written and not sent.
pub fn draft(text: &str) -> Draft {
    Draft { text: text.into(), cursor: 2 }
}

fn conversation() -> Conversation {
    let patient = Patient { id: user(), name: "P".into(), born: None, extra: Extra::new() };
    let (rev, head) = (Rev::new(ENTRIES), Seq::new(ENTRIES));
    Conversation { head, waiting_since: Some(Time::new(1)), ..Conversation::new(id(), rev, patient) }
}

fn entries() -> Change {
    let entry = |seq: u64| Entry {
        conversation: id(),
        seq: Seq::new(seq),
        rev: Rev::new(seq),
        id: EntryId::from_parts(Time::new(seq), [1; 10]),
        at: Time::new(seq),
        author: Author { id: user(), role: Role::Patient, name: "P".into(), extra: Extra::new() },
        body: Body::text(format!("text {seq}")),
        preview: "x".into(),
        from: None,
        prev: None,
        extra: Extra::new(),
    };
    let range = Range::new(Seq::new(1), Seq::new(ENTRIES)).expect("a range");
    Change::Entries { conversation: id(), range, entries: (1..=ENTRIES).map(entry).collect() }
}

fn outbox_row(place: u64, state: OutboxState) -> OutboxRow {
    let send = Send {
        id: EntryId::from_parts(Time::new(place), [9; 10]),
        conversation: id(),
        seen: Seq::new(3),
        body: Body::text("reply"),
        from: None,
        force: false,
    };
    OutboxRow { place, send, at: Time::new(5), hold_until: Time::new(9), attempts: 2, state }
}

fn file(n: u8) -> File {
    File {
        sha256: format!("{n:064x}"),
        name: format!("{n}.png"),
        media_type: "image/png".into(),
        bytes: 5_000,
        extra: Extra::new(),
    }
}
