//! What `/metrics` shows. Numbers and codes only: no name, no id, no text.

use crate::blobs::Found;
use crate::services::breaker::State;
use bedside_protocol::{Code, ConnectRefusal, Role};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

type Labels = [(&'static str, &'static str); 1];
type ServiceLabels = [(&'static str, String); 2];

/// The server's counters.
pub struct Metrics {
    registry: Registry,
    /// Transactions.
    pub commits: Counter,
    /// Transactions that the disk refused.
    pub faults: Counter,
    /// Writes a transaction.
    pub batch: Histogram,
    /// Time of a transaction.
    pub commit_time: Histogram,
    /// Entries committed.
    pub entries: Counter,
    /// Frames to clients.
    pub emitted: Counter,
    /// Sockets closed because they didn't keep up.
    pub slow: Counter,
    /// TCP connections.
    pub connections: Gauge,
    sockets: Family<Labels, Gauge>,
    blobs: Gauge,
    blob_bytes: Gauge,
    blobs_refused: Family<Labels, Counter>,
    rejected: Family<Labels, Counter>,
    refused: Family<Labels, Counter>,
    tasks: Family<Labels, Counter>,
    services: Family<ServiceLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("bedside");
        let r = &mut registry;
        let batch = Histogram::new(exponential_buckets(1.0, 2.0, 9));
        r.register("batch_writes", "Writes a transaction", batch.clone());
        // From a fast disk's 0.2 ms to a stalled one's 6 s.
        let commit_time = Histogram::new(exponential_buckets(0.0002, 2.0, 16));
        r.register_with_unit("commit", "Time of a transaction", Unit::Seconds, commit_time.clone());
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            r.register(name, help, counter.clone());
            counter
        };
        let commits = counter("commits", "Transactions");
        let faults = counter("faults", "Transactions that the disk refused");
        let entries = counter("entries", "Entries committed");
        let emitted = counter("frames_emitted", "Frames put into sockets");
        let slow = counter("slow_sockets", "Sockets closed because they didn't keep up");
        let connections = Gauge::default();
        r.register("connections", "TCP connections", connections.clone());
        let sockets = Family::default();
        r.register("sockets", "Accepted sockets by role", sockets.clone());
        let blobs = Gauge::default();
        r.register("blobs", "Files that were uploaded, each once", blobs.clone());
        let blob_bytes = Gauge::default();
        r.register_with_unit("blobs", "Their size", Unit::Bytes, blob_bytes.clone());
        let blobs_refused = Family::default();
        r.register("blobs_refused", "Uploads and downloads refused by code", blobs_refused.clone());
        let rejected = Family::default();
        r.register("rejected", "Frames refused by code", rejected.clone());
        let refused = Family::default();
        r.register("connects_refused", "Connections refused by code", refused.clone());
        let tasks = Family::default();
        r.register("tasks", "Background tasks by their end", tasks.clone());
        let services = Family::default();
        r.register("model_service", "Model services by where their breaker stands", services.clone());
        Self {
            registry,
            commits,
            faults,
            batch,
            commit_time,
            entries,
            emitted,
            slow,
            connections,
            sockets,
            blobs,
            blob_bytes,
            blobs_refused,
            rejected,
            refused,
            tasks,
            services,
        }
    }
}

impl Metrics {
    /// The gauge of the sockets of `role`.
    pub fn sockets(&self, role: Role) -> Gauge {
        let role = match role {
            Role::Provider => "provider",
            Role::Patient => "patient",
            Role::System => "system",
        };
        self.sockets.get_or_create_owned(&[("role", role)])
    }

    /// Counts a refused frame.
    pub fn rejected(&self, code: Code) {
        self.rejected.get_or_create_owned(&[("code", code_word(code))]).inc();
    }

    /// Shows what was there at the start.
    pub fn blobs_found(&self, found: Found) {
        self.blobs.set(i64::try_from(found.files).unwrap_or(i64::MAX));
        self.blob_bytes.set(size(found.bytes));
    }

    /// Counts a file of so many bytes.
    pub fn blob_put(&self, bytes: u64) {
        self.blobs.inc();
        self.blob_bytes.inc_by(size(bytes));
    }

    /// Counts it off again.
    pub fn blob_gone(&self, bytes: u64) {
        self.blobs.dec();
        self.blob_bytes.dec_by(size(bytes));
    }

    /// Counts a refused upload or download.
    pub fn blob_refused(&self, code: &'static str) {
        self.blobs_refused.get_or_create_owned(&[("code", code)]).inc();
    }

    /// Counts a refused connection.
    pub fn refused(&self, refusal: ConnectRefusal) {
        self.refused.get_or_create_owned(&[("code", refusal.as_str())]).inc();
    }

    /// Counts a background task by its end.
    pub fn task(&self, end: &'static str) {
        self.tasks.get_or_create_owned(&[("end", end)]).inc();
    }

    /// All of it in Prometheus's text format, with the services as they are.
    pub fn text<'a>(&self, services: impl IntoIterator<Item = (&'a str, State)>) -> String {
        for (service, now) in services {
            for state in State::ALL {
                let labels = [("service", service.to_owned()), ("state", state.word().to_owned())];
                self.services.get_or_create_owned(&labels).set(i64::from(state == now));
            }
        }
        let mut text = String::new();
        // Writing into a String can't fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// No disk is larger.
fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A code as it stands on the wire.
pub fn code_word(code: Code) -> &'static str {
    match code {
        Code::Invalid => "invalid",
        Code::TooLarge => "too_large",
        Code::NotFound => "not_found",
        Code::Forbidden => "forbidden",
        Code::Conflict => "conflict",
        Code::Behind => "behind",
        Code::Diverged => "diverged",
        Code::RateLimited => "rate_limited",
        Code::Unavailable => "unavailable",
    }
}
