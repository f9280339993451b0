//! docs/protocol.md is right: its examples are read and written by this crate, its tables are this crate's tables.

use bedside_protocol::{
    Body, ClientFrame, Code, Connect, ConnectRefusal, Limits, MAX_CHANGES_PAGE, MAX_ENTRIES_PAGE, MAX_HITS,
    PREVIEW_CHARS, Retry, Role, ServerFrame,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../../docs/protocol.md");

/// A block of JSON: what its fence says after `json`, and its content.
fn examples() -> Vec<(Vec<&'static str>, Value)> {
    let mut examples = Vec::new();
    let mut blocks = DOCUMENT.split("\n```");
    blocks.next();
    // Fences open and close in turn.
    while let (Some(block), closing) = (blocks.next(), blocks.next()) {
        assert!(closing.is_some(), "a block isn't closed");
        let (info, content) = block.split_once('\n').unwrap();
        let mut words = info.split_whitespace();
        if words.next() == Some("json") {
            let value = serde_json::from_str(content).unwrap_or_else(|error| panic!("{error} in {content}"));
            examples.push((words.collect(), value));
        }
    }
    examples
}

#[test]
fn every_example_is_read_and_written_as_it_stands() {
    let mut shown = BTreeSet::new();
    for (mark, example) in examples() {
        let written = match mark.as_slice() {
            ["client", event] => {
                ClientFrame::decode(event, example.clone()).map(|frame| frame.encode().1).ok()
            }
            ["server", event] => {
                ServerFrame::decode(event, example.clone()).map(|frame| frame.encode().1).ok()
            }
            ["body"] => serde_json::from_value::<Body>(example.clone())
                .ok()
                .filter(|body| body.check(&Limits::default()).is_ok())
                .and_then(|body| serde_json::to_value(body).ok()),
            ["connect"] => {
                Connect::decode(example.clone()).ok().and_then(|connect| serde_json::to_value(connect).ok())
            }
            // Not of this crate: HTTP's bodies, a token's claims, acknowledgements.
            ["other"] => Some(example.clone()),
            mark => panic!("a JSON block is marked {mark:?}: nothing would try it"),
        };
        assert_eq!(written.as_ref(), Some(&example), "{mark:?}");
        let kind = example.get("kind").and_then(Value::as_str).unwrap_or_default();
        shown.insert(format!("{} {kind}", mark.join(" ")).trim().to_owned());
    }
    let frames = |side: &str, events: &[&str]| {
        events.iter().map(|event| format!("{side} {event}")).collect::<Vec<_>>()
    };
    let kinds = ["text", "wait", "amend", "file", "note", "assign", "state", "suggestion", "outcome"];
    let wanted = [
        frames("client", ClientFrame::EVENTS),
        frames("server", ServerFrame::EVENTS),
        frames("body", &kinds),
        vec!["connect".to_owned()],
    ];
    for example in wanted.concat() {
        assert!(shown.contains(&example), "there is no example of: {example}");
    }
}

/// The cells of the rows of the table below `heading`.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    DOCUMENT
        .lines()
        .skip_while(|line| *line != heading)
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn the_table_of_refusals_is_the_codes_own() {
    let rows: Vec<(String, &str)> =
        table("## Refusals").iter().map(|cells| (cells[0].trim_matches('`').to_owned(), cells[1])).collect();
    let codes = Code::ALL.map(|code| {
        let retry = match code.retry() {
            Retry::Never => "never",
            Retry::AfterReading => "after reading",
            Retry::Later => "later",
        };
        (word(code), retry)
    });
    assert_eq!(rows, codes);
    let refusals: Vec<&str> = table("### Refused").iter().map(|cells| cells[0].trim_matches('`')).collect();
    assert_eq!(refusals, ConnectRefusal::ALL.map(ConnectRefusal::as_str));
}

#[test]
fn the_table_of_bodies_says_who_writes_and_who_sees() {
    let rows = table("## Bodies");
    assert_eq!(rows.len(), 9);
    for cells in rows {
        let kind = cells[0].trim_matches('`');
        let (_, example) = examples()
            .into_iter()
            .find(|(mark, example)| mark.as_slice() == ["body"] && example["kind"] == json!(kind))
            .unwrap();
        let body: Body = serde_json::from_value(example).unwrap();
        let writers: Vec<String> = [Role::Provider, Role::Patient, Role::System]
            .into_iter()
            .filter(|role| body.writable_by(*role))
            .map(word)
            .collect();
        assert_eq!(cells[1], writers.join(", "), "who writes {kind}");
        assert_eq!(cells[2] == "yes", body.public(), "who sees {kind}");
    }
}

#[test]
fn the_numbers_are_the_crates_own() {
    let limits = Limits::default();
    for (name, number) in [
        ("`text_bytes`", u64::from(limits.text_bytes)),
        ("`frame_bytes`", u64::from(limits.frame_bytes)),
        ("`sends_per_s`", u64::from(limits.sends_per_s)),
        ("`file_bytes`", limits.file_bytes.map_or(0, u64::from)),
        ("a page of entries", MAX_ENTRIES_PAGE),
        ("a page of changes", u64::from(MAX_CHANGES_PAGE)),
        ("hits of a search", u64::from(MAX_HITS)),
        ("a preview", PREVIEW_CHARS as u64),
    ] {
        let row = table("## Limits").into_iter().find(|cells| cells[0] == name);
        let cells = row.unwrap_or_else(|| panic!("{name} has no row"));
        assert_eq!(cells[1].replace(',', ""), number.to_string(), "{name}");
    }
}
