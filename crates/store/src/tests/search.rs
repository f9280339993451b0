use super::*;

fn finds(cache: &Cache, search: Search) -> Vec<String> {
    let found = cache.reader().search(&search, 10).unwrap();
    let hit = |hit: Hit| format!("{}: {}", hit.patient, hit.entry.body.words().unwrap_or_default());
    found.hits.into_iter().map(hit).collect()
}

fn words(text: &str) -> Search {
    let phrases = text.split(' ').map(|word| vec![word.to_owned()]).collect();
    Search { phrases, ..Search::default() }
}

/// Commits entries of `a`, whose patient is called Lucía; `seq` is also the `rev`.
fn says(cache: &Cache, said: &[(u64, Role, Body)]) {
    let id = ConversationId::new("a").unwrap();
    let entry = |(seq, role, body): &(u64, Role, Body)| Entry {
        conversation: id.clone(),
        seq: Seq::new(*seq),
        rev: Rev::new(*seq),
        id: EntryId::from_parts(Time::new(*seq), [7; 10]),
        at: Time::new(*seq),
        author: Author { id: user("x"), role: *role, name: "X".into(), extra: Extra::new() },
        body: body.clone(),
        preview: String::new(),
        from: None,
        prev: None,
        extra: Extra::new(),
    };
    let (first, last) = (said[0].0, said[said.len() - 1].0);
    let mut summary = conversation("a", last + 1, last, None);
    summary.patient.name = "Lucía Fernández".into();
    let range = Range::new(Seq::new(1), Seq::new(last)).unwrap();
    assert!(first == 1 || cache.reader().log().unwrap().len() as u64 == first - 1);
    let entries = said.iter().map(entry).collect();
    cache.sync(vec![Change::Summary(summary), Change::Entries { conversation: id, range, entries }]);
}

