//! What is committed, once, and what is refused.

use super::*;

pub fn seq_is_dense_and_rev_grows<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let (a, b) = (desk.admit("hana"), desk.admit("samuel"));
    assert_ne!(a, b);
    let mut revs = Vec::new();
    for n in 0..40 {
        let to = if n % 3 == 0 { &b } else { &a };
        let outcome = desk.send(&amara(), to, Body::text("hello")).unwrap();
        let (record, summary) = (record(&outcome), summary(&outcome));
        assert_eq!(record.entry.seq, summary.conversation.head);
        assert_eq!(record.entry.rev, summary.conversation.rev);
        revs.push(record.entry.rev.get());
    }
    // Two admissions came before.
    assert_eq!(revs, (3..43).collect::<Vec<_>>());
    for of in [&a, &b] {
        let (summary, records) = desk.all(of);
        let seqs: Vec<u64> = records.iter().map(|record| record.entry.seq.get()).collect();
        assert_eq!(seqs, (1..=summary.conversation.head.get()).collect::<Vec<_>>());
    }
}

pub fn the_same_id_is_one_entry<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let (a, b) = (desk.admit("hana"), desk.admit("samuel"));
    let write = |author: &Author, to: &ConversationId, text| {
        send("riverside", author, id(1), to, Seq::ZERO, Body::text(text))
    };
    let first = desk.commit(write(&amara(), &a, "hello")).unwrap();
    let again = desk.commit(write(&amara(), &a, "hello")).unwrap();
    assert!(fresh(&first) && !fresh(&again));
    assert_eq!(record(&first), record(&again));
    // With other content it is another message, which must not get lost silently.
    for other in [
        write(&amara(), &a, "goodbye"),
        write(&amara(), &b, "hello"),
        write(&jonas(), &a, "hello"),
        write(&hana(), &a, "hello"),
    ] {
        assert_eq!(code(desk.commit(other)), Some(Code::Conflict));
    }
    // What was seen, and a second thought, are not content; nor does the patient's next word make it behind.
    desk.text(&hana(), &a, "wait");
    assert!(!fresh(&desk.commit(write(&amara(), &a, "hello")).unwrap()));
    assert_eq!(kinds(&desk.all(&a).1), ["text", "text"]);
    assert!(desk.all(&b).1.is_empty());
    // Twice in one batch.
    let twice = [0, 1].map(|_| send("riverside", &amara(), id(2), &b, Seq::ZERO, Body::text("x")));
    let outcomes = desk.log.commit(START, &twice).unwrap();
    let [first, second] = &outcomes[..] else { panic!() };
    assert_eq!(record(first.as_ref().unwrap()), record(second.as_ref().unwrap()));
    assert_eq!(desk.all(&b).1.len(), 1);
}

pub fn a_refused_write_leaves_nothing_and_stops_nobody<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    let nowhere = ConversationId::new("nowhere").unwrap();
    let batch = [
        send("riverside", &amara(), id(1), &a, Seq::ZERO, Body::text("one")),
        send("riverside", &amara(), id(2), &nowhere, Seq::ZERO, Body::text("lost")),
        send("riverside", &hana(), id(3), &a, Seq::ZERO, note("not mine to write")),
        send("riverside", &amara(), id(4), &a, Seq::ZERO, Body::text("two")),
    ];
    let outcomes = desk.log.commit(START, &batch).unwrap();
    let codes: Vec<_> = outcomes.into_iter().map(code).collect();
    assert_eq!(codes, [None, Some(Code::NotFound), Some(Code::Forbidden), None]);
    let (summary, records) = desk.all(&a);
    let seen: Vec<_> = records.iter().map(|r| (r.entry.seq.get(), r.entry.rev.get(), r.entry.id)).collect();
    assert_eq!(seen, [(1, 2, id(1)), (2, 3, id(4))]);
    assert_eq!(summary.conversation.rev, Rev::new(3));
}

pub fn clinics_know_nothing_of_each_other<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let here = desk.admit_to("riverside", "hana");
    let there = desk.admit_to("hillside", "hana");
    assert_ne!(here, there);
    for body in [Body::text("x"), note("x"), assign(None)] {
        let write = send("hillside", &amara(), id(9), &here, Seq::ZERO, body);
        assert_eq!(code(desk.commit(write)), Some(Code::NotFound));
    }
    // The same id in two clinics is two entries.
    for (at, of) in [("riverside", &here), ("hillside", &there)] {
        let outcome = desk.commit(send(at, &amara(), id(1), of, Seq::ZERO, Body::text(at))).unwrap();
        assert!(fresh(&outcome));
        assert_eq!(record(&outcome).entry.rev, Rev::new(2));
    }
    // Not even to correct it.
    let write = send("hillside", &amara(), id(2), &there, Seq::ZERO, amend(id(1), Some("x")));
    assert!(desk.commit(write).is_ok());
    assert_eq!(desk.all(&here).1.len(), 1);
    let mut reader = desk.log.reader().unwrap();
    assert_eq!(reader.conversation(&clinic("hillside"), &here).unwrap(), None);
    assert!(reader.entries(&clinic("hillside"), &here, Seq::ZERO, Seq::MAX).unwrap().is_none());
    let page = reader.changes(&clinic("hillside"), None, Rev::ZERO, 10).unwrap();
    assert_eq!(page.summaries.len(), 1);
    assert_eq!(page.summaries[0].conversation.id, there);
    let nowhere = reader.changes(&clinic("nowhere"), None, Rev::ZERO, 10).unwrap();
    assert_eq!((nowhere.summaries.len(), nowhere.rev), (0, Rev::ZERO));
}

