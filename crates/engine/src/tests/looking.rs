//! Looking at a part of a log that isn't kept here.

use super::catching_up::{behind, caught_up, ranges};
use super::*;

fn look(conversation: u64, at: u64, from: u64, to: u64) -> Input {
    let (conversation, at, from, to) =
        (conversation_id(conversation), Seq::new(at), Seq::new(from), Seq::new(to));
    Input::Look(Look { conversation, at, from, to })
}

fn here(engine: &Engine) -> Option<(u64, u64)> {
    engine.looked_at().and_then(|(_, here, _)| here).map(|here| (here.lo.get(), here.hi.get()))
}

/// Verified, and with `held` of a log of 1,000.
fn ready(held: Option<(u64, u64)>) -> (Engine, Server) {
    let (mut server, snapshot) = behind(1_000, held);
    let (mut engine, effects) = welcomed(snapshot, &server);
    caught_up(&mut engine, &mut server, effects);
    (engine, server)
}

#[test]
fn what_one_jumps_to_is_fetched_with_its_surroundings_and_stored_nowhere() {
    let (mut engine, mut server) = ready(Some((951, 1_000)));
    let effects = engine.handle(NOW, look(0, 500, 401, 600));
    let (asked, changes) = caught_up(&mut engine, &mut server, effects);
    assert_eq!((asked, changes), (vec![(401, 600)], vec![]));
    assert_eq!(here(&engine), Some((401, 600)));
    // Going on, both ways: what came stays.
    let effects = engine.handle(NOW, look(0, 500, 201, 960));
    let (asked, changes) = caught_up(&mut engine, &mut server, effects);
    assert_eq!((asked, changes), (vec![(201, 400), (601, 800), (801, 950)], vec![]), "up to what is kept");
    assert_eq!(here(&engine), Some((201, 950)));
    assert_eq!(engine.catchup.range(&conversation_id(0)), Range::new(Seq::new(951), Seq::new(1_000)));
    // Somewhere else begins anew.
    let effects = engine.handle(NOW, look(0, 50, 1, 100));
    assert_eq!(caught_up(&mut engine, &mut server, effects).0, [(1, 100)]);
    assert_eq!(here(&engine), Some((1, 100)));
    engine.handle(NOW, Input::Open(Some(conversation_id(0))));
    assert_eq!(here(&engine), Some((1, 100)));
    engine.handle(NOW, Input::Open(None));
    assert_eq!(engine.looked_at(), None);
}

#[test]
fn from_what_is_kept_one_goes_back_through_the_cache() {
    let (mut engine, mut server) = ready(Some((951, 1_000)));
    let effects = engine.handle(NOW, look(0, 960, 700, 1_000));
    let (asked, changes) = caught_up(&mut engine, &mut server, effects);
    assert_eq!(asked, [(851, 950), (751, 850), (651, 750)]);
    assert_eq!(changes.len(), 3);
    assert_eq!(here(&engine), None);
}

#[test]
fn a_conversation_that_is_not_kept_comes_with_its_summary() {
    let (mut engine, mut server) = ready(Some((951, 1_000)));
    for n in 0..300 {
        server.append(&conversation_id(1), entry_id(2_000 + n), PATIENT, Body::text("x"));
    }
    let effects = engine.handle(NOW, look(1, 290, 191, u64::MAX));
    let [Effect::Emit(ClientFrame::Entries(ask))] = &effects[..] else { panic!("{effects:?}") };
    assert!(ask.summary);
    let answer = server.answer(ClientFrame::Entries(ask.clone())).unwrap();
    let effects = engine.handle(NOW, Input::Frame(1, answer));
    let [Effect::Tell(ServerFrame::Entries(page))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(page.summary.as_ref().unwrap().id, conversation_id(1));
    assert_eq!(here(&engine), Some((191, 300)), "to its end, and nothing more is asked for");
}

#[test]
fn a_server_that_gives_less_is_asked_for_less() {
    let (mut engine, mut server) = ready(Some((951, 1_000)));
    server.page = Some(30);
    let effects = engine.handle(NOW, look(0, 500, 401, 600));
    caught_up(&mut engine, &mut server, effects);
    assert_eq!(here(&engine), Some((401, 600)));
}

#[test]
fn a_refusal_is_tried_again_or_said_and_a_broken_line_asks_again() {
    let (mut engine, mut server) = ready(Some((951, 1_000)));
    let refused = |code, retry_after_ms| {
        let (of, message, conversation) = ("entries".into(), String::new(), Some(conversation_id(0)));
        let rejected = Rejected { of, id: None, conversation, search: None, code, message, retry_after_ms };
        Input::Frame(1, ServerFrame::Rejected(rejected))
    };
    assert_eq!(ranges(&engine.handle(NOW, look(0, 500, 401, 600))), [(401, 600)]);
    engine.handle(NOW, refused(Code::Unavailable, Some(700)));
    assert_eq!(engine.next_timer(NOW), Some(NOW.plus(700)));
    assert_eq!(ranges(&engine.handle(NOW.plus(700), Input::Timer)), [(401, 600)]);
    engine.handle(NOW.plus(700), refused(Code::NotFound, None));
    assert_eq!(engine.looked_at().unwrap().2, Some(Code::NotFound));
    assert_eq!(ranges(&engine.handle(NOW.plus(700), look(0, 500, 401, 600))), [(401, 600)]);
    engine.handle(NOW.plus(800), Input::Closed(1, Trouble::Closed));
    engine.handle(NOW.plus(800), Input::Reconnect);
    let effects = engine.handle(NOW.plus(800), Input::Frame(2, server.welcome()));
    let [ClientFrame::Changes(ask)] = &catching_up::asked(&effects)[..] else { panic!("{effects:?}") };
    let answer = server.answer(ClientFrame::Changes(ask.clone())).unwrap();
    assert_eq!(ranges(&engine.handle(NOW.plus(800), Input::Frame(2, answer))), [(401, 600)]);
}

#[test]
fn an_answer_with_a_hole_is_not_believed() {
    let (mut engine, mut server) = ready(Some((951, 1_000)));
    let effects = engine.handle(NOW, look(0, 500, 401, 600));
    let [Effect::Emit(ask)] = &effects[..] else { panic!("{effects:?}") };
    let Some(ServerFrame::Entries(mut answer)) = server.answer(ask.clone()) else { panic!() };
    answer.entries.remove(7);
    assert_eq!(engine.handle(NOW, Input::Frame(1, ServerFrame::Entries(answer))), [Effect::Disconnect]);
    assert!(matches!(engine.link(), Link::Offline { trouble: Trouble::Unreadable, .. }));
}
