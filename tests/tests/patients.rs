//! The demonstration's patients: the program `patients`, as `cargo xtask demo` starts it.

use bedside_protocol::{Body, Entry, Role, Seq, Text};
use bedside_tests::cast::AMARA;
use bedside_tests::chat::{Chat, SignIn};
use bedside_tests::log::Log;
use bedside_tests::patients::load_dialogues;
use bedside_tests::program::{Program, eventually};
use bedside_tests::server::Server;
use std::path::{Path, PathBuf};
use std::process::Command;

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo");

fn start(server: &Server, dialogues: &Path, speed: &str, log: &Path) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patients"));
    command.args(["--server", &server.url(), "--speed", speed, "--dialogues"]).arg(dialogues);
    Program::start("patients", &mut command, log)
}

fn text(entry: &Entry) -> &str {
    match &entry.body {
        Body::Text(Text { text, .. }) => text,
        other => panic!("not a text: {}", other.preview()),
    }
}

fn count(server: &Server) -> usize {
    Log::of_server(server).messages().count()
}

/// The server dies twice, and the patients' program ends and comes again: nothing is missing and nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn each_turn_once_through_crashes() {
    let scripts = load_dialogues(Path::new(DEMO)).unwrap();
    let turns: usize = scripts.iter().map(|script| script.turns.len()).sum();
    let mut server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("patients.log");
    let mut patients = start(&server, Path::new(DEMO), "200", &log);
    for part in 1..=2 {
        eventually("the patients write", async || count(&server) >= turns * part / 4).await;
        server.kill();
        server.start_again().await;
    }
    eventually("the patients write on", async || count(&server) >= turns * 3 / 4).await;
    assert!(patients.stop().success(), "{}", patients.said());
    assert!(count(&server) < turns, "the test came too late");
    let mut patients = start(&server, Path::new(DEMO), "200", &log);
    assert!(patients.wait().success(), "{}", patients.said());

    let log = Log::of_server(&server);
    assert_eq!(log.messages().count(), turns);
    for script in &scripts {
        let own = log.messages().filter(|entry| entry.author.name == script.name);
        let written: Vec<_> = own.map(text).collect();
        let expected: Vec<_> = script.turns.iter().map(|turn| turn.text.as_str()).collect();
        assert_eq!(written, expected, "{}", script.name);
        // Names and places are told on the terminal, texts never.
        assert!(patients.said().contains(&script.name));
        assert!(script.turns.iter().all(|turn| !patients.said().contains(&turn.text)));
    }
}

fn dialogue(second: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dialogue = format!(
        r#"{{"patient": {{"name": "Ada North"}}, "opens_after_s": 0,
             "turns": [{{"after_s": 0, "text": "first"}}, {{"after_s": 0, "text": "second", {second}}}]}}"#
    );
    std::fs::write(folder.path().join("ada.json"), dialogue).unwrap();
    let log = folder.path().join("patients.log");
    (folder, log)
}

/// Patience lasts longer than this test waits: only the reply can bring the second turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_waited_for() {
    let server = Server::start().await;
    let (folder, log) = dialogue(r#""wait_for_reply": true"#);
    let mut patients = start(&server, folder.path(), "1", &log);
    eventually("the first turn comes", async || count(&server) == 1).await;
    let first = Log::of_server(&server).messages().next().unwrap().clone();
    let (provider, _) = Chat::open(SignIn::provider(&server.url(), AMARA));
    let reply = provider.write(first.conversation, Seq::MAX, Body::text("reply")).await;
    assert!(matches!(reply, Ok(Ok(_))));
    assert!(patients.wait().success());
    let log = Log::of_server(&server);
    let told: Vec<_> = log.messages().map(|entry| (entry.author.role, text(entry))).collect();
    assert_eq!(told, [(Role::Patient, "first"), (Role::Provider, "reply"), (Role::Patient, "second")]);
}

/// At this speed patience lasts a second.
#[tokio::test(flavor = "multi_thread")]
async fn patience_ends() {
    let server = Server::start().await;
    let (folder, log) = dialogue(r#""wait_for_reply": true"#);
    let mut patients = start(&server, folder.path(), "120", &log);
    assert!(patients.wait().success());
    assert_eq!(count(&server), 2);
    assert!(patients.said().contains("Ada North: 2 of 2 sent, seq 3"), "{}", patients.said());
}

#[test]
fn what_cant_be_read_is_named() {
    let patients = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_patients")).args(arguments).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let server = ["--server", "http://127.0.0.1:1"];
    assert!(patients(&server).contains("--dialogues"));
    assert!(patients(&[&server[..], &["--dialogues", "/nowhere"]].concat()).contains("/nowhere"));
    assert!(
        patients(&[&server[..], &["--replay", "/nowhere", "--speed", "0"]].concat()).contains("positive")
    );
}
