//! Words, their places, and sentences.

use std::ops::Range;

/// A part of a text in UTF-16 code units, as a page counts them. It begins and ends between characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Its first unit.
    pub start: usize,
    /// The unit after its last.
    pub end: usize,
}

impl Span {
    /// The span of some bytes of `text`; nothing when they don't begin and end between characters.
    pub fn of(text: &str, bytes: Range<usize>) -> Option<Self> {
        let units = |text: &str| text.encode_utf16().count();
        let start = units(text.get(..bytes.start)?);
        Some(Self { start, end: start + units(text.get(bytes)?) })
    }
}

/// What parts a word from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Break {
    /// Nothing that is written.
    None,
    /// A comma or its like.
    Comma,
    /// The end of a sentence, or the text's beginning.
    Sentence,
}

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// In lower case and without apostrophes: `cant`, `ive`.
    pub text: String,
    /// Its bytes in the text.
    pub bytes: Range<usize>,
    /// What stands before it.
    pub before: Break,
}

impl Word {
    /// Whether it is a sentence's first.
    pub fn opens_sentence(&self) -> bool {
        self.before == Break::Sentence
    }
}

const APOSTROPHES: [char; 4] = ['\'', '\u{2019}', '\u{2bc}', '`'];

/// The words of a text. A number keeps its point: `39.5` is one word.
pub fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut before = Break::Sentence;
    let mut open = false;
    let mut rest = text.char_indices().peekable();
    let mut last = ' ';
    while let Some((at, letter)) = rest.next() {
        let next = rest.peek().map_or(' ', |(_, next)| *next);
        let end = at + letter.len_utf8();
        let point = letter == '.' && last.is_ascii_digit() && next.is_ascii_digit();
        let silent = APOSTROPHES.contains(&letter) && next.is_alphanumeric();
        last = letter;
        match words.last_mut().filter(|_| open) {
            Some(word) if letter.is_alphanumeric() || point => {
                word.text.extend(letter.to_lowercase());
                word.bytes.end = end;
            }
            Some(_) if silent => {}
            None if letter.is_alphanumeric() => {
                words.push(Word { text: letter.to_lowercase().collect(), bytes: at..end, before });
                (before, open) = (Break::None, true);
            }
            _ => {
                open = false;
                before = before.max(match letter {
                    '.' | '!' | '?' | ';' | '\n' | '\u{2026}' => Break::Sentence,
                    ',' | ':' | '(' | ')' | '\u{2013}' | '\u{2014}' => Break::Comma,
                    _ => Break::None,
                });
            }
        }
    }
    words
}

/// The words' texts alone.
pub fn tokens(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.text).collect()
}

/// The bytes of each sentence, without the white space around it. An abbreviation's point may end one too early.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let end = at + letter.len_utf8();
        let closes = matches!(letter, '.' | '!' | '?' | '\u{2026}')
            && letters.peek().is_none_or(|(_, next)| next.is_whitespace());
        if closes || letter == '\n' || letters.peek().is_none() {
            found.extend(trimmed(text, start..end));
            start = end;
        }
    }
    found
}

/// The bytes without white space around them, if anything is left.
fn trimmed(text: &str, bytes: Range<usize>) -> Option<Range<usize>> {
    let part = text.get(bytes.clone())?;
    let kept = part.trim();
    let start = bytes.start + (part.len() - part.trim_start().len());
    (!kept.is_empty()).then(|| start..start + kept.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_lower_case_and_know_what_parts_them() {
        let text = "I can\u{2019}t, since 39.5 \u{2014} 'No'!  \u{1f600}\u{c4}h";
        let found: Vec<(String, Break)> =
            words(text).into_iter().map(|word| (word.text, word.before)).collect();
        let expected = [
            ("i", Break::Sentence),
            ("cant", Break::None),
            ("since", Break::Comma),
            ("39.5", Break::None),
            ("no", Break::Comma),
            ("\u{e4}h", Break::Sentence),
        ];
        assert_eq!(found, expected.map(|(text, before)| (text.to_owned(), before)));
    }

    #[test]
    fn a_span_counts_as_a_page_does() {
        let text = "\u{1f600} ouch";
        assert_eq!(Span::of(text, 5..9), Some(Span { start: 3, end: 7 }));
        assert_eq!(Span::of(text, 1..4), None, "within a character");
        assert_eq!(Span::of(text, 5..99), None);
    }

    #[test]
    fn sentences_end_where_they_are_said_to() {
        let text = " It hurts. 39.5 now!\nSince when? ";
        let found: Vec<&str> = sentences(text).into_iter().filter_map(|bytes| text.get(bytes)).collect();
        assert_eq!(found, ["It hurts.", "39.5 now!", "Since when?"]);
    }

    proptest! {
        #[test]
        fn any_text_has_words_and_sentences_within_it(text in "\\PC{0,60}|[a-c'’.,!? \n😀é]{0,60}") {
            let mut at = 0;
            for word in words(&text) {
                prop_assert!(at <= word.bytes.start && word.bytes.start < word.bytes.end);
                prop_assert!(Span::of(&text, word.bytes.clone()).is_some());
                at = word.bytes.end;
            }
            for bytes in sentences(&text) {
                prop_assert!(Span::of(&text, bytes).is_some());
            }
        }
    }
}
