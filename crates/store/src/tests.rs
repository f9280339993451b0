use crate::*;
use bedside_engine::{Change, OutboxRow, OutboxState, Range};
use bedside_protocol::{
    Author, Body, ClinicId, Code, Conversation, Entry, EntryId, Extra, Last, Patient, Rev, Role, Send, Seq,
    Time, UserId,
};
use std::sync::mpsc::channel;

struct Cache {
    files: Files,
    folder: tempfile::TempDir,
    writer: Option<Writer>,
    life: std::cell::Cell<u64>,
}

impl Cache {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().join("private"));
        let writer = Some(Writer::open(&files, "device-1", || ()).unwrap());
        let cache = Self { files, folder, writer, life: Default::default() };
        cache.write(vec![Write::Account(account())]).unwrap();
        cache
    }

    fn write(&self, writes: Vec<Write>) -> Result<Committed, StoreError> {
        let (sender, receiver) = channel();
        self.life.set(self.life.get() + 1);
        self.writer
            .as_ref()
            .unwrap()
            .submit(self.life.get(), writes, move |outcome| sender.send(outcome).unwrap());
        receiver.recv().unwrap()
    }

    fn sync(&self, changes: Vec<Change>) -> Committed {
        self.write(changes.into_iter().map(Write::Sync).collect()).unwrap()
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.files).unwrap()
    }

    fn reopen(&mut self) {
        self.writer = None;
        self.writer = Some(Writer::open(&self.files, "device-2", || ()).unwrap());
    }
}

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn account() -> Account {
    let me = Me {
        id: user("provider.1-a"),
        name: "Amara".into(),
        role: Role::Provider,
        clinic: ClinicId::new("c").unwrap(),
    };
    Account { me, server: "http://localhost".into(), token: "t".into(), limits: Limits::default() }
}

fn conversation(id: &str, rev: u64, head: u64, waiting_since: Option<u64>) -> Conversation {
    let author = Author { id: user("p"), role: Role::Patient, name: "P".into(), extra: Extra::new() };
    let patient = Patient { id: user("p"), name: "P".into(), born: None, extra: Extra::new() };
    let seq = Seq::new(head);
    let last = Last { seq, at: Time::new(rev), author, preview: "x".into(), extra: Extra::new() };
    Conversation {
        head: seq,
        waiting_since: waiting_since.map(Time::new),
        last: Some(last),
        ..Conversation::new(ConversationId::new(id).unwrap(), Rev::new(rev), patient)
    }
}

fn entries(id: &str, seqs: std::ops::RangeInclusive<u64>) -> Change {
    let conversation = ConversationId::new(id).unwrap();
    let range = Range::new(Seq::new(*seqs.start()), Seq::new(*seqs.end())).unwrap();
    let entry = |seq: u64| Entry {
        conversation: conversation.clone(),
        seq: Seq::new(seq),
        rev: Rev::new(seq),
        id: EntryId::from_parts(Time::new(seq), [id.len() as u8; 10]),
        at: Time::new(seq),
        author: Author { id: user("p"), role: Role::Patient, name: "P".into(), extra: Extra::new() },
        body: Body::text(format!("text {seq}")),
        preview: "x".into(),
        from: None,
        prev: None,
        extra: [("later".to_owned(), 1.into())].into(),
    };
    Change::Entries { conversation: conversation.clone(), range, entries: seqs.map(entry).collect() }
}

