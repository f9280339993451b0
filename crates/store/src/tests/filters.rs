//! Filters: what they leave, beside a search that looks at each entry; and that they cost nothing for what they leave out.

use super::search::indexed;
use super::*;
use crate::search::statement;

const WORDS: [&str; 9] = ["pain", "pains", "paint", "tight", "Chést", "chest", "file", "c1", "c2"];
const NAMES: [&str; 4] = ["Ana Bako", "Ana Limu", "Bruno Bako", "Élise Núñez"];

fn id(of: usize) -> ConversationId {
    ConversationId::new(format!("c{of}")).unwrap()
}

fn summary(of: usize, name: &str) -> Change {
    let mut summary = conversation(&format!("c{of}"), 1, 1, None);
    summary.patient.name = name.into();
    Change::Summary(summary)
}

fn said(of: usize, seq: u64, rev: u64, at: u64, role: Role, body: Body) -> Entry {
    Entry {
        conversation: id(of),
        seq: Seq::new(seq),
        rev: Rev::new(rev),
        id: EntryId::from_parts(Time::new(rev), [7; 10]),
        at: Time::new(at),
        author: Author { id: user("x"), role, name: "X".into(), extra: Extra::new() },
        body,
        preview: String::new(),
        from: None,
        prev: None,
        extra: Extra::new(),
    }
}

fn named(name: String) -> Body {
    Body::File(File { name, ..file(1) })
}

/// Some thousand entries in four conversations, at times that don't always follow each other.
fn log(rng: &mut fastrand::Rng) -> Vec<Entry> {
    let mut heads = [0; NAMES.len()];
    let entries = (1..=3_000).map(|rev| {
        let of = rng.usize(..NAMES.len());
        heads[of] += 1;
        let text =
            (0..rng.usize(1..4)).map(|_| WORDS[rng.usize(..WORDS.len())]).collect::<Vec<_>>().join(" ");
        let role = [Role::Patient, Role::Provider, Role::System][rng.usize(..3)];
        let at = 1_000 + rev - rng.u64(..900);
        let body = if rng.u8(..9) == 0 { named(text) } else { Body::text(text) };
        said(of, heads[of], rev, at, role, body)
    });
    entries.collect()
}

fn search(rng: &mut fastrand::Rng) -> Search {
    let word = |rng: &mut fastrand::Rng| {
        let word = WORDS[rng.usize(..WORDS.len())];
        word.chars().take(rng.usize(1..=5)).collect::<String>()
    };
    let names = ["ana", "bako", "elise", "nun", "nobody"];
    Search {
        phrases: (0..rng.usize(..3)).map(|_| vec![word(rng)]).collect(),
        patient: if rng.u8(..3) == 0 { vec![names[rng.usize(..names.len())].into()] } else { vec![] },
        by_patient: [None, None, Some(true), Some(false)][rng.usize(..4)],
        before: rng.bool().then(|| Time::new(rng.u64(..4_500))),
        has_file: rng.u8(..4) == 0,
        unread: rng.u8(..4) == 0,
    }
}

fn folded(text: &str) -> Vec<String> {
    let letter = |letter| match letter {
        'é' | 'É' => 'e',
        'ú' => 'u',
        'ñ' => 'n',
        other => other,
    };
    text.split_whitespace().map(|word| word.chars().map(letter).collect::<String>().to_lowercase()).collect()
}

fn begins(text: &str, beginning: &str) -> bool {
    let [beginning] = &folded(beginning)[..] else { panic!("a word: {beginning}") };
    folded(text).iter().any(|word| word.starts_with(beginning.as_str()))
}

#[test]
fn a_filter_leaves_what_a_look_at_each_entry_leaves() {
    let mut rng = fastrand::Rng::with_seed(5);
    let mut log = log(&mut rng);
    let cache = Cache::new();
    let read = |of: usize| Seq::new(200 * of as u64);
    // The last conversation begins after what was read of it.
    let begins_at = |of: usize| Seq::new(if of == NAMES.len() - 1 { 651 } else { 1 });
    log.retain(|entry| (0..NAMES.len()).all(|of| entry.conversation != id(of) || begins_at(of) <= entry.seq));
    for (of, name) in NAMES.iter().enumerate() {
        let entries: Vec<_> = log.iter().filter(|entry| entry.conversation == id(of)).cloned().collect();
        let range = Range::new(begins_at(of), entries.last().unwrap().seq).unwrap();
        let entries = Change::Entries { conversation: id(of), range, entries };
        cache.sync(vec![summary(of, name), entries, Change::Read(id(of), read(of))]);
    }
    indexed(&cache);
    let reader = cache.reader();
    let mut found_some = 0;
    for _ in 0..500 {
        let search = search(&mut rng);
        let of = |entry: &Entry| (0..NAMES.len()).find(|of| entry.conversation == id(*of)).unwrap();
        let wanted = |entry: &&Entry| {
            let said = entry.body.words().unwrap();
            let words = search.phrases.iter().flatten().all(|word| begins(said, word));
            let name = search.patient.iter().all(|word| begins(NAMES[of(entry)], word));
            let role = entry.author.role;
            let side = search
                .by_patient
                .is_none_or(|patient| role == if patient { Role::Patient } else { Role::Provider });
            let time = search.before.is_none_or(|before| entry.at < before);
            let file = !search.has_file || entry.body.file().is_some();
            let unread = !search.unread || (role == Role::Patient && read(of(entry)) < entry.seq);
            words && name && side && time && file && unread
        };
        let nothing = search == Search::default();
        let mut wanted: Vec<_> =
            log.iter().filter(wanted).filter(|_| !nothing).map(|entry| entry.rev.get()).collect();
        wanted.reverse();
        let found = reader.search(&search, log.len()).unwrap();
        let mut found: Vec<_> = found.hits.iter().map(|hit| hit.entry.rev.get()).collect();
        found.sort_by_key(|rev| std::cmp::Reverse(*rev));
        assert_eq!(found, wanted, "{search:?}");
        found_some += usize::from(!found.is_empty());
    }
    assert!(found_some > 200, "{found_some}");
}

