//! Catching up: what is asked for, what is stored, and what isn't believed.

use super::*;

const C: u64 = 0;

/// A range's two ends, both included.
type Ends = (u64, u64);
/// What it is, entries on the server, what is held, what is asked for, what is held then.
type Case<'a> = (&'a str, u64, Option<Ends>, &'a [Ends], Ends);

/// A server with `entries` in conversation `C`, and a snapshot that holds `held` of them.
pub(super) fn behind(entries: u64, held: Option<(u64, u64)>) -> (Server, Snapshot) {
    let mut server = Server::default();
    for n in 0..entries {
        server.append(&conversation_id(C), entry_id(n), PATIENT, Body::text("x"));
    }
    let mut snapshot = Snapshot { epoch: Some(server.epoch()), ..Snapshot::default() };
    if let Some((lo, hi)) = held {
        let range = Range::new(Seq::new(lo), Seq::new(hi));
        let cached = Cached { rev: Rev::new(hi), head: Seq::new(hi), range, ..Cached::default() };
        snapshot.cursor = Rev::new(hi);
        snapshot.conversations.insert(conversation_id(C), cached);
    }
    (server, snapshot)
}

pub(super) fn asked(effects: &[Effect]) -> Vec<ClientFrame> {
    let frames = effects.iter().filter_map(|effect| match effect {
        Effect::Emit(frame @ (ClientFrame::Changes(_) | ClientFrame::Entries(_))) => Some(frame.clone()),
        _ => None,
    });
    frames.collect()
}

pub(super) fn ranges(effects: &[Effect]) -> Vec<(u64, u64)> {
    let ranges = asked(effects).into_iter().filter_map(|frame| match frame {
        ClientFrame::Entries(ask) => Some((ask.from.get(), ask.to.get())),
        _ => None,
    });
    ranges.collect()
}

/// Answers all questions, and those that follow; says which ranges were asked for, and what was committed.
pub(super) fn caught_up(
    engine: &mut Engine,
    server: &mut Server,
    effects: Vec<Effect>,
) -> (Vec<(u64, u64)>, Vec<Change>) {
    let (mut asked_for, mut changes) = (Vec::new(), Vec::new());
    let mut queue = VecDeque::from(effects);
    while let Some(effect) = queue.pop_front() {
        match effect {
            Effect::Emit(frame) => {
                asked_for.extend(ranges(&[Effect::Emit(frame.clone())]));
                if let Some(answer) = server.answer(frame) {
                    queue.extend(engine.handle(NOW, Input::Frame(1, answer)));
                }
            }
            Effect::Commit(_, committed) => changes.extend(committed),
            _ => {}
        }
    }
    (asked_for, changes)
}

/// Every arrow of a conversation's diagram.
#[test]
fn arrows() {
    #[rustfmt::skip]
    let table: [Case<'_>; 5] = [
        ("unknown, then level", 30, None, &[(1, 30)], (1, 30)),
        ("unknown and long: the newest page", 500, None, &[(451, 500)], (451, 500)),
        ("level", 30, Some((1, 30)), &[], (1, 30)),
        ("behind: pages in their order", 700, Some((1, 300)), &[(301, 500), (501, 700)], (1, 700)),
        ("far behind: the newest page, the rest goes", 2_000, Some((1, 300)), &[(1801, 2000)], (1801, 2000)),
    ];
    for (what, entries, held, expected, then) in table {
        let (mut server, snapshot) = behind(entries, held);
        let (mut engine, effects) = welcomed(snapshot, &server);
        let (ranges, changes) = caught_up(&mut engine, &mut server, effects);
        assert_eq!(ranges, expected, "{what}");
        assert_eq!(
            engine.catchup.range(&conversation_id(C)),
            Range::new(Seq::new(then.0), Seq::new(then.1)),
            "{what}"
        );
        let forgot = changes.contains(&Change::Forget(conversation_id(C)));
        assert_eq!(forgot, what.starts_with("far"), "{what}");
    }
    let held = |range: Option<(u64, u64)>| {
        let (mut server, snapshot) = behind(500, range);
        let (mut engine, effects) = welcomed(snapshot, &server);
        caught_up(&mut engine, &mut server, effects);
        (engine, server)
    };

    // Level: the next live entry is stored, one after a gap asks for the gap, one of before changes nothing.
    let (mut engine, mut server) = held(Some((1, 500)));
    let next = server.append(&conversation_id(C), entry_id(501), PATIENT, Body::text("x"));
    let effects = engine.handle(NOW, Input::Frame(1, next.clone()));
    assert_eq!(ranges(&effects), []);
    assert_eq!(engine.catchup.range(&conversation_id(C)).map(|range| range.hi), Some(Seq::new(501)));
    assert_eq!(engine.handle(NOW, Input::Frame(1, next)), []);
    server.append(&conversation_id(C), entry_id(502), PATIENT, Body::text("lost"));
    let late = server.append(&conversation_id(C), entry_id(503), PATIENT, Body::text("x"));
    let effects = engine.handle(NOW, Input::Frame(1, late));
    let (asked_for, _) = caught_up(&mut engine, &mut server, effects);
    assert_eq!(asked_for, [(502, 503)]);

    // Older: a page at a time, and none before the first entry.
    let (mut engine, mut server) = held(Some((151, 500)));
    for expected in [&[(51, 150)][..], &[(1, 50)], &[]] {
        let effects = engine.handle(NOW, Input::LoadOlder(conversation_id(C)));
        let (asked_for, _) = caught_up(&mut engine, &mut server, effects);
        assert_eq!(asked_for, expected);
    }
}

