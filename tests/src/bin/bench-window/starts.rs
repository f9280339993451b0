//! From process start to a painted window, seen on the screen itself, so that the same rule holds for any program.

use bedside_tests::desktop::Desktop;
use bedside_tests::processes;
use bedside_tests::program::{Program, SOON};
use bedside_tests::screen::{Area, Screen};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The names of the inbox's first patients, without what changes with time.
const INBOX: Area = Area { x: 20, y: 60, width: 200, height: 240 };
/// A window that hasn't changed for so long is finished.
const QUIET: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A program that is started again and again.
pub struct Starts<'a> {
    desktop: &'a Desktop,
    screen: Screen,
    program: PathBuf,
    arguments: Vec<String>,
    logs: TempDir,
    /// The screen without a window.
    blank: Vec<u8>,
    /// The screen with the finished window.
    painted: Vec<u8>,
    ms: Vec<f64>,
}

impl<'a> Starts<'a> {
    /// Starts it until it looks twice the same when it is finished: the first start on a desktop makes caches and settings.
    pub fn begin(desktop: &'a Desktop, program: &Path, arguments: &[&str]) -> Self {
        let screen = desktop.screen();
        let blank = screen.look(INBOX);
        let mut starts = Self {
            desktop,
            screen,
            program: program.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            logs: tempfile::tempdir().expect("a folder"),
            painted: blank.clone(),
            blank,
            ms: Vec::new(),
        };
        loop {
            let finished = starts.finished();
            if alike(&finished, &starts.painted) {
                return starts;
            }
            starts.painted = finished;
        }
    }

    /// What the window looks like when it hasn't changed for a while.
    fn finished(&self) -> Vec<u8> {
        let mut program = self.start();
        let (mut seen, mut changed) = (self.blank.clone(), Instant::now());
        while alike(&seen, &self.blank) || changed.elapsed() < QUIET {
            program.assert_running();
            let now = self.screen.look(INBOX);
            if now != seen {
                (seen, changed) = (now, Instant::now());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        self.end(program);
        seen
    }

    /// Starts it, notes how long it takes until it looks finished, and ends it.
    pub fn once(&mut self) {
        let start = Instant::now();
        let program = self.start();
        self.wait_for(&self.painted);
        self.ms.push(start.elapsed().as_secs_f64() * 1000.0);
        self.end(program);
    }

    /// Prints all times, and answers the middle one, in milliseconds.
    pub fn median(mut self, name: &str) -> f64 {
        self.ms.sort_by(f64::total_cmp);
        let all: Vec<_> = self.ms.iter().map(|ms| format!("{ms:.0}")).collect();
        println!("{name}: {} ms", all.join(" "));
        self.ms[self.ms.len() / 2]
    }

    fn start(&self) -> Program {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        self.desktop.give_to(&mut command);
        Program::start("the window", &mut command, &self.logs.path().join("log"))
    }

    /// Ends it with all its processes: the next start finds the machine as this one did.
    fn end(&self, mut program: Program) {
        let pids = processes::tree(program.pid());
        program.stop();
        let start = Instant::now();
        while pids.iter().any(|&pid| processes::is_running(pid)) {
            assert!(start.elapsed() < SOON, "a process of the window stays");
            std::thread::sleep(LOOK_EVERY);
        }
        self.wait_for(&self.blank);
    }

    fn wait_for(&self, picture: &[u8]) {
        let start = Instant::now();
        while !alike(&self.screen.look(INBOX), picture) {
            assert!(start.elapsed() < SOON, "the window doesn't look as it did");
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// Whether two pictures differ by no more than a web view's smoothing of letters does from start to start: by one step of 256,
/// in the mean. Letters that are missing make fifteen.
fn alike(one: &[u8], other: &[u8]) -> bool {
    let differ: u64 = one.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    differ <= one.len() as u64
}
