//! How well red-flag words are found, on two lists of sentences made for this. `-- --nocapture` prints the tables.
//! One author wrote both lists and the rules: no measure of what real patients write.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test's helpers are tests too; its tables are for who asks for them"
)]

use bedside_suggest::redflags::{find, groups};
use std::collections::{BTreeMap, BTreeSet};

/// Right, too much, missed.
#[derive(Clone, Copy, Default)]
struct Tally {
    right: u32,
    extra: u32,
    missed: u32,
}

impl Tally {
    fn precision(self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.extra).max(1))
    }

    fn recall(self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.missed).max(1))
    }
}

/// Sentences with the groups that belong to them.
fn sentences(list: &str) -> Vec<(BTreeSet<&str>, &str)> {
    list.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut columns = line.split('\t');
            let groups = columns.next().unwrap().split(',').filter(|group| *group != "-").collect();
            (groups, columns.next().unwrap())
        })
        .collect()
}

/// The tallies by group, "all" of them, and of whole sentences: whether there is anything to find at all.
fn measured(list: &str) -> BTreeMap<&str, Tally> {
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for (expected, sentence) in sentences(list) {
        let found: BTreeSet<&str> = find(sentence).iter().map(|finding| finding.group).collect();
        let mut count = |name: &'static str, expected: bool, found: bool| {
            let tally = tallies.entry(name).or_default();
            tally.right += u32::from(expected && found);
            tally.extra += u32::from(!expected && found);
            tally.missed += u32::from(expected && !found);
        };
        for group in groups() {
            count(group, expected.contains(group), found.contains(group));
            count("all", expected.contains(group), found.contains(group));
        }
        count("sentences", !expected.is_empty(), !found.is_empty());
        if found != expected {
            println!("expected {expected:?}, found {found:?}: {sentence}");
        }
    }
    for (name, tally) in &tallies {
        println!(
            "{name:<14} right {:>3}  extra {:>2}  missed {:>2}  precision {:.3}  recall {:.3}",
            tally.right,
            tally.extra,
            tally.missed,
            tally.precision(),
            tally.recall()
        );
    }
    tallies
}

#[test]
fn the_lists_are_large_half_traps_and_name_groups_that_there_are() {
    let lists = [include_str!("redflags/known.tsv"), include_str!("redflags/held-out.tsv")].map(sentences);
    let all: Vec<_> = lists.iter().flatten().collect();
    let traps = all.iter().filter(|(groups, _)| groups.is_empty()).count();
    assert!(all.len() >= 150 && traps * 2 >= all.len(), "{traps} of {}", all.len());
    let known: BTreeSet<&str> = groups().collect();
    let named: BTreeSet<&str> = all.iter().flat_map(|(groups, _)| groups.iter().copied()).collect();
    assert_eq!(named, known);
}

#[test]
fn known_sentences_are_told_apart() {
    let tallies = measured(include_str!("redflags/known.tsv"));
    assert!(tallies["all"].precision() >= 0.9 && tallies["all"].recall() >= 0.9);
}
