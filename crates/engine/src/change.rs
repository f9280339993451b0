//! What the engine wants on the disk, and what it starts from.

use crate::Range;
use bedside_protocol::{
    Body, Code, Conversation, ConversationId, Entry, EntryId, Epoch, Rev, Send, Seq, Time, UserId,
};
use std::collections::BTreeMap;

/// One change of the cache. All changes of a commit are written together or not at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// All of the clinic's changes up to here are known.
    Cursor(Rev),
    /// The life of the server's log that the cache is a copy of.
    Epoch(Epoch),
    /// A conversation's newest summary.
    Summary(Conversation),
    /// Entries of one conversation, and the range that the cache holds with them. An entry that is there already
    /// stays as it is.
    Entries {
        /// Whose.
        conversation: ConversationId,
        /// What is held with them.
        range: Range,
        /// In order.
        entries: Vec<Entry>,
    },
    /// The entries of a conversation that the cache holds are too old to be joined to what comes next: they go. They can
    /// be fetched again.
    Forget(ConversationId),
    /// The entries of a conversation before this one go.
    Trim(ConversationId, Seq),
    /// All of a conversation goes but what is typed there.
    Purge(ConversationId),
    /// One's own read mark; the greatest wins.
    Read(ConversationId, Seq),
    /// A message to send: a new one, or one whose row changes.
    Outbox(OutboxRow),
    /// A draft became a message, which is in the same commit.
    DraftSent(ConversationId),
    /// A message became a draft again, before whatever is there; it goes from the outbox in the same commit.
    DraftBack(ConversationId, Body),
    /// A message that needs no sending any more: its entry is in the same commit, or it was thrown away.
    OutboxDone(EntryId),
}

impl Change {
    pub(crate) fn entry_ids(&self) -> impl Iterator<Item = EntryId> + use<'_> {
        let entries = match self {
            Change::Entries { entries, .. } => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|entry| entry.id)
    }
}

/// A message of one's own on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    /// Orders the rows: the order in which they were written.
    pub place: u64,
    /// The frame, the same at each attempt.
    pub send: Send,
    /// When it was written.
    pub at: Time,
    /// It isn't handed over before, so that it can be taken back; [`Time::ZERO`] for at once.
    pub hold_until: Time,
    /// How often it was handed over; counted before the try.
    pub attempts: u32,
    /// How far it is.
    pub state: OutboxState,
}

impl OutboxRow {
    /// What it says, as a person typed it.
    pub fn text(&self) -> &str {
        match &self.send.body {
            Body::Text(text) => &text.text,
            _ => "",
        }
    }

    /// Whether the server may have it: handed over at least once, and not refused.
    pub fn may_have_been_sent(&self) -> bool {
        match self.state {
            OutboxState::Waiting | OutboxState::Uploading => 0 < self.attempts,
            OutboxState::Sending => true,
            OutboxState::Refused(_) => false,
        }
    }
}

/// How far a message is.
///
/// ```text
///   Uploading ── refused ───────────────┐
///    ▲ │ uploaded, failed or disconnect │
///    │ ▼          hand over             │      entry with its id
///   Waiting ───────────────────▶ Sending ──────────────────────▶ (gone: the entry is committed)
///  │ ▲  ▲  ◀───── disconnect ─────┘   │ │ rejected: never / after reading
///  │ │  └───── rejected: later ───────┘ │
///  │ │ send again                       ▼
///  │ └─────────────────────────────── Refused ── discard ──▶ (gone)
///  └─ discard, if it was never handed over ────────────────▶ (gone)
/// ```
///
/// A message that is held back waits; it is handed over when its time has come, or a person says `send now`. One with a file
/// is handed over when the server has the file's bytes. `Uploading` and `Sending` are not kept on the disk: after a restart
/// nobody knows, so it is done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxState {
    /// Kept here, not handed over.
    Waiting,
    /// The bytes of its file are on their way.
    Uploading,
    /// Handed over, outcome unknown.
    Sending,
    /// The server said no, for this reason.
    Refused(Code),
}

/// What the disk holds, as far as the engine needs it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// All of the clinic's changes up to here are known.
    pub cursor: Rev,
    /// The life of the server's log that the cache is a copy of; none before the first answer.
    pub epoch: Option<Epoch>,
    /// Each conversation's cursor.
    pub conversations: BTreeMap<ConversationId, Cached>,
    /// What waits or was refused, in order.
    pub outbox: Vec<OutboxRow>,
    /// One's own read marks.
    pub reads: BTreeMap<ConversationId, Seq>,
}

/// What the cache holds of a conversation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cached {
    /// Its summary's `rev`.
    pub rev: Rev,
    /// Its log's length.
    pub head: Seq,
    /// What of the log is here.
    pub range: Option<Range>,
    /// Since when it has been closed, if it is.
    pub closed: Option<Time>,
    /// Who has taken it, if anybody has.
    pub assigned: Option<UserId>,
    /// How far each person has read, as the server has it.
    pub read: BTreeMap<UserId, Seq>,
}
