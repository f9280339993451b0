//! What others need for a part of the same: a socket that only receives, and a store that only stores.

use crate::flood::Flood;
use crate::floor::BATCH;
use crate::log::Log;
use bedside_client::socket::{Socket, SocketEvent, Target};
use bedside_protocol::{Body, ServerFrame};
use bedside_tests::trust;
use bedside_tests::wire::connect;
use futures_util::FutureExt;
use rust_socketio::asynchronous::ClientBuilder;
use rust_socketio::{Event, TransportType};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Frames a second that `rust_socketio` alone takes, parsed to JSON values as it always does.
pub async fn rust_socketio(log: &Arc<Log>) -> f64 {
    let flood = Flood::start(log);
    let all = log.frames.len();
    let (heard, welcome, end) = (AtomicUsize::new(0), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (on_welcome, on_end) = (Arc::clone(&welcome), Arc::clone(&end));
    let client = ClientBuilder::new(flood.url.clone())
        .namespace("/provider")
        .transport_type(TransportType::Websocket)
        .auth(serde_json::to_value(connect("token")).expect("JSON"))
        .reconnect(false)
        .on_any(move |event, _, _| {
            match event {
                Event::Custom(name) if name == "welcome" => on_welcome.notify_one(),
                Event::Custom(name)
                    if name == "entry" && heard.fetch_add(1, Ordering::Relaxed) + 1 == all =>
                {
                    on_end.notify_one();
                }
                _ => {}
            }
            std::future::ready(()).boxed()
        })
        .connect()
        .await
        .expect("a connection");
    welcome.notified().await;
    flood.published.send_replace(all);
    end.notified().await;
    let seconds = flood.begun.get().expect("it has begun").elapsed().as_secs_f64();
    client.disconnect().await.expect("a goodbye");
    all as f64 / seconds
}

/// Frames a second that our wrapper of it takes: decoded to frames of the protocol, in a runtime of its own.
pub async fn socket(log: &Arc<Log>) -> f64 {
    let flood = Flood::start(log);
    let all = log.frames.len();
    let target =
        Target { url: flood.url.clone(), namespace: "/provider", connect: connect("token"), trust: trust() };
    let (_socket, mut events) = Socket::open(target).expect("a thread");
    let mut heard = 0;
    while heard < all {
        match events.recv().await.expect("the connection is up") {
            SocketEvent::Frame(ServerFrame::Welcome(_)) => drop(flood.published.send_replace(all)),
            SocketEvent::Frame(ServerFrame::Entry(_)) => heard += 1,
            _ => {}
        }
    }
    all as f64 / flood.begun.get().expect("it has begun").elapsed().as_secs_f64()
}

/// The event cache store of matrix-sdk-sqlite, a program of its own.
pub struct Matrix(PathBuf);

impl Matrix {
    /// Builds it, which takes minutes the first time.
    pub fn build() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let target = root.join("target/bench/matrix");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.args(["build", "--release", "--locked", "--manifest-path"]);
        cargo.arg(root.join("bench/peers/matrix/Cargo.toml")).arg("--target-dir").arg(&target);
        let built = cargo.status().is_ok_and(|status| status.success());
        built.then(|| Self(target.join("release/bench-matrix")))
    }

    /// Events a second that it saves, in batches as large as ours.
    pub fn save(&self, log: &Log) -> f64 {
        let folder = tempfile::tempdir().expect("a folder");
        let events = folder.path().join("events.json");
        let event = |frame: &bedside_protocol::EntryFrame| {
            let entry = &frame.entry;
            let Body::Text(text) = &entry.body else { unreachable!("all are texts") };
            let id = entry.id.to_string().replace('-', "");
            json!([entry.conversation, id, entry.author.id, entry.at, text.text])
        };
        let list: Vec<_> = log.frames.iter().map(event).collect();
        std::fs::write(&events, serde_json::to_vec(&list).expect("JSON")).expect("a file");
        let mut program = Command::new(&self.0);
        let said = program.arg(&events).arg(folder.path().join("store")).arg(BATCH.to_string()).output();
        let said = String::from_utf8(said.expect("it runs").stdout).expect("text");
        let seconds: f64 = said.trim().parse().expect("seconds");
        log.frames.len() as f64 / seconds
    }
}
