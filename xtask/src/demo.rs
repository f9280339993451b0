//! The demonstration: a server of its own with simulated patients, and the window, signed in. All of it ends together.
//!
//! ```text
//! set up, build ──> server listens ──> patients write, window opens ──> running ──> window, patients, server stop
//!                                                                        │    ^
//!                                       (only on a virtual display)      v    │
//!                                                     messages arrived: screenshot; then a limited time
//! ```

use crate::display::{self, Display};
use crate::process::{self, Context, Error, Process, Result, command, failed};
use crate::{build, setup};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// What can be chosen.
#[derive(clap::Args)]
pub struct Options {
    /// Replay recorded consultations (a JSON line each) instead of the demonstration's own patients.
    #[arg(long, value_name = "FILE.jsonl")]
    replay: Option<PathBuf>,
    /// Divide the patients' times by N.
    #[arg(long, value_name = "N", value_parser = pace)]
    speed: Option<f64>,
    /// End by itself after so many seconds (20 without a display, else when the window closes).
    #[arg(long, value_name = "SECONDS")]
    keep_open: Option<u64>,
}

fn pace(text: &str) -> std::result::Result<f64, &'static str> {
    let pace = text.parse().ok().filter(|pace: &f64| pace.is_finite() && *pace > 0.0);
    pace.ok_or("a positive number")
}

/// A server opens its log and listens within a second; a machine under load gets much more.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Until the first messages are in, on a virtual display.
const MESSAGES_LIMIT: Duration = Duration::from_secs(120);

/// So many entries make an inbox worth a picture.
const ENTRIES: f64 = 3.0;

/// What the window may need to paint what the server has sent it: far more than it takes.
const PAINT: Duration = Duration::from_secs(3);

/// How long the demonstration runs on where nobody can close its window.
const UNSEEN: Duration = Duration::from_secs(20);

/// A picture of an empty screen is smaller.
const MIN_PICTURE: u64 = 20_000;

/// What runs; it ends from the top to the bottom.
struct Parts {
    window: Process,
    patients: Process,
    server: Process,
    display: Display,
    _data: tempfile::TempDir,
}

/// Runs the demonstration until the window closes, somebody stops it, or its time is over.
pub fn run(root: &Path, options: &Options) -> Result {
    let replay = match &options.replay {
        Some(file) => Some(std::fs::canonicalize(file).context(format_args!("find {}", file.display()))?),
        None => None,
    };
    let mut tiers = vec![setup::Tier::Build];
    if !display::exists() {
        tiers.push(setup::Tier::Show);
    }
    setup::run(root, &tiers)?;
    build::programs(root)?;
    let folder = root.join("target/demo");
    std::fs::create_dir_all(&folder).context("make target/demo")?;

    println!("\n==> the demonstration");
    let (mut parts, address) = start(root, &folder, replay.as_deref(), options.speed)?;
    println!("Server and patients' page: http://{address}/ (open it in a browser to write as a patient).");
    println!("The window is signed in as a provider. Logs are in {}.", folder.display());
    let ended = watch(&mut parts, root, &folder, &address, options);
    let in_time = stop(parts);
    match ended {
        Ok(()) | Err(Error::Interrupted) if in_time => {
            println!("The demonstration has ended; nothing of it runs on.");
            Ok(())
        }
        Ok(()) | Err(Error::Interrupted) => failed("a part did not stop by itself and was killed"),
        failed => failed,
    }
}

fn start(root: &Path, folder: &Path, replay: Option<&Path>, speed: Option<f64>) -> Result<(Parts, String)> {
    let data = tempfile::tempdir().context("make a temporary folder")?;
    let display = Display::open(root, folder)?;
    let mut server = Command::new(build::program(root, "bedside-server"));
    server.args(["--demo", "--listen", "127.0.0.1:0", "--data"]).arg(data.path().join("server"));
    let (server, address) =
        Process::start_until("the server", &mut server, &folder.join("server.log"), START_LIMIT, |line| {
            listening(line).map(str::to_owned)
        })?;
    let url = format!("http://{address}");

    let mut patients = Command::new(build::program(root, "patients"));
    patients.args(["--server", &url]);
    match replay {
        Some(file) => patients.arg("--replay").arg(file),
        None => patients.arg("--dialogues").arg(root.join("demo")),
    };
    if let Some(speed) = speed {
        patients.args(["--speed", &speed.to_string()]);
    }
    let patients = Process::start_logged("the patients", &mut patients, &folder.join("patients.log"))?;

    let mut window = Command::new(build::program(root, "bedside"));
    window.args(["--keep-nothing", "--demo", &url, "--data"]).arg(data.path().join("console"));
    display.give_to(&mut window);
    let window = Process::start_logged("the window", &mut window, &folder.join("window.log"))?;
    let parts = Parts { window, patients, server, display, _data: data };
    Ok((parts, address))
}

