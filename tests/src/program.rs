//! Programs that tests start: found, logged, ended.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// For anything that must happen soon, on a machine that may be busy building.
pub const SOON: Duration = Duration::from_secs(60);
/// How often a condition is looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command`; what it prints is added to `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).expect("the log can be made");
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a descriptor"))
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} doesn't start: {error}"));
        let (name, log) = (name.to_owned(), log.to_owned());
        Self { name, child, log }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a crash would, and the programs that it has started.
    pub fn kill(&mut self) {
        let children = ["-KILL", "-P", &self.child.id().to_string()];
        drop(Command::new("pkill").args(children).status());
        // Both fail only if it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Asks it to end (SIGTERM), and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.is_ok_and(|status| status.success()), "{} can't be asked to end", self.name);
        self.wait()
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(start.elapsed() < SOON, "{} doesn't end:\n{}", self.name, self.said());
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Panics with what the program said if it has ended.
    pub fn assert_running(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait() {
            panic!("{} has ended ({status}):\n{}", self.name, self.said());
        }
    }

    /// All that it has printed.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program of another package, which `cargo test` doesn't build by itself.
pub fn built(name: &str, package: &str) -> PathBuf {
    // target/debug/deps/test-… and target/debug/program
    let here = std::env::current_exe().expect("a test has a path");
    let found = here.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not built; run: cargo build {package}"))
}

/// A port that nobody listens on. It lies below the range that the system gives to outgoing connections, so that
/// none of them takes it while a server is down.
pub fn free_port() -> u16 {
    let [a, b, ..] = uuid::Uuid::new_v4().into_bytes();
    let start = 10_000 + u16::from_be_bytes([a, b]) % 20_000;
    (start..32_000).find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok()).expect("a free port")
}

/// Waits for a condition; panics after [`SOON`], saying what it waited for.
pub async fn eventually(what: &str, condition: impl AsyncFnMut() -> bool) {
    assert!(soon(condition).await, "it never came to be that {what}");
}

/// Whether a condition is met within [`SOON`].
pub async fn soon(mut condition: impl AsyncFnMut() -> bool) -> bool {
    let start = Instant::now();
    while !condition().await {
        if start.elapsed() > SOON {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    true
}
