//! What a notification tells of: how many messages of patients came while nobody looked at the window. It knows numbers
//! alone, neither names nor texts.
//!
//! ```text
//!   a session begins ──▶ History ─── caught up ──▶ News: what comes at a conversation's end while nobody looks counts,
//!                        nothing counts                  until it is read, here or elsewhere, or somebody looks
//! ```

use bedside_engine::{Change, Snapshot};
use bedside_protocol::{ConversationId, Entry, Rev, Role, Seq, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// What has come, and whether somebody has seen it.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Whose console this is.
    me: Option<UserId>,
    /// Somebody looks at the window.
    attended: bool,
    /// The cache is open, so that the window shows what comes.
    open: bool,
    /// What the clinic's log came to when all that came before was here: what is newer is news.
    since: Option<Rev>,
    /// The newest entry of each conversation.
    heads: BTreeMap<ConversationId, Seq>,
    /// How far one has read.
    read: BTreeMap<ConversationId, Seq>,
    unseen: BTreeMap<ConversationId, BTreeSet<Seq>>,
}

impl News {
    /// A session begins from what the disk holds: what is missing of it is no news.
    pub(crate) fn begin(&mut self, me: &UserId, snapshot: &Snapshot) {
        let Self { attended, open, .. } = *self;
        *self = Self { me: Some(me.clone()), attended, open, ..Self::default() };
        for (id, cached) in &snapshot.conversations {
            self.heads.insert(id.clone(), cached.range.map_or(Seq::ZERO, |range| range.hi));
            self.has_read(id, cached.read.get(me).copied());
        }
        for (id, upto) in &snapshot.reads {
            self.has_read(id, Some(*upto));
        }
    }

    /// Nobody is signed in any more.
    pub(crate) fn end(&mut self) {
        let Self { attended, open, .. } = *self;
        *self = Self { attended, open, ..Self::default() };
    }

    /// All that came before is here: what comes from now on is news.
    pub(crate) fn caught_up(&mut self, rev: Rev) {
        self.since.get_or_insert(rev);
    }

    /// Whether somebody looks at the window.
    pub(crate) fn attended(&mut self, attended: bool) {
        self.attended = attended;
        self.look();
    }

    /// Whether the window shows what comes, or is locked.
    pub(crate) fn open(&mut self, open: bool) {
        self.open = open;
        self.look();
    }

    /// What a commit holds.
    pub(crate) fn heed<'a>(&mut self, changes: impl IntoIterator<Item = &'a Change>) {
        for change in changes {
            match change {
                Change::Entries { conversation, entries, .. } => {
                    entries.iter().for_each(|entry| self.came(conversation, entry));
                }
                Change::Summary(conversation) => {
                    let upto = self.me.as_ref().and_then(|me| conversation.read.get(me)).copied();
                    self.has_read(&conversation.id, upto);
                }
                Change::Read(conversation, upto) => self.has_read(conversation, Some(*upto)),
                _ => {}
            }
        }
        for (id, unseen) in &mut self.unseen {
            let read = self.read.get(id).copied().unwrap_or(Seq::ZERO);
            unseen.retain(|seq| read < *seq);
        }
    }

    /// How many messages a notification tells of now; 0: there is nothing to tell.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.unseen.values().map(BTreeSet::len).sum::<usize>()).unwrap_or(u32::MAX)
    }

    fn came(&mut self, conversation: &ConversationId, entry: &Entry) {
        let head = self.heads.entry(conversation.clone()).or_default();
        // An older page that is fetched is no news.
        if entry.seq <= *head {
            return;
        }
        *head = entry.seq;
        let looked_at = self.attended && self.open;
        // Whatever is fetched of a conversation that was let go is as old as it is.
        let is_new = self.since.is_some_and(|since| since < entry.rev);
        if is_new && !looked_at && entry.author.role == Role::Patient && entry.body.is_message() {
            self.unseen.entry(conversation.clone()).or_default().insert(entry.seq);
        }
    }

    fn has_read(&mut self, conversation: &ConversationId, upto: Option<Seq>) {
        let read = self.read.entry(conversation.clone()).or_default();
        *read = upto.unwrap_or_default().max(*read);
    }

    fn look(&mut self) {
        if self.attended && self.open {
            self.unseen.clear();
        }
    }
}

#[cfg(test)]
mod tests;
