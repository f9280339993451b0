//! Hostile JSON gives a refusal, or a body that `check` refuses; never a panic.

use crate::{any, config};
use bedside_protocol::{Body, ClientFrame, Code, Limits, ServerFrame};
use proptest::prelude::*;
use serde_json::{Value, json};

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn send(body: &Value) -> Value {
    json!({"id": ID, "conversation": "c-1", "seen": 0, "body": body})
}

/// What a server does with a `send`: reads it, then checks its body.
fn taken(data: Value) -> Result<Body, Code> {
    match ClientFrame::decode("send", data) {
        Ok(ClientFrame::Send(send)) => match send.check(&Limits::default()) {
            Ok(()) => Ok(send.body),
            Err(refusal) => Err(refusal.code),
        },
        Ok(other) => panic!("no send: {other:?}"),
        Err(refusal) => Err(refusal.code),
    }
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn any_json_is_read_or_refused(
        event in proptest::sample::select([ClientFrame::EVENTS, ServerFrame::EVENTS].concat()),
        data in any::json(),
    ) {
        if let Err(refusal) = ClientFrame::decode(event, data.clone()) {
            prop_assert_eq!(refusal.code, Code::Invalid);
        }
        let _ = ServerFrame::decode(event, data);
    }

    /// A valid send with one value replaced: the place where it is read has to hold.
    #[test]
    fn one_wrong_value_is_refused_and_never_panics(frame in any::client_frame(), at in 0usize..40, wrong in any::json()) {
        let (event, mut data) = frame.encode();
        replace(&mut data, &mut { at }, &wrong);
        if let Ok(ClientFrame::Send(send)) = ClientFrame::decode(event, data) {
            let _ = send.body.check(&Limits::default());
            let _ = send.body.preview();
        }
    }

    #[test]
    fn an_unreadable_body_never_enters_a_log(body in any::unknown()) {
        prop_assert!(body.check(&Limits::default()).is_err());
        prop_assert!(!body.public());
        for role in ["provider", "patient", "system"] {
            prop_assert!(!body.writable_by(serde_json::from_value(json!(role)).unwrap()));
        }
    }
}

/// Replaces the value that is `left` steps further in.
fn replace(value: &mut Value, left: &mut usize, by: &Value) -> bool {
    if *left == 0 {
        *value = by.clone();
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(values) => values.iter_mut().any(|value| replace(value, left, by)),
        Value::Object(fields) => fields.iter_mut().any(|(_, value)| replace(value, left, by)),
        _ => false,
    }
}

#[test]
fn wrong_types_are_no_message() {
    for text in [json!(1), json!(null), json!([]), json!({"a": 1}), json!(true)] {
        assert_eq!(taken(send(&json!({"kind": "text", "text": text}))), Err(Code::Invalid));
    }
    for body in [
        json!(null),
        json!("text"),
        json!([]),
        json!({}),
        json!({"kind": null}),
        json!({"kind": "text"}),
        json!({"kind": "Text", "text": "a"}),
        json!({"kind": "later", "text": "a"}),
        json!({"text": "a"}),
        json!({"kind": "text", "text": "  \n\t "}),
    ] {
        assert_eq!(taken(send(&body)), Err(Code::Invalid), "{body}");
    }
    assert!(taken(send(&json!({"kind": "text", "text": "a"}))).is_ok());
}

/// Else a client's mistake would take a message back.
#[test]
fn an_amend_without_text_retracts_nothing() {
    assert_eq!(taken(send(&json!({"kind": "amend", "target": ID}))), Err(Code::Invalid));
    assert!(taken(send(&json!({"kind": "amend", "target": ID, "text": null}))).is_ok());
    assert_eq!(taken(send(&json!({"kind": "assign"}))), Err(Code::Invalid));
}

