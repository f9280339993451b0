//! The console's core in a process of its own (`src/bin/console.rs`), which can be killed.

use crate::desktop::Desktop;
use crate::log::Log;
use crate::program::SOON;
use bedside_client::api::{Command, Failure, Reply};
use bedside_protocol::{ConversationId, EntryId, Seq};
use bedside_store::{Files, Reader};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

/// More than any conversation of a test has.
const ALL: u32 = 1_000;

/// A console, or one between two lives. Its cache stays the same.
#[derive(Debug)]
pub struct Console {
    program: &'static str,
    options: Vec<String>,
    /// The keychain's address, if the system's is used too.
    bus: Option<String>,
    folder: TempDir,
    child: Mutex<Child>,
    pipes: tokio::sync::Mutex<Pipes>,
}

#[derive(Debug)]
struct Pipes {
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// The console was killed before it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Killed;

impl Console {
    /// Starts one with an empty cache. `program` is the test's `env!("CARGO_BIN_EXE_console")`.
    pub fn start(program: &'static str) -> Self {
        Self::start_with(program, &[])
    }

    /// Starts one with further command line options, in all its lives.
    pub fn start_with(program: &'static str, options: &[&str]) -> Self {
        Self::start_in(&std::env::temp_dir(), program, options)
    }

    /// Starts one whose cache a window of this desktop can take over.
    pub fn start_on(desktop: &Desktop, program: &'static str) -> Self {
        Self::begin(&std::env::temp_dir(), program, &["--system-keychain"], Some(desktop.bus().to_owned()))
    }

    /// Starts one whose cache is on the disk of this folder.
    pub fn start_in(disk: &Path, program: &'static str, options: &[&str]) -> Self {
        Self::begin(disk, program, options, None)
    }

    fn begin(disk: &Path, program: &'static str, options: &[&str], bus: Option<String>) -> Self {
        let options: Vec<_> = options.iter().map(|&option| option.to_owned()).collect();
        let folder = tempfile::tempdir_in(disk).expect("a folder for the console");
        let (child, pipes) = begin(program, &options, bus.as_deref(), folder.path());
        let (child, pipes) = (Mutex::new(child), tokio::sync::Mutex::new(pipes));
        Self { program, options, bus, folder, child, pipes }
    }

    /// `kill -9`, in the middle of whatever it does, and a new start with the same cache.
    pub async fn kill_and_start_again(&self) {
        let killed = self.child.lock().unwrap_or_else(PoisonError::into_inner).start_kill();
        killed.expect("the console runs");
        // A call under way ends with the pipes, and lets go of them.
        let mut pipes = self.pipes.lock().await;
        let (child, new) = begin(self.program, &self.options, self.bus.as_deref(), self.folder.path());
        let mut old =
            std::mem::replace(&mut *self.child.lock().unwrap_or_else(PoisonError::into_inner), child);
        old.wait().await.expect("a child can be waited for");
        *pipes = new;
    }

    /// `kill -9`; the cache's folder is the window's then.
    pub async fn kill(&self) -> PathBuf {
        let _pipes = self.pipes.lock().await;
        let killed = self.child.lock().unwrap_or_else(PoisonError::into_inner).start_kill();
        killed.expect("the console runs");
        self.folder.path().to_owned()
    }

    /// Gives a command.
    pub async fn call(&self, command: &Command) -> Result<Result<Reply, Failure>, Killed> {
        let mut line = serde_json::to_vec(command).expect("a command is JSON");
        line.push(b'\n');
        let mut pipes = self.pipes.lock().await;
        pipes.commands.write_all(&line).await.map_err(|_| Killed)?;
        let answer = timeout(SOON, pipes.answers.next_line()).await;
        let answer = answer.expect("the console answers in time").ok().flatten().ok_or(Killed)?;
        Ok(serde_json::from_str(&answer).expect("an answer"))
    }

    /// Signs in at a demonstration server.
    pub async fn sign_in(&self, server: &str, name: &str) {
        let (server, name) = (server.to_owned(), name.to_owned());
        let answer = self.call(&Command::SignInDemo { server, name }).await;
        assert_eq!(answer, Ok(Ok(Reply::Done)));
    }

    /// Writes a message, once, whatever kills the console meanwhile. It is on the disk then, not on the server.
    pub async fn write(&self, conversation: &ConversationId, text: &str, seen: Seq) -> EntryId {
        let before = self.accepted(conversation);
        let command = Command::Send {
            conversation: conversation.clone(),
            text: text.to_owned(),
            files: vec![],
            seen,
            hold_ms: 0,
        };
        loop {
            match self.call(&command).await {
                Ok(Ok(Reply::Accepted { id })) => return id,
                Ok(other) => panic!("a message isn't accepted: {other:?}"),
                // Whether it was accepted before the end only the disk knows.
                Err(Killed) => {
                    if let Some(&id) = self.accepted(conversation).difference(&before).next() {
                        return id;
                    }
                }
            }
        }
    }

    /// The console's own messages of a conversation: in its cached log, or on their way there.
    fn accepted(&self, conversation: &ConversationId) -> BTreeSet<EntryId> {
        let reader = Reader::open(&self.files()).expect("the cache");
        let me = reader.account().expect("the cache").expect("somebody is signed in").me.id;
        // The outbox first: what leaves it meanwhile is an entry then.
        let outbox = reader.outbox().expect("the cache");
        let waiting =
            outbox.into_iter().filter(|row| row.send.conversation == *conversation).map(|row| row.send.id);
        let cached = reader.conversation(conversation, ALL, None).expect("the cache");
        let entries = cached.into_iter().flat_map(|cached| cached.entries);
        let sent = entries.filter(|entry| entry.author.id == me).map(|entry| entry.id);
        waiting.chain(sent).collect()
    }

    /// Its process, in its present life.
    pub fn pid(&self) -> u32 {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.id().expect("the console runs")
    }

    /// What its cache holds.
    pub fn log(&self) -> Log {
        Log::of_console(&self.files())
    }

    /// How many messages wait to be sent, or were refused.
    pub fn outbox(&self) -> usize {
        let reader = Reader::open(&self.files()).expect("the cache");
        reader.outbox().expect("the cache").len()
    }

    /// Where its cache is.
    pub fn files(&self) -> Files {
        crate::keychain::files(self.folder.path())
    }
}

fn begin(program: &str, options: &[String], bus: Option<&str>, folder: &Path) -> (Child, Pipes) {
    let mut child = tokio::process::Command::new(program)
        .envs(bus.map(|bus| ("DBUS_SESSION_BUS_ADDRESS", bus)))
        // It speaks to its server itself: nobody listens there.
        .envs(["http_proxy", "https_proxy", "all_proxy"].map(|proxy| (proxy, "http://127.0.0.1:9")))
        .arg("--data")
        .arg(folder)
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the console starts");
    let commands = child.stdin.take().expect("a pipe");
    let answers = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    (child, Pipes { commands, answers })
}
