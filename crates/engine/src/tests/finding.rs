//! Searching the server's log.

use super::*;

fn search(word: &str) -> Search {
    Search {
        of: String::new(),
        phrases: vec![vec![word.to_owned()]],
        patient: Vec::new(),
        by_patient: None,
        before: None,
        has_file: false,
        limit: 0,
    }
}

/// The searches among effects: what each is called, its word, and where it begins.
fn searches(effects: &[Effect]) -> Vec<(String, String, Option<u64>)> {
    let searches = effects.iter().filter_map(|effect| match effect {
        Effect::Emit(ClientFrame::Search(search)) => {
            assert_eq!(search.limit, MAX_HITS);
            Some((search.of.clone(), search.phrases[0][0].clone(), search.before.map(Time::millis)))
        }
        _ => None,
    });
    searches.collect()
}

/// Looks for `word` and makes a pause; says what the search is called.
fn seek(engine: &mut Engine, now: Time, word: &str) -> String {
    assert_eq!(searches(&engine.handle(now, Input::Search(Some(search(word))))), []);
    let timer = engine.next_timer(now).unwrap();
    let [(of, asked, None)] = &searches(&engine.handle(timer, Input::Timer))[..] else { panic!("{word}") };
    assert_eq!((asked.as_str(), timer), (word, now.plus(200)));
    of.clone()
}

/// An answer with entries of conversation 0 at these places, each `at` its place.
fn found(of: &str, seqs: impl IntoIterator<Item = u64>, more: bool) -> Input {
    let mut server = Server::default();
    let hit = |seq: u64| {
        let ServerFrame::Entry(frame) =
            server.append(&conversation_id(0), entry_id(seq), PATIENT, Body::text("x"))
        else {
            unreachable!()
        };
        let entry = Entry { seq: Seq::new(seq), at: Time::new(seq), ..frame.entry };
        FoundEntry { entry, patient: "P".into() }
    };
    let hits = seqs.into_iter().map(hit).collect();
    Input::Frame(1, ServerFrame::Found(FoundFrame { of: of.to_owned(), hits, more, unindexed: 3 }))
}

/// The places that were told of.
fn told(effects: &[Effect]) -> Option<Vec<u64>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Tell(ServerFrame::Found(found)) => {
            Some(found.hits.iter().map(|hit| hit.entry.seq.get()).collect())
        }
        _ => None,
    })
}

fn refused(search: Option<&str>, code: Code, retry_after_ms: Option<u64>) -> Input {
    let (of, message, search) = ("search".into(), String::new(), search.map(str::to_owned));
    let rejected = Rejected { of, id: None, conversation: None, search, code, message, retry_after_ms };
    Input::Frame(1, ServerFrame::Rejected(rejected))
}

const ALL: Option<Searching> = Some(Searching::Answered { back_to: None, unindexed: 3 });

#[test]
fn only_the_newest_question_counts_and_only_a_pause_asks_it() {
    let (mut engine, now) = live_engine();
    let first = seek(&mut engine, now, "che");
    // Typed on, without a pause, before the answer.
    for (ms, word) in [(300, "ches"), (400, "chest")] {
        assert_eq!(searches(&engine.handle(now.plus(ms), Input::Search(Some(search(word))))), []);
    }
    assert_eq!(told(&engine.handle(now.plus(450), found(&first, [1], false))), None, "a late answer");
    assert_eq!(engine.searching(), Some(Searching::Asking));
    let [(second, word, None)] = &searches(&engine.handle(now.plus(600), Input::Timer))[..] else { panic!() };
    assert_eq!(word, "chest");
    engine.handle(now.plus(610), refused(Some(&first), Code::Forbidden, None));
    assert_eq!(engine.searching(), Some(Searching::Asking), "an earlier one's refusal");
    assert_eq!(told(&engine.handle(now.plus(620), found(second, [2], false))), Some(vec![2]));
    assert_eq!(engine.searching(), ALL);
    assert_eq!(told(&engine.handle(now.plus(630), found(second, [2], false))), None, "answered twice");
    engine.handle(now, Input::Search(None));
    assert_eq!(engine.searching(), None);
}

#[test]
fn what_is_here_is_left_out_and_one_goes_on_further_back_for_the_rest() {
    let (server, snapshot) = catching_up::behind(1_000, Some((900, 1_000)));
    let (mut engine, _) = welcomed(snapshot, &server);
    let verified = ChangesAnswer {
        since: Rev::new(1_000),
        rev: Rev::new(1_000),
        more: false,
        conversations: Vec::new(),
    };
    engine.handle(NOW, Input::Frame(1, ServerFrame::Changes(verified)));
    assert!(!engine.holds_all());
    let of = seek(&mut engine, NOW, "x");
    let effects = engine.handle(NOW, found(&of, (898..=947).rev(), true));
    assert_eq!(told(&effects), Some(vec![899, 898]));
    let [(next, _, Some(899))] = &searches(&effects)[..] else { panic!("{effects:?}") };
    // The one of the same moment comes again.
    let effects = engine.handle(NOW, found(next, (849..=898).rev(), true));
    assert_eq!(told(&effects), Some((849..=897).rev().collect()));
    assert_eq!(searches(&effects), [], "that is enough");
    let back_to = Some(Time::new(849));
    assert_eq!(engine.searching(), Some(Searching::Answered { back_to, unindexed: 3 }));
}