/// A page that leaves a hole before what is held is of no use; one as large as what the server gives is.
#[test]
fn a_server_that_gives_less_is_asked_for_less() {
    let (mut server, snapshot) = behind(500, Some((151, 400)));
    server.page = Some(30);
    let (mut engine, effects) = welcomed(snapshot, &server);
    let (asked_for, _) = caught_up(&mut engine, &mut server, effects);
    assert_eq!(asked_for, [(401, 500), (431, 500), (461, 500), (491, 500)]);
    for (expected, lo) in [(&[(51, 150), (121, 150)][..], 121), (&[(91, 120)], 91)] {
        let effects = engine.handle(NOW, Input::LoadOlder(conversation_id(C)));
        let (asked_for, _) = caught_up(&mut engine, &mut server, effects);
        assert_eq!(asked_for, expected);
        assert_eq!(engine.catchup.range(&conversation_id(C)), Range::new(Seq::new(lo), Seq::new(500)));
    }
}

#[test]
fn a_copy_of_another_log_takes_nothing_and_sends_nothing() {
    let (mut server, mut snapshot) = behind(8, Some((1, 3)));
    snapshot.cursor = Rev::new(3);
    let waiting = Input::Send { sends: vec![send_of(90, C)], at: NOW, hold_until: Time::ZERO };
    let (mut engine, effects) = welcomed(snapshot, &server);
    let question = asked(&effects);
    let (epoch, newest) = (Some(server.epoch()), Some(Rev::new(3)));
    assert_eq!(
        question,
        [ClientFrame::Changes(Changes { since: Rev::new(3), limit: None, epoch, newest })],
        "the whole question, and no other before its answer"
    );
    // What comes live meanwhile is only a hint, and what is written waits.
    let live = server.append(&conversation_id(C), entry_id(9), PATIENT, Body::text("x"));
    assert_eq!(engine.handle(NOW, Input::Frame(1, live)), []);
    let effects = engine.handle(NOW, waiting);
    assert_eq!(emitted(&flush(&mut engine, NOW, effects)), []);
    assert_eq!(engine.handle(NOW, Input::Read(conversation_id(C), Seq::new(3))).len(), 1, "kept, not told");
    let (of, message) = ("changes".into(), String::new());
    let (id, conversation, search, retry_after_ms) = (None, None, None, None);
    let diverged = Rejected { of, id, conversation, search, code: Code::Diverged, message, retry_after_ms };
    let effects = engine.handle(NOW, Input::Frame(1, ServerFrame::Rejected(diverged)));
    assert_eq!(effects, [Effect::Disconnect]);
    assert!(matches!(engine.link(), Link::Offline { trouble: Trouble::RolledBack, .. }));
    assert_eq!(engine.outbox_counts(), (1, 0), "what was written is still there");
}

#[test]
fn a_new_life_of_the_same_log_is_kept_in_mind() {
    let (mut server, mut snapshot) = behind(8, Some((1, 8)));
    snapshot.epoch = Some(Epoch::new("before").unwrap());
    let (mut engine, effects) = welcomed(snapshot, &server);
    let (_, changes) = caught_up(&mut engine, &mut server, effects);
    assert_eq!(changes, [Change::Epoch(server.epoch())]);
}

#[test]
fn it_is_level_once_all_that_the_server_told_of_is_here() {
    let (mut server, snapshot) = behind(8, Some((1, 8)));
    let (mut engine, effects) = welcomed(snapshot.clone(), &server);
    assert!(!engine.is_level(), "nobody has said yet that this is all");
    caught_up(&mut engine, &mut server, effects);
    assert!(engine.is_level());
    server.append(&conversation_id(C), entry_id(8), PATIENT, Body::text("x"));
    let (mut engine, effects) = welcomed(snapshot, &server);
    let [changes] = &asked(&effects)[..] else { panic!("one question") };
    let answer = server.answer(changes.clone()).unwrap();
    let effects = engine.handle(NOW, Input::Frame(1, answer));
    assert!(!engine.is_level(), "an entry is missing");
    caught_up(&mut engine, &mut server, effects);
    assert!(engine.is_level());
    engine.handle(NOW, Input::Pause);
    assert!(!engine.is_level(), "nobody knows what comes meanwhile");
}

#[test]
fn the_inbox_comes_before_the_conversations_but_for_the_open_one() {
    let mut server = Server::default();
    for index in [0, 1, 2] {
        for n in 0..80 {
            server.append(&conversation_id(index), entry_id(index * 100 + n), PATIENT, Body::text("x"));
        }
    }
    let (mut engine, effects) = welcomed(Snapshot::default(), &server);
    engine.handle(NOW, Input::Open(Some(conversation_id(0))));
    // This server tells of two conversations at a time.
    let [ClientFrame::Changes(first)] = &asked(&effects)[..] else { panic!("one question") };
    let answer = server.answer(ClientFrame::Changes(first.clone())).unwrap();
    let effects = engine.handle(NOW, Input::Frame(1, answer));
    let [ClientFrame::Changes(second), ClientFrame::Entries(entries)] = &asked(&effects)[..] else {
        panic!("the rest of the inbox, and what is on the screen: {effects:?}")
    };
    assert_eq!(
        (entries.conversation.clone(), entries.from, entries.to),
        (conversation_id(0), Seq::new(31), Seq::new(80))
    );
    let answer = server.answer(ClientFrame::Changes(second.clone())).unwrap();
    let effects = engine.handle(NOW, Input::Frame(1, answer));
    let then: Vec<_> = asked(&effects)
        .into_iter()
        .map(|frame| match frame {
            ClientFrame::Entries(ask) => ask.conversation,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(then, [conversation_id(2), conversation_id(1)], "the newest first");
}
