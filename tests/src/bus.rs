//! A D-Bus of a test's own, on which nobody is but who the test puts there.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Anybody may say anything to anybody.
const EVERYTHING: &str = r#"
    <policy context="default">
        <allow send_destination="*" eavesdrop="true"/>
        <allow eavesdrop="true"/>
        <allow own="*"/>
    </policy>"#;

/// A bus that ends with this value.
pub struct PrivateBus {
    daemon: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl PrivateBus {
    /// Starts one, with nothing on it.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().display();
        let config = folder.path().join("bus.conf");
        let text = format!("<busconfig><listen>unix:dir={place}</listen>{EVERYTHING}</busconfig>");
        std::fs::write(&config, text).expect("a configuration");
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--nosyslog", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon, of the package dbus");
        let mut address = String::new();
        let out = daemon.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut address).expect("its address");
        Self { daemon, address: address.trim().to_owned(), _folder: folder }
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        let _ended = self.daemon.kill();
        let _ended = self.daemon.wait();
    }
}
