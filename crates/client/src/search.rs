//! What a person types into the search field, read.
//!
//! Words are beginnings; all of them must be there. "Words in quotes" stand side by side. Filters: `from:patient`, `from:clinic`,
//! `patient:NAME`, `before:2026-05-01`, `has:file`, `is:unread`.

use crate::api::{self, Covers, Found, Hit, Reach};
use crate::beyond::Beyond;
use crate::core::Core;
use bedside_engine::{Engine, Input};
use bedside_protocol::{Entry, Time};
use bedside_store::{self as store, Reader, Search, StoreError};

/// Hits that are shown: more than anybody looks through.
const HITS: usize = 50;
/// Longest text that is read, in characters.
const LONGEST: usize = 200;

/// A text, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    search: Search,
    ignored: Vec<String>,
}

impl Asked {
    fn side_by_side(&mut self, text: &str) {
        let words = words(text);
        if !words.is_empty() {
            self.search.phrases.push(words);
        }
    }
}

impl Hit {
    pub(crate) fn new(entry: Entry, patient: String) -> Self {
        let text = entry.body.words().unwrap_or(&entry.preview).to_owned();
        Self { entry, text, patient }
    }
}

impl Core {
    /// Somebody searches for `text`: what the server is asked for, if it is.
    pub(crate) fn seek(&self, text: String, engine: &Engine) -> Input {
        let asked = of_server(&text).and_then(|search| {
            // Before all that changed is here, nobody knows what the server has by now.
            let needless = engine.is_level() && engine.holds_all();
            if needless { Err(Reach::Needless) } else { Ok(search) }
        });
        self.shared.with_live(|live| live.beyond.seek(text, asked.as_ref().err().copied()));
        Input::Search(asked.ok())
    }
}

/// What the server can be asked for of `text`, or why it isn't asked.
fn of_server(text: &str) -> Result<bedside_protocol::Search, Reach> {
    let Search { phrases, patient, by_patient, before, has_file, unread } = read(text).search;
    let nothing = phrases.is_empty() && patient.is_empty() && by_patient.is_none() && before.is_none();
    if nothing && !has_file && !unread {
        return Err(Reach::Unasked);
    }
    if unread {
        return Err(Reach::Unread);
    }
    // The engine names it and says how much it wants.
    let (of, limit) = (String::new(), 0);
    let search = bedside_protocol::Search { of, phrases, patient, by_patient, before, has_file, limit };
    search.check().map_err(|refusal| Reach::Refused { code: refusal.code })?;
    Ok(search)
}

/// What the cache holds of `text`, and what the server adds.
pub(crate) fn found(reader: Option<&Reader>, beyond: &Beyond, text: &str) -> Result<Found, StoreError> {
    let Asked { search, ignored } = read(text);
    let words =
        search.phrases.iter().flatten().chain(&search.patient).map(|word| word.to_lowercase()).collect();
    let found = reader.map(|reader| reader.search(&search, HITS)).transpose()?;
    let nothing = Found {
        patients: vec![],
        hits: vec![],
        more: false,
        words,
        ignored,
        covers: Covers::default(),
        beyond: api::Beyond::default(),
    };
    let (Some(reader), Some(store::Found { patients, hits, more, covers })) = (reader, found) else {
        return Ok(nothing);
    };
    let hit = |store::Hit { entry, patient }: store::Hit| Hit::new(entry, patient);
    let beyond = beyond.adds(text, reader)?;
    let store::Covers { conversations, since, behind, unindexed } = covers;
    let covers = Covers { conversations, since, behind, unindexed };
    Ok(Found { patients, hits: hits.into_iter().map(hit).collect(), more, covers, beyond, ..nothing })
}

fn read(text: &str) -> Asked {
    let text: String = text.chars().take(LONGEST).collect();
    let mut asked = Asked::default();
    // Every second part stands in quotes, the last one also if its quote isn't closed yet.
    for (n, part) in text.split('"').enumerate() {
        if n % 2 == 1 {
            asked.side_by_side(part);
            continue;
        }
        for token in part.split_whitespace() {
            match token.split_once(':') {
                Some((name, value)) if !value.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic()) => {
                    filter(&mut asked, token, &name.to_ascii_lowercase(), value);
                }
                _ => asked.side_by_side(token),
            }
        }
    }
    asked
}

