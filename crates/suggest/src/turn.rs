//! A conversation as the advice sees it.

/// Who wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The patient.
    Patient,
    /// A provider.
    Provider,
}

/// What one side wrote before the other did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Which side.
    pub who: Who,
    /// Its text.
    pub text: String,
}

/// Messages as turns: what one side writes in a row is one.
pub fn turns<'a>(messages: impl IntoIterator<Item = (Who, &'a str)>) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for (who, text) in messages {
        match turns.last_mut().filter(|last| last.who == who) {
            Some(last) => {
                last.text.push('\n');
                last.text.push_str(text);
            }
            None => turns.push(Turn { who, text: text.to_owned() }),
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_side_writes_in_a_row_is_one_turn() {
        let made = turns([(Who::Patient, "Hi"), (Who::Patient, "It hurts"), (Who::Provider, "Where?")]);
        let made: Vec<(Who, &str)> = made.iter().map(|turn| (turn.who, turn.text.as_str())).collect();
        assert_eq!(made, [(Who::Patient, "Hi\nIt hurts"), (Who::Provider, "Where?")]);
    }
}
