//! Children: each in a process group of its own, so that stopping one stops all that it started.

use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};

/// How often a wait looks whether its child has ended or somebody wants to stop: soon enough to feel immediate.
const POLL: Duration = Duration::from_millis(40);

/// How long a child may take to end after SIGTERM. The server answers what it has committed within it.
const GRACE: Duration = Duration::from_secs(10);

/// Lines of a log that are shown when its writer failed.
const TAIL_LINES: usize = 25;

/// Why a task ended early.
#[derive(Debug)]
pub enum Error {
    /// In words for the person at the terminal.
    Failed(String),
    /// Ctrl+C or SIGTERM.
    Interrupted,
}

/// What a task answers.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// A failure in words.
pub fn failed<T>(words: impl Into<String>) -> Result<T> {
    Err(Error::Failed(words.into()))
}

/// Puts what was being done before an error's own words.
pub trait Context<T> {
    /// `doing` completes "could not …".
    fn context(self, doing: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Error::Failed(format!("could not {doing}: {error}")))
    }
}

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on Ctrl+C, SIGTERM and a closed terminal end the waits below instead of the program.
pub fn catch_signals() -> Result {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(flag)).context("catch signals")?;
    }
    Ok(())
}

/// Whether somebody wants to stop.
pub fn check_interrupted() -> Result {
    match INTERRUPTED.get() {
        Some(flag) if flag.load(Ordering::Relaxed) => Err(Error::Interrupted),
        _ => Ok(()),
    }
}

/// Waits until `condition` gives something: `None` once `limit` is over.
pub fn wait_for<T>(limit: Duration, mut condition: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let start = Instant::now();
    loop {
        check_interrupted()?;
        if let Some(value) = condition()? {
            return Ok(Some(value));
        }
        if start.elapsed() >= limit {
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

/// Says what is being done, does it, and says how long it took.
pub fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    check_interrupted()?;
    println!("\n==> {title}");
    let start = Instant::now();
    let value = work()?;
    println!("    {title}: {:.1} s", start.elapsed().as_secs_f32());
    Ok(value)
}

/// A command that runs in `directory`.
pub fn command(program: impl AsRef<OsStr>, arguments: &[&str], directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory);
    command
}

/// Cargo, without what `cargo xtask` itself was given: else build scripts would see other variables than under a
/// plain `cargo build`, and run again.
pub fn cargo(arguments: &[&str], root: &Path) -> Command {
    let mut command = command("cargo", arguments, root);
    for (name, _) in std::env::vars_os() {
        let given = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix))
                || matches!(name, "CARGO" | "LD_LIBRARY_PATH" | "TS_RS_EXPORT_DIR")
        });
        if given {
            command.env_remove(name);
        }
    }
    command
}

/// The command as one would type it.
pub fn words(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs a command to its end, its output on the terminal.
pub fn run(command: &mut Command) -> Result {
    let text = words(command);
    let mut process = Process::start(&text, command)?;
    let status = process.wait()?;
    if status.success() { Ok(()) } else { failed(format!("`{text}` {}", ending(status))) }
}

/// Runs a short command and gives its standard output; `None` if it isn't there or fails.
pub fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How a process ended, in words.
pub fn ending(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".into(),
    }
}

/// A running child and whatever it started. Dropping it stops them all.
pub struct Process {
    name: String,
    child: Child,
    log: Option<PathBuf>,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts a command whose output goes where the command says, by default to the terminal.
    pub fn start(name: &str, command: &mut Command) -> Result<Self> {
        let child =
            command.stdin(Stdio::null()).process_group(0).spawn().context(format_args!("start {name}"))?;
        Ok(Self { name: name.into(), child, log: None, ended: None })
    }

