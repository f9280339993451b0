//! What a person has written and the server has not answered.

use bedside_protocol::{ClientFrame, Entry, EntryId, Rejected, Retry, Send};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// An answer takes milliseconds; one that doesn't come was lost with a full socket.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// For a refusal that names no time.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Where the answer goes.
pub(super) type Answer = oneshot::Sender<Result<Entry, Rejected>>;

struct Message {
    send: Send,
    answer: Answer,
    due: Instant,
}

/// Messages by id, which is by age.
#[derive(Default)]
pub(super) struct Pending(BTreeMap<EntryId, Message>);

impl Pending {
    pub(super) fn add(&mut self, send: Send, answer: Answer) {
        let due = Instant::now();
        self.0.insert(send.id, Message { send, answer, due });
    }

    /// A new connection: all is due.
    pub(super) fn start_over(&mut self) {
        let now = Instant::now();
        self.0.values_mut().for_each(|message| message.due = now);
    }

    /// When the next message is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.values().map(|message| message.due).min()
    }

    /// What is due now; it is due again when no answer comes.
    pub(super) fn take_due(&mut self) -> Vec<ClientFrame> {
        let now = Instant::now();
        self.0
            .values_mut()
            .filter(|message| message.due <= now)
            .map(|message| {
                message.due = now + ANSWER_TIMEOUT;
                ClientFrame::Send(message.send.clone())
            })
            .collect()
    }

    /// The entry of a message is its answer.
    pub(super) fn committed(&mut self, entry: &Entry) {
        if let Some(message) = self.0.remove(&entry.id) {
            // Who asked may have gone.
            drop(message.answer.send(Ok(entry.clone())));
        }
    }

    /// A refusal is the answer too, unless waiting mends it.
    pub(super) fn rejected(&mut self, rejected: Rejected) {
        let Some(id) = rejected.id else { return };
        if rejected.code.retry() == Retry::Later {
            let after = rejected.retry_after_ms.map_or(RETRY_AFTER, Duration::from_millis);
            if let Some(message) = self.0.get_mut(&id) {
                message.due = Instant::now() + after;
            }
        } else if let Some(message) = self.0.remove(&id) {
            drop(message.answer.send(Err(rejected)));
        }
    }
}
