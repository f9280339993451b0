//! The console's cache with many messages: what they weigh, how fast they are written and indexed, and how long search as one
//! types and opening a conversation take. Beside them, in the same run, the bare FTS5 statement, bare SQLite, and the same
//! without encryption.
//!
//!     cargo xtask bench cache [MESSAGES…]      (10000, 100000, 1000000 and published dialogues unless told otherwise)

mod bare;
mod fill;
mod opening;
mod plain;
mod searching;
mod times;

use bedside_tests::corpus::Corpus;
use bedside_tests::results::{Figure, keep};
use fill::Filled;

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];
/// Of published dialogues, whose turns come up again and again.
const PUBLISHED: u64 = 100_000;

fn main() {
    let asked: Vec<u64> =
        std::env::args().skip(1).map(|size| size.parse().expect("a number of messages")).collect();
    let demo = Corpus::demo();
    for &size in if asked.is_empty() { &SIZES[..] } else { &asked } {
        keep(&measure(&demo, size));
    }
    if asked.is_empty() {
        match Corpus::published() {
            Some(corpus) => keep(&measure(&corpus, PUBLISHED)),
            None => println!("1 run skipped: that of published dialogues"),
        }
    }
}

fn measure(corpus: &Corpus, size: u64) -> Vec<Figure> {
    let what = format!("{size} messages{}", corpus.whose);
    let (filled, mut figures) = Filled::new(corpus, size, &what);
    figures.extend(bare::writing(&filled, corpus, &what));
    figures.extend(searching::measure(&filled, corpus, &what));
    figures.extend(opening::measure(&filled, &what));
    figures.extend(plain::measure(&filled, corpus, &what));
    figures
}