    /// Starts a command whose output goes to a file.
    pub fn start_logged(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).context(format_args!("write {}", log.display()))?;
        let errors = file.try_clone().context("write a log")?;
        let mut process = Self::start(name, command.stdout(file).stderr(errors))?;
        process.log = Some(log.to_owned());
        Ok(process)
    }

    /// Starts a command, waits until it prints a line for which `found` gives something, and gives that. What it
    /// prints goes on to the log.
    pub fn start_until<T>(
        name: &str,
        command: &mut Command,
        log: &Path,
        limit: Duration,
        found: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        let mut file = File::create(log).context(format_args!("write {}", log.display()))?;
        let errors = file.try_clone().context("write a log")?;
        let mut process = Self::start(name, command.stdout(Stdio::piped()).stderr(errors))?;
        process.log = Some(log.to_owned());
        let (lines, line) = mpsc::channel();
        if let Some(output) = process.child.stdout.take() {
            std::thread::spawn(move || {
                for text in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                    // A full disk must not stop the child by a closed pipe: read on.
                    let _ = writeln!(file, "{text}");
                    let _ = lines.send(text);
                }
            });
        }
        let value = wait_for(limit, || {
            if let Some(value) = line.try_iter().find_map(|text| found(&text)) {
                return Ok(Some(value));
            }
            process.check().map(|()| None)
        })?;
        match value {
            Some(value) => Ok((process, value)),
            None => failed(format!("{name} was not ready after {} s{}", limit.as_secs(), process.tail())),
        }
    }

    /// How it ended, if it has.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().context(format_args!("wait for {}", self.name))?;
        }
        Ok(self.ended)
    }

    /// Fails, with the end of its log, if it has ended.
    pub fn check(&mut self) -> Result {
        match self.try_wait()? {
            None => Ok(()),
            Some(status) => failed(format!("{} {}{}", self.name, ending(status), self.tail())),
        }
    }

    /// Waits for its end; when somebody wants to stop, stops it and says so.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            if let Err(error) = check_interrupted() {
                self.stop();
                return Err(error);
            }
            std::thread::sleep(POLL);
        }
    }

    /// SIGTERM to the group, SIGKILL for what is left after [`GRACE`]. Says whether it ended in time.
    pub fn stop(&mut self) -> bool {
        let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else {
            return false;
        };
        let mut in_time = true;
        // Not `wait_for`: stopping goes on when somebody presses Ctrl+C.
        if matches!(self.try_wait(), Ok(None)) {
            let _ = kill_process_group(group, Signal::TERM);
            let start = Instant::now();
            while matches!(self.try_wait(), Ok(None)) && start.elapsed() < GRACE {
                std::thread::sleep(POLL);
            }
            in_time = self.ended.is_some();
        }
        // The group outlives its leader while one of its members lives. An empty one answers with an error.
        let _ = kill_process_group(group, Signal::KILL);
        if self.ended.is_none() {
            self.ended = self.child.wait().ok();
        }
        in_time
    }

    /// The end of the log, to be put after a failure's words.
    fn tail(&self) -> String {
        let Some(log) = &self.log else {
            return String::new();
        };
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        if lines.is_empty() {
            return "; it said nothing".into();
        }
        let from = lines.len().saturating_sub(TAIL_LINES);
        let tail = lines.get(from..).unwrap_or_default().join("\n    ");
        format!("; the end of {}:\n    {tail}", log.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        command("sh", &["-c", script], Path::new("/"))
    }

    #[test]
    fn a_failing_command_is_named_with_its_exit_code() {
        let Err(Error::Failed(words)) = run(&mut shell("exit 7")) else {
            panic!("it should fail");
        };
        assert!(words.contains("sh -c exit 7") && words.contains("exit code 7"), "{words}");
    }

    #[test]
    fn a_part_that_dies_before_it_is_ready_shows_its_log() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let started = Process::start_until(
            "the part",
            &mut shell("echo first; echo 'no room' >&2; exit 3"),
            &log,
            Duration::from_secs(60),
            |line| (line == "ready").then_some(()),
        );
        let Err(Error::Failed(words)) = started.map(|_| ()) else {
            panic!("it should fail");
        };
        assert!(words.contains("exit code 3") && words.contains("no room"), "{words}");
    }

    #[test]
    fn stopping_ends_what_a_child_started_too() {
        let directory = tempfile::tempdir().unwrap();
        // The grandchild ignores SIGTERM: only the group's SIGKILL ends it.
        let mut command = shell("sh -c 'trap \"\" TERM; while :; do sleep 1; done' & echo $!; wait");
        let (mut process, grandchild) = Process::start_until(
            "the part",
            &mut command,
            &directory.path().join("log"),
            Duration::from_secs(60),
            |line| line.parse::<u32>().ok(),
        )
        .unwrap();
        assert!(process.stop());
        let gone = wait_for(Duration::from_secs(60), || {
            // A killed process without a parent may stay as a zombie until init reaps it: state Z.
            let stat = std::fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
            Ok((stat.is_empty() || stat.contains(") Z ")).then_some(()))
        });
        assert!(gone.unwrap().is_some());
    }
}
