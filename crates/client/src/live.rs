//! What of the state isn't on the disk: the link, what is under way, who types. The core writes it, views read it.

use crate::api::{Account, History, HistoryPause, Link, Repaired, Trouble, Vault};
use crate::beyond::Beyond;
use bedside_engine::{self as engine, OutboxState};
use bedside_protocol::{ConversationId, EntryId, Time, TypingFrame};
use std::collections::{BTreeMap, BTreeSet};

/// What of the state isn't on the disk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Live {
    pub(crate) account: Option<Account>,
    pub(crate) link: Link,
    pub(crate) catching_up: u32,
    pub(crate) waiting: u32,
    pub(crate) refused: u32,
    /// Messages that were handed over and not answered or whose files are on their way, and where they go.
    pub(crate) sending: BTreeMap<EntryId, (ConversationId, OutboxState)>,
    /// Bytes of files on their way that have been handed over.
    pub(crate) uploads: BTreeMap<EntryId, u64>,
    pub(crate) typing: BTreeMap<ConversationId, TypingFrame>,
    /// What the server has, as long as somebody looks at it.
    pub(crate) beyond: Beyond,
    pub(crate) history: Option<History>,
    pub(crate) paused: Option<HistoryPause>,
    pub(crate) vault: Vault,
    pub(crate) repaired: Option<Repaired>,
}

impl Live {
    /// Nobody is signed in.
    pub(crate) fn signed_out(link: Link) -> Self {
        Self {
            account: None,
            link,
            catching_up: 0,
            waiting: 0,
            refused: 0,
            sending: BTreeMap::new(),
            uploads: BTreeMap::new(),
            typing: BTreeMap::new(),
            beyond: Beyond::default(),
            history: None,
            paused: None,
            vault: Vault::Opening,
            repaired: None,
        }
    }

    /// Whether what is cached may be shown.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.vault, Vault::Open { .. })
    }

    /// Takes over what the engine says now. If anything changed: the conversations whose messages went from waiting to
    /// sending, or back.
    pub(crate) fn follow(&mut self, engine: &engine::Engine, now: Time) -> Option<BTreeSet<ConversationId>> {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (waiting, refused) = engine.outbox_counts();
        let counts = (count(engine.catching_up()), count(waiting), count(refused));
        let link = link(engine.link());
        let sending: BTreeMap<_, _> =
            engine.under_way().map(|row| (row.send.id, (row.send.conversation.clone(), row.state))).collect();
        let engine::History { held, all } = engine.history(now);
        let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let history = Some(History { held: number(held), all: number(all), paused: self.paused });
        if (self.catching_up, self.waiting, self.refused) == counts
            && self.history == history
            && self.link == link
            && self.sending == sending
        {
            return None;
        }
        let gone = self.sending.iter().filter(|(id, at)| sending.get(id) != Some(at));
        let come = sending.iter().filter(|(id, at)| self.sending.get(id) != Some(at));
        let moved = gone.chain(come).map(|(_, (conversation, _))| conversation.clone()).collect();
        (self.catching_up, self.waiting, self.refused) = counts;
        (self.link, self.sending, self.history) = (link, sending, history);
        if !matches!(self.link, Link::Live { .. }) {
            self.typing.clear();
        }
        Some(moved)
    }
}

fn link(link: &engine::Link) -> Link {
    match *link {
        engine::Link::Idle => Link::Connecting { since: None },
        engine::Link::Connecting { lost } => Link::Connecting { since: lost },
        engine::Link::Live { since } => Link::Live { since },
        engine::Link::Offline { since, next_try, trouble } => {
            Link::Offline { since, next_try, trouble: trouble_of(trouble) }
        }
        engine::Link::Paused { since } => Link::Paused { since },
        engine::Link::Refused(code) => Link::Refused { code },
    }
}

fn trouble_of(trouble: engine::Trouble) -> Trouble {
    match trouble {
        engine::Trouble::Unreachable => Trouble::Unreachable,
        engine::Trouble::Closed => Trouble::Closed,
        engine::Trouble::Silent => Trouble::Silent,
        engine::Trouble::Unreadable => Trouble::Unreadable,
        engine::Trouble::RolledBack => Trouble::RolledBack,
    }
}
