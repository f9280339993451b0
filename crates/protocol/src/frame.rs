//! Frames: one Socket.IO event each, its name and its single JSON argument.

use crate::{
    Body, Code, ConnectRefusal, Conversation, ConversationId, Entry, EntryId, Epoch, Extra, Limits, Origin,
    Refusal, Rev, Role, Seq, Time, UserId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

/// The payload of Socket.IO's CONNECT.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Connect {
    /// Who connects, signed by the server.
    pub token: String,
    /// The device's own id, made once by the client.
    pub device: String,
    /// [`crate::PROTOCOL_VERSION`].
    pub protocol: u32,
    /// The client's `name/version`, for the log.
    pub client: String,
}

impl Connect {
    /// Reads the payload as far as the version allows: another version is told so, whatever else it says.
    pub fn decode(auth: Value) -> Result<Self, ConnectRefusal> {
        let version = auth.get("protocol").and_then(Value::as_u64);
        if version.is_some_and(|version| version != u64::from(crate::PROTOCOL_VERSION)) {
            return Err(ConnectRefusal::Protocol);
        }
        let connect: Connect = serde_json::from_value(auth).map_err(|_| ConnectRefusal::Unauthenticated)?;
        Ok(connect)
    }
}

/// The one write verb.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Send {
    /// The entry's id, made by the writer: the idempotency key.
    pub id: EntryId,
    /// Where it goes.
    pub conversation: ConversationId,
    /// The highest `seq` that the writer had in view.
    pub seen: Seq,
    /// What it says.
    pub body: Body,
    /// The suggestion that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<Origin>,
    /// Send it although something newer is there that the writer had not seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub force: bool,
}

/// Most bytes of JSON that say where a text came from.
const MAX_ORIGIN_BYTES: usize = 1024;

impl Send {
    /// Whether it may enter a log as far as it alone can tell.
    pub fn check(&self, limits: &Limits) -> Result<(), Refusal> {
        self.body.check(limits)?;
        match self.from.as_ref().map(serde_json::to_vec) {
            Some(Ok(json)) if json.len() > MAX_ORIGIN_BYTES => Err(Refusal::new(
                Code::TooLarge,
                format!("`from` has at most {MAX_ORIGIN_BYTES} bytes of JSON"),
            )),
            _ => Ok(()),
        }
    }
}

/// Asks for the conversations that changed after `since`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Changes {
    /// The client's cursor; 0 for all.
    pub since: Rev,
    /// Most conversations to answer with; the server caps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub limit: Option<u32>,
    /// The log that the client's copy is of, as `welcome` named it when `since` was the cursor; left out by a client
    /// that keeps no copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub epoch: Option<Epoch>,
    /// The newest change of which the client holds anything: at least `since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub newest: Option<Rev>,
}

/// Asks for a range of entries, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Entries {
    /// Whose.
    pub conversation: ConversationId,
    /// The first `seq`.
    pub from: Seq,
    /// The last `seq`.
    pub to: Seq,
}

/// Most phrases of one search, most words of a phrase and of a patient's name, and longest word and `of` in bytes: more
/// than anybody types.
const MAX_PHRASES: usize = 32;
const MAX_WORDS: usize = 32;
const MAX_WORD_BYTES: usize = 256;
const MAX_TOKEN_BYTES: usize = 64;

/// Searches all entries of the clinic. All of it must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Search {
    /// The asker's own name for the search, which the answer carries.
    pub of: String,
    /// Each inner list stands side by side, in its order; the last of its words may go on.
    pub phrases: Vec<Vec<String>>,
    /// A patient whose name has words that begin so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub patient: Vec<String>,
    /// Written by the patient (true), or by a provider (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub by_patient: Option<bool>,
    /// Committed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Time>,
    /// A file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub has_file: bool,
    /// Most hits to answer with; the server caps it.
    pub limit: u32,
}

impl Search {
    /// Whether it may be searched for as far as it alone can tell: short, and of words alone.
    pub fn check(&self) -> Result<(), Refusal> {
        let too_large = |message| Err(Refusal::new(Code::TooLarge, message));
        let mut words = self.phrases.iter().flatten().chain(&self.patient);
        if self.of.len() > MAX_TOKEN_BYTES {
            return too_large(format!("`of` has at most {MAX_TOKEN_BYTES} bytes"));
        }
        if self.phrases.len() > MAX_PHRASES {
            return too_large(format!("a search has at most {MAX_PHRASES} phrases"));
        }
        if self.phrases.iter().chain([&self.patient]).any(|words| words.len() > MAX_WORDS) {
            return too_large(format!("a phrase has at most {MAX_WORDS} words"));
        }
        if words.clone().any(|word| word.len() > MAX_WORD_BYTES) {
            return too_large(format!("a word has at most {MAX_WORD_BYTES} bytes"));
        }
        let empty = self.phrases.iter().any(Vec::is_empty);
        if empty || words.any(|word| word.is_empty() || !word.chars().all(char::is_alphanumeric)) {
            return Err(Refusal::new(
                Code::Invalid,
                "a phrase has words, and a word letters and digits alone",
            ));
        }
        Ok(())
    }
}

