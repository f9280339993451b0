//! What stays on this computer: history comes in the background, and what was closed long ago goes.

use super::catching_up::{behind, caught_up, ranges};
use super::*;

const DAY: u64 = 24 * 60 * 60 * 1000;
const MONTH: Keep = Keep { history: false, closed_ms: Some(30 * DAY), own_only: false };
const HISTORY: Keep = Keep { history: true, closed_ms: None, own_only: false };

fn changes(effects: Vec<Effect>) -> Vec<Change> {
    let commits = effects.into_iter().filter_map(|effect| match effect {
        Effect::Commit(_, changes) => Some(changes),
        _ => None,
    });
    commits.flatten().collect()
}

/// Lets the engine's own timers run until none is left before `until`; says what was committed.
fn run(engine: &mut Engine, until: Time) -> Vec<Change> {
    let (mut all, mut now) = (Vec::new(), NOW);
    while let Some(next) = engine.next_timer(now).filter(|next| *next <= until) {
        now = now.max(next);
        all.extend(changes(engine.handle(now, Input::Timer)));
    }
    all
}

#[test]
fn history_comes_page_by_page_once_nothing_else_is_missing() {
    let (mut server, snapshot) = behind(700, None);
    let (mut engine, effects) = welcomed_to_keep(HISTORY, snapshot, &server);
    let (asked, _) = caught_up(&mut engine, &mut server, effects);
    assert_eq!(asked, [(651, 700), (451, 650)], "the tail first");
    assert_eq!(engine.history(NOW), History { held: 250, all: 700 });
    let mut now = NOW;
    for page in [(251, 450), (51, 250), (1, 50)] {
        now = engine.next_timer(now).unwrap();
        assert_eq!(caught_up(&mut engine, &mut server, Vec::new()).0, [], "not before its time");
        let effects = engine.handle(now, Input::Timer);
        assert_eq!(caught_up(&mut engine, &mut server, effects).0, [page], "one page at a time");
    }
    assert_eq!(engine.history(now), History { held: 700, all: 700 });
    let effects = engine.handle(now.plus(DAY), Input::Doubt);
    assert_eq!(ranges(&effects), []);
}

#[test]
fn without_room_history_waits_and_what_is_wanted_still_comes() {
    let (mut server, snapshot) = behind(700, None);
    let (mut engine, effects) = welcomed_to_keep(HISTORY, snapshot, &server);
    engine.handle(NOW, Input::Full(true));
    caught_up(&mut engine, &mut server, effects);
    let later = NOW.plus(700);
    assert_eq!(ranges(&engine.handle(later, Input::Timer)), []);
    let effects = engine.handle(later, Input::LoadOlder(conversation_id(0)));
    assert_eq!(ranges(&effects), [(551, 650)]);
    caught_up(&mut engine, &mut server, effects);
    assert_eq!(ranges(&engine.handle(later, Input::Full(false))), [(351, 550)]);
}

/// Three conversations of 1,200, 3 and 3 entries, all of them here.
fn three(server: &mut Server) -> Snapshot {
    let mut snapshot = Snapshot { epoch: Some(server.epoch()), ..Snapshot::default() };
    let mut n = 0;
    for (index, entries) in [(0, 1_200), (1, 3), (2, 3)] {
        for _ in 0..entries {
            server.append(&conversation_id(index), entry_id(n), PATIENT, Body::text("x"));
            n += 1;
        }
        let range = Range::new(Seq::new(1), Seq::new(entries));
        let closed = server.closed.get(&conversation_id(index)).copied();
        let cached = Cached { rev: Rev::new(n), head: Seq::new(entries), range, closed, ..Cached::default() };
        snapshot.conversations.insert(conversation_id(index), cached);
        snapshot.cursor = Rev::new(n);
    }
    snapshot
}

fn long_ago() -> Time {
    Time::new(NOW.millis() - 31 * DAY)
}

