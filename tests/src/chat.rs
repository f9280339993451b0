//! One person at the chat who writes each message once, whatever becomes of the connection or the server.
//!
//! ```text
//!            signed in           welcome
//!  away ───────────────► dialling ───────► live
//!    ▲                      │                │
//!    └──── back-off ────────┴────────────────┘
//!       refused, unreachable, no welcome    closed, silent
//! ```
//!
//! A message keeps its id until the server answers it: after a new welcome, or when no answer comes, it is sent again.

mod ear;
mod pending;
mod person;
mod sign_in;

use bedside_protocol::{Body, ConversationId, Entry, EntryId, Rejected, Send, Seq};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub(crate) use sign_in::http;
pub use sign_in::{SignIn, SignInError, SignedIn};

/// What a person hears of the own conversation: each public entry once, in order.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all are entries")]
pub enum Heard {
    /// The next entry.
    Entry(Entry),
    /// All that was there when the connection came up has been heard.
    CaughtUp,
}

/// One person's place in the chat. Dropping it ends the connection.
#[derive(Clone, Debug)]
pub struct Chat {
    requests: mpsc::UnboundedSender<Request>,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a request is moved once")]
enum Request {
    Write(Send, pending::Answer),
    Typing(ConversationId),
}

/// The chat was closed before the server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl Chat {
    /// Connects, and stays connected, until it is dropped. A patient hears the own conversation through the
    /// channel; a provider hears nothing, and only writes.
    pub fn open(who: SignIn) -> (Self, mpsc::UnboundedReceiver<Heard>) {
        let (requests, asked) = mpsc::unbounded_channel();
        let (tell, heard) = mpsc::unbounded_channel();
        tokio::spawn(person::live(who, asked, tell));
        (Self { requests }, heard)
    }

    /// Writes a message, once, and waits for its entry, however long that takes.
    pub async fn write(
        &self,
        conversation: ConversationId,
        seen: Seq,
        body: Body,
    ) -> Result<Result<Entry, Rejected>, Closed> {
        let send = Send { id: new_id(), conversation, seen, body, from: None, force: false };
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Write(send, answer)).map_err(|_| Closed)?;
        answered.await.map_err(|_| Closed)
    }

    /// Says that the person is typing, if that can be said now.
    pub fn typing(&self, conversation: ConversationId) {
        // A chat that is over has nobody to tell.
        drop(self.requests.send(Request::Typing(conversation)));
    }
}

/// A new message's id.
pub fn new_id() -> EntryId {
    // `now_v7` makes version 7, which is all that `new` asks for.
    EntryId::new(Uuid::now_v7()).unwrap_or_else(|error| unreachable!("{error}"))
}
