//! What an entry or a read mark does to its conversation.

use super::*;

pub fn the_greatest_read_mark_wins<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    for text in ["one", "two"] {
        desk.text(&amara(), &a, text);
    }
    desk.send(&amara(), &a, note("three")).unwrap();
    // (reader, upto, mark afterwards, whether that is news)
    let steps = [
        (amara(), 0, None, false),
        (amara(), 2, Some(2), true),
        (amara(), 2, Some(2), false),
        (amara(), 1, Some(2), false),
        (amara(), 99, Some(3), true),
        (amara(), 3, Some(3), false),
        // Patients can't have read what they don't see.
        (hana(), 99, Some(2), true),
        (hana(), 3, Some(2), false),
    ];
    for (reader, upto, mark, news) in steps {
        let before = desk.all(&a).0.conversation.rev;
        let outcome = desk.read(&reader, &a, upto).unwrap();
        let after = desk.all(&a).0;
        assert_eq!(fresh(&outcome), news, "{upto}");
        assert_eq!(*summary(&outcome), after);
        assert_eq!(after.conversation.read.get(&reader.id).map(|seq| seq.get()), mark);
        assert_eq!(after.conversation.rev, before.plus(u64::from(news)));
    }
    let nowhere = ConversationId::new("nowhere").unwrap();
    assert_eq!(code(desk.read(&amara(), &nowhere, 1)), Some(Code::NotFound));
    let samuel = author(Role::Patient, "samuel");
    assert_eq!(code(desk.read(&samuel, &a, 1)), Some(Code::NotFound));
}

pub fn patients_are_told_how_long_it_takes<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    let told = |desk: &mut Desk<L>, author: &Author| {
        let outcome = desk.send(author, &a, Body::text("x")).unwrap();
        outcome.committed.changes().len() == 2
    };
    // (minutes later, author, whether the wait-time message follows at once)
    let steps = [
        (0, hana(), true),
        (1, hana(), false),
        (13, hana(), false),
        (1, hana(), true),
        (1, amara(), false),
        (60, hana(), false),
        (179, hana(), false),
        (1, hana(), true),
    ];
    for (minutes, author, expected) in steps {
        desk.now = desk.now.plus(minutes * MINUTE);
        assert_eq!(told(&mut desk, &author), expected, "{minutes} minutes later");
    }
    let (summary, records) = desk.all(&a);
    let waits: Vec<&Record> = records.iter().filter(|r| matches!(r.entry.body, Body::Wait(_))).collect();
    assert_eq!(waits.len(), 3);
    for wait in waits {
        assert!(wait.public);
        assert_eq!(wait.entry.author.role, Role::System);
        let Body::Wait(Wait { minutes, .. }) = wait.entry.body else { panic!() };
        assert_eq!(minutes, 10);
    }
    assert!(summary.conversation.waiting_since.is_some());
    // A file makes a patient wait as well; a correction doesn't.
    let b = desk.admit("samuel");
    let samuel = author(Role::Patient, "samuel");
    desk.upload(&samuel);
    assert_eq!(desk.send(&samuel, &b, file()).unwrap().committed.changes().len(), 2);
}

pub fn the_wait_follows_the_clinics_pace<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    // Sixty answers within the last two hours, and as many before that don't count.
    for n in 0..60 {
        let name = format!("p{n}");
        let (of, patient) = (desk.admit(&name), author(Role::Patient, &name));
        for _ in 0..2 {
            desk.text(&patient, &of, "?");
            desk.text(&amara(), &of, "!");
            // A second word of the provider answers nobody.
            desk.text(&amara(), &of, "!!");
            desk.now = desk.now.plus(1);
        }
        if n == 29 {
            desk.now = desk.now.plus(3 * HOUR);
        }
    }
    for n in 0..3 {
        let name = format!("w{n}");
        let (of, patient) = (desk.admit(&name), author(Role::Patient, &name));
        let outcome = desk.send(&patient, &of, Body::text("?")).unwrap();
        let Some(Change::Entry(wait, _)) = outcome.committed.changes().get(1) else { panic!() };
        let Body::Wait(Wait { minutes, .. }) = wait.entry.body else { panic!() };
        // One waits: 1 / (60 / 120) minutes; two: 4, rounded to 5; three: 6, rounded to 10.
        assert_eq!(minutes, [2, 5, 10][n]);
    }
}