#[test]
fn what_was_closed_long_ago_goes_in_steps_and_comes_back_with_a_new_word() {
    let mut server = Server::default();
    server.closed.insert(conversation_id(0), long_ago());
    server.closed.insert(conversation_id(1), NOW);
    let snapshot = three(&mut server);
    let (mut engine, effects) = welcomed_to_keep(MONTH, snapshot, &server);
    let first = conversation_id(0);
    let mut gone = changes(effects.clone());
    caught_up(&mut engine, &mut server, effects);
    gone.extend(run(&mut engine, NOW.plus(900)));
    let steps = [Change::Trim(first.clone(), Seq::new(1_001)), Change::Purge(first.clone())];
    assert_eq!(gone.iter().filter(|change| matches!(change, Change::Purge(_))).count(), 1);
    assert!(gone.ends_with(&steps), "{gone:?}");
    // A colleague's read mark on it brings nothing back.
    let ServerFrame::Entry(EntryFrame { conversation, .. }) =
        server.append(&first, entry_id(5_000), ME, Body::text("x"))
    else {
        unreachable!()
    };
    let frame = ServerFrame::Conversation(ConversationFrame { conversation });
    let summary = changes(engine.handle(NOW, Input::Frame(1, frame)));
    assert!(summary.iter().all(|change| matches!(change, Change::Cursor(_))), "{summary:?}");
    // The patient's next word does, with its newest page.
    server.closed.clear();
    let frame = server.append(&first, entry_id(5_001), PATIENT, Body::text("x"));
    let effects = engine.handle(NOW, Input::Frame(1, frame));
    let (asked, back) = caught_up(&mut engine, &mut server, effects);
    assert_eq!(asked, [(1_153, 1_202)]);
    assert!(back.iter().any(|change| matches!(change, Change::Summary(_))));
}

#[test]
fn what_is_open_or_waits_to_be_sent_stays() {
    let mut server = Server::default();
    for index in 0..3 {
        server.closed.insert(conversation_id(index), long_ago());
    }
    let snapshot = three(&mut server);
    let mut engine = Engine::new(Config { me: user(ME), seed: 1, keep: MONTH }, snapshot);
    engine.open = Some(conversation_id(0));
    let mut gone = changes(engine.handle(NOW, write(send_of(9_000, 1), NOW)));
    gone.extend(run(&mut engine, NOW.plus(2 * 60 * 60 * 1000)));
    gone.retain(|change| matches!(change, Change::Trim(..) | Change::Purge(_)));
    assert_eq!(gone, [Change::Purge(conversation_id(2))]);
    engine.handle(NOW, Input::Open(None));
    let gone = run(&mut engine, NOW.plus(3 * 60 * 60 * 1000));
    assert!(gone.ends_with(&[Change::Purge(conversation_id(0))]), "{gone:?}");
}

#[test]
fn too_much_shrinks_what_is_closed_first_and_then_what_was_quiet_longest() {
    let mut server = Server::default();
    server.closed.insert(conversation_id(2), NOW);
    let snapshot = three(&mut server);
    let mut engine = Engine::new(Config { me: user(ME), seed: 1, keep: Keep::default() }, snapshot);
    let mut shrink = || changes(engine.handle(NOW, Input::Shrink));
    assert_eq!(shrink(), [Change::Purge(conversation_id(2))]);
    for lo in [501, 1_001, 1_151] {
        assert_eq!(shrink(), [Change::Trim(conversation_id(0), Seq::new(lo))]);
    }
    assert_eq!(shrink(), [], "the newest pages stay");
}

#[test]
fn of_what_others_have_taken_only_the_newest_stays() {
    let mut server = Server::default();
    let mut snapshot = three(&mut server);
    let keep = Keep { history: true, own_only: true, ..Keep::default() };
    let mine = |snapshot: &mut Snapshot, index| {
        snapshot.conversations.get_mut(&conversation_id(index)).unwrap().assigned = Some(user(ME));
    };
    let sweep = |snapshot: Snapshot, open| {
        let mut engine = Engine::new(Config { me: user(ME), seed: 1, keep }, snapshot);
        engine.open = open;
        let gone = run(&mut engine, NOW.plus(2 * 60 * 60 * 1000));
        let history = engine.history(NOW);
        let trims = gone.into_iter().map(|change| match change {
            Change::Trim(id, lo) => (id, lo.get()),
            other => panic!("{other:?}"),
        });
        (trims.collect::<Vec<_>>(), history)
    };
    let long = conversation_id(0);
    let steps = [501, 1_001, 1_151].map(|lo| (long.clone(), lo));
    mine(&mut snapshot, 1);
    assert_eq!(sweep(snapshot.clone(), None), (steps.to_vec(), History { held: 3, all: 3 }));
    assert_eq!(sweep(snapshot.clone(), Some(long)).0, [], "not while it is read");
    mine(&mut snapshot, 0);
    assert_eq!(sweep(snapshot, None), (vec![], History { held: 1_203, all: 1_203 }));
}