/// Also of more conversations than are named to the index one by one.
#[test]
fn a_name_of_many_patients_and_many_unread_are_found() {
    let cache = Cache::new();
    for of in 0..150 {
        let rev = of as u64 + 1;
        let entries = vec![said(of, 1, rev, rev, Role::Patient, Body::text("pain"))];
        let range = Range::new(Seq::new(1), Seq::new(1)).unwrap();
        let entries = Change::Entries { conversation: id(of), range, entries };
        cache.sync(vec![summary(of, &format!("Ana {of}")), entries]);
    }
    indexed(&cache);
    let found = |search: Search| cache.reader().search(&search, 999).unwrap().hits.len();
    let pain = || vec![vec!["pain".to_owned()]];
    let ana = || vec!["ana".to_owned()];
    assert_eq!(found(Search { phrases: pain(), patient: ana(), ..Search::default() }), 150);
    assert_eq!(found(Search { patient: ana(), ..Search::default() }), 150);
    assert_eq!(found(Search { phrases: pain(), unread: true, ..Search::default() }), 150);
    assert_eq!(found(Search { unread: true, ..Search::default() }), 150);
    assert_eq!(found(Search { phrases: pain(), patient: vec!["149".into()], ..Search::default() }), 1);
}

/// However many entries have the word, the newest few that a filter leaves are found without looking at the others.
#[test]
fn what_a_filter_leaves_out_costs_nothing() {
    let steps = |others: u64| {
        let cache = Cache::new();
        let other = |n| said(0, n, 6_000 + n, 10_000 + n, Role::Provider, Body::text("pain"));
        let others_said = (1..=others).map(other);
        let range = |hi| Range::new(Seq::new(1), Seq::new(hi)).unwrap();
        let asked = [
            said(1, 1, 100, 1, Role::Patient, Body::text("pain")),
            said(1, 2, 101, 1, Role::Patient, named("pain".into())),
        ];
        let others = Change::Entries {
            conversation: id(0),
            range: range(others),
            entries: others_said.collect::<Vec<_>>(),
        };
        let asked = Change::Entries { conversation: id(1), range: range(2), entries: asked.into() };
        cache.sync(vec![summary(0, "Bruno"), others, summary(1, "Ana"), asked]);
        indexed(&cache);
        let reader = cache.reader();
        let pain = || Search { phrases: vec![vec!["pain".into()]], ..Search::default() };
        let searches = [
            Search { patient: vec!["ana".into()], ..pain() },
            Search { has_file: true, ..pain() },
            Search { unread: true, ..pain() },
            Search { before: Some(Time::new(5)), ..pain() },
            Search { before: Some(Time::new(5)), ..Search::default() },
            Search { unread: true, ..Search::default() },
            Search { patient: vec!["ana".into()], ..Search::default() },
        ];
        searches.map(|search| {
            let (sql, values) = statement(&reader.connection, &search, 50).unwrap().unwrap();
            let mut statement = reader.connection.prepare(&sql).unwrap();
            let found = statement.query_map(rusqlite::params_from_iter(values), |_| Ok(())).unwrap().count();
            (found, statement.get_status(rusqlite::StatementStatus::VmStep))
        })
    };
    let few = steps(3);
    assert_eq!(few.map(|(found, _)| found), [2, 1, 2, 2, 2, 2, 2]);
    assert_eq!(few, steps(3_000));
}

/// What is asked of each entry is in the index where neighbours lie side by side, and the entries themselves aren't read.
#[test]
fn a_filter_reads_no_entry() {
    let cache = Cache::new();
    let reader = cache.reader();
    let pain = || Search { phrases: vec![vec!["pain".into()]], ..Search::default() };
    for search in [
        Search { by_patient: Some(false), ..pain() },
        Search { by_patient: Some(true), ..Search::default() },
        Search { before: Some(Time::new(9)), ..pain() },
        Search { has_file: true, ..Search::default() },
    ] {
        cache.sync(vec![summary(0, "Ana"), entries("c0", 1..=2)]);
        let (sql, values) = statement(&reader.connection, &search, 50).unwrap().unwrap();
        let mut plan = reader.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan = plan.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
        let plan: Vec<_> = plan.map(Result::unwrap).collect();
        assert!(plan.iter().any(|step| step.contains("entry USING COVERING INDEX entry_by_rev")), "{plan:?}");
    }
}