/// The address in the line by which the server says that it is ready.
fn listening(line: &str) -> Option<&str> {
    let (_, address) = line.split_once("listening on http://")?;
    Some(address.trim().trim_end_matches('/'))
}

fn watch(parts: &mut Parts, root: &Path, folder: &Path, address: &str, options: &Options) -> Result {
    let mut limit = options.keep_open.map(Duration::from_secs);
    if parts.display.is_virtual() {
        picture(parts, root, folder, address)?;
        let left = limit.unwrap_or(UNSEEN);
        println!(
            "Nobody can close the window here: the demonstration ends by itself in {} s (--keep-open SECONDS).",
            left.as_secs()
        );
        limit = Some(left);
    } else {
        println!("Close the window or press Ctrl+C to end it.");
    }
    let start = Instant::now();
    let mut writing = true;
    let over = process::wait_for(Duration::MAX, || {
        if !parts.running()? || limit.is_some_and(|limit| start.elapsed() >= limit) {
            return Ok(Some(()));
        }
        if writing && parts.patients.try_wait()?.is_some() {
            writing = false;
            println!("The patients have written everything; the window stays.");
        }
        Ok(None)
    });
    over.map(|_| ())
}

impl Parts {
    /// Fails if a part died; `false` once the window was closed.
    fn running(&mut self) -> Result<bool> {
        self.server.check()?;
        // Patients end when they have written everything.
        if self.patients.try_wait()?.is_some_and(|status| !status.success()) {
            self.patients.check()?;
        }
        match self.window.try_wait()? {
            Some(status) if status.success() => Ok(false),
            Some(_) => self.window.check().map(|()| false),
            None => Ok(true),
        }
    }
}

/// Takes a picture of the screen once the window must show messages.
fn picture(parts: &mut Parts, root: &Path, folder: &Path, address: &str) -> Result {
    println!("Waiting for the first messages, to take a picture of the window.");
    let shown = process::wait_for(MESSAGES_LIMIT, || {
        if !parts.running()? {
            return failed("the window closed before it showed a message");
        }
        let metrics = get(address, "/metrics").unwrap_or_default();
        let signed_in = metric(&metrics, "bedside_sockets{role=\"provider\"}") >= 1.0;
        let written = metric(&metrics, "bedside_entries_total") >= ENTRIES;
        Ok((signed_in && written).then_some(()))
    })?;
    if shown.is_none() {
        return failed(format!(
            "no messages came, or the window did not connect, within {} s; see the logs",
            MESSAGES_LIMIT.as_secs()
        ));
    }
    let start = Instant::now();
    process::wait_for(Duration::MAX, || {
        parts.running()?;
        Ok((start.elapsed() >= PAINT).then_some(()))
    })?;
    let file = folder.join("screenshot.png");
    let mut scrot = command("scrot", &["--overwrite"], root);
    scrot.arg(&file);
    parts.display.give_to(&mut scrot);
    process::run(&mut scrot)?;
    let size = std::fs::metadata(&file).context("find the screenshot")?.len();
    if size < MIN_PICTURE {
        return failed(format!("the window stayed empty, as {} shows; see the logs", file.display()));
    }
    println!("Screenshot: {}", file.display());
    Ok(())
}

/// A page of the server. Its own answer says when it ends.
fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let limit = Some(Duration::from_secs(5));
    stream.set_read_timeout(limit)?;
    stream.set_write_timeout(limit)?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// The value of one of Prometheus's lines; 0 while there is none.
fn metric(metrics: &str, name: &str) -> f64 {
    metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
        .unwrap_or_default()
}

/// The window first, so that it doesn't show a lost connection; the server last, so that it answers what came.
fn stop(mut parts: Parts) -> bool {
    println!("Stopping.");
    let window = parts.window.stop();
    let patients = parts.patients.stop();
    let server = parts.server.stop();
    window && patients && server
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_servers_line() {
        assert_eq!(listening("listening on http://127.0.0.1:41999/"), Some("127.0.0.1:41999"));
        assert_eq!(listening("INFO listening on http://127.0.0.1:1"), Some("127.0.0.1:1"));
        assert_eq!(listening("opening the log"), None);
    }

    #[test]
    fn metrics_are_read_by_their_whole_name() {
        let text = "# TYPE bedside_entries counter\nbedside_entries_total 12\n\
                    bedside_sockets{role=\"provider\"} 1\nbedside_entries_total_x 3\n";
        assert_eq!(metric(text, "bedside_entries_total"), 12.0);
        assert_eq!(metric(text, "bedside_sockets{role=\"provider\"}"), 1.0);
        assert_eq!(metric(text, "bedside_sockets{role=\"patient\"}"), 0.0);
    }
}
