//! What the engine promises, one promise a test. What holds whatever happens is simulated: `tests/sim`.

mod catching_up;
mod files;
mod finding;
mod keeping;
mod looking;
mod server;

use crate::*;
use bedside_protocol::*;
use server::{ME, PATIENT, Server, conversation_id, entry_id, user};
use std::collections::VecDeque;

const NOW: Time = Time::new(1_700_000_000_000);

/// Welcomed by `server`, whose answers are still to come.
fn welcomed(snapshot: Snapshot, server: &Server) -> (Engine, Vec<Effect>) {
    welcomed_to_keep(Keep::default(), snapshot, server)
}

/// As above, with what is to be kept.
fn welcomed_to_keep(keep: Keep, snapshot: Snapshot, server: &Server) -> (Engine, Vec<Effect>) {
    let mut engine = Engine::new(Config { me: user(ME), seed: 1, keep }, snapshot);
    let mut effects = engine.handle(NOW, Input::Start);
    assert_eq!(effects.remove(0), Effect::Connect(1));
    effects.extend(engine.handle(NOW, Input::Frame(1, server.welcome())));
    (engine, effects)
}

/// Live, and verified by an empty log.
fn live_engine() -> (Engine, Time) {
    let (mut engine, _) = welcomed(Snapshot::default(), &Server::default());
    let verified = ServerFrame::Changes(ChangesAnswer {
        since: Rev::ZERO,
        rev: Rev::ZERO,
        more: false,
        conversations: Vec::new(),
    });
    engine.handle(NOW, Input::Frame(1, verified));
    (engine, NOW)
}

fn send_of(n: u64, conversation: u64) -> Send {
    let body = Body::text("x");
    let conversation = conversation_id(conversation);
    Send { id: entry_id(n), conversation, seen: Seq::ZERO, body, from: None, force: false }
}

fn write(send: Send, at: Time) -> Input {
    Input::Send { sends: vec![send], at, hold_until: Time::ZERO }
}

