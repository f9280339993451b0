//! What many messages say, for benchmarks, and what is searched for in them.

use crate::patients::load_dialogues;
use crate::published;
use fastrand::Rng;
use std::path::Path;

/// One text in so many is written with an accent.
const ACCENTED: usize = 20;

/// Sentences to make texts of.
pub struct Corpus {
    /// Added to a figure's name.
    pub whose: &'static str,
    /// Whether each text is a sentence as it stands; otherwise with words of others, so that none is like another.
    verbatim: bool,
    sentences: Vec<String>,
}

impl Corpus {
    /// What the demonstration's patients say, a sentence each.
    pub fn demo() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
        let scripts = load_dialogues(&folder).expect("the demonstration's patients");
        let turns = scripts.into_iter().flat_map(|script| script.turns);
        let sentences = turns.flat_map(|turn| turn.text.split(". ").map(str::to_owned).collect::<Vec<_>>());
        Self { whose: "", verbatim: false, sentences: sentences.collect() }
    }

    /// The turns of published dialogues, `None` (said on the terminal) where they are missing.
    pub fn published() -> Option<Self> {
        let file = published("mts-dialog/MTS-Dialog-TrainingSet.csv")?;
        let text = std::fs::read_to_string(file).expect("a text");
        let dialogues = csv(&text).into_iter().skip(1).filter_map(|row| row.into_iter().nth(3));
        let turns = dialogues.flat_map(|dialogue| {
            let turns = dialogue.lines().filter_map(|line| line.split_once(':'));
            turns.map(|(_, said)| said.trim().to_owned()).collect::<Vec<_>>()
        });
        let sentences = turns.filter(|said| !words(said).is_empty()).collect();
        Some(Self { whose: " of published dialogues", verbatim: true, sentences })
    }

    /// A message's text.
    pub fn text(&self, rng: &mut Rng) -> String {
        let sentence = self.sentence(rng);
        if self.verbatim {
            return sentence.to_owned();
        }
        let more: Vec<_> = (0..rng.usize(3..20)).map(|_| self.word(rng)).collect();
        let text = format!("{sentence}. {}", more.join(" "));
        if rng.usize(..ACCENTED) == 0 { text.replacen('e', "é", 3) } else { text }
    }

    fn sentence(&self, rng: &mut Rng) -> &str {
        &self.sentences[rng.usize(..self.sentences.len())]
    }

    /// A word, as often as it is said.
    pub fn word(&self, rng: &mut Rng) -> String {
        loop {
            let words = words(self.sentence(rng));
            if !words.is_empty() {
                return words[rng.usize(..words.len())].to_owned();
            }
        }
    }

    /// So many letters of a word that has more, or as many.
    pub fn beginning(&self, rng: &mut Rng, letters: usize) -> String {
        loop {
            let word = self.word(rng);
            if letters <= word.chars().count() {
                return word.chars().take(letters).collect();
            }
        }
    }

    /// Three words, as they stand side by side.
    pub fn phrase(&self, rng: &mut Rng) -> Vec<String> {
        loop {
            let words = words(self.sentence(rng));
            if 3 <= words.len() {
                let start = rng.usize(..words.len() - 2);
                return words[start..start + 3].iter().map(|&word| word.to_owned()).collect();
            }
        }
    }

    /// A word with an accent.
    pub fn accented(&self, rng: &mut Rng) -> String {
        loop {
            let word = self.word(rng);
            if word.contains('e') {
                return word.replace('e', "é");
            }
        }
    }
}

fn words(sentence: &str) -> Vec<&str> {
    sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// Rows of fields, which may stand in quotes and hold lines and doubled quotes then.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            _ => field.push(letter),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_in_quotes_hold_commas_lines_and_quotes() {
        assert_eq!(csv("a,b\n1,\"x, \"\"y\"\"\nz\"\n"), [["a", "b"], ["1", "x, \"y\"\nz"]]);
    }
}