pub fn a_reply_to_an_older_state_is_behind<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    desk.text(&hana(), &a, "1; the wait-time message is 2");
    desk.send(&jonas(), &a, note("3")).unwrap();
    desk.text(&amara(), &a, "4");
    desk.text(&jonas(), &a, "5");
    // (author, seen, body, force, refused)
    let table = [
        (amara(), 0, Body::text("x"), false, true),
        (amara(), 1, Body::text("x"), false, true),
        (amara(), 4, Body::text("x"), false, true),
        (amara(), 4, note("x"), false, false),
        (amara(), 0, phase(Phase::Open, None), false, false),
        (hana(), 0, Body::text("x"), false, false),
    ];
    for (author, seen, body, force, refused) in table {
        let mut write = send("riverside", &author, desk.next_id(), &a, Seq::new(seen), body);
        if let Write::Send { send, .. } = &mut write {
            send.force = force;
        }
        let expected = refused.then_some(Code::Behind);
        assert_eq!(code(desk.commit(write)), expected, "seen {seen}");
    }
    let head = desk.all(&a).0.conversation.head;
    let write = |id, seen, force| {
        let mut write = send("riverside", &amara(), id, &a, seen, Body::text("answer"));
        if let Write::Send { send, .. } = &mut write {
            send.force = force;
        }
        write
    };
    // Notes, one's own words and the server's are no reason; force takes it anyway.
    let fresh_id = desk.next_id();
    assert_eq!(code(desk.commit(write(fresh_id, head.minus(1), false))), Some(Code::Behind));
    assert_eq!(code(desk.commit(write(fresh_id, head.minus(1), true))), None);
    let fresh_id = desk.next_id();
    assert_eq!(code(desk.commit(write(fresh_id, head, false))), None);
}

pub fn what_an_entry_names_must_exist<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let (a, b) = (desk.admit("hana"), desk.admit("samuel"));
    let task = author(Role::System, "system");
    desk.text(&hana(), &a, "it hurts");
    let advice = record(&desk.send(&task, &a, suggestion()).unwrap()).entry.id;
    let text = desk.text(&amara(), &a, "text").entry.id;
    assert_eq!(code(desk.send(&amara(), &a, used(advice))), None);
    assert_eq!(code(desk.send(&amara(), &b, used(advice))), Some(Code::NotFound));
    assert_eq!(code(desk.send(&amara(), &a, used(text))), Some(Code::NotFound));
    let mut from = |author: &Author, to: &ConversationId, suggestion, body| {
        let mut write = send("riverside", author, desk.next_id(), to, Seq::MAX, body);
        if let Write::Send { send, .. } = &mut write {
            send.from = Some(Origin { suggestion, edited: true, extra: Extra::new() });
        }
        desk.commit(write)
    };
    let kept = from(&amara(), &a, advice, Body::text("x")).unwrap();
    assert_eq!(record(&kept).entry.from.as_ref().map(|from| from.suggestion), Some(advice));
    assert_eq!(code(from(&amara(), &b, advice, Body::text("x"))), Some(Code::NotFound));
    assert_eq!(code(from(&amara(), &a, text, Body::text("x"))), Some(Code::NotFound));
    assert_eq!(code(from(&amara(), &a, advice, note("x"))), Some(Code::Invalid));
    assert_eq!(code(from(&hana(), &a, advice, Body::text("x"))), Some(Code::Forbidden));
}

pub fn a_suggestion_isnt_stale_from_its_beginning<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    let service = author(Role::System, "house-model");
    let mut suggest = |desk: &mut Desk<L>, basis: u64| {
        let mut body = suggestion();
        if let Body::Suggestion(suggestion) = &mut body {
            suggestion.basis = Seq::new(basis);
        }
        code(desk.send(&service, &a, body))
    };
    assert_eq!(suggest(&mut desk, 1), Some(Code::Invalid));
    desk.text(&hana(), &a, "it hurts");
    let head = desk.all(&a).0.conversation.head.get();
    assert_eq!(suggest(&mut desk, 0), Some(Code::Invalid));
    assert_eq!(suggest(&mut desk, head + 1), Some(Code::Invalid));
    assert_eq!(suggest(&mut desk, 1), None);
    // A clinician's answer leaves it what it was, a patient's word doesn't.
    desk.text(&amara(), &a, "since when?");
    assert_eq!(suggest(&mut desk, 1), None);
    desk.text(&hana(), &a, "since Monday");
    assert_eq!(suggest(&mut desk, 1), Some(Code::Behind));
    let head = desk.all(&a).0.conversation.head.get();
    assert_eq!(suggest(&mut desk, head), None);
}

pub fn everybody_writes_what_is_theirs<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    let bodies = [
        file(),
        note("x"),
        assign(None),
        phase(Phase::Closed, None),
        suggestion(),
        crate::log::wait::body(1),
        used(id(9)),
        Body::Unknown(Extra::from([("kind".into(), "later".into())])),
    ];
    for body in bodies {
        for author in [hana(), amara()] {
            let allowed = body.writable_by(author.role);
            let code = code(desk.send(&author, &a, body.clone()));
            assert_eq!(code == Some(Code::Forbidden), !allowed, "{body:?} by {:?}", author.role);
        }
    }
    // Another patient isn't even told that there is such a conversation.
    let samuel = author(Role::Patient, "samuel");
    assert_eq!(code(desk.send(&samuel, &a, Body::text("x"))), Some(Code::NotFound));
}