fn outbox_row(place: u64, state: OutboxState) -> OutboxRow {
    let send = Send {
        id: EntryId::from_parts(Time::new(place), [9; 10]),
        conversation: ConversationId::new("a").unwrap(),
        seen: Seq::new(3),
        body: Body::text("reply"),
        from: None,
        force: false,
    };
    OutboxRow { place, send, at: Time::new(5), hold_until: Time::new(9), attempts: 2, state }
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let mut cache = Cache::new();
    let a = ConversationId::new("a").unwrap();
    cache.sync(vec![
        Change::Summary(conversation("a", 7, 3, Some(1))),
        entries("a", 2..=3),
        Change::Cursor(Rev::new(7)),
        Change::Outbox(outbox_row(1, OutboxState::Waiting)),
        Change::Outbox(outbox_row(2, OutboxState::Refused(Code::Behind))),
        Change::Read(a.clone(), Seq::new(2)),
    ]);
    cache.write(vec![Write::Draft(a.clone(), "half a sen".into())]).unwrap();
    cache.reopen();
    let reader = cache.reader();
    let snapshot = reader.snapshot().unwrap();
    assert_eq!(snapshot.cursor, Rev::new(7));
    assert_eq!(snapshot.conversations[&a].range, Range::new(Seq::new(2), Seq::new(3)));
    let states: Vec<_> = snapshot.outbox.iter().map(|row| (row.place, row.state)).collect();
    assert_eq!(states, [(1, OutboxState::Waiting), (2, OutboxState::Refused(Code::Behind))]);
    assert_eq!(snapshot.outbox[0], outbox_row(1, OutboxState::Waiting));
    assert_eq!(snapshot.reads[&a], Seq::new(2));
    let shown = reader.conversation(&a, 1, None).unwrap().unwrap();
    assert_eq!(shown.draft, "half a sen");
    let Change::Entries { entries: wanted, .. } = entries("a", 3..=3) else { panic!() };
    assert_eq!(shown.entries, wanted, "verbatim, the fields of a later version included");
    assert_eq!(reader.account().unwrap(), Some(account()));
    assert_eq!(reader.device().unwrap(), "device-1", "the device's id is made once");
}

#[test]
fn a_message_takes_its_draft_away_in_the_same_commit() {
    let cache = Cache::new();
    let a = ConversationId::new("a").unwrap();
    cache.sync(vec![Change::Summary(conversation_a())]);
    cache.write(vec![Write::Draft(a.clone(), "reply".into())]).unwrap();
    cache.sync(vec![Change::Outbox(outbox_row(1, OutboxState::Waiting)), Change::DraftSent(a.clone())]);
    assert_eq!(cache.reader().conversation(&a, 9, None).unwrap().unwrap().draft, "");
}

#[test]
fn a_message_that_is_taken_back_stands_before_what_is_typed() {
    let cache = Cache::new();
    let a = ConversationId::new("a").unwrap();
    cache.sync(vec![Change::Summary(conversation_a())]);
    let draft = || cache.reader().conversation(&a, 1, None).unwrap().unwrap().draft;
    cache.sync(vec![Change::DraftBack(a.clone(), "first".into())]);
    assert_eq!(draft(), "first");
    cache.sync(vec![Change::DraftBack(a.clone(), "before it".into())]);
    assert_eq!(draft(), "before it\nfirst");
}