pub fn entries_change_the_summary<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    desk.upload(&hana());
    let until = Some(START.plus(HOUR));
    // (author, body, state, until, assigned, since when the patient waits, in minutes)
    let steps = [
        (hana(), Body::text("x"), Phase::Open, None, None, Some(0)),
        (hana(), Body::text("x"), Phase::Open, None, None, Some(0)),
        (amara(), note("x"), Phase::Open, None, None, Some(0)),
        (amara(), assign(Some("amara")), Phase::Open, None, Some("amara"), Some(0)),
        (amara(), phase(Phase::Snoozed, until), Phase::Snoozed, until, Some("amara"), Some(0)),
        (amara(), Body::text("x"), Phase::Snoozed, until, Some("amara"), None),
        // A patient's word wakes it, in the same transaction.
        (hana(), Body::text("x"), Phase::Open, None, Some("amara"), Some(6)),
        (jonas(), file(), Phase::Open, None, Some("amara"), None),
        (hana(), file(), Phase::Open, None, Some("amara"), Some(8)),
        // Who closes says that nobody waits any more.
        (jonas(), phase(Phase::Closed, None), Phase::Closed, None, Some("amara"), None),
        (jonas(), assign(None), Phase::Closed, None, None, None),
        (hana(), Body::text("x"), Phase::Open, None, None, Some(11)),
    ];
    for (n, (author, body, state, until, assigned, waiting)) in steps.into_iter().enumerate() {
        let id = desk.send(&author, &a, body).map(|outcome| record(&outcome).entry.id).unwrap();
        let (summary, records) = desk.all(&a);
        let conversation = summary.conversation;
        assert_eq!((conversation.state, conversation.until), (state, until), "step {n}");
        // It is closed in step 9.
        let closed_at = START.plus(9 * MINUTE);
        assert_eq!(conversation.closed_at, (state == Phase::Closed).then_some(closed_at), "step {n}");
        assert_eq!(conversation.assigned, assigned.map(user), "step {n}");
        let since = conversation.waiting_since.map(|time| time.since(START) / MINUTE);
        assert_eq!(since, waiting, "step {n}");
        let last = conversation.last.unwrap();
        assert_eq!(
            Some(last.seq),
            records.iter().rfind(|r| r.entry.author.role != Role::System).map(|r| r.entry.seq)
        );
        assert!(records.iter().any(|record| record.entry.id == id));
        desk.now = desk.now.plus(MINUTE);
    }
    let (_, records) = desk.all(&a);
    let opened: Vec<&Record> =
        records.iter().filter(|r| r.entry.author.role == Role::System && !r.public).collect();
    assert_eq!(opened.len(), 2);
    assert!(opened.iter().all(|r| r.entry.body == phase(Phase::Open, None)));
}

pub fn a_patients_correction_is_news<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    let said = desk.text(&hana(), &a, "I took 5 pills").entry.id;
    let seen = desk.text(&amara(), &a, "that is fine").entry.seq;
    desk.send(&amara(), &a, phase(Phase::Closed, None)).unwrap();
    let text = Some("I took 50 pills, not 5".to_owned());
    desk.send(&hana(), &a, Body::Amend(Amend { target: said, text, extra: Extra::new() })).unwrap();
    let conversation = desk.all(&a).0.conversation;
    assert_eq!(conversation.state, Phase::Open);
    assert_eq!(conversation.waiting_since, Some(desk.now));
    let reply = send("riverside", &amara(), desk.next_id(), &a, seen, Body::text("take two more"));
    assert_eq!(code(desk.commit(reply)), Some(Code::Behind));
}

pub fn a_correction_is_its_authors_and_as_public_as_its_target<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let (a, b) = (desk.admit("hana"), desk.admit("samuel"));
    let text = desk.text(&amara(), &a, "text").entry.id;
    let secret = record(&desk.send(&amara(), &a, note("secret")).unwrap()).entry.id;
    let state = record(&desk.send(&amara(), &a, phase(Phase::Open, None)).unwrap()).entry.id;
    let asked = desk.text(&hana(), &a, "question").entry.id;
    // (author, where, target, refusal or whether patients see it)
    let table = [
        (amara(), &a, text, Ok(true)),
        (amara(), &a, secret, Ok(false)),
        (hana(), &a, asked, Ok(true)),
        (jonas(), &a, text, Err(Code::Forbidden)),
        (jonas(), &a, secret, Err(Code::Forbidden)),
        (amara(), &a, asked, Err(Code::Forbidden)),
        (hana(), &a, text, Err(Code::Forbidden)),
        (amara(), &a, state, Err(Code::Forbidden)),
        // To a patient, a note isn't there.
        (hana(), &a, secret, Err(Code::NotFound)),
        (amara(), &b, text, Err(Code::NotFound)),
        (amara(), &a, id(999), Err(Code::NotFound)),
    ];
    for (author, to, target, expected) in table {
        for text in [Some("better"), None] {
            let result = desk.send(&author, to, amend(target, text));
            let seen = result.map(|outcome| record(&outcome).public).map_err(|refusal| refusal.code);
            assert_eq!(seen, expected, "{} amends {target}", author.id);
        }
    }
    let (_, records) = desk.all(&a);
    assert!(records.iter().any(|record| record.entry.id == text && record.entry.body == Body::text("text")));
}

pub fn a_revocation_is_never_weakened<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let late = desk.now.plus(MINUTE);
    let mut revoke = |now, wipe| {
        desk.now = now;
        desk.commit(Write::Revoke { clinic: clinic("riverside"), user: user("jonas"), wipe }).unwrap();
        desk.log
            .reader()
            .unwrap()
            .revocations()
            .unwrap()
            .into_values()
            .map(|revocation| (revocation.at, revocation.wipe))
            .collect::<Vec<_>>()
    };
    assert_eq!(revoke(late, true), [(late, true)]);
    // The clock was wrong, and is set back.
    assert_eq!(revoke(START, false), [(late, true)]);
}
