//! Socket.IO stacks that aren't ours: Node's and python's clients with our server, and the console's core with a
//! Flask-SocketIO server. `tests/interop` holds the foreign halves.

use bedside_protocol::{ConversationId, Entry, Seq};
use bedside_tests::chat::SignIn;
use bedside_tests::console::Console;
use bedside_tests::log::Log;
use bedside_tests::program::{Program, eventually, free_port};
use bedside_tests::server::Server;
use bedside_tests::wire::Wire;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Often enough that both scripts see some, and that a dead connection shows soon.
const HEARTBEAT: [&str; 2] = ["--heartbeat-ms", "1000"];
/// What the Flask server doesn't do.
const WITHOUT: [&str; 2] = ["--without", "wait,rate_limit"];
/// Patients who write to the Flask server.
const PATIENTS: usize = 3;
/// Messages of each.
const MESSAGES: usize = 20;

fn interop(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(path)
}

/// Python with the packages of `tests/interop/requirements.txt`.
fn python() -> PathBuf {
    let made_by_xtask = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python");
    std::env::var_os("BEDSIDE_PYTHON").map_or(made_by_xtask, PathBuf::from)
}

/// Runs a script to its end; panics with what it printed unless it passed.
fn passes(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} doesn't start: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    println!("{said}");
    assert!(output.status.success(), "{command:?} ended with {}:\n{said}", output.status);
}

fn node(server: &str, arguments: &[&str]) {
    let script = interop("node/check.mjs");
    assert!(interop("node/node_modules").is_dir(), "run: npm ci --prefix tests/interop/node");
    passes(Command::new("node").arg(script).arg(server).args(arguments));
}

fn python_client(server: &str) {
    passes(Command::new(python()).arg(interop("python/check.py")).arg(server));
}

/// The Flask-SocketIO server, or one between two lives.
struct Flask {
    program: Option<Program>,
    port: u16,
    folder: TempDir,
}

impl Flask {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut flask = Self { program: None, port: free_port(), folder };
        flask.start_again().await;
        flask
    }

    async fn start_again(&mut self) {
        let mut command = Command::new(python());
        command
            .arg(interop("flask/server.py"))
            .args(["--port", &self.port.to_string(), "--db"])
            .arg(self.folder.path().join("log.sqlite3"))
            .args(HEARTBEAT);
        let mut program = Program::start("flask", &mut command, &self.folder.path().join("server.log"));
        let url = format!("{}/healthz", self.url());
        eventually("the Flask server is ready", async || {
            program.assert_running();
            reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        self.program = Some(program);
    }

    fn kill(&mut self) {
        self.program.take().expect("the server runs").kill();
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its log of these conversations, as a provider reads it.
    async fn log(&self, conversations: &[ConversationId]) -> Log {
        let mut reader = Wire::sign_in(&SignIn::provider(&self.url(), "Reader")).await;
        let mut entries: Vec<Entry> = Vec::new();
        for conversation in conversations {
            entries.extend(reader.entries(conversation, Seq::new(1), Seq::new(200)).await.entries);
        }
        Log(entries)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn node_and_python_clients_agree_with_our_server() {
    let server = Server::start_with(&HEARTBEAT).await;
    node(&server.url(), &[]);
    python_client(&server.url());
}

#[tokio::test(flavor = "multi_thread")]
async fn node_and_python_clients_agree_with_the_flask_server() {
    let flask = Flask::start().await;
    node(&flask.url(), &WITHOUT);
    python_client(&flask.url());
}

/// Patients write, the provider answers, the server and the console are killed: all of it is there once, in one order.
#[tokio::test(flavor = "multi_thread")]
async fn the_console_works_with_a_flask_server() {
    let mut flask = Flask::start().await;
    let console = Console::start(env!("CARGO_BIN_EXE_console"));
    console.sign_in(&flask.url(), "Dr. Flask").await;

    let mut conversations = Vec::new();
    for number in 0..PATIENTS {
        let mut patient = Wire::sign_in(&SignIn::patient(&flask.url(), &format!("Patient {number}"))).await;
        let conversation = patient.conversation.clone().expect("a patient has a conversation");
        for message in 0..MESSAGES {
            patient.say(&conversation, &format!("{number} says {message}")).await;
        }
        conversations.push(conversation);
    }
    let written = PATIENTS * MESSAGES;
    eventually("the console has all", async || console.log().messages().count() == written).await;

    let seen = Seq::new(MESSAGES as u64);
    for conversation in &conversations {
        console.write(conversation, "an answer", seen).await;
    }
    eventually("the answers are committed", async || console.outbox() == 0).await;
    flask.kill();
    for conversation in &conversations {
        console.write(conversation, "written without a server", seen.next()).await;
    }
    assert_eq!(console.outbox(), PATIENTS);
    console.kill_and_start_again().await;
    flask.start_again().await;
    let all = written + 2 * PATIENTS;
    eventually("all of it has arrived", async || {
        console.outbox() == 0 && console.log().messages().count() == all
    })
    .await;

    let log = flask.log(&conversations).await;
    assert_eq!(log.messages().count(), all);
    log.assert_dense();
    assert_eq!(log.digest(), console.log().digest());
}