fn rejected(id: EntryId, code: Code, retry_after_ms: Option<u64>) -> Input {
    let (of, message) = ("send".into(), String::new());
    Input::Frame(
        1,
        ServerFrame::Rejected(Rejected {
            of,
            id: Some(id),
            conversation: None,
            search: None,
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
    let (mut engine, now) = live_engine();
    let effects = engine.handle(now, write(send_of(1, 0), now));
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
    let (mut engine, now) = live_engine();
    for n in [1, 2, 3] {
        let effects = engine.handle(now, write(send_of(n, u64::from(n == 3)), now));
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
        let (mut engine, now) = live_engine();
        let effects = engine.handle(now, write(send_of(1, 0), now));
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
    let (mut engine, effects) = welcomed(Snapshot::default(), &Server::default());
    let now = NOW;
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Emit(ClientFrame::Changes(_)))));
    for s in 1..=19 {
        let heartbeat = Heartbeat { rev: Rev::ZERO, now };
        engine.handle(now.plus(s * 1000), Input::Frame(1, ServerFrame::Heartbeat(heartbeat)));
    }
    assert_eq!(engine.handle(now.plus(20_000), Input::Timer), [Effect::Disconnect]);
}

#[test]
fn a_server_that_always_has_more_but_never_any_is_left() {
    let (mut engine, _) = welcomed(Snapshot::default(), &Server::default());
    let now = NOW;
    let conversations = Vec::new();
    let answer = ChangesAnswer { since: Rev::ZERO, rev: Rev::ZERO, more: true, conversations };
    let effects = engine.handle(now, Input::Frame(1, ServerFrame::Changes(answer)));
    assert_eq!(effects, [Effect::Disconnect]);
}

#[test]
fn a_server_can_name_no_wait_that_spins_or_never_ends() {
    for (named, waited) in [(0, 200), (u64::MAX, 600_000)] {
        let (mut engine, now) = live_engine();
        let effects = engine.handle(now, write(send_of(1, 0), now));
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
    let mut engine = Engine::new(Config { me: user(ME), seed: 1, keep: Keep::default() }, snapshot);
    engine.handle(now, Input::Start);
    assert_eq!(engine.handle(now, Input::Frame(1, Server::default().welcome())), [Effect::Disconnect]);
    assert!(matches!(engine.link(), Link::Offline { trouble: Trouble::RolledBack, .. }));
}

#[test]
fn what_an_earlier_attempt_says_is_ignored() {
    let (mut engine, now) = live_engine();
    engine.handle(now, Input::Closed(1, Trouble::Closed));
    engine.handle(now, Input::Reconnect);
    assert_eq!(engine.handle(now, Input::Frame(1, Server::default().welcome())), []);
    assert_eq!(engine.handle(now, Input::Closed(1, Trouble::Closed)), []);
    assert!(matches!(engine.link(), Link::Connecting { .. }));
}

#[test]
fn a_message_can_be_taken_back_until_its_time_has_come() {
    let id = entry_id(1);
    let held = |hold_until| {
        let (mut engine, now) = live_engine();
        let effects = engine.handle(now, Input::Send { sends: vec![send_of(1, 0)], at: now, hold_until });
        let effects = flush(&mut engine, now, effects);
        (engine, now, effects)
    };
    let (mut engine, now, effects) = held(NOW.plus(5_000));
    assert_eq!(emitted(&effects), []);
    assert_eq!(engine.next_timer(now), Some(now.plus(2_500)), "the silence comes first");
    let before = engine.handle(now.plus(2_000), Input::Frame(1, heartbeat(0)));
    assert_eq!(emitted(&flush(&mut engine, now.plus(2_000), before)), []);
    assert_eq!(engine.next_timer(now.plus(2_600)), Some(now.plus(4_500)));
    let _ = engine.handle(now.plus(4_000), Input::Frame(1, heartbeat(0)));
    let effects = engine.handle(now.plus(5_000), Input::Timer);
    assert_eq!(emitted(&flush(&mut engine, now, effects)), [id]);
    assert_eq!(engine.handle(now, Input::Discard(id)), [], "too late");

    let (mut engine, now, _) = held(NOW.plus(5_000));
    let effects = engine.handle(now, Input::Discard(id));
    assert!(
        matches!(effects.as_slice(), [Effect::Commit(_, changes)] if *changes == [Change::OutboxDone(id)])
    );
    assert_eq!(engine.outgoing(id), None);

    let (mut engine, now, _) = held(NOW.plus(5_000));
    assert_eq!(engine.held().collect::<Vec<_>>(), [id]);
    let effects = engine.handle(now, Input::Recall(id));
    let back = [Change::OutboxDone(id), Change::DraftBack(conversation_id(0), Body::text("x"))];
    assert!(matches!(effects.as_slice(), [Effect::Commit(_, changes)] if *changes == back));

    let (mut engine, now, _) = held(NOW.plus(5_000));
    let effects = engine.handle(now, Input::SendNow(id));
    assert_eq!(emitted(&flush(&mut engine, now, effects)), [id]);

    // A clock that was set back an hour holds nothing back for an hour.
    let (_, _, effects) = held(NOW.plus(3_600_000));
    assert_eq!(emitted(&effects), [id]);
}

#[test]
fn the_next_message_of_a_conversation_waits_for_the_one_held_back() {
    let (mut engine, now) = live_engine();
    let hold_until = now.plus(2_000);
    let effects = engine.handle(now, Input::Send { sends: vec![send_of(1, 0)], at: now, hold_until });
    flush(&mut engine, now, effects);
    let effects = engine.handle(now, write(send_of(2, 0), now));
    assert_eq!(emitted(&flush(&mut engine, now, effects)), []);
    let effects = engine.handle(hold_until, Input::Timer);
    assert_eq!(emitted(&flush(&mut engine, hold_until, effects)), [entry_id(1)]);
}

#[test]
fn a_doubtful_connection_is_asked_something() {
    let (mut engine, now) = live_engine();
    let effects = engine.handle(now, Input::Doubt);
    assert!(matches!(effects.as_slice(), [Effect::Emit(ClientFrame::Changes(_))]));
    let effects = engine.handle(now.plus(4_000), Input::Timer);
    assert_eq!(effects, [Effect::Disconnect]);
}

#[test]
fn a_person_who_works_offline_is_left_alone() {
    let (mut engine, now) = live_engine();
    assert_eq!(engine.handle(now, Input::Pause), [Effect::Disconnect]);
    let effects = engine.handle(now, write(send_of(1, 0), now));
    assert_eq!(emitted(&flush(&mut engine, now, effects)), []);
    // As when the window closes: what is held back is let go, and still connects nobody.
    let connects = |effect: &Effect| matches!(effect, Effect::Connect(_));
    assert!(!engine.handle(now, Input::SendNow(entry_id(1))).iter().any(connects));
    assert_eq!(engine.next_timer(now), None);
    assert_eq!(engine.handle(now, Input::Reconnect), [Effect::Connect(2)]);
}

fn heartbeat(rev: u64) -> ServerFrame {
    ServerFrame::Heartbeat(Heartbeat { rev: Rev::new(rev), now: NOW })
}

/// Committed in a connection whose answer was lost; a thousand entries later the cache holds only the newest.
#[test]
fn a_message_committed_before_what_the_cache_holds_is_settled() {
    let mut server = Server::default();
    let of = conversation_id(0);
    let send = send_of(500_000, 0);
    for n in 0..10 {
        server.append(&of, entry_id(n), PATIENT, Body::text("x"));
    }
    let range = Range::new(Seq::new(1), Seq::new(10));
    let cached = Cached { rev: Rev::new(10), head: Seq::new(10), range, ..Cached::default() };
    let row = OutboxRow {
        place: 1,
        send: send.clone(),
        at: NOW,
        hold_until: Time::ZERO,
        attempts: 1,
        state: OutboxState::Waiting,
    };
    let snapshot = Snapshot {
        cursor: Rev::new(10),
        epoch: Some(server.epoch()),
        conversations: [(of.clone(), cached)].into(),
        outbox: vec![row],
        ..Snapshot::default()
    };
    // The server had it; then much more came.
    server.append(&of, send.id, ME, send.body.clone());
    for n in 100..1_400 {
        server.append(&of, entry_id(n), PATIENT, Body::text("x"));
    }
    let (mut engine, effects) = welcomed(snapshot, &server);
    let mut done = 0;
    let mut queue = VecDeque::from(effects);
    while let Some(effect) = queue.pop_front() {
        match effect {
            Effect::Emit(frame) => {
                if let Some(answer) = server.answer(frame) {
                    queue.extend(engine.handle(NOW, Input::Frame(1, answer)));
                }
            }
            Effect::Commit(ticket, changes) => {
                done += changes.iter().filter(|change| **change == Change::OutboxDone(send.id)).count();
                queue.extend(engine.handle(NOW, Input::Committed(ticket)));
            }
            _ => {}
        }
    }
    assert_eq!(done, 1, "the disk forgets it");
    // A heartbeat later, and long after the answer was due.
    let later = NOW.plus(21_000);
    engine.handle(later, Input::Frame(1, heartbeat(1_311)));
    engine.handle(later, Input::Timer);
    assert_eq!(engine.outgoing(send.id), None, "it is in the log, and still under way here");
    assert!(matches!(engine.link(), Link::Live { .. }), "{:?}", engine.link());
}

/// The server reads the answer to `changes`, commits and publishes one more, and then answers.
#[test]
fn what_was_told_while_changes_were_asked_for_is_not_forgotten() {
    let mut server = Server::default();
    let of = conversation_id(0);
    server.append(&of, entry_id(1), PATIENT, Body::text("x"));
    let (mut engine, effects) = welcomed(Snapshot::default(), &server);
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::Emit(frame @ ClientFrame::Changes(_)) => Some(frame.clone()),
        _ => None,
    });
    let answer = server.answer(asked.unwrap()).unwrap();
    // Overtakes the answer, which was read before it.
    let live = server.append(&of, entry_id(2), PATIENT, Body::text("my chest hurts"));
    engine.handle(NOW, Input::Frame(1, live));
    let effects = engine.handle(NOW, Input::Frame(1, answer));
    let asks = effects.iter().any(|effect| matches!(effect, Effect::Emit(ClientFrame::Changes(_))));
    assert!(asks, "rev 2 was told of, and nobody asks for it: {effects:?}");
}

