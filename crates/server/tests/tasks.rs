//! Background tasks in a running server: they keep no message waiting, the newest wins, and each ends once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers are tests too"
)]

mod raw;

use bedside_protocol::{Body, ConversationId, Extra, Role, SuggestionItem};
use bedside_server::tasks::{Advice, Attempt, Kinds, Lane, Reading, Task, Tries, Trouble};
use bedside_server::{Config, Server};
use raw::*;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// A task that answers every patient's message, once the test lets it.
struct Slow {
    name: &'static str,
    lane: Lane,
    timeout: Duration,
    gate: Arc<Semaphore>,
    /// What the tries come to, one after the other; when there is nothing left, they succeed.
    troubles: Mutex<VecDeque<Trouble>>,
    begun: AtomicUsize,
    item: String,
}

impl Slow {
    fn new(name: &'static str, lane: Lane) -> Self {
        Self {
            name,
            lane,
            timeout: PATIENCE,
            gate: Arc::new(Semaphore::new(0)),
            troubles: Mutex::default(),
            begun: AtomicUsize::new(0),
            item: "rest, and call us if it gets worse".into(),
        }
    }
}

impl Task for Slow {
    fn name(&self) -> &'static str {
        self.name
    }

    fn lane(&self) -> Lane {
        self.lane
    }

    fn wanted(&self, role: Role, body: &Body) -> bool {
        role == Role::Patient && body.is_message()
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn tries(&self) -> Tries {
        Tries { most: 3, backoff: Duration::from_millis(1) }
    }

    fn attempt<'a>(&'a self, reading: &'a Reading) -> Attempt<'a> {
        Box::pin(async move {
            self.begun.fetch_add(1, Ordering::SeqCst);
            self.gate.acquire().await.unwrap().forget();
            if let Some(trouble) = self.troubles.lock().unwrap().pop_front() {
                return Err(trouble);
            }
            let read = reading.entries.last().map(|entry| entry.preview.clone()).unwrap_or_default();
            Ok(Advice {
                items: vec![SuggestionItem { text: format!("{read}: {}", self.item), extra: Extra::new() }],
                model: "slow".into(),
                version: "1".into(),
                abstained: None,
            })
        })
    }
}

async fn start_with(data: &Path, tasks: &[&Arc<Slow>]) -> Server {
    let tasks = Kinds::new(tasks.iter().map(|task| Arc::clone(task) as Arc<dyn Task>));
    Server::start(Config { tasks, ..config(data) }).await.unwrap()
}

/// Waits until a provider is told that the task is so far.
async fn until(amara: &mut Client, state: &str) {
    while amara.event("suggesting").await["state"] != state {}
}

/// The suggestions of a conversation: what each rests on, and its first item.
async fn suggestions(amara: &mut Client, of: &ConversationId) -> Vec<(u64, String)> {
    let entries = amara.entries(of).await;
    let suggestions = entries.iter().filter(|entry| entry["body"]["kind"] == "suggestion");
    suggestions
        .map(|entry| {
            let text = entry["body"]["items"][0]["text"].as_str().unwrap();
            (entry["body"]["basis"].as_u64().unwrap(), text.to_owned())
        })
        .collect()
}

/// Waits until so many tries have begun.
async fn begun(slow: &Slow, tries: usize) {
    let begun = async {
        while slow.begun.load(Ordering::SeqCst) < tries {
            tokio::task::yield_now().await;
        }
    };
    within(begun).await;
}

async fn suggested(amara: &mut Client) {
    while amara.event("entry").await["entry"]["body"]["kind"] != "suggestion" {}
}

