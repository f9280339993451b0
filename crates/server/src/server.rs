//! A server from its start to its end.

use crate::blobs::{self, Blobs, sweep};
use crate::config::{Config, StartError};
use crate::hub::Hub;
use crate::log::{Fault, Log, Reader, SqliteLog};
use crate::metrics::Metrics;
use crate::net;
use crate::readers::{Readers, SEARCHES};
use crate::session::End;
use crate::shared::Shared;
use crate::tasks::{Runner, hints};
use crate::token::Key;
use crate::writer::Writer;
use crate::{http, socket};
use socketioxide::SocketIo;
use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The log's file within the data directory.
const LOG_FILE: &str = "log.sqlite3";
/// Held by the server that works in the data directory.
const LOCK_FILE: &str = "lock";
/// How long the steps of the end may take: a disk or a peer that doesn't answer mustn't hold the process up. Whoever
/// stops it usually kills it after ten seconds.
const LOG_STEP: Duration = Duration::from_millis(2500);
const STEP: Duration = Duration::from_millis(1000);

/// A server that runs.
pub struct Server {
    addr: SocketAddr,
    shared: Arc<Shared>,
    io: SocketIo,
    stop: CancellationToken,
    writer: JoinHandle<()>,
    connections: TaskTracker,
    heart: tokio::task::JoinHandle<()>,
    tasks: tokio::task::JoinHandle<()>,
    sweep: tokio::task::JoinHandle<()>,
    http: tokio::task::JoinHandle<()>,
    _lock: File,
}

impl Server {
    /// Starts a server; it answers when this returns.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        if config.demo && !config.listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(config.listen));
        }
        let data = config.data.clone();
        let at_data = |error| StartError::Data(data.clone(), error);
        std::fs::create_dir_all(&data).map_err(at_data)?;
        let lock = lock(&data)?;
        let key = Key::of(&data).map_err(at_data)?;
        let log = SqliteLog::open(&data.join(LOG_FILE))?;
        let metrics = Arc::new(Metrics::default());
        let (blobs, found) =
            Blobs::open(&data, &log.reader()?.blobs()?, config.clock.now()).map_err(at_data)?;
        metrics.blobs_found(found);
        report(found);
        let hub = Arc::new(hub(log.reader()?.as_mut(), metrics.clone())?);
        let readers = Readers::of(&log)?;
        let in_use = |error| StartError::Listen(config.listen, error);
        let epoch = log.epoch().clone();
        let listener = TcpListener::bind(config.listen).await.map_err(in_use)?;
        let addr = listener.local_addr().map_err(in_use)?;
        let left = log.reader()?.jobs()?;
        let (hint, committed) = hints();
        let (writer, thread) =
            Writer::start(log, config.clock.clone(), hub.clone(), hint, metrics.clone()).map_err(at_data)?;
        let shared = Arc::new(Shared {
            config,
            key,
            hub,
            epoch,
            writer,
            readers,
            searches: Semaphore::new(SEARCHES),
            blobs,
            allowance: Default::default(),
            unread: Default::default(),
            metrics: metrics.clone(),
            draining: CancellationToken::new(),
            sessions: TaskTracker::new(),
            numbers: Default::default(),
            probed: Default::default(),
        });
        if !http::has_page() {
            tracing::warn!(
                "the patients' page isn't in this program: it was built before the page (cargo xtask build)"
            );
        }
        let (layer, io) = socket::layer(&shared.config.limits);
        socket::namespaces(&io, &shared);
        let count = axum::middleware::from_fn_with_state(shared.unread.clone(), socket::count);
        let mut router = http::router(shared.clone()).layer(layer).layer(count);
        if shared.config.demo {
            router = router.layer(axum::middleware::from_fn(http::only_local));
        }
        let service = router.into_make_service_with_connect_info::<net::Connection>();
        let (stop, connections) = (CancellationToken::new(), TaskTracker::new());
        let door = net::Door { listener, open: connections.clone(), metrics };
        let serve = axum::serve(door, service).with_graceful_shutdown(stop.clone().cancelled_owned());
        let http = tokio::spawn(async move {
            // axum's loop over connections has no end but the one asked for.
            let _ = serve.await;
        });
        Ok(Self {
            addr,
            heart: tokio::spawn(beat(shared.clone())),
            sweep: tokio::spawn(sweep::run(shared.clone())),
            tasks: tokio::spawn(Runner::run(shared.clone(), left, committed)),
            shared,
            io,
            stop,
            writer: thread,
            connections,
            http,
            _lock: lock,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops it. No new frame is taken; what was taken is committed, published and answered; then the sockets get
    /// what is waiting for them and are closed.
    pub async fn shutdown(self) {
        let shared = self.shared;
        shared.draining.cancel();
        self.tasks.abort();
        self.sweep.abort();
        shared.writer.stop().await;
        let writer = self.writer;
        bounded("the log", LOG_STEP, tokio::task::spawn_blocking(move || writer.join())).await;
        self.heart.abort();
        shared.hub.end_all(End::Shutdown);
        shared.sessions.close();
        bounded("sessions", STEP, shared.sessions.wait()).await;
        self.stop.cancel();
        bounded("sockets", STEP, self.io.close()).await;
        self.connections.close();
        bounded("connections", STEP, self.connections.wait()).await;
        self.http.abort();
    }
}

/// Waits for `step`, but not for long.
async fn bounded<T>(what: &str, limit: Duration, step: impl Future<Output = T>) {
    if tokio::time::timeout(limit, step).await.is_err() {
        tracing::warn!("gave up waiting for {what}");
    }
}

fn lock(data: &Path) -> Result<File, StartError> {
    let at_data = |error| StartError::Data(data.to_owned(), error);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data.join(LOCK_FILE))
        .map_err(at_data)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(data.to_owned())),
        Err(TryLockError::Error(error)) => Err(at_data(error)),
    }
}

/// Says what lay in the folder of files that shouldn't, or didn't that should.
fn report(found: blobs::Found) {
    if found.removed > 0 {
        tracing::info!(files = found.removed, "removed files that an earlier life left behind");
    }
    if found.strangers > 0 {
        tracing::warn!(
            files = found.strangers,
            "files that the log doesn't know: is it the one they belong to? They go when they are a month old"
        );
    }
    if found.missing > 0 {
        tracing::error!(files = found.missing, "files that the log knows are missing in the data directory");
    }
}

fn hub(reader: &mut dyn Reader, metrics: Arc<Metrics>) -> Result<Hub, Fault> {
    Ok(Hub::new(reader.revs()?, reader.revocations()?, metrics))
}

async fn beat(shared: Arc<Shared>) {
    let every = Duration::from_millis(u64::from(shared.config.heartbeat_ms.max(1)));
    let mut beats = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        shared.hub.heartbeat(shared.config.clock.now());
    }
}