/// What another log says confirms nothing.
#[test]
fn another_log_confirms_no_read_mark() {
    let of = conversation_id(0);
    let mut server = Server::default();
    server.append(&of, entry_id(1), PATIENT, Body::text("x"));
    let range = Range::new(Seq::new(1), Seq::new(1));
    let cached = Cached { rev: Rev::new(1), head: Seq::new(1), range, ..Cached::default() };
    let snapshot = Snapshot {
        cursor: Rev::new(1),
        epoch: Some(server.epoch()),
        conversations: [(of.clone(), cached)].into(),
        reads: [(of.clone(), Seq::new(1))].into(),
        ..Snapshot::default()
    };
    let (mut engine, _) = welcomed(snapshot, &server);
    // Before the answer to `changes`: some log's summary, in which one has read further.
    let patient = Patient { id: user(PATIENT), name: "P".into(), born: None, extra: Extra::new() };
    let read = [(user(ME), Seq::new(9))].into();
    let conversation = Conversation { read, ..Conversation::new(of.clone(), Rev::new(9), patient) };
    engine.handle(NOW, Input::Frame(1, ServerFrame::Conversation(ConversationFrame { conversation })));
    let diverged = Rejected {
        of: "changes".into(),
        id: None,
        conversation: None,
        search: None,
        code: Code::Diverged,
        message: String::new(),
        retry_after_ms: None,
    };
    engine.handle(NOW, Input::Frame(1, ServerFrame::Rejected(diverged)));
    // The right server is back.
    engine.handle(NOW, Input::Reconnect);
    let mut effects = engine.handle(NOW, Input::Frame(2, server.welcome()));
    let verified = ChangesAnswer { since: Rev::new(1), rev: Rev::new(1), more: false, conversations: vec![] };
    effects.extend(engine.handle(NOW, Input::Frame(2, ServerFrame::Changes(verified))));
    let told = effects.iter().any(|effect| matches!(effect, Effect::Emit(ClientFrame::Read(_))));
    assert!(told, "the mark is sent to the server that lacks it: {effects:?}");
}

/// An answer to an earlier try of a message doesn't refuse the one that a person sent all the same.
#[test]
fn a_forced_message_is_not_refused_by_an_older_answer() {
    let (mut engine, now) = live_engine();
    let effects = engine.handle(now, write(send_of(1, 0), now));
    flush(&mut engine, now, effects);
    let behind = || rejected(entry_id(1), Code::Behind, None);
    engine.handle(now, behind());
    let effects = engine.handle(now, Input::SendAgain(entry_id(1), Seq::new(3)));
    assert_eq!(emitted(&flush(&mut engine, now, effects)), [entry_id(1)]);
    assert_eq!(engine.handle(now, behind()), []);
    assert_eq!(engine.outgoing(entry_id(1)).unwrap().state, OutboxState::Sending);
    assert_eq!(engine.handle(now, Input::Discard(entry_id(1))), []);
}
