use super::*;

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
    cache.write(vec![Write::Draft(a.clone(), draft("half a sen"))]).unwrap();
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
    assert_eq!(shown.draft, draft("half a sen"));
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
    cache.write(vec![Write::Draft(a.clone(), draft("reply"))]).unwrap();
    cache.sync(vec![Change::Outbox(outbox_row(1, OutboxState::Waiting)), Change::DraftSent(a.clone())]);
    assert_eq!(cache.reader().conversation(&a, 9, None).unwrap().unwrap().draft, Draft::default());
}

#[test]
fn a_message_that_is_taken_back_stands_before_what_is_typed() {
    let cache = Cache::new();
    let a = ConversationId::new("a").unwrap();
    cache.sync(vec![Change::Summary(conversation_a())]);
    let draft = || cache.reader().conversation(&a, 1, None).unwrap().unwrap().draft.text;
    cache.sync(vec![Change::DraftBack(a.clone(), Body::text("first"))]);
    assert_eq!(draft(), "first");
    cache.sync(vec![Change::DraftBack(a.clone(), Body::text("before it"))]);
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
    assert!(matches!(cache.write(vec![Write::Sync(clash)]), Err(StoreError::Contradiction)));
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
        // What nothing stands on is in nobody's way: it fails alone, and is written whatever failed.
        if n == 10 {
            let unwritable = vec![Write::Sync(entries("elsewhere", 1..=1))];
            writer.submit(None, unwritable, |outcome| assert!(outcome.is_err()));
        }
        if n == 40 {
            let draft = Write::Draft(ConversationId::new("a").unwrap(), draft("beside"));
            writer.submit(None, vec![draft], |outcome| assert!(outcome.is_ok()));
        }
        writer.submit(Some(life), vec![Write::Sync(changes)], move |outcome| {
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
fn what_is_trimmed_or_purged_is_gone_from_everywhere_but_what_was_typed_stays() {
    let cache = Cache::new();
    let a = ConversationId::new("a").unwrap();
    cache.sync(vec![Change::Summary(conversation("a", 9, 9, Some(1))), entries("a", 1..=9)]);
    cache.sync(vec![Change::Summary(conversation("bb", 12, 3, None)), entries("bb", 1..=3)]);
    cache.write(vec![Write::Draft(a.clone(), draft("half"))]).unwrap();
    super::search::indexed(&cache);
    let found = || {
        let search = Search { phrases: vec![vec!["text".into()]], ..Search::default() };
        cache.reader().search(&search, 99).unwrap().hits.len()
    };
    assert_ne!(found(), 0);
    let outcome = cache.sync(vec![Change::Trim(a.clone(), Seq::new(7))]);
    assert_eq!(outcome.topics.into_iter().collect::<Vec<_>>(), [Topic::Conversation(a.clone())]);
    let shown = cache.reader().conversation(&a, 99, None).unwrap().unwrap();
    assert_eq!((shown.range, shown.entries.len()), (Range::new(Seq::new(7), Seq::new(9)), 3));
    let unread = || cache.reader().inbox().unwrap().iter().map(|row| row.unread).collect::<Vec<_>>();
    // Entries of the two share their revs in these tests, and with them what search has of them.
    assert_eq!(found(), 3);
    assert_eq!(unread(), [3, 3], "what is gone isn't counted as unread");
    cache.sync(vec![Change::Purge(a.clone())]);
    assert_eq!(cache.reader().conversation(&a, 9, None).unwrap(), None);
    assert_eq!((unread(), cache.reader().log().unwrap().len()), (vec![3], 3));
    let names = Search { patient: vec!["p".into()], ..Search::default() };
    assert!(cache.reader().search(&names, 9).unwrap().patients.len() <= 1);
    // It comes back as if it had never been here, with what was typed.
    cache.sync(vec![Change::Summary(conversation("a", 20, 9, Some(1))), entries("a", 8..=9)]);
    let shown = cache.reader().conversation(&a, 9, None).unwrap().unwrap();
    assert_eq!((shown.draft, shown.entries.len()), (draft("half"), 2));
}

/// The sweep lets a conversation go, and in the same moment its patient writes.
#[test]
fn a_conversation_that_goes_and_comes_back_in_one_transaction_is_there() {
    let cache = Cache::new();
    let a = ConversationId::new("a").unwrap();
    cache.sync(vec![Change::Summary(conversation("a", 7, 3, None)), entries("a", 1..=3)]);
    cache.sync(vec![
        Change::Purge(a.clone()),
        Change::Summary(conversation("a", 8, 4, Some(1))),
        entries("a", 4..=4),
    ]);
    let shown = cache.reader().conversation(&a, 9, None).unwrap().unwrap();
    assert_eq!((shown.entries.len(), shown.range), (1, Range::new(Seq::new(4), Seq::new(4))));
}
