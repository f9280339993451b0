//! What is read back, also after a restart.

use super::*;

pub fn changes_tell_each_conversation_once<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let all: Vec<ConversationId> = (0..7).map(|n| desk.admit(&format!("p{n}"))).collect();
    // Conversation 2 changes last.
    for n in [2, 5, 2] {
        desk.text(&amara(), &all[n], "x");
    }
    let (mut since, mut seen, mut pages) = (0, Vec::new(), 0);
    loop {
        let page = desk.page(since, 3);
        assert!(page.summaries.len() <= 3);
        seen.extend(page.summaries.iter().map(|summary| summary.conversation.clone()));
        since = page.rev.get();
        pages += 1;
        if !page.more {
            break;
        }
    }
    assert_eq!((pages, since), (3, 10));
    let order: Vec<usize> =
        seen.iter().map(|conversation| all.iter().position(|id| *id == conversation.id).unwrap()).collect();
    assert_eq!(order, [0, 1, 3, 4, 6, 5, 2]);
    assert!(seen.is_sorted_by_key(|conversation| conversation.rev));
    // Nothing after the newest; the cursor of a patient is the clinic's as well.
    let page = desk.page(10, 3);
    assert_eq!((page.summaries.len(), page.rev, page.more), (0, Rev::new(10), false));
    let mut reader = desk.log.reader().unwrap();
    let mut of = |since| {
        let page = reader.changes(&clinic("riverside"), Some(&user("p2")), Rev::new(since), 1).unwrap();
        assert!(!page.more);
        (page.summaries.len(), page.rev.get())
    };
    assert_eq!([of(0), of(9), of(10)], [(1, 10), (1, 10), (0, 10)]);
}

pub fn public_entries_form_a_chain<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    let bodies = [note("1"), Body::text("2"), note("3"), note("4"), Body::text("5"), assign(None)];
    for body in bodies {
        desk.send(&amara(), &a, body).unwrap();
    }
    let (summary, records) = desk.all(&a);
    let chain: Vec<(u64, bool, u64)> =
        records.iter().map(|r| (r.entry.seq.get(), r.public, r.prev.get())).collect();
    assert_eq!(
        chain,
        [(1, false, 0), (2, true, 0), (3, false, 2), (4, false, 2), (5, true, 2), (6, false, 5)]
    );
    assert_eq!(summary.public_last.unwrap().seq, Seq::new(5));
    let mut reader = desk.log.reader().unwrap();
    let mut range = |from, to| {
        let (_, records) =
            reader.entries(&clinic("riverside"), &a, Seq::new(from), Seq::new(to)).unwrap().unwrap();
        records.iter().map(|r| r.entry.seq.get()).collect::<Vec<_>>()
    };
    assert_eq!(range(2, 4), [2, 3, 4]);
    assert_eq!(range(6, 99), [6]);
    assert!(range(7, 99).is_empty() && range(4, 2).is_empty());
}

pub fn a_patient_has_one_conversation<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let first = desk.admit("hana");
    let mut admit = |name: &str, born: Option<&str>| {
        let outcome = desk
            .commit(Write::Admit {
                clinic: clinic("riverside"),
                patient: Patient {
                    id: user("hana"),
                    name: name.into(),
                    born: born.map(str::to_owned),
                    extra: Extra::new(),
                },
            })
            .unwrap();
        let conversation = summary(&outcome).conversation.clone();
        assert_eq!(conversation.id, first);
        (fresh(&outcome), conversation.rev.get(), conversation.patient.name, conversation.patient.born)
    };
    let born = Some("1987-09-02".to_owned());
    assert_eq!(admit("HANA", None), (false, 1, "HANA".into(), None));
    assert_eq!(admit("HANA", Some("1987-09-02")), (true, 2, "HANA".into(), born.clone()));
    assert_eq!(admit("HANA", None), (false, 2, "HANA".into(), born.clone()));
    assert_eq!(admit("Hana Sato", None), (true, 3, "Hana Sato".into(), born.clone()));
    assert_eq!(desk.page(0, 9).summaries[0].conversation.patient.born, born);
}

pub fn everything_survives_a_restart<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    desk.text(&hana(), &a, "question");
    desk.text(&amara(), &a, "answer");
    desk.send(&amara(), &a, note("between us")).unwrap();
    desk.send(&amara(), &a, phase(Phase::Snoozed, Some(START.plus(HOUR)))).unwrap();
    desk.read(&hana(), &a, 3).unwrap();
    desk.commit(Write::Revoke { clinic: clinic("riverside"), user: user("jonas"), wipe: true }).unwrap();
    let state = |desk: &Desk<L>| {
        let mut reader = desk.log.reader().unwrap();
        (reader.revs().unwrap(), reader.revocations().unwrap(), desk.all(&a))
    };
    let before = state(&desk);
    let revocation = Revocation { at: START, wipe: true };
    assert_eq!(before.1.get(&(clinic("riverside"), user("jonas"))), Some(&revocation));
    drop(desk);
    let mut desk = Desk::new(open());
    assert_eq!(state(&desk), before);
    // An id of before is still known, and the numbers go on.
    let again = desk.text(&hana(), &a, "question");
    assert_eq!(again.entry.seq, Seq::new(1));
    desk.next = 20_000;
    assert_eq!(desk.text(&amara(), &a, "more").entry.seq, before.2.0.conversation.head.next());
}

pub fn a_copy_of_an_earlier_life_agrees<L: Log>(open: Factory<'_, L>) {
    let riverside = clinic("riverside");
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    desk.text(&amara(), &a, "one");
    let first = desk.log.epoch().clone();
    drop(desk);
    let mut desk = Desk::new(open());
    let second = desk.log.epoch().clone();
    desk.next = 20_000;
    desk.text(&amara(), &a, "two");
    let mut reader = desk.log.reader().unwrap();
    let mut agrees = |epoch: &Epoch, newest| reader.agrees(&riverside, epoch, Rev::new(newest)).unwrap();
    assert_ne!(first, second);
    // The first life ended at 2, the second is at 3.
    assert_eq!([1, 2, 3].map(|newest| agrees(&first, newest)), [true, true, false]);
    assert_eq!([2, 3, 4].map(|newest| agrees(&second, newest)), [true, true, false]);
    assert!(!agrees(&Epoch::new("another").unwrap(), 0));
    // A clinic that came later stood at nothing when the first life ended.
    desk.admit_to("lakeside", "li");
    assert!(!reader.agrees(&clinic("lakeside"), &first, Rev::new(1)).unwrap());
    assert!(reader.agrees(&clinic("lakeside"), &second, Rev::new(1)).unwrap());
}
