//! A message with a file: its bytes first.

use super::*;

fn file_of(n: u64, conversation: u64) -> Send {
    let file = File {
        sha256: format!("{n:064x}"),
        name: format!("{n}.png"),
        media_type: "image/png".into(),
        bytes: n,
        extra: Extra::new(),
    };
    Send { body: Body::File(file), ..send_of(n, conversation) }
}

fn uploads(effects: &[Effect]) -> Vec<EntryId> {
    let ids = effects.iter().filter_map(|effect| match effect {
        Effect::Upload(id, _) => Some(*id),
        _ => None,
    });
    ids.collect()
}

fn after(engine: &mut Engine, now: Time, input: Input) -> (Vec<EntryId>, Vec<EntryId>) {
    let effects = engine.handle(now, input);
    let effects = flush(engine, now, effects);
    (uploads(&effects), emitted(&effects))
}

fn uploaded(n: u64, outcome: Result<(), Code>) -> Input {
    Input::Uploaded(entry_id(n), outcome.map_err(|code| Refusal::new(code, "")))
}

#[test]
fn the_bytes_go_first_and_what_was_written_after_them_later() {
    let (mut engine, now) = live_engine();
    let sends = vec![file_of(1, 0), send_of(2, 0)];
    let both = Input::Send { sends, at: now, hold_until: Time::ZERO };
    assert_eq!(after(&mut engine, now, both), (vec![entry_id(1)], vec![]));
    assert_eq!(engine.outgoing(entry_id(1)).unwrap().state, OutboxState::Uploading);
    // Other conversations go on meanwhile, however many files are under way.
    let elsewhere = Input::Send { sends: vec![file_of(3, 1)], at: now, hold_until: Time::ZERO };
    assert_eq!(after(&mut engine, now, elsewhere), (vec![entry_id(3)], vec![]));
    let third = Input::Send { sends: vec![file_of(4, 2)], at: now, hold_until: Time::ZERO };
    assert_eq!(after(&mut engine, now, third), (vec![], vec![]), "two at once");
    assert_eq!(after(&mut engine, now, write(send_of(5, 3), now)), (vec![], vec![entry_id(5)]));
    // Its attempt is counted when it is handed over, not before.
    assert_eq!(engine.outgoing(entry_id(1)).unwrap().attempts, 0);
    assert_eq!(after(&mut engine, now, uploaded(1, Ok(()))), (vec![entry_id(4)], vec![entry_id(1)]));
    let again = engine.handle(now, uploaded(1, Ok(())));
    assert_eq!(again, [], "a late word changes nothing");
}

#[test]
fn an_upload_is_tried_again_later_or_refused_for_good() {
    let (mut engine, now) = live_engine();
    after(&mut engine, now, write(file_of(1, 0), now));
    assert_eq!(after(&mut engine, now, uploaded(1, Err(Code::Unavailable))), (vec![], vec![]));
    let _ = engine.handle(now.plus(2_000), Input::Frame(1, heartbeat(0)));
    let _ = engine.handle(now.plus(4_000), Input::Frame(1, heartbeat(0)));
    assert_eq!(after(&mut engine, now.plus(5_000), Input::Timer), (vec![entry_id(1)], vec![]));
    assert_eq!(after(&mut engine, now, uploaded(1, Err(Code::TooLarge))), (vec![], vec![]));
    assert_eq!(engine.outgoing(entry_id(1)).unwrap().state, OutboxState::Refused(Code::TooLarge));
    let again = Input::SendAgain(entry_id(1), Seq::ZERO);
    assert_eq!(after(&mut engine, now, again), (vec![entry_id(1)], vec![]), "with its bytes");
}

#[test]
fn a_file_can_be_taken_back_until_its_message_is_handed_over() {
    let (mut engine, now) = live_engine();
    after(&mut engine, now, write(file_of(1, 0), now));
    let effects = engine.handle(now, Input::Recall(entry_id(1)));
    let back = [Change::OutboxDone(entry_id(1)), Change::DraftBack(conversation_id(0), file_of(1, 0).body)];
    assert!(matches!(effects.as_slice(), [Effect::Commit(_, changes)] if *changes == back));
    assert_eq!(engine.handle(now, uploaded(1, Ok(()))), []);
    assert_eq!(engine.outgoing(entry_id(1)), None);
}

/// A message that the log may hold is decided by the log's word alone.
#[test]
fn what_may_have_been_sent_is_not_refused_by_an_upload() {
    let (mut engine, now) = live_engine();
    after(&mut engine, now, write(file_of(1, 0), now));
    assert_eq!(after(&mut engine, now, uploaded(1, Ok(()))), (vec![], vec![entry_id(1)]));
    engine.handle(now, Input::Closed(1, Trouble::Closed));
    let row = engine.outgoing(entry_id(1)).unwrap();
    assert_eq!((row.state, row.attempts), (OutboxState::Waiting, 1));
    engine.handle(now, Input::Reconnect);
    engine.handle(now, Input::Frame(2, Server::default().welcome()));
    let nothing = ChangesAnswer { since: Rev::ZERO, rev: Rev::ZERO, more: false, conversations: vec![] };
    let verified = Input::Frame(2, ServerFrame::Changes(nothing));
    assert_eq!(after(&mut engine, now, verified), (vec![entry_id(1)], vec![]));
    assert_eq!(after(&mut engine, now, uploaded(1, Err(Code::TooLarge))), (vec![], vec![entry_id(1)]));
}
