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
    /// Seconds after which its queue hands a message out again, if it has one.
    visibility: Option<u32>,
}

impl Contender {
    const fn new(name: &'static str, command: fn(port: &str, folder: &Path) -> Command) -> Self {
        Self { name, command, visibility: None }
    }
}

/// Ours first, then its peers.
pub fn all() -> [Contender; 3] {
    [
        Contender::new("bedside-server", ours),
        Contender::new("Flask-SocketIO", flask),
        Contender::new("Node socket.io", node),
    ]
}

/// Those with work for a model, ours first: in background tasks, and in the consumers of a queue, with SQS's usual
/// visibility time-out and with one as long as a job.
pub fn with_jobs() -> [Contender; 4] {
    [
        Contender::new("bedside-server", ours_with_jobs),
        Contender::new("Flask-SocketIO", flask),
        Contender { visibility: Some(30), ..Contender::new("SQS FIFO queue, visibility 30 s", flask) },
        Contender { visibility: Some(1), ..Contender::new("SQS FIFO queue, visibility 1 s", flask) },
    ]
}

fn ours_with_jobs(port: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a program has a path"));
    command.args([crate::ours::SERVE, port]).arg(folder);
    command
}

fn ours(port: &str, folder: &Path) -> Command {
    let mut command = Command::new(built("bedside-server", "-p bedside-server --release"));
    // The limit on sends is for people; the peers have none either.
    command.args(["--demo", "--sends-per-s", "100000", "--listen"]).arg(format!("127.0.0.1:{port}"));
    command.arg("--data").arg(folder);
    command
}

fn python() -> PathBuf {
    std::env::var_os("BEDSIDE_PYTHON").map_or_else(|| "python3".into(), PathBuf::from)
}

fn flask(port: &str, folder: &Path) -> Command {
    let mut command = Command::new(python());
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
    _queue: Option<Program>,
    url: String,
    _folder: TempDir,
}

impl Contender {
    /// Starts it and waits until it answers.
    pub async fn start(&self) -> Server {
        let folder = tempfile::tempdir().expect("a folder for the server");
        let port = free_port().to_string();
        let mut command = (self.command)(&port, folder.path());
        let mut queue = None;
        if let Some(visibility) = self.visibility {
            let port = free_port().to_string();
            let mut moto = Command::new(python());
            moto.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port]);
            queue = Some(Program::start("moto", &mut moto, &folder.path().join("queue")));
            let address = format!("http://127.0.0.1:{port}");
            answers("the queue answers", &format!("{address}/moto-api/")).await;
            command.args(["--queue", &address, "--visibility", &visibility.to_string()]);
        }
        let program = Program::start(self.name, &mut command, &folder.path().join("said"));
        let url = format!("http://127.0.0.1:{port}");
        answers("the server answers", &format!("{url}/healthz")).await;
        Server { _program: program, _queue: queue, url, _folder: folder }
    }
}

async fn answers(what: &str, url: &str) {
    eventually(what, async || reqwest::get(url).await.is_ok_and(|answer| answer.status().is_success())).await;
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
