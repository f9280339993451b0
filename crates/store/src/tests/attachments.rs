//! Files: of drafts, of messages on their way, and those that were fetched.

use super::*;
use std::sync::Arc;

fn a() -> ConversationId {
    ConversationId::new("a").unwrap()
}

fn bytes(n: u8) -> Arc<[u8]> {
    vec![n; 3].into()
}

fn with_file(n: u8) -> OutboxRow {
    let mut row = outbox_row(n.into(), OutboxState::Waiting);
    row.send.body = Body::File(file(n));
    row
}

fn attached(cache: &Cache) -> Vec<File> {
    cache.reader().conversation(&a(), 9, None).unwrap().unwrap().files
}

fn held(cache: &Cache, n: u8) -> Option<Vec<u8>> {
    cache.reader().bytes(&a(), &file(n).sha256).unwrap()
}

/// With a conversation, and two files attached to its draft.
fn cache() -> Cache {
    let cache = Cache::new();
    cache.sync(vec![Change::Summary(conversation("a", 1, 0, None))]);
    let attach = [1, 2, 1].map(|n| Write::Attach(a(), file(n), bytes(n)));
    cache.write(attach.to_vec()).unwrap();
    cache
}

#[test]
fn a_drafts_files_outlive_the_program_and_what_is_typed() {
    let mut cache = cache();
    cache.write(vec![Write::Draft(a(), draft("see"))]).unwrap();
    cache.write(vec![Write::Draft(a(), Draft::default())]).unwrap();
    cache.reopen();
    assert_eq!(attached(&cache), [file(1), file(2)], "each once, in order");
    assert!(cache.reader().inbox().unwrap()[0].draft);
    assert_eq!(held(&cache, 2), Some(vec![2; 3]));
    cache.write(vec![Write::Detach(a(), file(1).sha256)]).unwrap();
    assert_eq!((attached(&cache), held(&cache, 1)), (vec![file(2)], None));
    cache.write(vec![Write::Detach(a(), file(2).sha256)]).unwrap();
    assert!(!cache.reader().inbox().unwrap()[0].draft, "an empty draft is none");
}

#[test]
fn a_files_bytes_stay_until_its_message_is_in_the_log_and_then_can_be_fetched_again() {
    let cache = cache();
    cache.sync(vec![Change::Outbox(with_file(1)), Change::DraftSent(a())]);
    assert_eq!(attached(&cache), [file(2)], "what was attached meanwhile stays");
    let id = with_file(1).send.id;
    assert_eq!(cache.reader().file(&a(), &FileOf::Message(id)).unwrap(), Some(file(1)));
    let Change::Entries { conversation, range, mut entries } = entries("a", 1..=1) else { unreachable!() };
    (entries[0].id, entries[0].body) = (id, Body::File(file(1)));
    cache.sync(vec![Change::Entries { conversation, range, entries }, Change::OutboxDone(id)]);
    assert_eq!(held(&cache, 1), Some(vec![1; 3]));
    assert_eq!(cache.reader().file(&a(), &FileOf::Message(id)).unwrap(), Some(file(1)));
    assert_eq!(cache.reader().fetched_weight().unwrap(), 3);
    cache.sync(vec![Change::Purge(a())]);
    assert_eq!((held(&cache, 1), held(&cache, 2)), (None, Some(vec![2; 3])), "a draft's file is kept");
}

#[test]
fn a_file_taken_back_is_attached_again_and_one_thrown_away_is_gone() {
    let cache = cache();
    let rows = [with_file(1), with_file(2)];
    cache.sync(rows.iter().cloned().map(Change::Outbox).chain([Change::DraftSent(a())]).collect());
    assert_eq!(attached(&cache), []);
    let [first, second] = rows.map(|row| row.send);
    cache.sync(vec![Change::OutboxDone(second.id)]);
    assert_eq!(held(&cache, 2), None);
    cache.sync(vec![Change::OutboxDone(first.id), Change::DraftBack(a(), first.body)]);
    assert_eq!((attached(&cache), held(&cache, 1)), (vec![file(1)], Some(vec![1; 3])));
    assert_eq!(cache.reader().file(&a(), &FileOf::Draft(file(1).sha256)).unwrap(), Some(file(1)));
    assert_eq!(cache.reader().file(&a(), &FileOf::Draft(file(2).sha256)).unwrap(), None);
}