/// Marks a conversation read. The greatest wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Read {
    /// Which.
    pub conversation: ConversationId,
    /// The newest `seq` that was read.
    pub upto: Seq,
}

/// The sender is writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Typing {
    /// Where.
    pub conversation: ConversationId,
}

/// The sender looks at a conversation, or at none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Viewing {
    /// Which.
    pub conversation: Option<ConversationId>,
}

/// Who the token says one is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Me {
    /// One's id.
    pub id: UserId,
    /// One's name.
    pub name: String,
    /// One's role.
    pub role: Role,
    /// One's clinic.
    pub clinic: crate::ClinicId,
}

/// The first event of an accepted connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Welcome {
    /// Who the token says one is.
    pub me: Me,
    /// The clinic's change counter.
    pub rev: Rev,
    /// The log's present life.
    pub epoch: Epoch,
    /// Milliseconds between heartbeats.
    pub heartbeat_ms: u32,
    /// The server's time.
    pub now: Time,
    /// What a frame may weigh.
    pub limits: Limits,
    /// What the clinic demands of its clients.
    #[serde(default)]
    #[ts(type = "Record<string, unknown>")]
    pub policy: Extra,
}

/// The server lives, and this is the clinic's newest change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Heartbeat {
    /// The clinic's change counter.
    pub rev: Rev,
    /// The server's time.
    pub now: Time,
}

/// A committed entry, and its conversation's summary after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct EntryFrame {
    /// What was committed.
    pub entry: Entry,
    /// The conversation after it.
    pub conversation: Conversation,
}

/// A conversation's summary changed without an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ConversationFrame {
    /// The conversation as it is now.
    pub conversation: Conversation,
}

/// What the server didn't do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Rejected {
    /// The event that asked for it.
    pub of: String,
    /// The `send`'s id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<EntryId>,
    /// The conversation that it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub conversation: Option<ConversationId>,
    /// The class of the fault.
    pub code: Code,
    /// For developers, in English.
    pub message: String,
    /// When another try makes sense, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub retry_after_ms: Option<u64>,
}

/// The conversations that changed after `since`, oldest change first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ChangesAnswer {
    /// The cursor that was asked for.
    pub since: Rev,
    /// The cursor to ask with next: all changes up to it are told.
    pub rev: Rev,
    /// Whether there are more.
    pub more: bool,
    /// Each once.
    pub conversations: Vec<Conversation>,
}

/// A range of entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct EntriesAnswer {
    /// Whose.
    pub conversation: ConversationId,
    /// The first `seq` that was asked for.
    pub from: Seq,
    /// The last `seq` that was asked for.
    pub to: Seq,
    /// The newest `seq` that the asker may see.
    pub head: Seq,
    /// In order.
    pub entries: Vec<Entry>,
}

/// An entry that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct FoundEntry {
    /// The entry.
    pub entry: Entry,
    /// The name of its conversation's patient.
    pub patient: String,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct FoundFrame {
    /// The asker's own name for the search.
    pub of: String,
    /// The newest first.
    pub hits: Vec<FoundEntry>,
    /// Whether there are more than was asked for.
    pub more: bool,
    /// Entries of the clinic that can't be found yet.
    #[ts(type = "number")]
    pub unindexed: u64,
}

/// To the patient: a provider has read so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Receipt {
    /// Where.
    pub conversation: ConversationId,
    /// The newest `seq` that was read.
    pub upto: Seq,
}

/// A person, as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Who {
    /// The person's id.
    pub id: UserId,
    /// The person's role.
    pub role: Role,
    /// The name to show.
    pub name: String,
}

/// Somebody is writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TypingFrame {
    /// Where.
    pub conversation: ConversationId,
    /// Who.
    pub who: Who,
    /// When to stop saying so.
    pub until: Time,
}

/// Whether somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// Connected.
    Online,
    /// Gone.
    Offline,
}

/// A colleague came, went, or looks at another conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Presence {
    /// Who.
    pub who: Who,
    /// What they look at.
    pub viewing: Option<ConversationId>,
    /// Whether they are there.
    pub state: PresenceState,
}

/// How far a background task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SuggestingState {
    /// Waiting for its lane.
    Queued,
    /// Working.
    Running,
    /// Given up.
    Failed,
}

