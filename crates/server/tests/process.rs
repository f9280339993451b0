//! The program itself: what it prints, how it stops, and what is left when it is killed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers are tests too"
)]

mod model;
mod raw;

use model::{Model, Says};
use raw::*;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
        Self::start_with(data, &[])
    }

    fn start_with(data: &Path, options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bedside-server"))
            .args(["--listen", "127.0.0.1:0", "--sends-per-s", "10000", "--log", "error", "--data"])
            .arg(data)
            .args(options)
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

/// Conversations with a task each, and how often the server is killed while they are under way.
const TASKS: usize = 50;
const KILLS: usize = 20;
/// Places of the reply lane.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_amid_tasks_ends_each_once_and_doubles_no_suggestion() {
    let dir = tempfile::tempdir().unwrap();
    let (well, count) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    // Every second question hangs, so that some tasks have ended at each kill, and the lane is full.
    let model = Model::answering({
        let well = well.clone();
        move || {
            let odd = count.fetch_add(1, Ordering::SeqCst) % 2 == 1;
            if odd && !well.load(Ordering::SeqCst) {
                return Says::Hangs;
            }
            Says::text("{\"replies\": [{\"text\": \"Since when?\"}]}")
        }
    })
    .await;
    let settings = model.settings(dir.path());
    let options = ["--services", settings.to_str().unwrap()];
    let say_all = async |process: &Process, words: &str| {
        for n in 0..TASKS {
            let (mut patient, of) = Client::patient(process, dir.path(), &format!("patient-{n}")).await;
            assert!(patient.send(&of, words).await["ok"].is_object());
        }
    };
    for life in 0..KILLS {
        let mut process = Process::start_with(dir.path(), &options);
        say_all(&process, &format!("message {life}")).await;
        within(model.hanging(AT_ONCE)).await;
        process.signal("-KILL");
        process.child.wait().unwrap();
        within(model.hanging(0)).await;
    }
    well.store(true, Ordering::SeqCst);
    let mut process = Process::start_with(dir.path(), &options);
    say_all(&process, "the last").await;
    let log = dir.path().join("log.sqlite3");
    let log = Connection::open_with_flags(log, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let number = |sql: &str| log.query_row(sql, [], |row| row.get::<_, usize>(0)).unwrap();
    let ended = async {
        while number("SELECT count(*) FROM tasks WHERE ended IS NULL") > 0 {
            tokio::task::yield_now().await;
        }
    };
    within(ended).await;
    process.signal("-TERM");
    assert!(process.child.wait().unwrap().success());
    assert_eq!(number("SELECT count(*) FROM tasks"), TASKS * (KILLS + 1));
    assert_eq!(number("SELECT count(*) FROM tasks WHERE ended NOT IN ('done', 'superseded')"), 0);
    let suggestions = "FROM entries WHERE body ->> 'kind' = 'suggestion'";
    let distinct = "SELECT count(*) FROM (SELECT DISTINCT conversation, body ->> 'basis'";
    let done = number("SELECT count(*) FROM tasks WHERE ended = 'done'");
    assert_eq!(number(&format!("SELECT count(*) {suggestions}")), done);
    assert_eq!(number(&format!("{distinct} {suggestions})")), done);
    // Some of the lives that were killed, and all of the last.
    assert!(done > TASKS, "{done}");
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
