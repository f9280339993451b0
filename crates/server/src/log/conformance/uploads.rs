//! Who may name, and who may have, which bytes.

use super::*;

/// The SHA-256 of a test's `n`th file.
fn sha(n: u64) -> String {
    format!("{n:064x}")
}

fn upload(who: &Author, n: u64) -> Upload {
    Upload {
        clinic: clinic("riverside"),
        sha256: sha(n),
        uploader: who.id.clone(),
        role: who.role,
        bytes: 100 + n,
    }
}

fn photo(n: u64) -> Body {
    let Body::File(file) = file() else { unreachable!() };
    Body::File(File { sha256: sha(n), bytes: 100 + n, ..file })
}

fn blob<L: Log>(desk: &Desk<L>, n: u64, patient: Option<&str>) -> Option<u64> {
    let patient = patient.map(user);
    desk.log.reader().unwrap().blob(&clinic("riverside"), &sha(n), patient.as_ref()).unwrap()
}

pub fn a_file_names_bytes_that_its_sender_uploaded<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let (of_hana, of_samuel) = (desk.admit("hana"), desk.admit("samuel"));
    let samuel = author(Role::Patient, "samuel");
    // Neither id nor role alone makes somebody the uploader.
    let namesake = author(Role::Provider, "hana");
    desk.commit(Write::Upload(upload(&hana(), 1))).unwrap();
    desk.commit(Write::Upload(upload(&amara(), 2))).unwrap();
    desk.commit(Write::Upload(upload(&namesake, 3))).unwrap();
    desk.commit(Write::Upload(Upload { clinic: clinic("lakeside"), ..upload(&amara(), 4) })).unwrap();
    assert_eq!(code(desk.send(&samuel, &of_samuel, photo(1))), Some(Code::NotFound));
    assert_eq!(code(desk.send(&hana(), &of_hana, photo(2))), Some(Code::NotFound));
    assert_eq!(code(desk.send(&hana(), &of_hana, photo(3))), Some(Code::NotFound));
    assert_eq!(code(desk.send(&amara(), &of_hana, photo(4))), Some(Code::NotFound), "another clinic's");
    assert_eq!(code(desk.send(&amara(), &of_hana, photo(5))), Some(Code::NotFound), "nobody's");
    let Body::File(wrong) = photo(1) else { unreachable!() };
    let wrong = Body::File(File { bytes: 7, ..wrong });
    assert_eq!(code(desk.send(&hana(), &of_hana, wrong)), Some(Code::Invalid));
    assert_eq!(code(desk.send(&hana(), &of_hana, photo(1))), None);
    // Providers pass on what a patient or a colleague uploaded.
    assert_eq!(code(desk.send(&jonas(), &of_samuel, photo(1))), None);
    assert_eq!(code(desk.send(&jonas(), &of_samuel, photo(2))), None);
}

pub fn bytes_are_for_those_who_see_their_entry<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let (of_hana, of_samuel) = (desk.admit("hana"), desk.admit("samuel"));
    for (who, n) in [(hana(), 1), (amara(), 2), (amara(), 3), (hana(), 4)] {
        desk.commit(Write::Upload(upload(&who, n))).unwrap();
    }
    desk.send(&hana(), &of_hana, photo(1)).unwrap();
    desk.send(&amara(), &of_samuel, photo(2)).unwrap();
    let sent = record(&desk.send(&amara(), &of_hana, photo(3)).unwrap()).entry.id;
    let seen = |desk: &Desk<L>, patient| [1, 2, 3, 4].map(|n| blob(desk, n, patient).is_some());
    assert_eq!(seen(&desk, None), [true; 4]);
    assert_eq!(seen(&desk, Some("hana")), [true, false, true, true]);
    assert_eq!(seen(&desk, Some("samuel")), [false, true, false, false]);
    assert_eq!(blob(&desk, 3, Some("hana")), Some(103));
    assert_eq!(blob(&desk, 5, None), None);
    let mut reader = desk.log.reader().unwrap();
    assert_eq!(reader.blob(&clinic("lakeside"), &sha(1), None).unwrap(), None);
    drop(reader);
    // A file is taken back, never reworded, and by its author alone.
    assert_eq!(code(desk.send(&amara(), &of_hana, amend(sent, Some("x")))), Some(Code::Forbidden));
    assert_eq!(code(desk.send(&jonas(), &of_hana, amend(sent, None))), Some(Code::Forbidden));
    desk.send(&amara(), &of_hana, amend(sent, None)).unwrap();
    assert_eq!(seen(&desk, Some("hana")), [true, false, false, true]);
    assert_eq!(seen(&desk, None), [true; 4]);
    // The same bytes in another entry that stands.
    desk.send(&amara(), &of_hana, photo(3)).unwrap();
    assert_eq!(seen(&desk, Some("hana")), [true, false, true, true]);
}

pub fn what_no_entry_names_is_forgotten_and_nothing_else<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let of = desk.admit("hana");
    for (who, n) in [(hana(), 1), (hana(), 2), (amara(), 1), (hana(), 3)] {
        desk.commit(Write::Upload(upload(&who, n))).unwrap();
    }
    desk.send(&hana(), &of, photo(2)).unwrap();
    let later = desk.now.plus(MINUTE);
    desk.now = later;
    desk.commit(Write::Upload(upload(&hana(), 3))).unwrap();
    let stale = |desk: &Desk<L>, before| desk.log.reader().unwrap().stale(before, 10).unwrap();
    assert_eq!(stale(&desk, START), []);
    assert_eq!(stale(&desk, later), [upload(&amara(), 1), upload(&hana(), 1)], "a repetition is fresh");
    assert_eq!(desk.log.reader().unwrap().stale(later, 1).unwrap().len(), 1);
    let mut forget = |upload: Upload, before| match desk.commit(Write::Forget { upload, before }).unwrap() {
        Outcome { answer: Answer::Forgotten(gone), .. } => gone,
        other => panic!("{other:?}"),
    };
    assert!(!forget(upload(&hana(), 1), START), "too young");
    assert!(!forget(upload(&hana(), 2), Time::MAX), "named");
    assert!(forget(upload(&hana(), 1), later));
    assert!(!forget(upload(&hana(), 1), later), "gone");
    // The colleague's upload of the same bytes stands.
    assert_eq!([1, 2, 3, 4].map(|n| blob(&desk, n, None).is_some()), [true, true, true, false]);
    assert_eq!(blob(&desk, 1, Some("hana")), None);
    let all = desk.log.reader().unwrap().blobs().unwrap();
    assert_eq!(all, [1, 2, 3].map(|n| (clinic("riverside"), sha(n))).into());
}

pub fn unsent_uploads_are_bounded<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let of = desk.admit("hana");
    for n in 0..MAX_UNSENT {
        assert_eq!(code(desk.commit(Write::Upload(upload(&hana(), n)))), None);
    }
    let another = Write::Upload(upload(&hana(), 99));
    assert_eq!(code(desk.commit(another.clone())), Some(Code::RateLimited));
    assert_eq!(code(desk.commit(Write::Upload(upload(&hana(), 0)))), None, "a repetition");
    assert_eq!(code(desk.commit(Write::Upload(upload(&amara(), 99)))), None, "somebody else's");
    let mut reader = desk.log.reader().unwrap();
    let mut unsent = |n| reader.unsent(&clinic("riverside"), &user("hana"), Role::Patient, &sha(n)).unwrap();
    assert_eq!([unsent(0), unsent(99)], [MAX_UNSENT - 1, MAX_UNSENT]);
    desk.send(&hana(), &of, photo(0)).unwrap();
    assert_eq!(code(desk.commit(another)), None);
}
