//! What search finds, and what it must not.

use super::*;
use crate::log::Found;
use bedside_protocol::Search;

fn words(text: &str) -> Search {
    let phrases = text.split(' ').map(|word| vec![word.to_owned()]).collect();
    Search { phrases, ..all() }
}

fn all() -> Search {
    Search {
        of: String::new(),
        phrases: Vec::new(),
        patient: Vec::new(),
        by_patient: None,
        before: None,
        has_file: false,
        limit: 50,
    }
}

fn name<L: Log>(desk: &mut Desk<L>, who: &str, name: &str) {
    let patient = Patient { id: user(who), name: name.into(), born: None, extra: Extra::new() };
    desk.commit(Write::Admit { clinic: clinic("riverside"), patient }).unwrap();
}

fn indexed<L: Log>(desk: &mut Desk<L>) {
    while desk.log.index().unwrap() > 0 {}
}

fn found<L: Log>(desk: &Desk<L>, at: &str, search: &Search) -> Found {
    desk.log.reader().unwrap().search(&clinic(at), search).unwrap()
}

/// "who: text" of each hit.
fn finds<L: Log>(desk: &Desk<L>, search: Search) -> Vec<String> {
    let hits = found(desk, "riverside", &search).hits.into_iter();
    hits.map(|hit| format!("{}: {}", hit.patient, hit.entry.body.words().unwrap())).collect()
}

pub fn words_phrases_and_filters_are_found<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let (a, b) = (desk.admit("hana"), desk.admit("lucia"));
    let lucia = author(Role::Patient, "lucia");
    name(&mut desk, "lucia", "LUCÍA");
    desk.text(&hana(), &a, "It gets tight across my chest");
    desk.now = desk.now.plus(MINUTE);
    desk.text(&amara(), &a, "Is the chest pain there at rest?");
    desk.send(&amara(), &b, note("Follow up: chest film")).unwrap();
    desk.text(&lucia, &b, "Café au lait spots, and across the chest: tight");
    desk.upload(&lucia);
    desk.send(&lucia, &b, file()).unwrap();
    desk.send(&author(Role::System, "system"), &a, suggestion()).unwrap();
    indexed(&mut desk);
    let (first, second, third, fourth) = (
        "HANA: It gets tight across my chest",
        "HANA: Is the chest pain there at rest?",
        "LUCÍA: Follow up: chest film",
        "LUCÍA: Café au lait spots, and across the chest: tight",
    );
    assert_eq!(finds(&desk, words("CHE")), [fourth, third, second, first]);
    assert_eq!(finds(&desk, words("tig che")), [fourth, first]);
    assert_eq!(finds(&desk, words("cafe")), [fourth]);
    assert_eq!(finds(&desk, words("CAFÉ")), [fourth]);
    assert_eq!(finds(&desk, words("hest")), [""; 0]);
    assert_eq!(finds(&desk, words("photo")), ["LUCÍA: photo.jpg"]);
    let phrase = |text: &str| vec![text.split(' ').map(str::to_owned).collect::<Vec<_>>()];
    assert_eq!(finds(&desk, Search { phrases: phrase("tight acro"), ..all() }), [first]);
    assert_eq!(finds(&desk, Search { phrases: phrase("tig across"), ..all() }), [""; 0]);
    let by = |by_patient| Search { by_patient: Some(by_patient), ..words("chest") };
    assert_eq!(finds(&desk, by(true)), [fourth, first]);
    assert_eq!(finds(&desk, by(false)), [third, second]);
    assert_eq!(finds(&desk, Search { before: Some(desk.now), ..words("chest") }), [first]);
    let of = |name: &str| Search { patient: vec![name.to_owned()], ..words("chest") };
    assert_eq!(finds(&desk, of("luci")), [fourth, third]);
    assert_eq!(finds(&desk, of("smith")), [""; 0]);
    assert_eq!(finds(&desk, Search { has_file: true, ..all() }), ["LUCÍA: photo.jpg"]);
    assert_eq!(finds(&desk, Search { phrases: Vec::new(), ..of("hana") }), [second, first]);
    assert_eq!(finds(&desk, all()), [""; 0], "for nothing");
    let few = found(&desk, "riverside", &Search { limit: 3, ..words("chest") });
    assert_eq!((few.hits.len(), few.more, few.unindexed), (3, true, 0));
    assert!(!found(&desk, "riverside", &Search { limit: 4, ..words("chest") }).more);
    // A patient with a new name is found by it alone.
    name(&mut desk, "hana", "Sato Hanako");
    assert_eq!((finds(&desk, of("sato")).len(), finds(&desk, of("hana")).len()), (2, 2));
    name(&mut desk, "hana", "Mori");
    assert_eq!((finds(&desk, of("mori")).len(), finds(&desk, of("sato")).len()), (2, 0));
}

