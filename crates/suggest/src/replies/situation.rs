//! What is known when a provider is about to reply.

use crate::text::tokens;
use crate::turn::{Turn, Who};

/// Earlier turns of the patient that still say what it is about.
const EARLIER: usize = 6;

/// The words that lead to a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Situation {
    /// The patient's last turn.
    pub patient: Vec<String>,
    /// The provider's turn before.
    pub provider: Vec<String>,
    /// What the patient wrote earlier.
    pub earlier: Vec<String>,
    /// Turns so far.
    pub position: usize,
}

impl Situation {
    /// The situation after these turns.
    pub fn after(turns: &[Turn]) -> Self {
        let of = |who| turns.iter().rev().filter(move |turn| turn.who == who).map(|turn| tokens(&turn.text));
        let mut patient = of(Who::Patient);
        Self {
            patient: patient.next().unwrap_or_default(),
            provider: of(Who::Provider).next().unwrap_or_default(),
            earlier: patient.take(EARLIER).flatten().collect(),
            position: turns.len(),
        }
    }

    /// What is looked up: the patient's last turn and the provider's before.
    pub fn query(&self) -> impl Iterator<Item = &String> {
        self.patient.iter().chain(&self.provider)
    }
}

/// Each reply of a conversation that has words, after its situation.
pub fn replies(turns: &[Turn]) -> impl Iterator<Item = (Situation, &str)> {
    turns
        .iter()
        .enumerate()
        .filter(|(_, turn)| turn.who == Who::Provider && !tokens(&turn.text).is_empty())
        .map(|(at, turn)| (Situation::after(turns.get(..at).unwrap_or_default()), turn.text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::turns;

    #[test]
    fn each_reply_has_what_came_before_it() {
        let turns = turns([
            (Who::Provider, "Hello"),
            (Who::Patient, "My back"),
            (Who::Provider, "Since when?"),
            (Who::Patient, "Monday"),
            (Who::Provider, "?"),
            (Who::Patient, "Yes"),
        ]);
        let found: Vec<(Situation, &str)> = replies(&turns).collect();
        assert_eq!(found.iter().map(|(_, reply)| *reply).collect::<Vec<_>>(), ["Hello", "Since when?"]);
        assert_eq!(found[0].0, Situation::default());
        assert_eq!(found[1].0.query().collect::<Vec<_>>(), ["my", "back", "hello"]);
        let now = Situation::after(&turns);
        assert_eq!((now.earlier.join(" "), now.position), ("monday my back".to_owned(), 6));
    }
}
