//! Watching queries: a snapshot at once, then numbered differences, at most one a frame.

use crate::Shared;
use crate::api::{Query, Update};
use crate::view::{Change, View};
use bedside_protocol::{ConversationId, Seq};
use bedside_store::Topic;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Differences are gathered for this long: a frame of a 60 Hz screen.
const FRAME: Duration = Duration::from_millis(16);
/// Updates that may wait for the window; beyond it the differences grow larger, not more.
const QUEUE: usize = 16;
/// How soon to try again when the cache can't be read.
const RETRY: Duration = Duration::from_secs(1);

/// What may have changed since a watcher last looked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dirty {
    connection: bool,
    inbox: bool,
    outbox: bool,
    conversations: BTreeSet<ConversationId>,
    /// Search knows more.
    found: bool,
    everything: bool,
}

impl Dirty {
    /// What a commit touched.
    pub(crate) fn topics(topics: BTreeSet<Topic>) -> Self {
        let mut dirty = Self::default();
        for topic in topics {
            match topic {
                Topic::Account => dirty.everything = true,
                Topic::Outbox => (dirty.outbox, dirty.inbox, dirty.connection) = (true, true, true),
                Topic::Conversation(id) => {
                    dirty.inbox = true;
                    dirty.conversations.insert(id);
                }
            }
        }
        dirty
    }

    /// Who is signed in changed.
    pub(crate) fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// Search knows more than before.
    pub(crate) fn indexed() -> Self {
        Self { found: true, ..Self::default() }
    }

    /// What somebody looks at that isn't kept here changed: a search, and parts of these conversations.
    pub(crate) fn beyond(conversations: impl Iterator<Item = ConversationId>) -> Self {
        Self { found: true, conversations: conversations.collect(), ..Self::default() }
    }

    /// The link changed, and with it what is under way.
    pub(crate) fn connection() -> Self {
        Self { connection: true, ..Self::default() }
    }

    /// Something about one conversation changed that isn't on the disk.
    pub(crate) fn conversation(id: ConversationId) -> Self {
        Self { conversations: [id].into(), ..Self::default() }
    }

    /// Messages of these conversations went from waiting to sending, or back, which is on no disk.
    pub(crate) fn sending(conversations: BTreeSet<ConversationId>) -> Self {
        let moved = !conversations.is_empty();
        Self { inbox: moved, outbox: moved, conversations, ..Self::connection() }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.connection |= other.connection;
        self.inbox |= other.inbox;
        self.outbox |= other.outbox;
        self.conversations.extend(other.conversations);
        self.found |= other.found;
        self.everything |= other.everything;
    }

    fn touches(&self, query: &Query) -> bool {
        self.everything
            || match query {
                Query::Connection => self.connection,
                Query::Inbox => self.inbox,
                Query::Outbox => self.outbox,
                Query::Conversation { id, .. } | Query::Passage { id, .. } => self.conversations.contains(id),
                Query::Search { .. } => self.found || !self.conversations.is_empty(),
            }
    }
}

/// Queries, each with the number of the set in which it joined: one that left and came back starts anew, even if the
/// watch didn't look in between.
type Joined = BTreeMap<Query, u64>;

/// Sets what a window watches. Dropping it ends the watch.
#[derive(Debug)]
pub struct Watcher {
    queries: watch::Sender<(u64, Joined)>,
}

impl Watcher {
    /// The whole set of watched queries. One that stays goes on with its revisions; a new one begins at 1.
    pub fn set(&self, queries: impl IntoIterator<Item = Query>) {
        self.queries.send_modify(|(sets, joined)| {
            *sets += 1;
            let since = |query: &Query| joined.get(query).copied().unwrap_or(*sets);
            *joined = queries
                .into_iter()
                .map(|query| (since(&query), query))
                .map(|(n, query)| (query, n))
                .collect();
        });
    }
}

struct Watched {
    joined: u64,
    revision: u32,
    view: View,
    read_upto: Option<Seq>,
}

/// Starts a watch of nothing yet.
pub(crate) fn start(
    shared: Arc<Shared>,
    runtime: &tokio::runtime::Handle,
) -> (Watcher, mpsc::Receiver<Update>) {
    let (queries, wanted) = watch::channel((0, Joined::new()));
    let (updates, receiver) = mpsc::channel(QUEUE);
    let dirty = shared.subscribe();
    runtime.spawn(run(shared, wanted, dirty, updates));
    (Watcher { queries }, receiver)
}