#[test]
fn one_does_not_go_back_for_ever_nor_stay_where_one_is() {
    let (mut engine, now) = live_engine();
    let mut of = seek(&mut engine, now, "x");
    let mut asked = Vec::new();
    // A server all of whose hits are of one moment.
    while let Some((next, _, before)) =
        searches(&engine.handle(now, found(&of, [500], true))).into_iter().next()
    {
        asked.push(before.unwrap());
        of = next;
    }
    assert_eq!(asked, [501, 500, 501, 500, 501, 500, 501]);
    let back_to = Some(Time::new(500));
    assert_eq!(engine.searching(), Some(Searching::Answered { back_to, unindexed: 3 }));
}

#[test]
fn a_refusal_for_now_is_asked_again_and_one_for_good_is_said() {
    let (mut engine, now) = live_engine();
    // As a server of before refuses it, without its name.
    for named in [true, false] {
        let of = seek(&mut engine, now, "chest");
        let later = now.plus(300);
        engine.handle(later, refused(named.then_some(of.as_str()), Code::RateLimited, Some(700)));
        assert_eq!(engine.searching(), Some(Searching::Busy));
        assert_eq!(engine.next_timer(later), Some(later.plus(700)));
        let [(again, ..)] = &searches(&engine.handle(later.plus(700), Input::Timer))[..] else { panic!() };
        assert_ne!(*again, of);
        engine.handle(later.plus(700), refused(Some(again), Code::Invalid, None));
        assert_eq!(engine.searching(), Some(Searching::Refused(Code::Invalid)));
    }
}

#[test]
fn a_server_that_does_not_answer_is_said_to_be_silent() {
    let (mut engine, now) = live_engine();
    let of = seek(&mut engine, now, "chest");
    let late = now.plus(10_200);
    // What keeps the connection alive meanwhile.
    engine.handle(late, Input::Frame(1, ServerFrame::Heartbeat(Heartbeat { rev: Rev::ZERO, now: late })));
    engine.handle(late, Input::Timer);
    assert_eq!(engine.searching(), Some(Searching::Silent));
    assert!(matches!(engine.link(), Link::Live { .. }));
    assert_eq!(told(&engine.handle(late, found(&of, [1], false))), None);
}

#[test]
fn offline_it_waits_for_the_next_connection() {
    let server = Server::default();
    let mut engine =
        Engine::new(Config { me: user(ME), seed: 1, keep: Keep::default() }, Snapshot::default());
    assert_eq!(engine.handle(NOW, Input::Search(Some(search("chest")))), []);
    assert_eq!((engine.searching(), engine.next_timer(NOW)), (Some(Searching::Asking), None));
    let verify = |engine: &mut Engine, attempt, now| {
        engine.handle(now, Input::Frame(attempt, server.welcome()));
        let verified =
            ChangesAnswer { since: Rev::ZERO, rev: Rev::ZERO, more: false, conversations: Vec::new() };
        engine.handle(now, Input::Frame(attempt, ServerFrame::Changes(verified)))
    };
    engine.handle(NOW.plus(300), Input::Start);
    let [(first, ..)] = &searches(&verify(&mut engine, 1, NOW.plus(300)))[..] else { panic!() };
    engine.handle(NOW.plus(400), Input::Closed(1, Trouble::Closed));
    engine.handle(NOW.plus(400), Input::Reconnect);
    let [(second, ..)] = &searches(&verify(&mut engine, 2, NOW.plus(400)))[..] else { panic!() };
    assert_ne!(first, second);
    let Input::Frame(_, answer) = found(second, [1], false) else { unreachable!() };
    assert_eq!(told(&engine.handle(NOW.plus(500), Input::Frame(2, answer))), Some(vec![1]));
    engine.handle(NOW.plus(600), Input::Closed(2, Trouble::Closed));
    engine.handle(NOW.plus(600), Input::Reconnect);
    assert_eq!(searches(&verify(&mut engine, 3, NOW.plus(600))), [], "what was answered is");
    assert_eq!(engine.searching(), ALL);
}

#[test]
fn nothing_is_beyond_what_holds_all() {
    for (keep, held, all) in [
        (Keep::default(), (1, 9), true),
        (Keep::default(), (2, 9), false),
        (Keep { closed_ms: Some(1), ..Keep::default() }, (1, 9), false),
    ] {
        let (server, snapshot) = catching_up::behind(9, Some(held));
        let (engine, _) = welcomed_to_keep(keep, snapshot, &server);
        assert_eq!(engine.holds_all(), all, "{keep:?} {held:?}");
    }
}
