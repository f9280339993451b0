//! Words that a provider should see at once. What is found is words, not a diagnosis; silence never says "routine".

mod context;
mod rules;

use crate::text::{Span, Word, words};
use context::Context;
use rules::{Rule, Rules};
use std::sync::LazyLock;

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::read(include_str!("../../data/redflags.rules")).0);

/// Red-flag words of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The group's name: `chest_pain`.
    pub group: &'static str,
    /// Why they are red-flag words, to be shown: "Chest pain".
    pub reason: &'static str,
    /// Where they are, in order.
    pub spans: Vec<Span>,
}

/// The names of all groups.
pub fn groups() -> impl Iterator<Item = &'static str> {
    RULES.groups.iter().map(|group| group.name.as_str())
}

/// The red-flag words of a message, in the groups' order.
pub fn find(message: &str) -> Vec<Finding> {
    let words = words(message);
    let context = Context::new(&RULES, &words);
    RULES
        .groups
        .iter()
        .filter_map(|group| {
            let mut spans: Vec<Span> = group
                .rules
                .iter()
                .filter_map(|rule| matches(rule, &words, &context))
                .flatten()
                .filter_map(|places| span(message, &words, &places))
                .collect();
            spans.sort();
            Some(Finding { group: &group.name, reason: &group.reason, spans: merged(spans) })
                .filter(|finding| !finding.spans.is_empty())
        })
        .collect()
}

/// The places of each part; nothing if one isn't said, or is taken back wherever it is said.
fn matches(rule: &Rule, words: &[Word], context: &Context<'_>) -> Option<Vec<Vec<usize>>> {
    let stands = |places: &Vec<usize>| !context.takes_back(places, rule.anyone);
    rule.parts.iter().map(|part| part.all(words).find(stands)).collect()
}

fn span(message: &str, words: &[Word], places: &[usize]) -> Option<Span> {
    let (first, last) = (words.get(*places.first()?)?, words.get(*places.last()?)?);
    Span::of(message, first.bytes.start..last.bytes.end)
}

/// Sorted spans, with those that overlap as one.
fn merged(spans: Vec<Span>) -> Vec<Span> {
    let mut apart: Vec<Span> = Vec::new();
    for span in spans {
        match apart.last_mut().filter(|last| span.start <= last.end) {
            Some(last) => last.end = last.end.max(span.end),
            None => apart.push(span),
        }
    }
    apart
}

#[cfg(test)]
mod tests;
