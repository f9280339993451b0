//! The program itself: what it prints, how it stops, and what is left when it is killed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers are tests too"
)]

mod raw;

use raw::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program, listening.
struct Process {
    child: Child,
    addr: SocketAddr,
}

impl Address for Process {
    fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Process {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bedside-server"))
            .args(["--listen", "127.0.0.1:0", "--sends-per-s", "10000", "--log", "error", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addr = line.trim_end().strip_prefix("listening on http://").unwrap().parse().unwrap();
        Self { child, addr }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already in most tests.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_stops_when_it_is_told_to() {
    for signal in ["-TERM", "-INT"] {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Process::start(dir.path());
        let mut amara = Client::provider(&process, dir.path(), "amara").await;
        let asked = Instant::now();
        process.signal(signal);
        amara.closed().await;
        let status = tokio::task::spawn_blocking(move || process.child.wait().unwrap()).await.unwrap();
        assert!(status.success());
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_before_a_kill_is_there_once_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let (frames, of) = {
        let process = Process::start(dir.path());
        let (_, of) = Client::patient(&process, dir.path(), "hana").await;
        let frames: Vec<Value> = (0..600).map(|n| text(&of, new_id(), &n.to_string())).collect();
        (frames, of)
    };
    let mut answered: BTreeMap<String, u64> = BTreeMap::new();
    // Each life of the server is sent all of it, and is killed in the middle of it.
    for life in 1..=3 {
        let process = Process::start(dir.path());
        let mut amara = Client::provider(&process, dir.path(), "amara").await;
        for frame in &frames {
            amara.emit("send", frame).await;
        }
        let mut left = life * 100;
        while left > 0 {
            let frame = amara.event("entry").await;
            let (id, seq) = (frame["entry"]["id"].as_str().unwrap(), frame["entry"]["seq"].as_u64().unwrap());
            let before = answered.insert(id.to_owned(), seq);
            assert!(before.is_none_or(|before| before == seq), "{id} moved");
            left -= 1;
        }
        process.signal("-KILL");
    }
    let process = Process::start(dir.path());
    let mut amara = Client::provider(&process, dir.path(), "amara").await;
    for frame in &frames {
        assert!(amara.ask("send", frame).await["ok"].is_object());
    }
    let entries = amara.entries(&of).await;
    let seqs: Vec<u64> = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=600).collect::<Vec<_>>());
    let ids: Vec<&Value> = entries.iter().map(|entry| &entry["id"]).collect();
    assert_eq!(ids, frames.iter().map(|frame| &frame["id"]).collect::<Vec<_>>());
    for (id, seq) in answered {
        assert_eq!(entries[seq as usize - 1]["id"], id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minted_token_is_let_in() {
    let dir = tempfile::tempdir().unwrap();
    let mint = |arguments: &[&str]| {
        let data = dir.path().to_str().unwrap();
        Command::new(env!("CARGO_BIN_EXE_bedside-server"))
            .args(["token", "--data", data, "--clinic", "riverside", "--role", "provider"])
            .args(arguments)
            .output()
            .unwrap()
    };
    let minted = mint(&["--id", "amara", "--name", "Dr. Amara Osei"]);
    let token = String::from_utf8(minted.stdout).unwrap();
    let process = Process::start(dir.path());
    Client::person(&process, "/provider", token.trim_end()).await;
    let refused = mint(&["--id", "no id", "--name", "x"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8(refused.stderr).unwrap().contains("an id is 1 to 64 characters"));
}