#[test]
fn a_conversation_is_read_from_where_a_watch_began() {
    let cache = Cache::new();
    let a = ConversationId::new("a").unwrap();
    cache.sync(vec![Change::Summary(conversation("a", 1, 9, None)), entries("a", 3..=9)]);
    let seqs = |newest, first: Option<u64>| {
        let shown = cache.reader().conversation(&a, newest, first.map(Seq::new)).unwrap().unwrap();
        shown.entries.iter().map(|entry| entry.seq.get()).collect::<Vec<_>>()
    };
    assert_eq!(seqs(2, None), [8, 9]);
    assert_eq!(seqs(2, Some(6)), [6, 7, 8, 9]);
    assert_eq!(seqs(5, Some(8)), [5, 6, 7, 8, 9]);
    assert_eq!(seqs(50, None), [3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn an_entry_that_comes_twice_is_there_once() {
    let cache = Cache::new();
    cache.sync(vec![Change::Summary(conversation("a", 1, 3, None)), entries("a", 1..=3)]);
    cache.sync(vec![entries("a", 2..=3)]);
    assert_eq!(cache.reader().log().unwrap().len(), 3);
}

#[test]
fn another_entry_in_a_taken_place_fails_the_whole_commit() {
    let cache = Cache::new();
    cache.sync(vec![Change::Summary(conversation("a", 1, 3, None)), entries("a", 1..=3)]);
    let Change::Entries { conversation, range, mut entries } = entries("a", 3..=3) else { panic!() };
    entries[0].id = EntryId::from_parts(Time::new(99), [1; 10]);
    let clash = Change::Entries { conversation, range, entries };
    let writes = vec![Write::Sync(Change::Cursor(Rev::new(50))), Write::Sync(clash)];
    assert!(matches!(cache.write(writes), Err(StoreError::Sqlite(_))));
    assert_eq!(cache.reader().snapshot().unwrap().cursor, Rev::ZERO, "nothing of it is kept");
    cache.sync(vec![Change::Cursor(Rev::new(2))]);
}

#[test]
fn an_id_in_a_second_place_fails_the_whole_commit() {
    let cache = Cache::new();
    cache.sync(vec![Change::Summary(conversation("a", 1, 3, None)), entries("a", 1..=3)]);
    let Change::Entries { conversation, range, mut entries } = entries("a", 4..=4) else { panic!() };
    entries[0].id = EntryId::from_parts(Time::new(3), [1; 10]);
    let clash = Change::Entries { conversation, range, entries };
    assert!(matches!(cache.write(vec![Write::Sync(clash)]), Err(StoreError::Corrupt)));
    assert_eq!(cache.reader().log().unwrap().len(), 3);
}

#[test]
fn unread_counts_follow_entries_and_both_kinds_of_marks() {
    let cache = Cache::new();
    let unread = || cache.reader().inbox().unwrap()[0].unread;
    let mut summary = conversation("a", 1, 5, None);
    cache.sync(vec![Change::Summary(summary.clone()), entries("a", 1..=5)]);
    assert_eq!(unread(), 5);
    cache.sync(vec![Change::Read(summary.id.clone(), Seq::new(2))]);
    assert_eq!(unread(), 3);
    cache.sync(vec![Change::Read(summary.id.clone(), Seq::new(1))]);
    assert_eq!(unread(), 3, "the greatest wins");
    summary.rev = Rev::new(2);
    summary.read = [(account().me.id, Seq::new(4))].into();
    cache.sync(vec![Change::Summary(summary)]);
    assert_eq!(unread(), 1, "read on another computer");
}

#[test]
fn what_comes_twice_or_goes_and_comes_again_is_counted_once() {
    let cache = Cache::new();
    let unread = || cache.reader().inbox().unwrap()[0].unread;
    cache.sync(vec![Change::Summary(conversation("a", 1, 9, None)), entries("a", 3..=5)]);
    cache.sync(vec![entries("a", 5..=5)]);
    assert_eq!(unread(), 3);
    cache.sync(vec![entries("a", 6..=7)]);
    assert_eq!(unread(), 5);
    let id = ConversationId::new("a").unwrap();
    cache.sync(vec![Change::Forget(id.clone()), entries("a", 8..=9)]);
    assert_eq!(unread(), 2);
    cache.sync(vec![Change::Read(id, Seq::new(8))]);
    assert_eq!(unread(), 1);
}

#[test]
fn who_waits_longest_comes_first_then_the_newest() {
    let cache = Cache::new();
    for (id, rev, waiting) in [("a", 1, None), ("b", 2, Some(50)), ("c", 3, None), ("d", 4, Some(20))] {
        cache.sync(vec![Change::Summary(conversation(id, rev, 1, waiting))]);
    }
    let ids: Vec<_> =
        cache.reader().inbox().unwrap().iter().map(|row| row.conversation.id.to_string()).collect();
    assert_eq!(ids, ["d", "b", "c", "a"]);
}

#[test]
fn an_older_summary_changes_nothing() {
    let cache = Cache::new();
    cache.sync(vec![Change::Summary(conversation("a", 5, 9, None))]);
    cache.sync(vec![Change::Summary(conversation("a", 4, 8, Some(1)))]);
    assert_eq!(cache.reader().inbox().unwrap()[0].conversation, conversation("a", 5, 9, None));
}

#[test]
fn a_commit_names_what_it_touched() {
    let cache = Cache::new();
    let a = ConversationId::new("a").unwrap();
    let touched = |changes| cache.sync(changes).topics.into_iter().collect::<Vec<_>>();
    let conversation = || Topic::Conversation(a.clone());
    assert_eq!(touched(vec![Change::Summary(conversation_a())]), [conversation()]);
    let row = outbox_row(1, OutboxState::Waiting);
    assert_eq!(touched(vec![Change::Outbox(row.clone())]), [conversation(), Topic::Outbox]);
    assert_eq!(touched(vec![Change::OutboxDone(row.send.id)]), [conversation(), Topic::Outbox]);
    assert_eq!(touched(vec![Change::OutboxDone(row.send.id)]), [], "it was gone already");
    assert_eq!(touched(vec![Change::Cursor(Rev::new(3))]), []);
}

fn conversation_a() -> Conversation {
    conversation("a", 1, 1, None)
}

/// What the engine says after a commit stands on it: written without it, it would claim what isn't there.
#[test]
fn nothing_of_a_life_is_written_after_its_failed_commit() {
    let cache = Cache::new();
    let (sender, receiver) = channel();
    for n in 0..60 {
        let sender = sender.clone();
        // Entries of a conversation that isn't there break a foreign key.
        let changes = if n == 25 { entries("nowhere", 1..=1) } else { Change::Cursor(Rev::new(n + 1)) };
        let life = if n < 50 { 7 } else { 8 };
        let writer = cache.writer.as_ref().unwrap();
        writer.submit(life, vec![Write::Sync(changes)], move |outcome| {
            sender.send((n, outcome.is_ok())).unwrap();
        });
    }
    drop(sender);
    let written: Vec<_> = receiver.iter().filter(|(_, ok)| *ok).map(|(n, _)| n).collect();
    assert_eq!(written, (0..25).chain(50..60).collect::<Vec<_>>());
    assert_eq!(cache.reader().snapshot().unwrap().cursor, Rev::new(60));
}

#[test]
fn a_message_in_anothers_place_fails_and_writes_nothing_over() {
    let cache = Cache::new();
    let first = outbox_row(1, OutboxState::Waiting);
    cache.sync(vec![Change::Outbox(first.clone())]);
    let mut second = outbox_row(2, OutboxState::Waiting);
    second.place = 1;
    assert!(cache.write(vec![Write::Sync(Change::Outbox(second))]).is_err());
    assert_eq!(cache.reader().outbox().unwrap(), [first]);
}

#[test]
fn a_second_program_is_refused_until_the_first_has_ended() {
    let mut cache = Cache::new();
    assert!(matches!(Writer::open(&cache.files, "x", || ()), Err(StoreError::InUse)));
    cache.reopen();
}

/// A file as the first version left it, with something in each table that a later one changed.
#[test]
fn an_older_file_is_brought_up_to_date_and_keeps_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path());
    let old = rusqlite::Connection::open(files.database()).unwrap();
    old.execute_batch(include_str!("../migrations/001_cache.sql")).unwrap();
    let row = outbox_row(3, OutboxState::Waiting);
    old.execute("INSERT INTO device VALUES (1, 'device-0', 41)", []).unwrap();
    old.execute(
        "INSERT INTO outbox VALUES (3, ?1, ?2, ?3, 5, 2, NULL)",
        [
            row.send.id.to_string(),
            row.send.conversation.to_string(),
            serde_json::to_string(&row.send).unwrap(),
        ],
    )
    .unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);
    let _writer = Writer::open(&files, "device-9", || ()).unwrap();
    let reader = Reader::open(&files).unwrap();
    let snapshot = reader.snapshot().unwrap();
    assert_eq!(
        (reader.device().unwrap().as_str(), snapshot.cursor, snapshot.epoch),
        ("device-0", Rev::new(41), None)
    );
    assert_eq!(snapshot.outbox, [OutboxRow { hold_until: Time::ZERO, ..row }]);
}

