use super::*;
use proptest::prelude::*;

/// The words that are found, by group.
fn found(message: &str) -> Vec<(&'static str, Vec<String>)> {
    let units: Vec<u16> = message.encode_utf16().collect();
    let text = |span: &Span| String::from_utf16(&units[span.start..span.end]).unwrap();
    find(message).iter().map(|finding| (finding.group, finding.spans.iter().map(text).collect())).collect()
}

#[test]
fn every_line_of_the_rules_makes_sense_and_every_group_has_a_reason() {
    let (rules, wrong) = Rules::read(include_str!("../../data/redflags.rules"));
    assert_eq!(wrong, []);
    for group in &rules.groups {
        assert!(!group.reason.is_empty() && !group.rules.is_empty(), "{}", group.name);
    }
    for name in ["negation", "no negation", "clause", "others", "self", "past", "asked", "idiom"] {
        assert!(!rules.context(name).is_empty(), "{name}");
    }
}

#[test]
fn the_words_themselves_are_pointed_at() {
    let message = "\u{1f62b} Help \u{2013} I can\u{2019}t breathe, and my chest is tight! My chest is tight";
    assert_eq!(
        found(message),
        [
            ("chest_pain", vec!["chest is tight".to_owned()]),
            ("breathing", vec!["can\u{2019}t breathe".to_owned()])
        ]
    );
    assert_eq!(find(message)[1].spans, [Span { start: 12, end: 25 }]);
}

#[test]
fn what_is_said_around_them_takes_them_back() {
    for (message, flagged) in [
        ("Chest pain", true),
        ("No chest pain", false),
        ("No, chest pain all night", false),
        ("No, my chest pain is back", true),
        ("Not only chest pain", true),
        ("My chest doesn't hurt", false),
        ("No fever but chest pain", true),
        ("My father has chest pain", false),
        ("My father is a doctor, I told him of my chest pain", true),
        ("My little boy has chest pain", true),
        ("I had chest pain years ago", false),
        ("I had chest pain years ago and now chest pain again", true),
        ("What should I do if I get chest pain?", false),
    ] {
        assert_eq!(!find(message).is_empty(), flagged, "{message}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_and_its_spans_are_in_order_within_it(
        text in "\\PC{0,80}|((no|my|chest|pain|hurts|can't|breathe|😀|é|baby|floppy|,|\\.|but)[ \n]){0,30}",
    ) {
        let units = text.encode_utf16().count();
        for finding in find(&text) {
            let mut at = 0;
            for span in finding.spans {
                prop_assert!(at <= span.start && span.start < span.end && span.end <= units);
                at = span.end;
                let part: Vec<u16> = text.encode_utf16().skip(span.start).take(span.end - span.start).collect();
                prop_assert!(String::from_utf16(&part).is_ok(), "within a character");
            }
        }
    }
}
