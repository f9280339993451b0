//! What a window and the core say to each other: commands in, numbered updates out. The window holds no state of its
//! own that is not made from these.

mod failure;
mod passage;
mod search;
mod settings;
mod vault;

use bedside_protocol::{
    Body, Code, ConnectRefusal, Conversation, ConversationId, Entry, EntryId, File, Limits, Me, Retry, Seq,
    Time, TypingFrame,
};
pub use failure::Failure;
pub use passage::Missing;
pub use search::{Beyond, Covers, Found, Hit, Reach};
use serde::{Deserialize, Serialize};
pub use settings::{SetBy, Setting, Settings, Switch};
use ts_rs::TS;
pub use vault::{ClosedBy, History, HistoryPause, Keeper, LockedBy, Opener, Repair, Repaired, Vault};

/// What a person wants done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "command", rename_all = "snake_case")]
#[ts(export)]
pub enum Command {
    /// Connects to `server` (`http://` or `https://`, host, port) as the token's bearer. Answers once the server has
    /// accepted or refused; a device already signed in as somebody else must sign out first.
    SignIn {
        /// The server's address.
        server: String,
        /// Who the bearer is, signed by the server.
        token: String,
    },
    /// Signs in at a demonstration server, as the provider of that name.
    SignInDemo {
        /// The server's address.
        server: String,
        /// The provider's name.
        name: String,
    },
    /// Forgets the account and deletes its cache. Refused with [`Failure::WaitingMessages`] while messages wait to
    /// be sent, unless they are to be discarded.
    SignOut {
        /// Whether messages that wait may be thrown away.
        discard_waiting: bool,
    },
    /// The conversation that is on the screen now: it is caught up first, and colleagues see that it is being read.
    Open {
        /// Which; none when the window shows no conversation.
        conversation: Option<ConversationId>,
    },
    /// Fetches the page before the oldest entry that is cached.
    LoadOlder {
        /// Which.
        conversation: ConversationId,
    },
    /// Asks the server too for what is searched for, where it may have what isn't here; again, if it was asked for the same
    /// before. What it finds comes with [`Query::Search`] of the same text. A blank text ends it.
    Search {
        /// As a person types it.
        text: String,
    },
    /// Fetches the part of the open conversation that a [`Query::Passage`] watches, as far as it isn't here, to be looked at and
    /// not kept. Another conversation that is opened ends it.
    Look {
        /// Whose.
        conversation: ConversationId,
        /// The entry that somebody jumped to.
        at: Seq,
        /// The oldest entry that is wanted.
        from: Seq,
        /// The newest; none: all that follow.
        to: Option<Seq>,
    },
    /// Writes messages: one for each file, then one for the text. Answers [`Reply::Accepted`] once they are on the disk; from
    /// then on they aren't lost.
    Send {
        /// Where they go.
        conversation: ConversationId,
        /// Plain text; may be blank if there are files.
        text: String,
        /// Files that are attached to the conversation's draft, by their digests.
        files: Vec<String>,
        /// The newest `seq` that was in view while writing.
        seen: Seq,
        /// For how many milliseconds they can be taken back before they are handed over; 0 for not at all.
        hold_ms: u32,
    },
    /// Hands a message that waits over now: whatever it is held back for, and over a new connection if there is none.
    SendNow {
        /// The message.
        id: EntryId,
    },
    /// Sends a refused message again, knowingly (`force`), with what is in view now.
    SendAgain {
        /// The message.
        id: EntryId,
        /// The newest `seq` that is in view now.
        seen: Seq,
    },
    /// Hands over whatever is held back: the window closes, and nobody can take it back any more.
    SendHeld,
    /// Takes a message back that is refused or has not been handed over yet. Answers [`Reply::Recalled`]; its text is the
    /// draft then, before what was kept as typed.
    Recall {
        /// The message.
        id: EntryId,
    },
    /// Throws away a refused message, or one that has not been handed over yet.
    Discard {
        /// The message.
        id: EntryId,
    },
    /// Marks a conversation read up to what was in view.
    MarkRead {
        /// Which.
        conversation: ConversationId,
        /// The newest `seq` in view.
        upto: Seq,
    },
    /// Keeps what is typed and not sent; an empty text forgets it.
    SaveDraft {
        /// Where.
        conversation: ConversationId,
        /// Plain text.
        text: String,
        /// Where in it the cursor stands, in UTF-16 units.
        cursor: u32,
    },
    /// Takes a file off a draft.
    Detach {
        /// Where.
        conversation: ConversationId,
        /// Which, by its digest.
        sha256: String,
    },
    /// The provider is typing.
    Typing {
        /// Where.
        conversation: ConversationId,
    },
    /// Tries to connect now instead of after the back-off, or after a pause.
    Reconnect,
    /// Goes offline, until [`Command::Reconnect`] or the next start.
    Pause,
    /// Closes the cache until somebody opens it again: nothing of it is shown, and its keys leave the memory. What is held back
    /// goes out first. Refused with [`Failure::NoPassphrase`] while nothing could open it ([`Vault::Open`]).
    Lock,
    /// Opens the cache again.
    Unlock {
        /// What it was locked with.
        passphrase: String,
    },
    /// Whether the system can be asked now who somebody is. Answers [`Reply::SystemUnlock`].
    SystemUnlock,
    /// Opens a cache without a passphrase again: the system asks who is there, and this answers once somebody has told it.
    UnlockBySystem,
    /// Tries again to open a cache that couldn't be opened.
    OpenCache,
    /// Chooses the passphrase that locks and unlocks the cache on this computer.
    SetPassphrase {
        /// The present one, if there is one.
        current: Option<String>,
        /// The new one.
        new: String,
    },
    /// Somebody is at the window: it doesn't lock itself yet.
    Active,
    /// What is set on this computer. Answers [`Reply::Settings`].
    Settings,
    /// Sets something. It holds at once, and this answers [`Reply::Settings`] when it is kept. Refused with
    /// [`Failure::SetByPolicy`] where the policy says otherwise.
    Set {
        /// What.
        setting: Setting,
    },
}