/// A background task works on a suggestion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Suggesting {
    /// Where.
    pub conversation: ConversationId,
    /// The kind of task.
    pub task: String,
    /// How far it is.
    pub state: SuggestingState,
    /// All of the draft so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<String>,
}

/// Background tasks that rest, since what they need doesn't work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Paused {
    /// All kinds of tasks that rest now.
    pub tasks: Vec<String>,
}

/// The access was taken away; the server closes after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Revoked {
    /// Whether the device destroys its cache.
    pub wipe: bool,
}

/// What a client sends.
#[derive(Clone, Debug, PartialEq, TS)]
#[ts(export, tag = "event", content = "data", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Writes an entry.
    Send(Send),
    /// Asks for changed conversations.
    Changes(Changes),
    /// Asks for entries.
    Entries(Entries),
    /// Searches.
    Search(Search),
    /// Marks as read.
    Read(Read),
    /// Is writing.
    Typing(Typing),
    /// Looks at.
    Viewing(Viewing),
}

/// What the server sends.
#[derive(Clone, Debug, PartialEq, TS)]
#[ts(export, tag = "event", content = "data", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "frames are moved once, from the socket to their handler")]
pub enum ServerFrame {
    /// Accepts the connection.
    Welcome(Welcome),
    /// Is alive.
    Heartbeat(Heartbeat),
    /// An entry was committed.
    Entry(EntryFrame),
    /// A summary changed.
    Conversation(ConversationFrame),
    /// Something wasn't done.
    Rejected(Rejected),
    /// Answers `changes`.
    Changes(ChangesAnswer),
    /// Answers `entries`.
    Entries(EntriesAnswer),
    /// Answers `search`.
    Found(FoundFrame),
    /// A provider has read.
    Receipt(Receipt),
    /// Somebody is writing.
    Typing(TypingFrame),
    /// A colleague came, went or moved.
    Presence(Presence),
    /// A task works.
    Suggesting(Suggesting),
    /// Tasks rest, or none does any more.
    Paused(Paused),
    /// The access was taken away.
    Revoked(Revoked),
}

/// A server's frame that this version can't read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// An event of a later version: to be ignored.
    UnknownEvent,
    /// A known event with missing or wrong fields: the connection can't be trusted.
    Malformed,
}

/// One side's events: their names, the way in and the way out.
macro_rules! events {
    ($frame:ident { $($event:literal: $variant:ident),+ $(,)? }) => {
        impl $frame {
            /// The names of all events of this side.
            pub const EVENTS: &'static [&'static str] = &[$($event),+];

            /// The event's name and its argument.
            pub fn encode(&self) -> (&'static str, Value) {
                match self {
                    $($frame::$variant(data) => ($event, argument(data)),)+
                }
            }

            /// Reads the argument of `event`; none, if this side has no such event.
            fn read(event: &str, data: Value) -> Option<serde_json::Result<Self>> {
                match event {
                    $($event => Some(serde_json::from_value(data).map($frame::$variant)),)+
                    _ => None,
                }
            }
        }
    };
}

events!(ClientFrame {
    "send": Send,
    "changes": Changes,
    "entries": Entries,
    "search": Search,
    "read": Read,
    "typing": Typing,
    "viewing": Viewing,
});

events!(ServerFrame {
    "welcome": Welcome,
    "heartbeat": Heartbeat,
    "entry": Entry,
    "conversation": Conversation,
    "rejected": Rejected,
    "changes": Changes,
    "entries": Entries,
    "found": Found,
    "receipt": Receipt,
    "typing": Typing,
    "presence": Presence,
    "suggesting": Suggesting,
    "paused": Paused,
    "revoked": Revoked,
});

impl ClientFrame {
    /// Reads the frame of `event` with the argument `data`. What it isn't, it says as a refusal: `invalid`.
    pub fn decode(event: &str, data: Value) -> Result<Self, Refusal> {
        let frame = Self::read(event, data).ok_or_else(|| Refusal::new(Code::Invalid, "no such event"))?;
        // serde's message may quote the frame's content, which must not get into logs.
        frame.map_err(|_| Refusal::new(Code::Invalid, "fields are missing or wrong"))
    }
}

impl ServerFrame {
    /// Reads the frame of `event` with the argument `data`.
    pub fn decode(event: &str, data: Value) -> Result<Self, Unreadable> {
        Self::read(event, data).ok_or(Unreadable::UnknownEvent)?.map_err(|_| Unreadable::Malformed)
    }
}

/// An event's argument. Only a map with other keys than texts could fail to encode, and no frame has one.
fn argument<T: Serialize>(data: &T) -> Value {
    serde_json::to_value(data).unwrap_or_default()
}
