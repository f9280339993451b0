//! What the engine promises, one promise a test; `world` has the promises that hold whatever happens.

mod world;

use crate::*;
use bedside_protocol::*;
use std::collections::VecDeque;
use world::{ME, PATIENT, Server, conversation_id, entry_id, user};

fn live_engine(snapshot: Snapshot) -> (Engine, Vec<Effect>, Time) {
    let now = Time::new(1_700_000_000_000);
    let mut engine = Engine::new(Config { me: user(ME), seed: 1 }, snapshot);
    assert_eq!(engine.handle(now, Input::Start), [Effect::Connect(1)]);
    let effects = engine.handle(now, Input::Frame(1, Server::default().welcome()));
    (engine, effects, now)
}

fn send_of(n: u64, conversation: u64) -> Send {
    let body = Body::text("x");
    let conversation = conversation_id(conversation);
    Send { id: entry_id(n), conversation, seen: Seq::ZERO, body, from: None, force: false }
}

fn rejected(id: EntryId, code: Code, retry_after_ms: Option<u64>) -> Input {
    let (of, message) = ("send".into(), String::new());
    Input::Frame(
        1,
        ServerFrame::Rejected(Rejected {
            of,
            id: Some(id),
            conversation: None,
            code,
            message,
            retry_after_ms,
        }),
    )
}

fn emitted(effects: &[Effect]) -> Vec<EntryId> {
    let sends = effects.iter().filter_map(|effect| match effect {
        Effect::Emit(ClientFrame::Send(send)) => Some(send.id),
        _ => None,
    });
    sends.collect()
}

/// Confirms every commit, and those that follow, as a disk would.
fn flush(engine: &mut Engine, now: Time, effects: Vec<Effect>) -> Vec<Effect> {
    let mut all = Vec::new();
    let mut queue = VecDeque::from(effects);
    while let Some(effect) = queue.pop_front() {
        if let Effect::Commit(ticket, _) = &effect {
            queue.extend(engine.handle(now, Input::Committed(*ticket)));
        }
        all.push(effect);
    }
    all
}

#[test]
fn nothing_goes_out_before_it_is_on_the_disk_with_its_attempt_counted() {
    let (mut engine, _, now) = live_engine(Snapshot::default());
    let effects = engine.handle(now, Input::Send(send_of(1, 0), now));
    assert_eq!(emitted(&effects), []);
    let attempts: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Commit(ticket, changes) => match changes.as_slice() {
                [Change::Outbox(row), ..] => Some((*ticket, row.attempts)),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let [(first, 0), (second, 1)] = attempts[..] else { panic!("{attempts:?}") };
    assert_eq!(emitted(&engine.handle(now, Input::Committed(first))), []);
    assert_eq!(emitted(&engine.handle(now, Input::Committed(second))), [entry_id(1)]);
}

#[test]
fn one_message_a_conversation_is_under_way_and_a_refused_one_stops_nobody() {
    let (mut engine, _, now) = live_engine(Snapshot::default());
    for n in [1, 2, 3] {
        let effects = engine.handle(now, Input::Send(send_of(n, u64::from(n == 3)), now));
        let expected: &[EntryId] = if n == 2 { &[] } else { &[entry_id(n)] };
        assert_eq!(emitted(&flush(&mut engine, now, effects)), expected);
    }
    let effects = engine.handle(now, rejected(entry_id(1), Code::Forbidden, None));
    assert_eq!(emitted(&flush(&mut engine, now, effects)), [entry_id(2)]);
    assert_eq!(engine.outgoing(entry_id(1)).unwrap().state, OutboxState::Refused(Code::Forbidden));
    assert_eq!(engine.outbox_counts(), (2, 1));
}

/// Every arrow of the outbox's diagram.
#[test]
fn outbox_arrows() {
    let id = entry_id(1);
    let state = |engine: &Engine| engine.outgoing(id).map(|row| row.state);
    let sending = || {
        let (mut engine, _, now) = live_engine(Snapshot::default());
        let effects = engine.handle(now, Input::Send(send_of(1, 0), now));
        flush(&mut engine, now, effects);
        assert_eq!(state(&engine), Some(OutboxState::Sending));
        (engine, now)
    };

    let (mut engine, now) = sending();
    let frame = Server::default().append(&conversation_id(0), id, ME, Body::text("x"));
    let effects = engine.handle(now, Input::Frame(1, frame));
    let together = effects.iter().any(|effect| match effect {
        Effect::Commit(_, changes) => {
            changes.contains(&Change::OutboxDone(id))
                && changes.iter().any(|c| matches!(c, Change::Entries { .. }))
        }
        _ => false,
    });
    assert!(together, "the entry comes and the row goes in one transaction");
    assert_eq!(state(&engine), None);

    let (mut engine, now) = sending();
    engine.handle(now, Input::Closed(1, Trouble::Closed));
    assert_eq!(state(&engine), Some(OutboxState::Waiting));
    assert_eq!(engine.handle(now, Input::Discard(id)), [], "the server may have it");

    let (mut engine, now) = sending();
    engine.handle(now, rejected(id, Code::RateLimited, Some(700)));
    assert_eq!(state(&engine), Some(OutboxState::Waiting));
    assert_eq!(engine.next_timer(now), Some(now.plus(700)));
    let effects = engine.handle(now.plus(700), Input::Timer);
    assert_eq!(emitted(&flush(&mut engine, now, effects)), [id]);

    let (mut engine, now) = sending();
    engine.handle(now, rejected(id, Code::Behind, None));
    assert_eq!(state(&engine), Some(OutboxState::Refused(Code::Behind)));
    let effects = engine.handle(now, Input::SendAgain(id, Seq::new(9)));
    let effects = flush(&mut engine, now, effects);
    let forced = effects.iter().any(|effect| match effect {
        Effect::Emit(ClientFrame::Send(send)) => send.id == id && send.force && send.seen == Seq::new(9),
        _ => false,
    });
    assert!(forced);
    engine.handle(now, rejected(id, Code::Forbidden, None));
    engine.handle(now, Input::Discard(id));
    assert_eq!(state(&engine), None);
}

#[test]
fn a_server_that_answers_no_question_is_left() {
    let (mut engine, effects, now) = live_engine(Snapshot::default());
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Emit(ClientFrame::Changes(_)))));
    for s in 1..=19 {
        let heartbeat = Heartbeat { rev: Rev::ZERO, now };
        engine.handle(now.plus(s * 1000), Input::Frame(1, ServerFrame::Heartbeat(heartbeat)));
    }
    assert_eq!(engine.handle(now.plus(20_000), Input::Timer), [Effect::Disconnect]);
}

