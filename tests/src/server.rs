//! A chat server in a process of its own, with the demonstration's clinic.

use crate::chat::http;
use crate::program::{Program, SOON, built, eventually, free_port};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A running server, or one between two lives. Its address and data stay the same.
#[derive(Debug)]
pub struct Server {
    program: Option<Program>,
    kind: Kind,
    port: u16,
    folder: TempDir,
}

#[derive(Debug)]
enum Kind {
    /// Ours, with further command line options.
    Bedside(Vec<String>),
    /// The one of `tests/interop/flask`.
    Flask,
}

impl Server {
    /// A new server with new data.
    pub async fn start() -> Self {
        Self::begin(Kind::Bedside(vec![])).await
    }

    /// A new server with further command line options.
    pub async fn start_with(options: &[&str]) -> Self {
        Self::begin(Kind::Bedside(options.iter().map(|&option| option.to_owned()).collect())).await
    }

    /// A new server on another stack.
    pub async fn start_flask() -> Self {
        Self::begin(Kind::Flask).await
    }

    async fn begin(kind: Kind) -> Self {
        let (program, port) = (None, free_port());
        let folder = tempfile::tempdir().expect("a folder for the server");
        let mut server = Self { program, kind, port, folder };
        server.start_again().await;
        server
    }

    /// Starts it with its data and address of before.
    pub async fn start_again(&mut self) {
        let mut command = self.command();
        let name = command.get_program().to_string_lossy().into_owned();
        self.program = Some(Program::start(&name, &mut command, &self.folder.path().join("server.log")));
        let url = format!("{}/healthz", self.url());
        let http = http(SOON).expect("a client");
        eventually("the server is ready", async || {
            if let Some(program) = &mut self.program {
                program.assert_running();
            }
            http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    fn command(&self) -> Command {
        match &self.kind {
            Kind::Bedside(options) => {
                let mut command = Command::new(built("bedside-server", "-p bedside-server"));
                let listen = format!("127.0.0.1:{}", self.port);
                command.args(["--demo", "--listen", &listen, "--data"]).arg(self.data()).args(options);
                command
            }
            Kind::Flask => {
                let mut command = Command::new(python());
                command.arg(interop("flask/server.py")).args(["--port", &self.port.to_string(), "--db"]);
                command.arg(self.folder.path().join("flask.sqlite3"));
                command
            }
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where ours keeps its log and its key.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Our log's file.
    pub fn log(&self) -> PathBuf {
        self.data().join("log.sqlite3")
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.program.take().expect("the server runs").kill();
    }

    /// SIGTERM; panics unless it ends well.
    pub fn stop(&mut self) {
        let mut program = self.program.take().expect("the server runs");
        let status = program.stop();
        assert!(status.success(), "the server ended badly ({status}):\n{}", program.said());
    }

    /// What it has printed in all its lives.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }
}

/// A file of `tests/interop`.
pub fn interop(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(name)
}

/// The Python that has the packages of `tests/interop/requirements.txt`: `cargo xtask test` says which.
pub fn python() -> PathBuf {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python");
    let python = std::env::var_os("BEDSIDE_PYTHON").map_or(usual, PathBuf::from);
    assert!(python.is_file(), "{} is missing; run: cargo xtask test", python.display());
    python
}
