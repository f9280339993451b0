//! The patient's name, ids and date of birth, as the clinic knows them.

use super::Find;
use bedside_protocol::{ConversationId, Patient};
use std::ops::Range;

/// A part of a name that is shorter is also a word ("an", "no", "do"): it is hidden only as the name writes it.
const SHORT: usize = 3;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Where a text tells them.
pub fn find(patient: &Patient, conversation: &ConversationId, text: &str) -> Vec<Find> {
    let words: Vec<Range<usize>> = words(text).collect();
    let mut finds: Vec<Find> = words
        .iter()
        .filter(|place| text.get((*place).clone()).is_some_and(|word| is_name(&patient.name, word)))
        .map(|place| Find { place: place.clone(), kind: "NAME" })
        .collect();
    finds.extend(unspaced(&patient.name, text));
    for id in [patient.id.as_str(), conversation.as_str()] {
        finds.extend(literal(id, text).map(|place| Find { place, kind: "ID" }));
    }
    finds.extend(births(patient.born.as_deref(), text, &words).map(|place| Find { place, kind: "BIRTH" }));
    finds
}

fn is_name(name: &str, word: &str) -> bool {
    let folded = fold(word);
    let is = |part: &str| word == part || (part.chars().count() >= SHORT && folded == fold(part));
    // O'Neill is also written Oneill.
    let joined = |part: &str| is(&part.chars().filter(|c| c.is_alphanumeric()).collect::<String>());
    words(name).filter_map(|place| name.get(place)).any(is) || name.split_whitespace().any(joined)
}

/// Scripts without spaces between words: a name may stand anywhere.
fn unspaced(name: &str, text: &str) -> Vec<Find> {
    let parts = words(name).filter_map(|place| name.get(place));
    let unspaced = parts.filter(|part| part.chars().count() > 1 && part.chars().all(|c| c >= '\u{2e80}'));
    let find =
        |part: &str| text.match_indices(part).map(|(at, part)| at..at + part.len()).collect::<Vec<_>>();
    unspaced.flat_map(find).map(|place| Find { place, kind: "NAME" }).collect()
}

/// Runs of letters and digits, with the marks on them.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let inside = |c: char| c.is_alphanumeric() || is_mark(c);
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text.get(from..)?.find(inside)?;
        let rest = text.get(start..)?;
        let end = start + rest.find(|c: char| !inside(c)).unwrap_or(rest.len());
        from = end;
        Some(start..end)
    })
}

fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// In small letters without what stands above or below them.
fn fold(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase).filter(|c| !is_mark(*c)) {
        match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' => folded.push('a'),
            'æ' => folded.push_str("ae"),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'ď' | 'đ' | 'ð' => folded.push('d'),
            'è'..='ë' | 'ē' | 'ę' | 'ě' | 'ė' => folded.push('e'),
            'ğ' => folded.push('g'),
            'ì'..='ï' | 'ī' | 'ı' => folded.push('i'),
            'ł' | 'ľ' => folded.push('l'),
            'ñ' | 'ń' | 'ň' => folded.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ő' => folded.push('o'),
            'œ' => folded.push_str("oe"),
            'ř' => folded.push('r'),
            'ś' | 'š' | 'ş' | 'ș' => folded.push('s'),
            'ß' => folded.push_str("ss"),
            'ť' | 'ţ' | 'ț' => folded.push('t'),
            'ù'..='ü' | 'ū' | 'ů' | 'ű' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'ź' | 'ž' | 'ż' => folded.push('z'),
            c => folded.push(c),
        }
    }
    folded
}

/// An id, in whatever letters, that isn't part of a longer word.
fn literal<'a>(id: &'a str, text: &'a str) -> impl Iterator<Item = Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let places: Vec<Range<usize>> =
        lower.match_indices(&id.to_ascii_lowercase()).map(|(at, id)| at..at + id.len()).collect();
    let part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    places.into_iter().filter(move |place| {
        let before = text.get(..place.start).and_then(|text| text.chars().next_back());
        let after = text.get(place.end..).and_then(|text| text.chars().next());
        !part(before) && !part(after)
    })
}

/// The date of birth: year, month and day side by side, in any order, the year perhaps short, the month perhaps a word.
/// Other dates stay: when it began is what a clinician has to know.
fn births(born: Option<&str>, text: &str, words: &[Range<usize>]) -> impl Iterator<Item = Range<usize>> {
    let date: Option<Vec<u32>> =
        born.map(|born| born.split('-').filter_map(|part| part.parse().ok()).collect());
    let found = move |window: &[Range<usize>]| {
        let (first, last) = window.first().zip(window.last())?;
        let [year, month, day] = date.as_deref()? else { return None };
        // "12 of March" has a word more than "12 March"; nothing else may stand between.
        let near = window
            .windows(2)
            .all(|pair| pair.first().zip(pair.last()).is_some_and(|(one, next)| next.start - one.end <= 3));
        let parts: Vec<&str> = window.iter().filter_map(|place| text.get(place.clone())).collect();
        let is_year = |part: &str| number(part).is_some_and(|n| n == *year || n == year % 100);
        let is_day = |part: &str| number(part) == Some(*day);
        let is_month = |part: &str| number(part) == Some(*month) || month_word(part) == Some(*month);
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.eq_ignore_ascii_case("of")).collect();
        let [a, b, c] = parts.as_slice() else { return None };
        let same = near
            && ((is_year(a) && is_month(b) && is_day(c))
                || (is_year(c) && ((is_day(a) && is_month(b)) || (is_month(a) && is_day(b)))));
        same.then_some(first.start..last.end)
    };
    let places: Vec<Range<usize>> = words.windows(3).chain(words.windows(4)).filter_map(found).collect();
    places.into_iter()
}

/// A number, also as "12th".
fn number(part: &str) -> Option<u32> {
    let digits = part.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ending = part.get(digits.len()..)?.to_ascii_lowercase();
    ["", "st", "nd", "rd", "th"].contains(&ending.as_str()).then(|| digits.parse().ok())?
}

fn month_word(part: &str) -> Option<u32> {
    let start = part.get(..3)?.to_ascii_lowercase();
    let month = MONTHS.iter().position(|month| *month == start)?;
    u32::try_from(month + 1).ok()
}