async fn run(
    shared: Arc<Shared>,
    mut wanted: watch::Receiver<(u64, Joined)>,
    mut dirt: mpsc::UnboundedReceiver<Dirty>,
    updates: mpsc::Sender<Update>,
) {
    let mut watched: BTreeMap<Query, Watched> = BTreeMap::new();
    loop {
        let mut dirty = Dirty::default();
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { return },
            some = dirt.recv() => match some {
                Some(some) => dirty.add(some),
                None => return,
            },
        }
        while let Ok(more) = dirt.try_recv() {
            dirty.add(more);
        }
        let (_, queries) = wanted.borrow_and_update().clone();
        watched.retain(|query, known| queries.get(query) == Some(&known.joined));
        for (query, joined) in queries {
            if watched.contains_key(&query) && !dirty.touches(&query) {
                continue;
            }
            let known = watched.remove(&query);
            let first = known.as_ref().and_then(|known| known.view.first());
            let Some(view) = look(&shared, &query, first, &updates).await else { return };
            let (now, update) = step(&query, joined, known, view);
            watched.insert(query, now);
            if let Some(update) = update
                && updates.send(update).await.is_err()
            {
                return;
            }
        }
        // Changes are gathered; what somebody begins to look at doesn't wait for that.
        tokio::select! {
            () = tokio::time::sleep(FRAME) => {}
            changed = wanted.changed() => match changed {
                Ok(()) => wanted.mark_changed(),
                Err(_) => return,
            },
        }
    }
}

/// What the query shows now. While the cache can't be read it waits; `None`: nobody listens any more.
async fn look(
    shared: &Arc<Shared>,
    query: &Query,
    first: Option<Seq>,
    updates: &mpsc::Sender<Update>,
) -> Option<View> {
    loop {
        let (shared, query) = (Arc::clone(shared), query.clone());
        let view = tokio::task::spawn_blocking(move || shared.view(&query, first)).await.ok()?;
        match view {
            Ok(view) => return Some(view),
            Err(error) => tracing::error!(%error, "a view can't be read"),
        }
        tokio::select! {
            () = updates.closed() => return None,
            () = tokio::time::sleep(RETRY) => {}
        }
    }
}

fn step(query: &Query, joined: u64, known: Option<Watched>, mut view: View) -> (Watched, Option<Update>) {
    let (revision, read_upto, change) = match &known {
        None => (0, view.read_upto(), Change::Anew),
        Some(known) => {
            let read_upto = known.read_upto.or(view.read_upto());
            if let Some(first) = read_upto {
                view.keep_read_upto(first);
            }
            (known.revision, read_upto, view.since(&known.view))
        }
    };
    let (revision, patch) = match change {
        Change::None => (revision, None),
        Change::Patch(patch) => (revision + 1, Some(patch)),
        Change::Anew => (1, Some(view.snapshot())),
    };
    let update = patch.map(|patch| Update { query: query.clone(), revision, patch });
    (Watched { joined, revision, view, read_upto }, update)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;
    use crate::api::Link;
    use crate::live::Live;
    use crate::settings::Settings;

    #[tokio::test(start_paused = true)]
    async fn what_one_begins_to_look_at_is_there_at_once_and_changes_once_a_frame() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::read(folder.path(), Policy::default());
        let shared = Arc::new(Shared::new(settings));
        let (watcher, mut updates) = start(Arc::clone(&shared), &tokio::runtime::Handle::current());
        let begun = tokio::time::Instant::now();
        for queries in [vec![Query::Connection], vec![Query::Connection, Query::Inbox]] {
            watcher.set(queries.clone());
            assert_eq!(updates.recv().await.map(|update| update.query), queries.last().cloned());
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        shared.with_live(|live| *live = Live::signed_out(Link::Connecting { since: None }));
        shared.publish(&Dirty::connection());
        assert_eq!(updates.recv().await.map(|update| update.revision), Some(2));
        assert!(FRAME <= begun.elapsed());
    }
}
