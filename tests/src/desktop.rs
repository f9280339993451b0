//! What a window finds on a desktop: a screen, and a keychain.

use crate::program::{Program, SOON};
use crate::screen::Screen;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

/// Where windows open: the screen that `DISPLAY` names, or one in memory, and a GNOME keyring of its own, so that no test
/// touches a person's. What was started ends with this value.
#[derive(Debug)]
pub struct Desktop {
    screen: String,
    bus: String,
    folder: TempDir,
    _programs: Vec<Program>,
}

impl Desktop {
    /// Opens one.
    pub fn open() -> Self {
        Self::with_screen(std::env::var("DISPLAY").unwrap_or_default())
    }

    /// Opens one with a screen in memory, which [`Desktop::screen`] looks at.
    pub fn in_memory() -> Self {
        Self::with_screen(String::new())
    }

    fn with_screen(mut screen: String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut programs = Vec::new();
        if screen.is_empty() {
            // It takes a free number, and prints it.
            let mut xvfb = Command::new("Xvfb");
            xvfb.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]);
            xvfb.arg("-fbdir").arg(folder.path());
            let (program, number) =
                start(&folder, "Xvfb", &mut xvfb, |line| line.trim().parse::<u32>().is_ok());
            programs.push(program);
            screen = format!(":{}", number.trim());
        }
        let (program, bus) = bus(&folder);
        programs.push(program);
        let desktop = Self { screen, bus, folder, _programs: programs };
        desktop.unlock_keyring();
        desktop
    }

    /// Starts the keyring with a password of no importance. It takes requests before it goes into the background.
    fn unlock_keyring(&self) {
        let mut keyring = Command::new("gnome-keyring-daemon");
        keyring.args(["--unlock", "--daemonize", "--components=secrets"]);
        self.give_to(&mut keyring);
        let mut keyring = keyring
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon starts");
        keyring.stdin.take().expect("a pipe").write_all(b"test").expect("it reads its password");
        assert!(keyring.wait().expect("it goes into the background").success());
    }

    /// Lets a program use screen and keychain, and nothing of the person's who runs the tests.
    pub fn give_to(&self, command: &mut Command) {
        command.env("DISPLAY", &self.screen).env("DBUS_SESSION_BUS_ADDRESS", &self.bus);
        // Not on a Wayland screen beside it.
        command.env("GDK_BACKEND", "x11");
        for folder in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"] {
            command.env(folder, self.folder.path());
        }
    }

    /// What stands on the screen in memory.
    pub fn screen(&self) -> Screen {
        Screen::open(self.folder.path())
    }

    /// The folder for downloads, of a desktop that names none.
    pub fn downloads(&self) -> PathBuf {
        self.folder.path().join("Downloads")
    }

    /// The keychain's address, for `DBUS_SESSION_BUS_ADDRESS`.
    pub fn bus(&self) -> &str {
        &self.bus
    }
}

/// A message bus of its own, and its address.
pub(crate) fn bus(folder: &TempDir) -> (Program, String) {
    let mut dbus = Command::new("dbus-daemon");
    dbus.args(["--session", "--nofork", "--print-address=1"]);
    start(folder, "dbus-daemon", &mut dbus, |line| line.starts_with("unix:"))
}

/// Starts a program and waits for a line of what it prints.
fn start(
    folder: &TempDir,
    name: &str,
    command: &mut Command,
    is_it: impl Fn(&str) -> bool,
) -> (Program, String) {
    let mut program = Program::start(name, command, &folder.path().join(format!("{name}.log")));
    let start = Instant::now();
    loop {
        let said = program.said();
        if let Some(line) = said.lines().find(|line| is_it(line)) {
            return (program, line.to_owned());
        }
        program.assert_running();
        assert!(start.elapsed() < SOON, "{name} doesn't start:\n{said}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
