use super::*;
use bedside_protocol::{Extra, UserId};
use proptest::prelude::*;

fn patient(name: &str) -> Patient {
    Patient {
        id: UserId::new("pt-7781").unwrap(),
        name: name.to_owned(),
        born: Some("1957-03-12".to_owned()),
        extra: Extra::new(),
    }
}

fn conversation() -> ConversationId {
    ConversationId::new("c-0a1b2c").unwrap()
}

fn over(name: &str, text: &str) -> (Mask, String) {
    let mut text = text.to_owned();
    let mask = Mask::over(&patient(name), &conversation(), std::iter::once(&mut text));
    (mask, text)
}

#[test]
fn the_patient_goes_out_as_placeholders_and_comes_back() {
    let text = "It's Martha, MARTHA ELLISON's daughter, b. 12 March 1957. Call 555-0123 or me@mail.example. \
                Martha. c-0a1b2c, PT-7781";
    let (mask, masked) = over("Martha Ellison", text);
    let expected = "It's [NAME_1], [NAME_2] [NAME_3]'s daughter, b. [BIRTH_1]. Call [PHONE_1] or [EMAIL_1]. \
                    [NAME_1]. [ID_1], [ID_2]";
    assert_eq!(masked, expected);
    assert_eq!(mask.restore(&masked), text);
    assert_eq!(
        mask.restore("Dear [name 1], [Phone-1], [NAME_9], [Your name]"),
        "Dear Martha, 555-0123, [NAME_9], [Your name]"
    );
}

#[test]
fn names_are_found_as_people_write_them() {
    for (name, text, left) in [
        ("Lucía Fernández", "lucia FERNANDEZ, Luci\u{301}a", "[NAME_1] [NAME_2], [NAME_3]"),
        ("Anne-Marie O'Neill", "anne marie, Oneill, neill", "[NAME_1] [NAME_2], [NAME_3], [NAME_4]"),
        ("李小龙", "我是李小龙。", "我是[NAME_1]。"),
        // A short name is a word, too.
        ("Do An", "do an x-ray, Do. An", "do an x-ray, [NAME_1]. [NAME_2]"),
        ("Grace Kim", "graceful, grace, Kimchi", "graceful, [NAME_1], Kimchi"),
    ] {
        assert_eq!(over(name, text).1, left);
    }
}

#[test]
fn the_date_of_birth_is_hidden_and_other_dates_are_not() {
    for text in [
        "1957-03-12",
        "12/3/57",
        "3/12/1957",
        "12.03.1957",
        "March 12, 1957",
        "12th of Mar 1957",
        "12 march 57",
    ] {
        assert_eq!(over("X", text).1, "[BIRTH_1]", "{text}");
    }
    for text in ["1957", "12 March", "2026-03-12", "12 pills, 3 days, 57 kg", "13 March 1957"] {
        assert_eq!(over("X", text).1, text);
    }
}

#[test]
fn what_looks_like_a_placeholder_stays_what_it_is() {
    let text = "[NAME_1] and [name 2]: Martha";
    let (mask, masked) = over("Martha", text);
    assert_eq!(masked, "[NAME_1] and [name 2]: [NAME_3]");
    assert_eq!(mask.restore(&masked), text);
}

#[test]
fn a_growing_draft_shows_no_half_of_a_placeholder() {
    let (mask, _) = over("Martha", "Martha");
    for (text, shown) in [
        ("Dear [NAM", "Dear "),
        ("Dear [", "Dear "),
        ("Dear [NAME_1]", "Dear Martha"),
        ("Dear [NAME_1], [see", "Dear Martha, "),
        ("Dear [this is no placeholder at all", "Dear [this is no placeholder at all"),
    ] {
        assert_eq!(mask.restore_growing(text), shown);
    }
}

/// A name with something of everything.
fn name() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]{2,8}( |-)[A-Z][a-z']{1,3}[a-zø]{2,6}").unwrap()
}

/// Something known or contact details, as they may stand anywhere.
fn secret(name: &str) -> BoxedStrategy<String> {
    let parts: Vec<String> =
        name.split([' ', '-', '\'']).filter(|part| part.chars().count() >= 3).map(str::to_owned).collect();
    let part = proptest::sample::select(parts);
    prop_oneof![
        part.clone(),
        part.clone().prop_map(|part| part.to_uppercase()),
        part.prop_map(|part| part.to_lowercase()),
        Just(name.to_owned()),
        Just("pt-7781".to_owned()),
        Just("c-0a1b2c".to_owned()),
        Just("12.3.1957".to_owned()),
        proptest::string::string_regex("[a-z]{1,8}@[a-z]{1,8}\\.example").unwrap(),
        proptest::string::string_regex("(\\+[1-9][0-9] )?[0-9]{3}[ -][0-9]{3}[ -][0-9]{4}").unwrap(),
        proptest::string::string_regex("[1-9][0-9]? [A-Z][a-z]{5,8} (Street|Road|Lane)").unwrap(),
    ]
    .boxed()
}

fn letters(text: &str) -> String {
    text.to_lowercase()
}

proptest! {
    #[test]
    fn any_text_comes_back_as_it_went(name in name(), texts in prop::collection::vec("(\\[|\\]|NAME_1|[0-9]{2,4}|[ .@-]|\\PC){0,30}", 0..4)) {
        let texts: Vec<String> = texts.into_iter().map(|text| format!("{text} {name}[{text}")).collect();
        let mut masked = texts.clone();
        let mask = Mask::over(&patient(&name), &conversation(), masked.iter_mut());
        let restored: Vec<String> = masked.iter().map(|text| mask.restore(text)).collect();
        prop_assert_eq!(restored, texts);
    }

    #[test]
    fn nothing_known_goes_out(
        (name, secrets) in name().prop_flat_map(|name| {
            let secrets = prop::collection::vec(secret(&name), 1..6);
            (Just(name), secrets)
        }),
        filler in prop::collection::vec("[ ,;:!?(\n]{1,3}([xyz]{1,6}[ ,;:!?)\n]{1,3})?", 7),
    ) {
        let mut text = String::new();
        for (filler, secret) in filler.iter().zip(&secrets) {
            text.push_str(filler);
            text.push_str(secret);
        }
        text.push_str(&filler[6]);
        let (mask, masked) = over(&name, &text);
        prop_assert_eq!(mask.restore(&masked), text.clone());
        // Only the filler's letters are left, and those of placeholders.
        let mut left = letters(&masked);
        for (word, _) in &mask.0 {
            left = left.replace(&letters(&format!("[{word}]")), "");
        }
        prop_assert!(left.chars().all(|c| "xyz ,;:!?()-'\n".contains(c)), "{text:?} went as {masked:?}");
    }
}