pub fn what_was_corrected_is_found_as_it_reads_now<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    let dose = desk.text(&amara(), &a, "take 50 pills").entry.id;
    let wrong = desk.text(&amara(), &a, "wrong patient").entry.id;
    let between = record(&desk.send(&amara(), &a, note("secret pills")).unwrap()).entry.id;
    desk.upload(&amara());
    let photo = record(&desk.send(&amara(), &a, file()).unwrap()).entry.id;
    indexed(&mut desk);
    assert_eq!(finds(&desk, words("pills")).len(), 2);
    desk.send(&amara(), &a, amend(wrong, None)).unwrap();
    desk.send(&amara(), &a, amend(photo, None)).unwrap();
    desk.send(&amara(), &a, amend(dose, Some("take 5 pills"))).unwrap();
    // At once, whatever the index knows.
    assert_eq!(finds(&desk, words("wrong")), [""; 0]);
    assert_eq!(finds(&desk, words("50")), [""; 0]);
    assert_eq!(finds(&desk, Search { has_file: true, ..all() }), [""; 0]);
    indexed(&mut desk);
    assert_eq!(finds(&desk, words("pills")), ["HANA: take 5 pills", "HANA: secret pills"]);
    // The newest counts, and may take all of it back.
    desk.send(&amara(), &a, amend(dose, Some("take 4 pills"))).unwrap();
    desk.send(&amara(), &a, amend(between, None)).unwrap();
    indexed(&mut desk);
    assert_eq!(finds(&desk, words("pills")), ["HANA: take 4 pills"]);
    desk.send(&amara(), &a, amend(dose, None)).unwrap();
    indexed(&mut desk);
    let by_provider = Search { by_patient: Some(false), ..all() };
    assert_eq!((finds(&desk, words("pills")), finds(&desk, by_provider)), (vec![], vec![]));
}

pub fn a_search_stays_in_its_clinic<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    // What a tokenizer would fold or cut into the same words.
    let clinics = ["riverside", "Riverside", "river.side", "river-side", "side", "cside"];
    for (n, at) in clinics.into_iter().enumerate() {
        let of = desk.admit_to(at, "hana");
        let id = desk.next_id();
        desk.commit(send(at, &amara(), id, &of, Seq::MAX, Body::text(format!("chest {n}")))).unwrap();
    }
    indexed(&mut desk);
    for (n, at) in clinics.into_iter().enumerate() {
        for search in [
            words("chest"),
            Search { patient: vec!["hana".into()], ..all() },
            Search { by_patient: Some(false), ..all() },
        ] {
            let texts: Vec<_> =
                found(&desk, at, &search).hits.into_iter().map(|hit| hit.entry.body).collect();
            assert_eq!(texts, [Body::text(format!("chest {n}"))], "{at}");
        }
        // The name of a clinic is no word of it.
        assert_eq!(found(&desk, at, &words("riverside")).hits, []);
    }
}

pub fn search_says_what_it_lacks_and_survives_a_restart<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    desk.admit_to("lakeside", "li");
    let first = desk.text(&amara(), &a, "chest 0").entry.id;
    for n in 1..1000 {
        desk.text(&amara(), &a, &format!("chest {n}"));
    }
    desk.send(&amara(), &a, assign(None)).unwrap();
    let unindexed = |desk: &Desk<L>, at| found(desk, at, &words("chest")).unindexed;
    assert_eq!((unindexed(&desk, "riverside"), unindexed(&desk, "lakeside")), (1000, 0));
    let step = desk.log.index().unwrap();
    assert!(step > 0 && step < 1000);
    assert_eq!(unindexed(&desk, "riverside"), 1000 - step as u64);
    let newest = finds(&desk, Search { limit: 1, ..words("chest") });
    assert_eq!(newest, ["HANA: chest 999"], "the newest come first");
    drop(desk);
    let mut desk = Desk::new(open());
    desk.next = 20_000;
    indexed(&mut desk);
    assert_eq!(unindexed(&desk, "riverside"), 0);
    assert_eq!(finds(&desk, words("0")), ["HANA: chest 0"]);
    desk.send(&amara(), &a, amend(first, None)).unwrap();
    assert_eq!(unindexed(&desk, "riverside"), 1);
    indexed(&mut desk);
    assert_eq!(finds(&desk, words("0")), [""; 0]);
}

pub fn no_words_break_it<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    desk.text(&amara(), &a, "NEAR and 12 हिन्दी 李小龙 ²");
    indexed(&mut desk);
    for word in
        ["AND", "OR", "NOT", "NEAR", "clinic", "words", "\u{1d7d9}", "²", "\u{0345}", "ﬃ", &"x".repeat(256)]
    {
        let search = Search { patient: vec![word.to_owned()], ..words(word) };
        assert_eq!(search.check(), Ok(()), "{word}");
        found(&desk, "riverside", &search);
    }
    for word in ["हिन्दी", "हिन्", "李小", "12", "near"] {
        assert_eq!(finds(&desk, words(word)).len(), 1, "{word}");
    }
    // What the protocol refuses does no harm either.
    for text in ["\"", "\" OR words : \"chest", "*", "a\"b", ""] {
        found(&desk, "riverside", &words(text));
    }
}