#[test]
fn ids_are_what_they_say() {
    let with = |field: &str, value: Value| {
        let mut data = send(&json!({"kind": "text", "text": "a"}));
        data[field] = value;
        taken(data)
    };
    for id in [
        json!(""),
        json!("x"),
        json!(7),
        json!(null),
        // Version 4: it has no time, and the log's index relies on one.
        json!("9f1c2a34-5b6c-4d7e-8f90-123456789abc"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!(format!("{ID}0")),
    ] {
        assert_eq!(with("id", id.clone()), Err(Code::Invalid), "{id}");
    }
    for conversation in
        [json!(""), json!("a b"), json!("ü"), json!("a/b"), json!("a\u{0}"), json!("x".repeat(65)), json!(1)]
    {
        assert_eq!(with("conversation", conversation.clone()), Err(Code::Invalid), "{conversation}");
    }
}

#[test]
fn a_text_of_10_mb_is_too_large() {
    let huge = "x".repeat(10 << 20);
    for body in [
        json!({"kind": "text", "text": huge}),
        json!({"kind": "note", "text": huge}),
        json!({"kind": "amend", "target": ID, "text": huge}),
        json!({"kind": "wait", "minutes": 1, "text": huge}),
    ] {
        assert_eq!(taken(send(&body)), Err(Code::TooLarge));
    }
    assert_eq!(taken(send(&json!({"kind": huge}))), Err(Code::Invalid));
    let mentions = vec!["pr-1"; 1_000_000];
    assert_eq!(taken(send(&json!({"kind": "note", "text": "a", "mentions": mentions}))), Err(Code::Invalid));
}

/// What a page of entries weighs follows from what an entry may weigh.
#[test]
fn what_a_text_may_not_weigh_nothing_beside_it_may() {
    let limit = Limits::default().text_bytes as usize;
    for body in [
        json!({"kind": "text", "text": "short", "of_a_later_version": "y".repeat(10 * limit)}),
        json!({"kind": "text", "text": "\u{1}".repeat(limit - 1)}),
        json!({"kind": "assign", "to": null, "of_a_later_version": vec![1; 10 * limit]}),
    ] {
        assert_eq!(taken(send(&body)), Err(Code::TooLarge));
    }
    for text in ["\n".repeat(limit - 2) + "x", "\"".repeat(limit), "ü".repeat(limit / 2)] {
        assert!(taken(send(&json!({"kind": "text", "text": text, "of_a_later_version": 1}))).is_ok());
    }
}

#[test]
fn text_that_is_no_json_is_refused_before_it_is_a_frame() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for text in [
        r#"{"text": "\ud800"}"#.to_owned(),
        r#"{"text": "\udc00\ud800"}"#.to_owned(),
        r#"{"text": "\ud800x"}"#.to_owned(),
        r#"{"\udfff": 1}"#.to_owned(),
        r#"{"text": "\u12"}"#.to_owned(),
        "{\"text\": \"\u{1}\"}".to_owned(),
        r#"{"seen": 1e999}"#.to_owned(),
        r#"{"seen": 01}"#.to_owned(),
        r#"{"seen": NaN}"#.to_owned(),
        deep(129),
        deep(1_000_000),
        "{\"a\":".repeat(1_000_000),
    ] {
        let start: String = text.chars().take(40).collect();
        assert!(serde_json::from_str::<Value>(&text).is_err(), "{start}");
    }
    // The deepest that is read has to be harmless in every place.
    let deepest: Value = serde_json::from_str(&deep(127)).unwrap();
    assert_eq!(taken(send(&deepest)), Err(Code::Invalid));
    let kept = taken(send(&json!({"kind": "text", "text": "a", "later": deepest})));
    assert!(kept.is_ok());
}

#[test]
fn of_a_key_that_stands_twice_the_last_counts() {
    let data = format!(
        r#"{{"id":"{ID}","conversation":"c-1","conversation":"c-2","seen":0,"body":{{"kind":"note","kind":"text","text":"a"}}}}"#
    );
    let frame = ClientFrame::decode("send", serde_json::from_str(&data).unwrap()).unwrap();
    let (_, data) = frame.encode();
    assert_eq!(data["conversation"], "c-2");
    assert_eq!(data["body"]["kind"], "text");
}

/// Refusals get into logs, and what a frame carried must not.
#[test]
fn a_refusal_quotes_nothing() {
    let secret = "Mrs. Ellison is pregnant";
    for data in [
        json!({"conversation": secret}),
        json!({"id": secret, "conversation": "c-1", "seen": secret, "body": {"kind": secret}}),
        json!({secret: 1}),
        json!(secret),
    ] {
        for event in ClientFrame::EVENTS {
            if let Err(refusal) = ClientFrame::decode(event, data.clone()) {
                assert!(!refusal.to_string().contains("Ellison"), "{refusal}");
            }
        }
    }
    let refusal = ClientFrame::decode(secret, json!({})).unwrap_err();
    assert!(!refusal.to_string().contains("Ellison"));
}
