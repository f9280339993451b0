//! What of the state isn't on the disk: the link, what is under way, who types. The core writes it, views read it.

use crate::api::{Account, Link, Trouble};
use bedside_engine as engine;
use bedside_protocol::{ConversationId, EntryId, TypingFrame};
use std::collections::BTreeMap;

/// What of the state isn't on the disk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Live {
    pub(crate) account: Option<Account>,
    pub(crate) link: Link,
    pub(crate) catching_up: u32,
    pub(crate) waiting: u32,
    pub(crate) refused: u32,
    /// Messages that were handed over and not answered, and where they go.
    pub(crate) sending: BTreeMap<EntryId, ConversationId>,
    pub(crate) typing: BTreeMap<ConversationId, TypingFrame>,
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
            typing: BTreeMap::new(),
        }
    }

    /// Takes over what the engine says now.
    pub(crate) fn follow(&mut self, engine: &engine::Engine) {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.link = link(engine.link());
        self.catching_up = count(engine.catching_up());
        let (waiting, refused) = engine.outbox_counts();
        (self.waiting, self.refused) = (count(waiting), count(refused));
        self.sending = engine.sending().map(|send| (send.id, send.conversation.clone())).collect();
        if !matches!(self.link, Link::Live { .. }) {
            self.typing.clear();
        }
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
