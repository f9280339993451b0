//! Search as one types: the cache's beside the bare FTS5 statement, which knows no filter, without and with the entries that it
//! finds.

use crate::bare;
use crate::fill::{CONVERSATIONS, Filled, patient, time};
use crate::times::Times;
use bedside_store::{Reader, Search};
use bedside_tests::corpus::Corpus;
use bedside_tests::keychain::connection;
use bedside_tests::results::Figure;
use fastrand::Rng;

/// Of each kind.
const QUERIES: usize = 1_000;
/// As many as the window shows.
pub const HITS: usize = 50;
/// Milliseconds.
const AIM: f64 = 10.0;

/// A query of each kind.
type Make = fn(&Corpus, &mut Rng) -> Search;

/// What is typed.
const KINDS: [(&str, Make); 13] = [
    ("one letter", |corpus, rng| word(corpus.beginning(rng, 1))),
    ("two letters", |corpus, rng| word(corpus.beginning(rng, 2))),
    ("three letters", |corpus, rng| word(corpus.beginning(rng, 3))),
    ("four letters", |corpus, rng| word(corpus.beginning(rng, 4))),
    ("five letters", |corpus, rng| word(corpus.beginning(rng, 5))),
    ("a word", |corpus, rng| word(corpus.word(rng))),
    ("two words", |corpus, rng| {
        let phrases = vec![vec![corpus.word(rng)], vec![corpus.word(rng)]];
        Search { phrases, ..Search::default() }
    }),
    ("a phrase", |corpus, rng| Search { phrases: vec![corpus.phrase(rng)], ..Search::default() }),
    ("a word with an accent", |corpus, rng| word(corpus.accented(rng))),
    ("a word from one side", |corpus, rng| Search { by_patient: Some(rng.bool()), ..word(corpus.word(rng)) }),
    ("a word and a patient's name", |corpus, rng| {
        let names = patient(rng.u64(..CONVERSATIONS));
        Search { patient: vec![names[rng.usize(..2)].clone()], ..word(corpus.word(rng)) }
    }),
    ("a word among files", |corpus, rng| Search { has_file: true, ..word(corpus.word(rng)) }),
    ("a word among what is unread", |corpus, rng| Search { unread: true, ..word(corpus.word(rng)) }),
];

fn word(word: String) -> Search {
    Search { phrases: vec![vec![word]], ..Search::default() }
}

/// Each kind of query, by its name.
pub fn queries(corpus: &Corpus, size: u64) -> impl Iterator<Item = (&'static str, Vec<Search>)> {
    let mut rng = Rng::with_seed(11);
    let kinds = KINDS.map(|(kind, make)| (kind, (0..QUERIES).map(|_| make(corpus, &mut rng)).collect()));
    let before = (0..QUERIES).map(|_| {
        let before = Some(time(rng.u64(..size)));
        Search { before, ..word(corpus.word(&mut rng)) }
    });
    let before: Vec<_> = before.collect();
    kinds.into_iter().chain([("a word before a day", before)])
}

pub fn measure(filled: &Filled, corpus: &Corpus, what: &str) -> Vec<Figure> {
    let reader = Reader::open(&filled.files).expect("the cache");
    let bare = connection(&filled.files);
    let mut figures = Vec::new();
    for (kind, queries) in queries(corpus, filled.size) {
        let ours = Times::of(&queries, |search| {
            reader.search(search, HITS).expect("the cache");
        });
        let name = format!("search for {kind} among {what}");
        for (peer, sql) in
            [("the bare FTS5 statement", bare::FIND), ("the same with its entries", bare::FETCH)]
        {
            let theirs = Times::of(&queries, |search| bare::run(&bare, sql, search, HITS));
            figures.extend(ours.beside(&name, peer, &theirs));
        }
        figures.push(ours.aim(&name, AIM));
    }
    figures
}
