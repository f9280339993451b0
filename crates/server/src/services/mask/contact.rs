//! Contact details and ids that nobody told the clinic of, by their form. Rather one number too many than a telephone
//! number out: the answer gets it back.

use super::Find;
use regex::Regex;
use std::sync::LazyLock;

/// A telephone number or a record's has so many digits; a dose, a pressure or a year fewer.
const LONG: usize = 7;
/// Fewer, where letters are among them.
const LONG_MIXED: usize = 5;

/// Kinds and their forms, the surest first.
const FORMS: [(&str, &str); 11] = [
    ("EMAIL", r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+"),
    ("LINK", r"(?i)\b(?:https?://|www\.)\S+"),
    ("ADDRESS", STREET),
    ("ADDRESS", STREET_NAMED),
    ("ADDRESS", r"(?i)\b[\p{L}-]{3,}(?:straße|strasse|str\.|gasse|allee|laan|straat)\s+\d{1,4}\s?[a-z]?\b"),
    ("ADDRESS", r"\b\p{Lu}[\p{L}-]{2,}(?:weg|platz)\s+\d{1,4}\s?[a-z]?\b"),
    (
        "ADDRESS",
        r"(?i)\b\d{1,4},?\s+(?:rue|avenue|boulevard|impasse|chemin)\s+(?:(?:de|du|des|la|le|les)\s+)*[\p{L}'-]+",
    ),
    // A British and an American postcode.
    ("ADDRESS", r"\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b"),
    ("ADDRESS", r"\b[A-Z]{2}\s+\d{5}(?:-\d{4})?\b"),
    ("PHONE", r"\+?\(?\d{1,4}\)?(?:[ .\-\u{2010}-\u{2013}]{0,2}(?:\(?\d{2,}\)?|\(\d\)))+"),
    ("ID", r"\b[A-Za-z0-9]*(?:[A-Za-z]\d|\d[A-Za-z])[A-Za-z0-9]*\b"),
];
/// In any letters, with words for streets that mean nothing else.
const STREET: &str = r"(?i)\b\d{1,5}[a-z]?,?\s+(?:[\p{L}'.-]+\s+){1,3}(?:street|road|avenue|ave|lane|boulevard|blvd|crescent|terrace|highway|parkway|rd)\b\.?";
/// With words that mean something else too, where the name has capitals.
const STREET_NAMED: &str = r"\b\d{1,5}[A-Za-z]?,?\s+(?:\p{Lu}[\p{L}'.-]*\s+){1,4}(?:St|Dr|Pl|Ln|Way|Place|Close|Court|Ct|Drive|Square|Sq|Hill)\b\.?";
/// "I walked 5 miles down the road" names none.
const NO_NAME: [&str; 9] = ["the", "a", "my", "our", "this", "that", "his", "her", "every"];

static PATTERNS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let compile = |(kind, form): (&'static str, &str)| Some((kind, Regex::new(form).ok()?));
    FORMS.into_iter().filter_map(compile).collect()
});

/// Where a text has them.
pub fn find(text: &str) -> Vec<Find> {
    PATTERNS
        .iter()
        .flat_map(|(kind, form)| form.find_iter(text).map(move |found| (*kind, found)))
        .filter(|(kind, found)| tells(kind, found.as_str()))
        .map(|(kind, found)| Find { place: found.range(), kind })
        .collect()
}

/// Whether something of this form tells who somebody is.
fn tells(kind: &str, found: &str) -> bool {
    let digits = found.chars().filter(char::is_ascii_digit).count();
    match kind {
        "PHONE" => {
            let dates = found.split_whitespace().filter(|part| is_date(part));
            digits
                >= LONG + dates.map(|date| date.chars().filter(char::is_ascii_digit).count()).sum::<usize>()
        }
        "ID" => digits >= LONG_MIXED && !is_amount(found),
        "ADDRESS" => {
            let plain = found.split_whitespace().any(|word| NO_NAME.contains(&word.to_lowercase().as_str()));
            // Vitamin B12, 5 MG.
            !plain && !found.ends_with("MG") && !found.ends_with("ML")
        }
        _ => true,
    }
}

/// A number and its unit: 100000IU.
fn is_amount(found: &str) -> bool {
    let unit = found.trim_start_matches(|c: char| c.is_ascii_digit());
    unit.len() < found.len() && unit.len() <= 3 && unit.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// A day of some calendar, or some years: when something began must reach the model.
fn is_date(found: &str) -> bool {
    let parts: Vec<&str> = found.split(['-', '.']).collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let numbers = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let years = parts.iter().all(|part| part.starts_with("19") || part.starts_with("20"));
    numbers
        && match lengths.as_slice() {
            [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4] => true,
            [4, 4] => years,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_can_be_read() {
        assert_eq!(PATTERNS.len(), FORMS.len());
    }

    #[test]
    fn what_tells_who_somebody_is_is_found_whole() {
        for (text, kind, found) in [
            ("mail me: martha.e+x@mail.example.org.", "EMAIL", "martha.e+x@mail.example.org"),
            ("see https://example.org/me?id=7 please", "LINK", "https://example.org/me?id=7"),
            ("call 555-0123 now", "PHONE", "555-0123"),
            ("+44 (0)20 7946 0958", "PHONE", "+44 (0)20 7946 0958"),
            ("(555) 123-4567", "PHONE", "(555) 123-4567"),
            ("it is 07700900123", "PHONE", "07700900123"),
            ("NHS 943 476 5919", "PHONE", "943 476 5919"),
            ("SSN 123-45-6789", "PHONE", "123-45-6789"),
            ("policy A123456789", "ID", "A123456789"),
            ("at 12 Elm Street.", "ADDRESS", "12 Elm Street."),
            ("i live at 221b baker street", "ADDRESS", "221b baker street"),
            ("at 7 Privet Dr", "ADDRESS", "7 Privet Dr"),
            ("Lindenstraße 14a in", "ADDRESS", "Lindenstraße 14a"),
            ("12 rue de la Paix, Paris", "ADDRESS", "12 rue de la Paix"),
            ("London SW1A 1AA", "ADDRESS", "SW1A 1AA"),
            ("Springfield, IL 62704", "ADDRESS", "IL 62704"),
        ] {
            let finds = find(text);
            let shown: Vec<_> = finds.iter().map(|find| (find.kind, &text[find.place.clone()])).collect();
            assert!(shown.contains(&(kind, found)), "{text}: {shown:?}");
        }
    }

    #[test]
    fn what_a_clinician_has_to_know_stays() {
        for text in [
            "120/80, then 130/85 at 10:30",
            "since 2026-05-01 10:30, or 1.5.2026, or 12-03-2026, and 2019-2021",
            "100000IU, 500 mg twice a day for 14 days, 1000 ml",
            "38.5 39.2 38.9 and 101.3 F",
            "vitamin B12 5 MG, B12 5MG",
            "Monitoring 24 hours, Spring 2024",
            "I walked 5 miles down the road",
            "2 pills all the way, 3 visits to the dr",
            "covid19, h1n1, t12 vertebra, 10mg",
        ] {
            assert_eq!(find(text), [], "{text}");
        }
    }
}