/// What a command answers when it was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "reply", rename_all = "snake_case")]
#[ts(export)]
pub enum Reply {
    /// Done.
    Done,
    /// The message isn't in the outbox any more.
    Recalled {
        /// What it said.
        text: String,
    },
    /// The file is in the folder for downloads.
    Saved {
        /// Under this name.
        name: String,
    },
    /// Whether the system can open the cache.
    SystemUnlock {
        /// Whether it can be asked now.
        there: bool,
    },
    /// What is set on this computer now.
    Settings {
        /// All of it.
        settings: Settings,
    },
    /// The messages are on the disk.
    Accepted {
        /// The last one's id, and later its entry's.
        id: EntryId,
    },
}

/// What a window can watch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(tag = "query", rename_all = "snake_case")]
#[ts(export)]
pub enum Query {
    /// Who is signed in, and how the connection does.
    Connection,
    /// All conversations: who waits longest first.
    Inbox,
    /// The newest part of one conversation.
    Conversation {
        /// Which.
        id: ConversationId,
        /// How many of its newest entries, at most; those that come while it is watched are added.
        newest: u32,
    },
    /// A part of one conversation, where somebody jumped to.
    Passage {
        /// Which.
        id: ConversationId,
        /// The entry that somebody jumped to.
        at: Seq,
        /// The oldest entry that is wanted.
        from: Seq,
        /// The newest; none: all that follow, as they come.
        to: Option<Seq>,
    },
    /// What waits to be sent, oldest first.
    Outbox,
    /// What the cache holds of a text: messages, notes, names; and what [`Command::Search`] adds.
    Search {
        /// As a person types it: words, "phrases", and filters (search.rs has them).
        text: String,
    },
}

/// One step of a watched query. `revision` 1 is a snapshot and replaces what was there; each further one applies to
/// the one before it. A reader that misses one watches anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Update {
    /// The query that was watched.
    pub query: Query,
    /// Counts from 1 with each watch.
    pub revision: u32,
    /// What changed.
    pub patch: Patch,
}

/// What changed in a watched query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "patch", rename_all = "snake_case")]
#[ts(export)]
#[allow(clippy::large_enum_variant, reason = "an update is made once and serialised at once")]
pub enum Patch {
    /// The connection as it is now.
    Connection {
        /// The new state.
        connection: Connection,
    },
    /// Rows of the inbox.
    Inbox {
        /// What to replace.
        rows: Splice<InboxRow>,
    },
    /// A conversation.
    Conversation {
        /// What stands around the messages, if it changed; `null` in a snapshot when it is not in the cache.
        head: Option<ConversationHead>,
        /// What to replace among the messages, oldest first.
        items: Splice<Item>,
    },
    /// A part of a conversation.
    Passage {
        /// What stands around the messages, if it changed; `null` in a snapshot when nothing is known of it.
        head: Option<ConversationHead>,
        /// What to replace among the messages, oldest first: without a gap, and around the entry that was jumped to.
        items: Splice<Item>,
        /// Which of them are known to have been taken back by others that aren't among them.
        taken_back: Vec<EntryId>,
        /// Why this isn't all that is wanted, if it isn't.
        missing: Option<Missing>,
    },
    /// Rows of the outbox.
    Outbox {
        /// What to replace.
        rows: Splice<Outgoing>,
    },
    /// What a search found, all of it.
    Search {
        /// The result.
        found: Found,
    },
}

/// Replaces `remove` rows from `at` on by `insert`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Splice<T> {
    /// Index of the first row that changes.
    pub at: u32,
    /// How many rows go.
    pub remove: u32,
    /// The rows that come in their place.
    pub insert: Vec<T>,
}

