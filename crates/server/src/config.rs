//! What a server is started with, and why it may not start.

use crate::clock::{Clock, SystemClock};
use crate::log::Fault;
use crate::tasks::Kinds;
use bedside_protocol::Limits;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

/// What a server is started with.
#[derive(Clone)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where it keeps its log, its files and its key. One server at a time works in it.
    pub data: PathBuf,
    /// Whether anybody may sign in to the demonstration's clinic. On loopback only.
    pub demo: bool,
    /// Milliseconds between heartbeats.
    pub heartbeat_ms: u32,
    /// What frames and files may weigh.
    pub limits: Limits,
    /// The background tasks that messages start.
    pub tasks: Kinds,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Milliseconds between heartbeats unless told otherwise: a dead connection shows after 25 seconds.
pub const HEARTBEAT_MS: u32 = 10_000;

/// The port unless told otherwise.
pub const PORT: u16 = 8790;

impl Config {
    /// The defaults, with the data in `data`.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, PORT).into(),
            data: data.into(),
            demo: false,
            heartbeat_ms: HEARTBEAT_MS,
            limits: Limits::default(),
            tasks: Kinds::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// Why a server didn't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The demonstration lets anybody in, so that nobody but this machine may reach it.
    #[error("--demo lets anybody sign in, so it listens on loopback only: {0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The data directory can't be made or written.
    #[error("the data directory {0} can't be used: {1}")]
    Data(PathBuf, std::io::Error),
    /// Another server works in the data directory.
    #[error("another server works in {0}")]
    InUse(PathBuf),
    /// The log can't be opened.
    #[error(transparent)]
    Log(#[from] Fault),
    /// The address is taken, or isn't this machine's.
    #[error("can't listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
}
