//! The kit of the tests that cross crates, and the simulated patients of the demonstration.
//!
//! The tests start programs of other packages. `cargo xtask test` builds them first; by hand that is
//! `cargo build -p bedside-server` and, for the window, `cargo build -p bedside --features custom-protocol`.

#[cfg(target_os = "linux")]
pub mod bus;
pub mod cache;
pub mod cast;
pub mod chat;
pub mod client;
pub mod computer;
pub mod console;
pub mod corpus;
pub mod damage;
pub mod desktop;
pub mod keychain;
pub mod log;
pub mod page;
pub mod patients;
pub mod processes;
pub mod program;
pub mod proxy;
pub mod raw;
pub mod replay;
pub mod results;
pub mod screen;
pub mod server;
pub mod shown;
pub mod tls;
pub mod wire;

use bedside_client::Trust;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// What the system trusts, read once.
pub fn trust() -> Trust {
    static SYSTEM: LazyLock<Trust> = LazyLock::new(|| Trust::system().expect("the system's trust store"));
    SYSTEM.clone()
}

/// Published conversations that lie outside the project, `None` (said on the terminal) where they are missing.
pub fn published(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("BEDSIDE_DATA_DIR").map_or(beside, PathBuf::from);
    let file = folder.join(name);
    if file.is_file() {
        return Some(file);
    }
    println!("skipped: {} is missing; BEDSIDE_DATA_DIR names its folder", file.display());
    None
}
