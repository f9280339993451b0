//! The program.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use clap::Parser;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// With this variable set, WebKitGTK lets any program of the same user drive the window.
const AUTOMATION: &str = "TAURI_WEBVIEW_AUTOMATION";

fn main() -> ExitCode {
    let options = bedside_app::Options::parse();
    let filter = EnvFilter::try_from_env("BEDSIDE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // Removing a variable from one's own environment is unsafe; refusing to start under it is not. Tests and benchmarks
    // drive builds that are made for it.
    if cfg!(not(any(debug_assertions, feature = "automation"))) && std::env::var_os(AUTOMATION).is_some() {
        tracing::error!(
            "{AUTOMATION} is set: Bedside doesn't run while another program can drive its window"
        );
        return ExitCode::FAILURE;
    }
    forbid_dumps();
    let displays = ["DISPLAY", "WAYLAND_DISPLAY"];
    if cfg!(target_os = "linux") && displays.iter().all(|name| std::env::var_os(name).is_none()) {
        tracing::error!("there is no display: Bedside is a desktop program");
        return ExitCode::FAILURE;
    }
    match bedside_app::run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "Bedside can't start");
            ExitCode::FAILURE
        }
    }
}

/// No copy of the memory, with keys and conversations in it, may get onto the disk or to another program of the user's.
fn forbid_dumps() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        // The webview's processes inherit the first.
        let outcome = setrlimit(Resource::Core, none)
            .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable));
        if let Err(error) = outcome {
            tracing::warn!(%error, "core dumps can't be forbidden");
        }
    }
}
