//! A preview is one short plain line, whatever the body.

use crate::{any, config};
use bedside_protocol::{Body, Extra, File, PREVIEW_CHARS};
use proptest::prelude::*;

fn is_one_line(preview: &str) -> bool {
    preview.chars().count() <= PREVIEW_CHARS
        && !preview.chars().any(|c| c.is_control() || (c.is_whitespace() && c != ' '))
        && preview.trim() == preview
        && !preview.contains("  ")
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn every_preview_is_one_short_line(body in any::body()) {
        let preview = body.preview();
        prop_assert!(is_one_line(&preview), "{:?}", preview);
    }

    #[test]
    fn a_text_is_its_own_preview_as_far_as_it_goes(text in "[a-zé👩 \n\t\u{0}\u{2028}]{0,400}") {
        let preview = Body::text(text.clone()).preview();
        prop_assert!(is_one_line(&preview), "{:?}", preview);
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
        let line = words.join(" ");
        match preview.strip_suffix('…') {
            Some(start) => prop_assert!(line.starts_with(start) && line.chars().count() > PREVIEW_CHARS),
            None => prop_assert_eq!(preview, line),
        }
    }
}

#[test]
fn a_long_text_is_cut_with_an_ellipsis() {
    let whole = "x".repeat(PREVIEW_CHARS);
    assert_eq!(Body::text(whole.clone()).preview(), whole);
    let cut = Body::text(whole + "x").preview();
    assert_eq!(cut.chars().count(), PREVIEW_CHARS);
    assert!(cut.ends_with("x…"));
    assert_eq!(Body::text("é".repeat(10 << 20)).preview().chars().count(), PREVIEW_CHARS);
}

#[test]
fn a_preview_of_nothing_is_empty() {
    assert_eq!(Body::text(" \u{0}\n\u{85}\u{a0}").preview(), "");
}

#[test]
fn a_files_name_turns_nothing_around_it() {
    let name = "scan\u{202e}gpj.exe\u{2066}\u{61c}\u{200f}".to_owned();
    let (sha256, media_type) = ("0".repeat(64), "image/jpeg".to_owned());
    let file = File { sha256, name, media_type, bytes: 1, extra: Extra::new() };
    assert_eq!(Body::File(file).preview(), "File: scangpj.exe");
}