/// Who is signed in, and how the connection does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Connection {
    /// Whose console this is; `null` before sign-in.
    pub account: Option<Account>,
    /// How the connection does.
    pub link: Link,
    /// Conversations whose newest entries are still being fetched.
    pub catching_up: u32,
    /// Messages that wait to be sent, refused ones not counted.
    pub waiting: u32,
    /// Messages that the server refused.
    pub refused: u32,
    /// How much of what is to be read without the server is here; `null` while nobody is signed in.
    pub history: Option<History>,
    /// Whether the cache is open.
    pub vault: Vault,
    /// What had to be mended when it was opened.
    pub repaired: Option<Repaired>,
}

/// The account whose cache this is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Account {
    /// Who.
    pub me: Me,
    /// The server's address.
    pub server: String,
    /// What a message may weigh there.
    pub limits: Limits,
}

/// How the connection does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "link", rename_all = "snake_case")]
#[ts(export)]
pub enum Link {
    /// There is no account to connect with.
    SignedOut,
    /// An attempt is under way.
    Connecting {
        /// Since when there has been no connection; `null` at the first attempt.
        since: Option<Time>,
    },
    /// The server's `welcome` came, and frames come in time.
    Live {
        /// Since when.
        since: Time,
    },
    /// No connection; the next attempt is set.
    Offline {
        /// Since when.
        since: Time,
        /// When the next attempt starts.
        next_try: Time,
        /// What ended the last attempt or connection.
        trouble: Trouble,
    },
    /// A person works offline.
    Paused {
        /// Since when.
        since: Time,
    },
    /// The server refused the account: trying again by itself is pointless.
    Refused {
        /// Why.
        code: ConnectRefusal,
    },
}

/// What ended a connection or an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Trouble {
    /// No server answered.
    Unreachable,
    /// The connection broke or was closed.
    Closed,
    /// Nothing came for longer than the heartbeat allows.
    Silent,
    /// The server sent what this version can't read.
    Unreadable,
    /// The server's log is shorter than what the cache holds of it: it was restored from an old copy, or is another.
    RolledBack,
}

/// One row of the inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct InboxRow {
    /// The summary.
    pub conversation: Conversation,
    /// The patient's messages after what one has read, as far as the cache holds them.
    pub unread: u32,
    /// Whether something typed is kept here.
    pub draft: bool,
    /// A message of one's own that isn't sent, if any: the newest refused one, or the newest.
    pub outgoing: Option<Outgoing>,
}

/// What stands around a conversation's messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConversationHead {
    /// The summary.
    pub conversation: Conversation,
    /// What is typed and not sent.
    pub draft: String,
    /// Where in it the cursor stands, in UTF-16 units.
    pub cursor: u32,
    /// What is attached to it.
    pub files: Vec<File>,
    /// How far one had read when the watch began: where the line "New" stands.
    pub read_upto: Seq,
    /// The newest entry that the cache holds: what a writer can have seen.
    pub loaded_upto: Seq,
    /// Whether there are older entries than those shown, here or on the server.
    pub older: bool,
    /// Whether there are newer entries than those shown.
    pub newer: bool,
    /// Whether the conversation is kept on this computer. If not, it is here to be read alone.
    pub kept: bool,
    /// Whether newer entries are still being fetched.
    pub catching_up: bool,
    /// Who is writing.
    pub typing: Option<TypingFrame>,
}

/// What stands in a conversation: an entry of the log, or a message of one's own on its way there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "item", rename_all = "snake_case")]
#[ts(export)]
#[allow(clippy::large_enum_variant, reason = "nearly all items are entries")]
pub enum Item {
    /// Committed by the server.
    Entry {
        /// The entry.
        entry: Entry,
    },
    /// On its way, or refused.
    Outgoing {
        /// The message.
        outgoing: Outgoing,
    },
}

/// A message of one's own that the log doesn't hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Outgoing {
    /// Its id, and later its entry's.
    pub id: EntryId,
    /// Where it goes.
    pub conversation: ConversationId,
    /// What it says.
    pub body: Body,
    /// When it was written.
    pub at: Time,
    /// The newest `seq` that was in view when it was written, or sent again.
    pub seen: Seq,
    /// How far it is.
    pub state: OutgoingState,
}

/// How far a message is. "Sent" is none of these: then there is an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
#[ts(export)]
pub enum OutgoingState {
    /// On the disk, and not handed over before `until`, so that it can be taken back.
    Held {
        /// Until when; past, it waits as any other.
        until: Time,
    },
    /// On the disk, not handed over, or nobody knows what became of it: then it can't be taken back.
    Waiting {
        /// Whether it can still be taken back.
        recallable: bool,
    },
    /// The bytes of its file are on their way; it can be taken back.
    Uploading {
        /// How many of them were handed over.
        #[ts(type = "number")]
        sent: u64,
    },
    /// Handed over; the server's word is awaited.
    Sending,
    /// The server said no.
    Refused {
        /// Why.
        code: Code,
        /// Whether to try again.
        retry: Retry,
    },
}
