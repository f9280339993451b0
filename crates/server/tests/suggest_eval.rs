//! `bedside-server suggest-eval`, on consultations made for it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's helpers are tests too")]

use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

fn consultations(number: usize) -> String {
    let mut lines = String::new();
    for at in 0..number {
        let place = ["back", "knee", "head"][at % 3];
        let turns = [
            ("provider", "How can I help you today?".to_owned()),
            ("patient", format!("My {place} hurts")),
            ("provider", "Since when does it hurt?".to_owned()),
            ("patient", "Monday".to_owned()),
            ("provider", format!("Unlike any other {at}")),
        ];
        let turns: Vec<Value> = turns.iter().map(|(who, text)| json!({"who": who, "text": text})).collect();
        writeln!(lines, "{}", json!({"id": format!("c{at}"), "turns": turns, "note": "left alone"})).unwrap();
    }
    lines
}

fn eval(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_bedside-server");
    Command::new(program).arg("suggest-eval").args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn each_turn_of_a_provider_is_tried_and_measured() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("h.jsonl"), consultations(90)).unwrap();
    std::fs::write(folder.path().join("t.jsonl"), consultations(4)).unwrap();
    let done = eval(folder.path(), &["--history", "h.jsonl", "--test", "t.jsonl", "--out", "p.jsonl"]);
    let report = String::from_utf8(done.stdout).unwrap();
    assert!(
        done.status.success() && report.starts_with("12 turns of providers in 4 consultations\n"),
        "{report}"
    );
    // The third turn of each has a number, and replies with one aren't offered.
    assert!(report.contains("model, always           0.667"), "{report}");
    let out = std::fs::read_to_string(folder.path().join("p.jsonl")).unwrap();
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 12);
    let second = &lines[1];
    assert_eq!((&second["id"], &second["turn"]), (&json!("c0"), &json!(2)));
    assert_eq!(second["offers"][0]["text"], "Since when does it hurt?");
    assert_eq!(
        (&second["hit"], &second["shown"], &second["rouge_l"]),
        (&json!(true), &json!(true), &json!(1.0))
    );
    assert_eq!(lines[2]["hit"], json!(false));
}

#[test]
fn the_parts_of_a_history_try_each_other() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("h.jsonl"), consultations(16)).unwrap();
    let done = eval(folder.path(), &["--history", "h.jsonl", "--folds", "8"]);
    let report = String::from_utf8(done.stdout).unwrap();
    assert!(report.starts_with("48 turns of providers in 16 consultations\n"), "{report}");
}

#[test]
fn a_line_that_is_no_consultation_is_named_by_its_place_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = consultations(1) + "{\"id\": \"secret\", \"turns\": [{\"who\": \"nurse\"}]}\n";
    std::fs::write(folder.path().join("h.jsonl"), text).unwrap();
    let done = eval(folder.path(), &["--history", "h.jsonl", "--folds", "2"]);
    let words = String::from_utf8(done.stderr).unwrap();
    assert!(!done.status.success() && words.contains("h.jsonl: line 2"), "{words}");
    assert!(!words.contains("nurse") && !words.contains("secret"), "{words}");
}
