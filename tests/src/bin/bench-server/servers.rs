//! The servers that are measured, each a program with the demonstration's sign-in.

use crate::Person;
use bedside_tests::chat::SignIn;
use bedside_tests::program::{Program, built, eventually, free_port};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::Semaphore;

/// A server that can be started.
pub struct Contender {
    /// What to call it.
    pub name: &'static str,
    command: fn(port: &str, folder: &Path) -> Command,
}

/// Ours first, then its peers.
pub fn all() -> [Contender; 3] {
    [
        Contender { name: "bedside-server", command: ours },
        Contender { name: "Flask-SocketIO", command: flask },
        Contender { name: "Node socket.io", command: node },
    ]
}

fn ours(port: &str, folder: &Path) -> Command {
    let mut command = Command::new(built("bedside-server", "-p bedside-server --release"));
    // The limit on sends is for people; the peers have none either.
    command.args(["--demo", "--sends-per-s", "100000", "--listen"]).arg(format!("127.0.0.1:{port}"));
    command.arg("--data").arg(folder);
    command
}

fn flask(port: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("BEDSIDE_PYTHON").unwrap_or("python3".into()));
    command.arg(peers().join("flask/server.py")).args(["--port", port, "--db"]).arg(folder.join("log.db"));
    command
}

fn node(port: &str, folder: &Path) -> Command {
    let peer = peers().join("node");
    if !peer.join("node_modules").is_dir() {
        let installed =
            Command::new("npm").args(["ci", "--no-fund", "--no-audit"]).current_dir(&peer).status();
        assert!(installed.is_ok_and(|status| status.success()), "npm ci fails in {}", peer.display());
    }
    let mut command = Command::new("node");
    command.arg(peer.join("server.mjs")).args(["--port", port, "--db"]).arg(folder.join("log.db"));
    command
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bench/peers")
}

/// A running server with an empty log. It is killed when this is dropped.
pub struct Server {
    _program: Program,
    url: String,
    _folder: TempDir,
}

impl Contender {
    /// Starts it and waits until it answers.
    pub async fn start(&self) -> Server {
        let folder = tempfile::tempdir().expect("a folder for the server");
        let port = free_port().to_string();
        let mut command = (self.command)(&port, folder.path());
        let program = Program::start(self.name, &mut command, &folder.path().join("said"));
        let url = format!("http://127.0.0.1:{port}");
        let health = format!("{url}/healthz");
        eventually("the server answers", async || {
            reqwest::get(&health).await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        Server { _program: program, url, _folder: folder }
    }
}

impl Server {
    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token of provider number `n`.
    pub async fn provider(&self, n: usize) -> String {
        let signed_in = SignIn::provider(&self.url, &format!("Provider {n}")).ask().await;
        signed_in.expect("a demonstration server").token
    }

    /// Patient number `n`.
    pub async fn patient(&self, n: usize) -> Person {
        let signed_in = SignIn::patient(&self.url, &format!("Patient {n}")).ask().await;
        let signed_in = signed_in.expect("a demonstration server");
        Person {
            token: signed_in.token,
            conversation: signed_in.conversation.expect("a patient has a conversation"),
            under_way: Arc::new(Semaphore::new(crate::UNDER_WAY)),
        }
    }
}