#[test]
fn a_newer_file_is_refused_and_not_touched() {
    let mut cache = Cache::new();
    cache.writer = None;
    let connection = rusqlite::Connection::open(cache.files.database()).unwrap();
    connection.execute_batch("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(connection);
    let before = std::fs::read(cache.files.database()).unwrap();
    assert!(matches!(Writer::open(&cache.files, "x", || ()), Err(StoreError::Newer(99))));
    assert_eq!(std::fs::read(cache.files.database()).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn the_files_are_the_users_alone_and_go_when_deleted() {
    use std::os::unix::fs::PermissionsExt;
    let mut cache = Cache::new();
    let private = cache.folder.path().join("private");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&private), 0o700);
    let files: Vec<_> = std::fs::read_dir(&private).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() > 1, "the log is a file too");
    files.iter().for_each(|file| assert_eq!(mode(file), 0o600, "{file:?}"));
    cache.writer = None;
    cache.files.delete().unwrap();
    let left: Vec<_> = std::fs::read_dir(&private).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(left, [private.join("lock")]);
    assert_eq!(std::fs::read(private.join("lock")).unwrap(), b"");
}

/// What no migration may forget: strict tables, no column that may be null without being meant to.
#[test]
fn the_schema_keeps_the_rules() {
    let cache = Cache::new();
    let connection = rusqlite::Connection::open(cache.files.database()).unwrap();
    let loose: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_list WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(loose, Vec::<String>::new());
    let nullable: Vec<String> = connection
        .prepare(
            "SELECT list.name || '.' || info.name FROM pragma_table_list AS list, pragma_table_info(list.name) AS info
             WHERE list.schema = 'main' AND list.type = 'table' AND list.name NOT LIKE 'sqlite_%' AND info.\"notnull\" = 0
             ORDER BY 1",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(nullable, ["conversation.waiting_since", "device.epoch", "entry.amends", "outbox.refused"]);
}

/// Finds, by what was found: `patient: text`, the newest first.
fn finds(cache: &Cache, search: Search) -> Vec<String> {
    let found = cache.reader().search(&search, 10).unwrap();
    let hit = |hit: Hit| format!("{}: {}", hit.patient, hit.entry.body.words().unwrap_or_default());
    found.hits.into_iter().map(hit).collect()
}

fn words(text: &str) -> Search {
    let phrases = text.split(' ').map(|word| vec![word.to_owned()]).collect();
    Search { phrases, ..Search::default() }
}

/// Commits entries of `a`, whose patient is called Lucía; `seq` is also the `rev`.
fn says(cache: &Cache, said: &[(u64, Role, Body)]) {
    let id = ConversationId::new("a").unwrap();
    let entry = |(seq, role, body): &(u64, Role, Body)| Entry {
        conversation: id.clone(),
        seq: Seq::new(*seq),
        rev: Rev::new(*seq),
        id: EntryId::from_parts(Time::new(*seq), [7; 10]),
        at: Time::new(*seq),
        author: Author { id: user("x"), role: *role, name: "X".into(), extra: Extra::new() },
        body: body.clone(),
        preview: String::new(),
        from: None,
        prev: None,
        extra: Extra::new(),
    };
    let (first, last) = (said[0].0, said[said.len() - 1].0);
    let mut summary = conversation("a", last + 1, last, None);
    summary.patient.name = "Lucía Fernández".into();
    let range = Range::new(Seq::new(1), Seq::new(last)).unwrap();
    assert!(first == 1 || cache.reader().log().unwrap().len() as u64 == first - 1);
    let entries = said.iter().map(entry).collect();
    cache.sync(vec![Change::Summary(summary), Change::Entries { conversation: id, range, entries }]);
}

/// Waits until search knows all.
fn indexed(cache: &Cache) {
    while cache.reader().search(&words("x"), 1).unwrap().covers.unindexed > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn search_finds_beginnings_phrases_and_filters_and_folds_accents() {
    use bedside_protocol::Note;
    let cache = Cache::new();
    let note = Body::Note(Note { text: "Follow up".into(), mentions: vec![], extra: Extra::new() });
    says(
        &cache,
        &[
            (1, Role::Patient, Body::text("It gets tight across my chest")),
            (2, Role::Provider, Body::text("Is the chest pain there at rest?")),
            (3, Role::Provider, note),
            (4, Role::Patient, Body::text("Café au lait spots, and across the chest: tight")),
        ],
    );
    indexed(&cache);
    let lucia = |text: &str| format!("Lucía Fernández: {text}");
    let (first, second, last) = (
        lucia("It gets tight across my chest"),
        lucia("Is the chest pain there at rest?"),
        lucia("Café au lait spots, and across the chest: tight"),
    );
    assert_eq!(finds(&cache, words("CHE")), [last.clone(), second.clone(), first.clone()]);
    assert_eq!(finds(&cache, words("tig che")), [last.clone(), first.clone()]);
    assert_eq!(finds(&cache, words("cafe")), std::slice::from_ref(&last));
    assert_eq!(finds(&cache, words("follow")), [lucia("Follow up")]);
    assert_eq!(finds(&cache, words("elbow")), [""; 0]);
    let phrase = vec![vec!["tight".to_owned(), "across".to_owned()]];
    assert_eq!(finds(&cache, Search { phrases: phrase, ..Search::default() }), std::slice::from_ref(&first));
    let by_patient = Search { by_patient: Some(true), ..words("chest") };
    assert_eq!(finds(&cache, by_patient), [last.clone(), first.clone()]);
    let before = Search { before: Some(Time::new(2)), ..words("chest") };
    assert_eq!(finds(&cache, before), [first]);
    let of = |name: &str| Search { patient: vec![name.to_owned()], ..words("rest") };
    assert_eq!((finds(&cache, of("fernandez")), finds(&cache, of("smith"))), (vec![second], vec![]));
    cache.sync(vec![Change::Read(ConversationId::new("a").unwrap(), Seq::new(3))]);
    assert_eq!(finds(&cache, Search { unread: true, ..Search::default() }), [last]);
    let found = cache.reader().search(&words("lucia"), 10).unwrap();
    assert_eq!(found.patients.len(), 1, "by the name");
    assert!(cache.reader().search(&words("chest"), 1).unwrap().more);
}

#[test]
fn what_was_corrected_is_found_as_it_reads_now_and_what_was_taken_back_not_at_all() {
    use bedside_protocol::Amend;
    let cache = Cache::new();
    let amends = |seq, text: Option<&str>| {
        let target = EntryId::from_parts(Time::new(seq), [7; 10]);
        Body::Amend(Amend { target, text: text.map(str::to_owned), extra: Extra::new() })
    };
    says(
        &cache,
        &[(1, Role::Provider, Body::text("take 50 pills")), (2, Role::Provider, Body::text("wrong patient"))],
    );
    indexed(&cache);
    assert_eq!(finds(&cache, words("50")).len(), 1);
    says(
        &cache,
        &[(3, Role::Provider, amends(1, Some("take 5 pills"))), (4, Role::Provider, amends(2, None))],
    );
    indexed(&cache);
    assert_eq!(finds(&cache, words("pills")), ["Lucía Fernández: take 5 pills"]);
    assert_eq!(finds(&cache, words("wrong")), [""; 0]);
}

#[test]
fn search_says_what_it_covers_and_follows_what_goes() {
    let cache = Cache::new();
    cache.sync(vec![
        Change::Summary(conversation("a", 1, 900, None)),
        Change::Summary(conversation("bb", 2, 5, None)),
        entries("a", 601..=900),
    ]);
    indexed(&cache);
    let covers = cache.reader().search(&words("text"), 1).unwrap().covers;
    assert_eq!(covers, Covers { conversations: 2, since: Some(Time::new(601)), behind: 1, unindexed: 0 });
    let hits = |limit| cache.reader().search(&words("text"), limit).unwrap().hits.len();
    assert_eq!(hits(1_000), 300);
    cache.sync(vec![Change::Forget(ConversationId::new("a").unwrap()), entries("a", 899..=900)]);
    indexed(&cache);
    assert_eq!(hits(1_000), 2);
}
