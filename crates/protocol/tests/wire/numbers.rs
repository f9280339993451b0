//! Numbers are what JavaScript holds exactly, and codes say in one place whether to try again.

use crate::config;
use bedside_protocol::{Body, Code, ConnectRefusal, Limits, Retry, Rev, Seq, Time};
use proptest::prelude::*;
use serde_json::{Value, json};

const MAX: u64 = 9_007_199_254_740_991;

fn all_read(text: &str) -> [bool; 3] {
    [
        serde_json::from_str::<Seq>(text).is_ok(),
        serde_json::from_str::<Rev>(text).is_ok(),
        serde_json::from_str::<Time>(text).is_ok(),
    ]
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn whole_numbers_up_to_the_largest_are_read(number in 0..=MAX) {
        prop_assert_eq!(all_read(&number.to_string()), [true; 3]);
        prop_assert_eq!(serde_json::to_string(&Seq::new(number)).unwrap(), number.to_string());
    }

    #[test]
    fn larger_negative_and_fractional_ones_are_refused(
        large in MAX + 1..=u64::MAX, negative in i64::MIN..0, fraction in 0.0..1e15f64,
    ) {
        prop_assert_eq!(all_read(&large.to_string()), [false; 3]);
        prop_assert_eq!(all_read(&negative.to_string()), [false; 3]);
        prop_assert_eq!(all_read(&json!(fraction).to_string()), [false; 3]);
    }

    #[test]
    fn counting_stays_in_range(number in 0..=u64::MAX, step in 0..=u64::MAX) {
        let seq = Seq::new(number);
        for result in [seq.plus(step), seq.minus(step), seq.next()] {
            prop_assert!(result <= Seq::MAX);
        }
        prop_assert!(seq.minus(step) <= seq && seq.plus(step) >= seq);
    }
}

#[test]
fn the_edges() {
    assert_eq!(all_read("9007199254740991"), [true; 3]);
    for text in [
        "9007199254740992",
        "-1",
        "-0",
        "1.0",
        "1e3",
        "1.5",
        "\"1\"",
        "null",
        "true",
        "[1]",
        "123456789012345678901234567890",
    ] {
        assert_eq!(all_read(text), [false; 3], "{text}");
    }
}

/// A body's own numbers too: another client would read them wrongly, and a second `send` of the same would differ.
#[test]
fn a_body_with_a_number_that_others_cannot_hold_is_refused() {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let check = |body: Value| {
        serde_json::from_value::<Body>(body)
            .unwrap()
            .check(&Limits::default())
            .map_err(|refusal| refusal.code)
    };
    let file = |bytes: u64| {
        check(
            json!({"kind": "file", "sha256": "0".repeat(64), "name": "a", "media_type": "image/png", "bytes": bytes}),
        )
    };
    assert_eq!(file(MAX), Ok(()));
    assert_eq!(file(MAX + 1), Err(Code::Invalid));
    let outcome = |shown_ms: u64| {
        check(json!({"kind": "outcome", "suggestion": id, "item": 0, "result": "used", "shown_ms": shown_ms}))
    };
    assert_eq!(outcome(MAX), Ok(()));
    assert_eq!(outcome(MAX + 1), Err(Code::Invalid));
}

#[test]
fn each_code_says_whether_to_try_again() {
    let expected = [
        (Code::Invalid, "invalid", Retry::Never),
        (Code::TooLarge, "too_large", Retry::Never),
        (Code::NotFound, "not_found", Retry::Never),
        (Code::Forbidden, "forbidden", Retry::Never),
        (Code::Conflict, "conflict", Retry::Never),
        (Code::Behind, "behind", Retry::AfterReading),
        (Code::Diverged, "diverged", Retry::Never),
        (Code::RateLimited, "rate_limited", Retry::Later),
        (Code::Unavailable, "unavailable", Retry::Later),
    ];
    assert_eq!(Code::ALL, expected.map(|(code, ..)| code));
    for (code, name, retry) in expected {
        assert_eq!(serde_json::to_value(code).unwrap(), name);
        assert_eq!(code.retry(), retry, "{name}");
    }
    assert_eq!(ConnectRefusal::ALL.len(), 4);
}

#[test]
fn where_a_text_came_from_has_a_bound() {
    let of = |bytes: usize| {
        let json = serde_json::json!({
            "id": "019b76da-c740-7d2e-9a34-1f6b8c0d2e4a", "conversation": "c", "seen": 0,
            "body": { "kind": "text", "text": "x" },
            "from": { "suggestion": "019b76da-b3b8-7000-8a11-0c9d8e7f6a5b", "edited": true, "later": "x".repeat(bytes) },
        });
        match bedside_protocol::ClientFrame::decode("send", json).unwrap() {
            bedside_protocol::ClientFrame::Send(send) => {
                send.check(&Limits::default()).map_err(|refusal| refusal.code)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!([of(800), of(1_024)], [Ok(()), Err(Code::TooLarge)]);
}

#[test]
fn a_search_has_bounds_and_words_alone() {
    let search = |phrases: &[&[&str]], patient: &[&str]| {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let search = bedside_protocol::Search {
            of: "x".repeat(64),
            phrases: phrases.iter().map(|words| own(words)).collect(),
            patient: own(patient),
            by_patient: None,
            before: None,
            has_file: false,
            limit: u32::MAX,
        };
        search.check().map_err(|refusal| refusal.code)
    };
    assert_eq!(search(&[], &[]), Ok(()));
    assert_eq!(search(&[&["Ärzte", "12"], &["李"]], &["Müller"]), Ok(()));
    for word in ["", " ", "a b", "a-b", "\"", "*", "AND(", "a\0"] {
        assert_eq!(search(&[&[word]], &[]), Err(Code::Invalid), "{word:?}");
        assert_eq!(search(&[], &[word]), Err(Code::Invalid), "{word:?}");
    }
    assert_eq!(search(&[&[]], &[]), Err(Code::Invalid));
    let (long, most) = ("x".repeat(257), "x".repeat(256));
    assert_eq!((search(&[&[&long]], &[]), search(&[&[&most]], &[])), (Err(Code::TooLarge), Ok(())));
    assert_eq!(
        (search(&[["x"].as_slice(); 33], &[]), search(&[["x"].as_slice(); 32], &[])),
        (Err(Code::TooLarge), Ok(()))
    );
    assert_eq!(
        (search(&[&["x"; 33]], &[]), search(&[], &["x"; 33])),
        (Err(Code::TooLarge), Err(Code::TooLarge))
    );
}
