//! Signals to processes that the kit has started.

use bedside_tests::server::Server;
use std::path::Path;
use std::process::Command;

/// Stops a process where it stands (SIGSTOP). It isn't gone: its sockets stay open, and nobody answers.
pub fn stop(pid: u32) {
    signal("-STOP", pid);
}

/// Lets a stopped process go on, as if no time had passed.
pub fn go_on(pid: u32) {
    signal("-CONT", pid);
}

fn signal(signal: &str, pid: u32) {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "{signal} to {pid}");
}

/// The server's process, in its present life: the one that was started with its data's folder.
pub fn server(server: &Server) -> u32 {
    let data = server.data();
    let processes = std::fs::read_dir("/proc").expect("processes");
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let found = pids.into_iter().find(|pid| has_argument(*pid, &data));
    found.expect("the server runs")
}

fn has_argument(pid: u32, argument: &Path) -> bool {
    // One that has ended meanwhile has none.
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    arguments.split(|&byte| byte == 0).any(|one| one == argument.as_os_str().as_encoded_bytes())
}
