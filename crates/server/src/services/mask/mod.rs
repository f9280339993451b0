//! Placeholders: what tells who the patient is goes out as `[NAME_1]`, `[PHONE_1]`, …, and is put back into the answer.
//!
//! Known names, ids and the date of birth are found as they are written or nearly so; e-mail addresses, telephone and
//! other long numbers, links and addresses by their form. What a patient tells otherwise ("my brother Tom", "the blue house
//! by the church") stays.

mod contact;
mod names;

use bedside_protocol::{ConversationId, Patient};
use std::collections::BTreeSet;
use std::ops::Range;

/// Longest placeholder, brackets aside.
const MAX_PLACEHOLDER_BYTES: usize = 24;

/// Something in a text that tells who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Find {
    place: Range<usize>,
    kind: &'static str,
}

/// What stands for what.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mask(Vec<(String, String)>);

impl Mask {
    /// Puts placeholders into `texts`, which belong to one conversation.
    pub fn over<'a>(
        patient: &Patient,
        conversation: &ConversationId,
        texts: impl Iterator<Item = &'a mut String>,
    ) -> Self {
        let mut texts: Vec<&mut String> = texts.collect();
        // A text may hold what looks like a placeholder: that one stands for nothing else.
        let taken: BTreeSet<String> =
            texts.iter().flat_map(|text| brackets(text).map(|(_, word)| word)).collect();
        let mut mask = Self::default();
        for text in &mut texts {
            let mut finds = names::find(patient, conversation, text);
            finds.extend(contact::find(text));
            // Of two that overlap the one that begins first, then the longer.
            finds.sort_by_key(|find| (find.place.start, std::cmp::Reverse(find.place.end)));
            let mut masked = String::with_capacity(text.len());
            let mut done = 0;
            for Find { place, kind } in finds {
                let Some((before, hidden)) = text.get(done..place.start).zip(text.get(place.clone())) else {
                    // What is left of one that overlaps is hidden all the same.
                    if let Some(rest) = text.get(done..place.end.max(done)).filter(|rest| !rest.is_empty()) {
                        masked.push_str(&mask.placeholder(kind, rest, &taken));
                        done = place.end;
                    }
                    continue;
                };
                masked.push_str(before);
                masked.push_str(&mask.placeholder(kind, hidden, &taken));
                done = place.end;
            }
            masked.push_str(text.get(done..).unwrap_or_default());
            **text = masked;
        }
        mask
    }

    /// The same for the same, spelt the same.
    fn placeholder(&mut self, kind: &str, hidden: &str, taken: &BTreeSet<String>) -> String {
        let known = self.0.iter().find(|(word, known)| known == hidden && word.starts_with(kind));
        let word = known.map(|(word, _)| word.clone()).unwrap_or_else(|| {
            let used = |word: &String| taken.contains(word) || self.0.iter().any(|(known, _)| known == word);
            let word = (1u32..).map(|n| format!("{kind}_{n}")).find(|word| !used(word)).unwrap_or_default();
            self.0.push((word.clone(), hidden.to_owned()));
            word
        });
        format!("[{word}]")
    }

    /// Puts back what the placeholders of a text stand for. Models write them in other ways too.
    pub fn restore(&self, text: &str) -> String {
        let mut restored = String::with_capacity(text.len());
        let mut done = 0;
        for (place, word) in brackets(text) {
            let Some((_, hidden)) = self.0.iter().find(|(known, _)| *known == word) else { continue };
            restored.push_str(text.get(done..place.start).unwrap_or_default());
            restored.push_str(hidden);
            done = place.end;
        }
        restored.push_str(text.get(done..).unwrap_or_default());
        restored
    }

    /// The same of a text that still grows: a placeholder that has only begun is left out.
    pub fn restore_growing(&self, text: &str) -> String {
        let open = text.rfind('[').filter(|at| {
            let rest = text.get(*at..).unwrap_or_default();
            rest.len() <= MAX_PLACEHOLDER_BYTES + 1 && !rest.contains(']')
        });
        self.restore(text.get(..open.unwrap_or(text.len())).unwrap_or_default())
    }
}

/// What stands in short brackets: where, and its word as placeholders are written.
fn brackets(text: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    text.match_indices('[').filter_map(|(start, _)| {
        let inside = text.get(start + 1..)?;
        let length = inside.find([']', '['])?;
        let word = inside.get(..length).filter(|word| word.len() <= MAX_PLACEHOLDER_BYTES)?;
        let end = start + length + 2;
        let closed = text.get(end - 1..end) == Some("]");
        let word = word.trim().to_ascii_uppercase().replace([' ', '-'], "_");
        closed.then_some((start..end, word))
    })
}

#[cfg(test)]
mod tests;