/// Waits until search knows all.
pub(super) fn indexed(cache: &Cache) {
    while cache.reader().search(&words("x"), 1).unwrap().covers.unindexed > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn search_finds_beginnings_phrases_and_filters_and_folds_accents() {
    use bedside_protocol::Note;
    let cache = Cache::new();
    let note = Body::Note(Note { text: "Follow up".into(), mentions: vec![], extra: Extra::new() });
    says(
        &cache,
        &[
            (1, Role::Patient, Body::text("It gets tight across my chest")),
            (2, Role::Provider, Body::text("Is the chest pain there at rest?")),
            (3, Role::Provider, note),
            (4, Role::Patient, Body::text("Café au lait spots, and across the chest: tight")),
        ],
    );
    indexed(&cache);
    let lucia = |text: &str| format!("Lucía Fernández: {text}");
    let (first, second, last) = (
        lucia("It gets tight across my chest"),
        lucia("Is the chest pain there at rest?"),
        lucia("Café au lait spots, and across the chest: tight"),
    );
    assert_eq!(finds(&cache, words("CHE")), [last.clone(), second.clone(), first.clone()]);
    assert_eq!(finds(&cache, words("tig che")), [last.clone(), first.clone()]);
    assert_eq!(finds(&cache, words("cafe")), std::slice::from_ref(&last));
    assert_eq!(finds(&cache, words("follow")), [lucia("Follow up")]);
    assert_eq!(finds(&cache, words("elbow")), [""; 0]);
    let phrase = vec![vec!["tight".to_owned(), "across".to_owned()]];
    assert_eq!(finds(&cache, Search { phrases: phrase, ..Search::default() }), std::slice::from_ref(&first));
    let by_patient = Search { by_patient: Some(true), ..words("chest") };
    assert_eq!(finds(&cache, by_patient), [last.clone(), first.clone()]);
    let before = Search { before: Some(Time::new(2)), ..words("chest") };
    assert_eq!(finds(&cache, before), [first]);
    let of = |name: &str| Search { patient: vec![name.to_owned()], ..words("rest") };
    assert_eq!((finds(&cache, of("fernandez")), finds(&cache, of("smith"))), (vec![second], vec![]));
    cache.sync(vec![Change::Read(ConversationId::new("a").unwrap(), Seq::new(3))]);
    assert_eq!(finds(&cache, Search { unread: true, ..Search::default() }), [last]);
    let found = cache.reader().search(&words("lucia"), 10).unwrap();
    assert_eq!(found.patients.len(), 1, "by the name");
    assert!(cache.reader().search(&words("chest"), 1).unwrap().more);
}

#[test]
fn what_was_corrected_is_found_as_it_reads_now_and_what_was_taken_back_not_at_all() {
    use bedside_protocol::Amend;
    let cache = Cache::new();
    let amends = |seq, text: Option<&str>| {
        let target = EntryId::from_parts(Time::new(seq), [7; 10]);
        Body::Amend(Amend { target, text: text.map(str::to_owned), extra: Extra::new() })
    };
    says(
        &cache,
        &[(1, Role::Provider, Body::text("take 50 pills")), (2, Role::Provider, Body::text("wrong patient"))],
    );
    indexed(&cache);
    assert_eq!(finds(&cache, words("50")).len(), 1);
    says(
        &cache,
        &[(3, Role::Provider, amends(1, Some("take 5 pills"))), (4, Role::Provider, amends(2, None))],
    );
    indexed(&cache);
    assert_eq!(finds(&cache, words("pills")), ["Lucía Fernández: take 5 pills"]);
    assert_eq!(finds(&cache, words("wrong")), [""; 0]);
    let by_clinic = Search { by_patient: Some(false), ..Search::default() };
    let found = cache.reader().search(&by_clinic, 10).unwrap().hits;
    let found: Vec<_> = found.iter().map(|hit| hit.entry.seq.get()).collect();
    assert_eq!(found, [4, 3], "without words too");
}

/// Each correction corrects the first message; only the newest counts, and after a message was taken back none does.
#[test]
fn a_correction_that_was_itself_corrected_is_found_no_more() {
    let amend = |n: u64, text: Option<&str>| {
        let target = EntryId::from_parts(Time::new(1), [7; 10]);
        let text = text.map(str::to_owned);
        (n, Role::Provider, Body::Amend(bedside_protocol::Amend { target, text, extra: Extra::new() }))
    };
    let cache = Cache::new();
    says(&cache, &[(1, Role::Provider, Body::text("take two")), amend(2, Some("take three"))]);
    indexed(&cache);
    assert_eq!(finds(&cache, words("take")), ["Lucía Fernández: take three"]);
    says(&cache, &[amend(3, Some("take one"))]);
    indexed(&cache);
    assert_eq!(finds(&cache, words("take")), ["Lucía Fernández: take one"]);
    says(&cache, &[amend(4, None)]);
    indexed(&cache);
    assert_eq!(finds(&cache, words("take")), [""; 0]);
}

#[test]
fn of_the_newest_hits_those_that_say_just_what_was_asked_for_come_first() {
    let cache = Cache::new();
    let said = [
        "pain in my chest",
        "the chest pain is back",
        "chests and pains",
        "Chést pain again",
        "chest, and painful",
        "painting of a chest",
    ];
    let said: Vec<_> = said.iter().zip(1..).map(|(text, n)| (n, Role::Patient, Body::text(*text))).collect();
    says(&cache, &said);
    indexed(&cache);
    let found = finds(&cache, words("chest pain")).into_iter();
    let found: Vec<_> = found.map(|hit| hit.trim_start_matches("Lucía Fernández: ").to_owned()).collect();
    assert_eq!(
        found,
        [
            "Chést pain again",
            "the chest pain is back",
            "pain in my chest",
            "painting of a chest",
            "chest, and painful",
            "chests and pains"
        ]
    );
}

#[test]
fn saying_what_a_search_covers_costs_the_same_however_many_entries_there_are() {
    let steps = |entries_here: u64| {
        let cache = Cache::new();
        let head = entries_here + 1;
        // Cut off: its first entry isn't here.
        cache.sync(vec![Change::Summary(conversation("a", 1, head, None)), entries("a", 2..=head)]);
        indexed(&cache);
        let reader = cache.reader();
        let mut covers = reader.connection.prepare(crate::search::COVERS).unwrap();
        let since: Option<i64> = covers.query_row([], |row| row.get(2)).unwrap();
        assert!(since.is_some());
        covers.get_status(rusqlite::StatementStatus::VmStep)
    };
    assert_eq!(steps(10), steps(1_000));
}

#[test]
fn search_says_what_it_covers_and_follows_what_goes() {
    let cache = Cache::new();
    cache.sync(vec![
        Change::Summary(conversation("a", 1, 900, None)),
        Change::Summary(conversation("bb", 2, 5, None)),
        entries("a", 601..=900),
    ]);
    indexed(&cache);
    let covers = cache.reader().search(&words("text"), 1).unwrap().covers;
    assert_eq!(covers, Covers { conversations: 2, since: Some(Time::new(601)), behind: 1, unindexed: 0 });
    let hits = |limit| cache.reader().search(&words("text"), limit).unwrap().hits.len();
    assert_eq!(hits(1_000), 300);
    cache.sync(vec![Change::Forget(ConversationId::new("a").unwrap()), entries("a", 899..=900)]);
    indexed(&cache);
    assert_eq!(hits(1_000), 2);
}

/// Also what search was about to learn anew: it knows the earlier words still.
#[test]
fn what_goes_leaves_no_word_in_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path(), keys());
    let mut cache = crate::Cache::open(&files, "d").unwrap();
    let mut sync = |changes: Vec<Change>, index: bool| {
        let writes: Vec<_> = changes.into_iter().map(Write::Sync).collect();
        cache.commit([writes.as_slice()]).unwrap();
        while index && cache.index().unwrap() > 0 {}
    };
    sync(vec![Change::Summary(conversation("a", 1, 2, None)), entries("a", 1..=1)], true);
    let Change::Entries { conversation: id, mut entries, .. } = entries("a", 2..=2) else { unreachable!() };
    let target = EntryId::from_parts(Time::new(1), [1; 10]);
    entries[0].body = Body::Amend(bedside_protocol::Amend { target, text: None, extra: Extra::new() });
    let range = Range::new(Seq::new(1), Seq::new(2)).unwrap();
    sync(vec![Change::Entries { conversation: id.clone(), range, entries }], false);
    sync(vec![Change::Purge(id)], false);
    let reader = Reader::open(&files).unwrap();
    let left = reader.connection.query_row("SELECT count(*) FROM found_docsize", [], |row| row.get(0));
    assert_eq!(left, Ok(0));
}
