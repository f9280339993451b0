//! The console's core, from the socket's frame to the committed row and the window's difference.

use crate::flood::Flood;
use crate::log::Log;
use bedside_client::Client;
use bedside_client::api::{Command, InboxRow, Link, Patch, Query, Reply};
use bedside_protocol::{Conversation, ConversationId, Seq};
use bedside_store::Files;
use bedside_tests::keychain::{connection, files, setup};
use bedside_tests::trust;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Frames that may be under way between the server and the cache: fewer than the console's socket keeps for its core
/// (1,024), past which it gives the connection up. A server that has no such window is measured as a burst.
pub const WINDOW: usize = 900;
/// How often the cache is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// As many entries of the open conversation as a window shows at first.
const NEWEST: u32 = 50;

/// What came of a round.
pub struct Received {
    /// From the first frame until the last entry is in the cache.
    pub committed: Duration,
    /// From the first frame until a window has been told of it.
    pub shown: Duration,
    /// How many differences a window was told.
    pub updates: u32,
    /// Connections that it took.
    pub connections: u32,
    /// Where the processor's time went, by the threads' names, in seconds.
    pub busy: BTreeMap<String, f64>,
}

/// How the server publishes.
#[derive(Clone, Copy, PartialEq)]
pub enum Pace {
    /// [`WINDOW`] entries ahead of the cache.
    Window,
    /// All at once, as fast as the socket takes them.
    Burst,
}

/// Receives the whole log into a new cache.
pub async fn receive(log: &Arc<Log>, pace: Pace) -> Received {
    let flood = Flood::start(log);
    let folder = tempfile::tempdir().expect("a folder");
    let client = Client::start(setup(folder.path(), trust()), &tokio::runtime::Handle::current());
    let client = client.expect("a new cache");
    let open = log.conversations[0].id.clone();
    let sign_in = Command::SignIn { server: flood.url.clone(), token: "token".to_owned() };
    assert_eq!(client.call(sign_in).await, Ok(Reply::Done));
    let mut window = Window::open(&client, open.clone()).await;
    let opened = client.call(Command::Open { conversation: Some(open) }).await;
    assert_eq!(opened, Ok(Reply::Done));
    window.until(|window| window.live && window.heads.len() == log.conversations.len()).await;
    let (welcomed, busy) = (flood.welcomed.load(Ordering::Relaxed), busy());

    let all = log.frames.len();
    if pace == Pace::Burst {
        flood.published.send_replace(all);
    }
    let (published, cache, entries) = (flood.published.clone(), files(folder.path()), Arc::clone(log));
    let committed = std::thread::Builder::new().name("bench-poll".to_owned());
    let committed = committed.spawn(move || follow(&entries, &cache, &published, pace)).expect("a thread");
    let wanted: BTreeMap<_, _> =
        log.summaries(all).into_values().map(|summary| (summary.id.clone(), summary.head)).collect();
    window.updates = 0;
    window.until(|window| window.heads == wanted && window.loaded_upto == wanted[&window.open]).await;
    let shown = Instant::now();
    let committed = tokio::task::spawn_blocking(|| committed.join()).await.expect("a task");
    let committed = committed.expect("it ends well");
    let begun = *flood.begun.get().expect("it has begun");
    Received {
        committed: committed - begun,
        shown: shown.max(committed) - begun,
        updates: window.updates,
        connections: flood.welcomed.load(Ordering::Relaxed) - welcomed + 1,
        busy: since(busy),
    }
}

/// Looks at the cache until it holds all, and keeps the server ahead of it; says when it did.
fn follow(log: &Log, files: &Files, published: &watch::Sender<usize>, pace: Pace) -> Instant {
    let cache = connection(files);
    cache.execute_batch("PRAGMA query_only = ON").expect("a reader");
    let mut cursor = cache.prepare("SELECT cursor FROM device").expect("the cache's schema");
    let mut held = cache.prepare("SELECT sum(hi) FROM conversation").expect("the cache's schema");
    let all = log.frames.len();
    loop {
        let cursor: i64 = cursor.query_row([], |row| row.get(0)).expect("a cursor");
        let known = log.published_at(cursor.try_into().expect("a count"));
        if pace == Pace::Window {
            published.send_replace(all.min(known + WINDOW));
        }
        if known == all {
            // A burst's cursor may be there before its entries are.
            let held: i64 = held.query_row([], |row| row.get(0)).expect("a sum");
            if usize::try_from(held) == Ok(all) {
                return Instant::now();
            }
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// What a window holds, as far as it matters here.
struct Window {
    _watcher: bedside_client::Watcher,
    stream: tokio::sync::mpsc::Receiver<bedside_client::api::Update>,
    open: ConversationId,
    updates: u32,
    live: bool,
    rows: Vec<Conversation>,
    heads: BTreeMap<ConversationId, Seq>,
    loaded_upto: Seq,
}

impl Window {
    async fn open(client: &Client, open: ConversationId) -> Self {
        let (watcher, stream) = client.watch();
        let id = open.clone();
        watcher.set([Query::Connection, Query::Inbox, Query::Conversation { id, newest: NEWEST }]);
        Self {
            _watcher: watcher,
            stream,
            open,
            updates: 0,
            live: false,
            rows: Vec::new(),
            heads: BTreeMap::new(),
            loaded_upto: Seq::ZERO,
        }
    }

    async fn until(&mut self, wanted: impl Fn(&Self) -> bool) {
        while !wanted(self) {
            let update = self.stream.recv().await.expect("the core runs");
            self.updates += 1;
            match update.patch {
                Patch::Connection { connection } => {
                    self.live = matches!(connection.link, Link::Live { .. });
                }
                Patch::Inbox { rows } => {
                    if update.revision == 1 {
                        self.rows.clear();
                    }
                    let at = rows.at as usize;
                    let new = rows.insert.into_iter().map(|row: InboxRow| row.conversation);
                    self.rows.splice(at..at + rows.remove as usize, new);
                    self.heads = self.rows.iter().map(|row| (row.id.clone(), row.head)).collect();
                }
                Patch::Conversation { head, .. } => {
                    self.loaded_upto = head.map_or(self.loaded_upto, |head| head.loaded_upto);
                }
                Patch::Passage { .. } | Patch::Outbox { .. } | Patch::Search { .. } => {}
            }
        }
    }
}

/// Processor seconds of this process's threads, by name. Those of a name that have ended are missing.
fn busy() -> BTreeMap<String, f64> {
    let mut busy = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").expect("a Linux system").flatten() {
        // Between the listing and the look a thread may end.
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        let Some((name, rest)) = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')) else {
            continue;
        };
        let ticks = rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
        // Linux counts them in hundredths of a second wherever it is told nothing else.
        *busy.entry(name.to_owned()).or_default() += ticks.sum::<f64>() / 100.0;
    }
    busy
}

fn since(before: BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let mut now = busy();
    now.iter_mut().for_each(|(name, seconds)| *seconds -= before.get(name).copied().unwrap_or_default());
    now.retain(|_, seconds| *seconds > 0.005);
    now
}
