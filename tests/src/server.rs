//! A chat server in a process of its own, with the demonstration's clinic.

use crate::program::{Program, built, eventually, free_port};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A running server, or one between two lives. Its address and data stay the same.
#[derive(Debug)]
pub struct Server {
    program: Option<Program>,
    port: u16,
    folder: TempDir,
    options: Vec<String>,
}

impl Server {
    /// A new server with new data.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A new server with further command line options.
    pub async fn start_with(options: &[&str]) -> Self {
        let mut server = Self {
            program: None,
            port: free_port(),
            folder: tempfile::tempdir().expect("a folder for the server"),
            options: options.iter().map(|&option| option.to_owned()).collect(),
        };
        server.start_again().await;
        server
    }

    /// Starts it with its data and address of before.
    pub async fn start_again(&mut self) {
        let mut command = Command::new(built("bedside-server", "-p bedside-server"));
        command
            .args(["--demo", "--listen", &format!("127.0.0.1:{}", self.port), "--data"])
            .arg(self.data())
            .args(&self.options);
        self.program =
            Some(Program::start("bedside-server", &mut command, &self.folder.path().join("server.log")));
        let url = format!("{}/readyz", self.url());
        eventually("the server is ready", async || {
            if let Some(program) = &mut self.program {
                program.assert_running();
            }
            reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it keeps its log.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The log's file.
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

/// Recorded consultations that lie outside the project, `None` (said on the terminal) where they are missing.
pub fn recordings() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("BEDSIDE_DATA_DIR").map_or(beside, PathBuf::from);
    let file = folder.join("primock57/consultations.jsonl");
    if file.is_file() {
        return Some(file);
    }
    println!("skipped: {} is missing; BEDSIDE_DATA_DIR names its folder", file.display());
    None
}