/// Entries 1 to 4 of `a`, each with the file 3 to 6; says their ids.
fn with_entries(cache: &Cache) -> Vec<EntryId> {
    let Change::Entries { conversation, range, mut entries } = entries("a", 1..=4) else { unreachable!() };
    entries.iter_mut().zip(3..).for_each(|(entry, n)| entry.body = Body::File(file(n)));
    let ids = entries.iter().map(|entry| entry.id).collect();
    cache.sync(vec![Change::Entries { conversation, range, entries }]);
    ids
}

fn fetch(cache: &Cache, entry: EntryId, n: u8) {
    let at = Time::new(u64::from(10 - n));
    cache.write(vec![Write::Fetched(entry, file(n).sha256, bytes(n), at)]).unwrap();
}

#[test]
fn the_oldest_fetched_files_go_first_and_ones_own_not_at_all() {
    let cache = cache();
    let ids = with_entries(&cache);
    ids.iter().zip(3..).for_each(|(entry, n)| fetch(&cache, *entry, n));
    cache.write(vec![Write::ShrinkFiles(7)]).unwrap();
    assert_eq!([3, 4, 5, 6].map(|n| held(&cache, n).is_some()), [true, true, false, false]);
    assert_eq!(held(&cache, 1), Some(vec![1; 3]));
}

#[test]
fn what_was_taken_back_goes_at_once_and_does_not_come_back() {
    let cache = cache();
    let ids = with_entries(&cache);
    fetch(&cache, ids[0], 3);
    fetch(&cache, ids[1], 4);
    let Change::Entries { conversation, mut entries, .. } = entries("a", 5..=5) else { unreachable!() };
    let target = ids[0];
    entries[0].body = Body::Amend(bedside_protocol::Amend { target, text: None, extra: Extra::new() });
    let range = Range::new(Seq::new(1), Seq::new(5)).unwrap();
    cache.sync(vec![Change::Entries { conversation, range, entries }]);
    assert_eq!([3, 4].map(|n| held(&cache, n).is_some()), [false, true]);
    // A download that was under way comes too late, as does one of a conversation that has gone.
    fetch(&cache, ids[0], 3);
    assert_eq!(held(&cache, 3), None);
    cache.sync(vec![Change::Purge(a())]);
    fetch(&cache, ids[1], 4);
    assert_eq!(held(&cache, 4), None);
}

/// What only this computer knows survives either file, bytes included.
#[test]
fn the_bytes_of_a_draft_survive_a_cache_that_is_gone() {
    let mut cache = cache();
    cache.writer = None;
    for file in ["cache.db", "cache.db-wal", "cache.db-shm"] {
        let _absent = std::fs::remove_file(cache.folder.path().join("private").join(file));
    }
    cache.reopen();
    cache.sync(vec![Change::Summary(conversation("a", 1, 0, None))]);
    assert_eq!((attached(&cache), held(&cache, 2)), (vec![file(1), file(2)], Some(vec![2; 3])));
}

#[test]
fn a_file_that_lost_a_lot_becomes_smaller() {
    let cache = cache();
    let big: Arc<[u8]> = vec![7; 4_000_000].into();
    let ids = with_entries(&cache);
    cache.write(vec![Write::Fetched(ids[0], file(9).sha256, big, Time::ZERO)]).unwrap();
    let weight = || std::fs::metadata(cache.files.database()).unwrap().len();
    let mut shrunk = crate::Cache::open(&cache.files, "x").unwrap();
    shrunk.commit([[Write::Draft(a(), draft("x"))].as_slice()]).unwrap();
    shrunk.commit([[Write::ShrinkFiles(0)].as_slice()]).unwrap();
    while shrunk.scrub().unwrap() {}
    assert!(weight() < 2_000_000, "{}", weight());
}