#[tokio::test]
async fn no_message_waits_for_a_task_and_no_lane_for_another() {
    let dir = tempfile::tempdir().unwrap();
    let (stuck, quick) = (Slow::new("reply", Lane::Reply), Slow::new("triage", Lane::Triage));
    quick.gate.add_permits(100);
    let (stuck, quick) = (Arc::new(stuck), Arc::new(quick));
    let server = start_with(dir.path(), &[&stuck, &quick]).await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    // More conversations than the lane has places.
    for n in 0..20 {
        let (mut patient, of) = Client::patient(&server, dir.path(), &format!("patient-{n}")).await;
        assert!(patient.send(&of, "hello").await["ok"].is_object());
        suggested(&mut amara).await;
        assert_eq!(suggestions(&mut amara, &of).await, [(1, format!("hello: {}", quick.item))]);
    }
    assert!(stuck.begun.load(Ordering::SeqCst) < 20);
    within(server.shutdown()).await;
}

#[tokio::test]
async fn a_newer_message_ends_what_was_computed_for_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let slow = Arc::new(Slow::new("reply", Lane::Reply));
    let server = start_with(dir.path(), &[&slow]).await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    hana.send(&of, "first").await;
    begun(&slow, 1).await;
    hana.send(&of, "second").await;
    begun(&slow, 2).await;
    slow.gate.add_permits(2);
    suggested(&mut amara).await;
    // The wait-time message is the second entry.
    assert_eq!(suggestions(&mut amara, &of).await, [(3, format!("second: {}", slow.item))]);
    // The first was dropped before it took its permit.
    assert_eq!((slow.begun.load(Ordering::SeqCst), slow.gate.available_permits()), (2, 1));
    server.shutdown().await;
}

#[tokio::test]
async fn what_a_stop_cut_off_is_done_once_by_the_next_life() {
    let dir = tempfile::tempdir().unwrap();
    let slow = Arc::new(Slow::new("reply", Lane::Reply));
    let server = start_with(dir.path(), &[&slow]).await;
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    hana.send(&of, "hello").await;
    begun(&slow, 1).await;
    server.shutdown().await;
    slow.gate.add_permits(100);
    for _ in 0..2 {
        let server = start_with(dir.path(), &[&slow]).await;
        let mut amara = Client::provider(&server, dir.path(), "amara").await;
        let found = async {
            while suggestions(&mut amara, &of).await.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        within(found).await;
        assert_eq!(suggestions(&mut amara, &of).await.len(), 1);
        server.shutdown().await;
    }
    assert_eq!(slow.begun.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn trouble_is_tried_again_until_it_is_given_up() {
    for (troubles, begun, found) in [
        (vec![Trouble::Later(None); 2], 3, 1),
        (vec![Trouble::Later(None); 3], 3, 0),
        (vec![Trouble::Never], 1, 0),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let slow = Slow { troubles: Mutex::new(troubles.into()), ..Slow::new("reply", Lane::Reply) };
        slow.gate.add_permits(100);
        let slow = Arc::new(slow);
        let server = start_with(dir.path(), &[&slow]).await;
        let mut amara = Client::provider(&server, dir.path(), "amara").await;
        let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
        hana.send(&of, "hello").await;
        if found == 1 {
            suggested(&mut amara).await;
        } else {
            until(&mut amara, "failed").await;
        }
        assert_eq!(suggestions(&mut amara, &of).await.len(), found);
        assert_eq!(slow.begun.load(Ordering::SeqCst), begun);
        server.shutdown().await;
    }
}

#[tokio::test]
async fn what_takes_too_long_or_is_too_large_fails() {
    let late = Slow { timeout: Duration::from_millis(5), ..Slow::new("reply", Lane::Reply) };
    let large = Slow { item: "x".repeat(100_000), ..Slow::new("reply", Lane::Reply) };
    large.gate.add_permits(1);
    for slow in [late, large] {
        let dir = tempfile::tempdir().unwrap();
        let slow = Arc::new(slow);
        let server = start_with(dir.path(), &[&slow]).await;
        let mut amara = Client::provider(&server, dir.path(), "amara").await;
        let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
        hana.send(&of, "hello").await;
        until(&mut amara, "failed").await;
        assert_eq!(suggestions(&mut amara, &of).await, []);
        server.shutdown().await;
    }
}