fn filter(asked: &mut Asked, token: &str, name: &str, value: &str) {
    let search = &mut asked.search;
    match (name, value.to_lowercase().as_str()) {
        ("from", "patient") => search.by_patient = Some(true),
        ("from", "clinic") => search.by_patient = Some(false),
        ("has", "file") => search.has_file = true,
        ("is", "unread") => search.unread = true,
        ("patient", name) => search.patient.extend(words(name)),
        ("before", day) => match midnight(day) {
            Some(time) => search.before = Some(time),
            None => asked.ignored.push(token.to_owned()),
        },
        ("from" | "has" | "is", _) => asked.ignored.push(token.to_owned()),
        // Such as "allergies:none".
        _ => asked.side_by_side(token),
    }
}

/// The words of a text, as the index has them: runs of letters and digits.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// When a day begins, in UTC.
fn midnight(day: &str) -> Option<Time> {
    let mut parts = day.splitn(3, '-');
    let mut number = || parts.next()?.parse::<u32>().ok();
    let (year, month, day) = (number()?, number()?, number()?);
    if !(1970..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=days_of(year, month)).contains(&day)
    {
        return None;
    }
    let before: u32 = (1970..year).map(|year| (1..=12).map(|month| days_of(year, month)).sum::<u32>()).sum();
    let days = before + (1..month).map(|month| days_of(year, month)).sum::<u32>() + day - 1;
    Some(Time::new(u64::from(days) * 24 * 60 * 60 * 1000))
}

fn days_of(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(search: &[&[&str]]) -> Vec<Vec<String>> {
        search.iter().map(|words| words.iter().map(|word| (*word).to_owned()).collect()).collect()
    }

    #[test]
    fn words_phrases_and_filters_are_read() {
        let asked =
            read("chest \"tight across\" from:patient patient:Mül before:2026-05-01 has:file is:unread pain");
        let search = Search {
            phrases: phrases(&[&["chest"], &["tight", "across"], &["pain"]]),
            patient: vec!["mül".into()],
            by_patient: Some(true),
            before: Some(Time::new(1_777_593_600_000)),
            has_file: true,
            unread: true,
        };
        assert_eq!(asked, Asked { search, ignored: vec![] });
    }

    /// Each filter goes to the server too, or is a reason not to ask it.
    #[test]
    fn the_server_is_asked_for_the_same() {
        let asked =
            of_server("chest \"tight across\" from:clinic patient:Mül before:2026-05-01 has:file").unwrap();
        let wanted = bedside_protocol::Search {
            of: String::new(),
            phrases: phrases(&[&["chest"], &["tight", "across"]]),
            patient: vec!["mül".into()],
            by_patient: Some(false),
            before: Some(Time::new(1_777_593_600_000)),
            has_file: true,
            limit: 0,
        };
        assert_eq!(asked, wanted);
        assert_eq!(of_server("chest is:unread"), Err(Reach::Unread));
        assert_eq!(of_server(" - "), Err(Reach::Unasked));
        assert_eq!(
            of_server(&"x ".repeat(90)),
            Err(Reach::Refused { code: bedside_protocol::Code::TooLarge })
        );
    }

    #[test]
    fn what_is_no_filter_is_a_phrase_or_named() {
        let asked = read("at 12:30 allergies:none from:me before:tomorrow before:2026-02-30 \"open");
        assert_eq!(
            asked.search.phrases,
            phrases(&[&["at"], &["12", "30"], &["allergies", "none"], &["open"]])
        );
        assert_eq!(asked.ignored, ["from:me", "before:tomorrow", "before:2026-02-30"]);
    }

    #[test]
    fn nothing_that_is_typed_breaks_it() {
        for text in [
            "",
            "   ",
            "\"",
            "\"\"",
            ":",
            "a:",
            ":b",
            "*",
            "AND",
            "NEAR(",
            "-x",
            "^",
            "....",
            &"x ".repeat(900),
        ] {
            let asked = read(text);
            assert!(
                asked.search.phrases.iter().flatten().all(|word| word.chars().all(char::is_alphanumeric)),
                "{text}"
            );
        }
        assert_eq!(midnight("1970-01-01"), Some(Time::ZERO));
    }
}
