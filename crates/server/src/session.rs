//! A session: one accepted socket, as the rest of the server sees it.

use bedside_protocol::{ClinicId, ConversationId, Role, ServerFrame, Who};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::OnceLock;
use tokio_util::sync::CancellationToken;

/// A server's frame, serialised once for all who get it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The event's name.
    pub event: &'static str,
    /// Its argument.
    pub data: Box<RawValue>,
}

impl Frame {
    /// Serialises `frame`.
    pub fn new(frame: &ServerFrame) -> Self {
        let (event, data) = frame.encode();
        Self {
            event,
            // A `Value` always has JSON.
            data: to_raw_value(&data).unwrap_or_default(),
        }
    }
}

/// The socket didn't take a frame: its queue is full, or it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// Its peer doesn't keep up.
    Full,
    /// It is closed.
    Gone,
}

/// Where a session's frames go, in their order.
pub trait Sink: Send + Sync + 'static {
    /// Queues `frame`, without waiting.
    fn emit(&self, frame: &Frame) -> Result<(), Undelivered>;
}

/// Why a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer or its connection is gone.
    Gone,
    /// It didn't keep up with what it was sent, or sent more than the server could take.
    Slow,
    /// Its token's time is over.
    Expired,
    /// Its access was taken away.
    Revoked,
    /// It can't be served now.
    Unserved,
    /// The server stops.
    Shutdown,
}

impl From<Undelivered> for End {
    fn from(undelivered: Undelivered) -> Self {
        match undelivered {
            Undelivered::Full => End::Slow,
            Undelivered::Gone => End::Gone,
        }
    }
}

/// The end of a session, settable once and from anywhere.
#[derive(Default)]
pub struct Ending {
    why: OnceLock<End>,
    token: CancellationToken,
}

impl Ending {
    /// Ends the session. The first reason stands.
    pub fn end(&self, why: End) {
        let _ = self.why.set(why);
        self.token.cancel();
    }

    /// Waits for the end.
    pub async fn ended(&self) -> End {
        self.token.cancelled().await;
        self.why.get().copied().unwrap_or(End::Gone)
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.token.is_cancelled()
    }
}

/// One accepted socket.
pub struct Session {
    /// The server's number for it, growing.
    pub number: u64,
    /// Who it is.
    pub who: Who,
    /// Of which clinic.
    pub clinic: ClinicId,
    /// A patient's one conversation; providers have none of their own.
    pub conversation: Option<ConversationId>,
    /// Its end.
    pub ending: std::sync::Arc<Ending>,
    /// Its socket.
    pub sink: Box<dyn Sink>,
}

impl Session {
    /// Whether it is a provider's.
    pub fn is_provider(&self) -> bool {
        self.who.role == Role::Provider
    }

    /// Sends `frame`. A socket that misses one frame gets no further ones: it is ended, and its client catches up.
    pub fn emit(&self, frame: &Frame) {
        if self.ending.has_ended() {
            return;
        }
        if let Err(undelivered) = self.sink.emit(frame) {
            self.ending.end(undelivered.into());
        }
    }
}