#[test]
fn a_server_that_always_has_more_but_never_any_is_left() {
    let (mut engine, _, now) = live_engine(Snapshot::default());
    let conversations = Vec::new();
    let answer = ChangesAnswer { since: Rev::ZERO, rev: Rev::ZERO, more: true, conversations };
    let effects = engine.handle(now, Input::Frame(1, ServerFrame::Changes(answer)));
    assert_eq!(effects, [Effect::Disconnect]);
}

#[test]
fn a_server_can_name_no_wait_that_spins_or_never_ends() {
    for (named, waited) in [(0, 200), (u64::MAX, 600_000)] {
        let (mut engine, _, now) = live_engine(Snapshot::default());
        let effects = engine.handle(now, Input::Send(send_of(1, 0), now));
        flush(&mut engine, now, effects);
        engine.handle(now, rejected(entry_id(1), Code::Unavailable, Some(named)));
        let before = engine.handle(now.plus(waited - 1), Input::Committed(0));
        assert_eq!(emitted(&flush(&mut engine, now, before)), []);
        let after = engine.handle(now.plus(waited), Input::Committed(0));
        assert_eq!(emitted(&flush(&mut engine, now, after)), [entry_id(1)]);
    }
}

#[test]
fn a_server_that_lost_its_log_is_not_followed() {
    let now = Time::new(1_700_000_000_000);
    let snapshot = Snapshot { cursor: Rev::new(7), ..Snapshot::default() };
    let mut engine = Engine::new(Config { me: user(ME), seed: 1 }, snapshot);
    engine.handle(now, Input::Start);
    assert_eq!(engine.handle(now, Input::Frame(1, Server::default().welcome())), [Effect::Disconnect]);
    assert!(matches!(engine.link(), Link::Offline { trouble: Trouble::RolledBack, .. }));
}

#[test]
fn what_an_earlier_attempt_says_is_ignored() {
    let (mut engine, _, now) = live_engine(Snapshot::default());
    engine.handle(now, Input::Closed(1, Trouble::Closed));
    engine.handle(now, Input::Reconnect);
    assert_eq!(engine.handle(now, Input::Frame(1, Server::default().welcome())), []);
    assert_eq!(engine.handle(now, Input::Closed(1, Trouble::Closed)), []);
    assert!(matches!(engine.link(), Link::Connecting { .. }));
}

#[test]
fn the_open_conversation_is_fetched_first() {
    let mut server = Server::default();
    for index in [0, 1, 2] {
        for n in 0..80 {
            server.append(&conversation_id(index), entry_id(index * 100 + n), PATIENT, Body::text("x"));
        }
    }
    let (mut engine, _, now) = live_engine(Snapshot::default());
    engine.handle(now, Input::Open(Some(conversation_id(0))));
    let ask = ClientFrame::Changes(Changes { since: Rev::ZERO, limit: None });
    let answer = server.answer(ask).unwrap();
    let effects = engine.handle(now, Input::Frame(1, answer));
    let first = effects.iter().find_map(|effect| match effect {
        Effect::Emit(ClientFrame::Entries(ask)) => Some(ask.clone()),
        _ => None,
    });
    let (from, to) = (Seq::new(31), Seq::new(80));
    assert_eq!(first, Some(Entries { conversation: conversation_id(0), from, to }));
}
