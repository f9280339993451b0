//! What every socket and every request of one server shares.

use crate::blobs::Blobs;
use crate::blobs::allowance::Allowance;
use crate::config::Config;
use crate::hub::Hub;
use crate::log::Revocation;
use crate::metrics::Metrics;
use crate::readers::Readers;
use crate::socket::UnreadCounts;
use crate::token::{Claims, Key};
use crate::writer::Writer;
use bedside_protocol::{ConnectRefusal, Epoch};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What every socket and every request of one server shares.
pub struct Shared {
    /// What it was started with.
    pub config: Config,
    /// Signs tokens.
    pub key: Key,
    /// Who is there.
    pub hub: Arc<Hub>,
    /// The log's present life.
    pub epoch: Epoch,
    /// The way to the log.
    pub writer: Writer,
    /// The way back.
    pub readers: Readers,
    /// Searches at once: they leave reading sides to everybody else.
    pub searches: Semaphore,
    /// Where the bytes of files are.
    pub blobs: Blobs,
    /// How much of them a person may ask for.
    pub allowance: Allowance,
    /// What sockets have been sent and have not taken.
    pub unread: UnreadCounts,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Set once the server takes no more work.
    pub draining: CancellationToken,
    /// The sessions that run.
    pub sessions: TaskTracker,
    /// The last session's number.
    pub numbers: AtomicU64,
    /// When `/readyz` last tried the log, and what came of it.
    pub probed: tokio::sync::Mutex<Option<(std::time::Instant, bool)>>,
}

impl Shared {
    /// Who `token` says its bearer is, and whether the access has ended since it was made.
    pub fn identify(&self, token: &str) -> Result<(Claims, Option<Revocation>), ConnectRefusal> {
        let claims = self.key.verify(token, self.config.clock.now())?;
        let revoked = self.hub.revoked(&claims.clinic, &claims.sub, claims.made());
        Ok((claims, revoked))
    }
}
