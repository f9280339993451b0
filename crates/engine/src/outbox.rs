//! The outbox: what was written and is not in the log. [`OutboxState`] draws its states.
//!
//! At most one message a conversation is under way, so that order is kept whatever the server refuses; a refused one
//! stops nobody.

use crate::catchup::clamp_retry;
use crate::{Change, OutboxRow, OutboxState};
use bedside_protocol::{
    ClientFrame, Code, ConversationId, EntryId, File, Refusal, Rejected, Retry, Send, Seq, Time,
};
use std::collections::{BTreeMap, BTreeSet};

/// Messages under way at once, over all conversations: below the server's burst.
const IN_FLIGHT: usize = 8;
/// Files under way at once. They share a line that may be thin, and messages don't wait for them.
const UPLOADS: usize = 2;
/// The wait after an upload that came to nothing.
const UPLOAD_RETRY_MS: u64 = 5_000;
/// A server that speaks but says nothing of a message within this is asked again over a fresh connection.
const ANSWER_TIMEOUT_MS: u64 = 20_000;
/// Nothing is held back longer than this, whatever the clock says after a restart.
const MAX_HOLD_MS: u64 = 60_000;
/// The wait after a refusal that names none.
const RETRY_MS: u64 = 1_000;

#[derive(Debug)]
struct Held {
    row: OutboxRow,
    /// `Sending`: when the answer is overdue. `Waiting`: not to be handed over before.
    until: Time,
    /// The server has its file, if it has one.
    uploaded: bool,
}

/// What goes out.
#[derive(Debug, Default)]
pub(crate) struct HandedOver {
    /// To be on the disk first: the attempts.
    pub(crate) changes: Vec<Change>,
    pub(crate) frames: Vec<ClientFrame>,
    /// Files that the server must have before their messages.
    pub(crate) uploads: Vec<(EntryId, File)>,
}

impl Held {
    fn new(row: OutboxRow) -> Self {
        Self { uploaded: row.send.body.file().is_none(), row, until: Time::ZERO }
    }

    /// After a fresh start of it, the server may have swept the file away.
    fn afresh(&mut self) {
        self.uploaded = self.row.send.body.file().is_none();
        self.until = Time::ZERO;
    }

    /// When a waiting message may be handed over.
    fn ready_at(&self, now: Time) -> Time {
        let hold = self.row.hold_until;
        self.until.max(if hold.since(now) <= MAX_HOLD_MS { hold } else { Time::ZERO })
    }
}

#[derive(Debug)]
pub(crate) struct Outbox {
    rows: BTreeMap<u64, Held>,
    places: BTreeMap<EntryId, u64>,
}

impl Outbox {
    pub(crate) fn new(rows: Vec<OutboxRow>) -> Self {
        let places = rows.iter().map(|row| (row.send.id, row.place)).collect();
        let rows = rows.into_iter().map(|row| (row.place, Held::new(row))).collect();
        Self { rows, places }
    }

    pub(crate) fn get(&self, id: EntryId) -> Option<&OutboxRow> {
        self.rows.get(self.places.get(&id)?).map(|held| &held.row)
    }

    /// Whether a message to this conversation waits or was refused.
    pub(crate) fn is_for(&self, conversation: &ConversationId) -> bool {
        self.rows.values().any(|held| held.row.send.conversation == *conversation)
    }

    pub(crate) fn counts(&self) -> (usize, usize) {
        let refused =
            self.rows.values().filter(|held| matches!(held.row.state, OutboxState::Refused(_))).count();
        (self.rows.len() - refused, refused)
    }

    /// Those under way, or whose files are.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = &OutboxRow> {
        let rows = self.rows.values().map(|held| &held.row);
        rows.filter(|row| matches!(row.state, OutboxState::Sending | OutboxState::Uploading))
    }

    pub(crate) fn add(&mut self, send: Send, at: Time, hold_until: Time) -> Change {
        let place = self.rows.last_key_value().map_or(1, |(place, _)| place + 1);
        let row = OutboxRow { place, send, at, hold_until, attempts: 0, state: OutboxState::Waiting };
        self.places.insert(row.send.id, place);
        self.rows.insert(place, Held::new(row.clone()));
        Change::Outbox(row)
    }

    /// A refused message is sent again; one refused as `behind` is sent whatever came meanwhile.
    pub(crate) fn again(&mut self, id: EntryId, seen: Seq) -> Option<Change> {
        let held = self.held(id)?;
        let OutboxState::Refused(code) = held.row.state else {
            return None;
        };
        held.row.send.seen = seen;
        held.row.send.force = code == Code::Behind;
        held.row.state = OutboxState::Waiting;
        held.afresh();
        Some(Change::Outbox(held.row.clone()))
    }

    /// A message that waits needs wait no longer than for the connection.
    pub(crate) fn now(&mut self, id: EntryId) -> Option<Change> {
        let held = self.held(id)?;
        if held.row.state != OutboxState::Waiting {
            return None;
        }
        held.row.hold_until = Time::ZERO;
        held.until = Time::ZERO;
        Some(Change::Outbox(held.row.clone()))
    }

    /// Throws a message away, unless it was handed over and not refused: then the server may have it.
    pub(crate) fn discard(&mut self, id: EntryId) -> Option<Change> {
        if self.held(id)?.row.may_have_been_sent() {
            return None;
        }
        self.settled(id)
    }

    /// As [`Outbox::discard`], and what it says becomes the draft again. Nothing, if it may not be thrown away.
    pub(crate) fn recall(&mut self, id: EntryId) -> Vec<Change> {
        let back =
            self.get(id).map(|row| Change::DraftBack(row.send.conversation.clone(), row.send.body.clone()));
        // Without the first, what is under way would be a draft too.
        self.discard(id).zip(back).map(|(gone, back)| vec![gone, back]).unwrap_or_default()
    }

    /// Those that wait although they might go.
    pub(crate) fn held_back(&self) -> impl Iterator<Item = EntryId> {
        let rows = self.rows.values().map(|held| &held.row);
        rows.filter(|row| row.state == OutboxState::Waiting && row.hold_until != Time::ZERO)
            .map(|row| row.send.id)
    }

    /// The message's entry is committed, or nobody wants it any more.
    pub(crate) fn settled(&mut self, id: EntryId) -> Option<Change> {
        let place = self.places.remove(&id)?;
        self.rows.remove(&place)?;
        Some(Change::OutboxDone(id))
    }

    pub(crate) fn rejected(&mut self, now: Time, rejected: &Rejected) -> Option<Change> {
        let held = self.held(rejected.id?)?;
        if rejected.of != "send" || held.row.state != OutboxState::Sending {
            return None;
        }
        if rejected.code == Code::Behind && held.row.send.force {
            // An answer to an earlier try of it: what is forced is never behind, and the log may have it by now.
            return None;
        }
        match rejected.code.retry() {
            Retry::Later => {
                held.row.state = OutboxState::Waiting;
                held.until = now.plus(clamp_retry(rejected.retry_after_ms.unwrap_or(RETRY_MS)));
                None
            }
            Retry::Never | Retry::AfterReading => {
                held.row.state = OutboxState::Refused(rejected.code);
                Some(Change::Outbox(held.row.clone()))
            }
        }
    }

    /// The server has a message's file, or why not.
    pub(crate) fn uploaded(
        &mut self,
        now: Time,
        id: EntryId,
        outcome: Result<(), Refusal>,
    ) -> Option<Change> {
        let held = self.held(id)?;
        if !matches!(held.row.state, OutboxState::Uploading | OutboxState::Waiting) {
            return None;
        }
        let Err(refusal) = outcome else {
            (held.uploaded, held.row.state) = (true, OutboxState::Waiting);
            return None;
        };
        if refusal.code.retry() != Retry::Later && held.row.may_have_been_sent() {
            // It may be in the log already: only the answer to the message itself says so.
            (held.uploaded, held.row.state) = (true, OutboxState::Waiting);
            return None;
        }
        if refusal.code.retry() == Retry::Later {
            held.row.state = OutboxState::Waiting;
            held.until = now.plus(clamp_retry(refusal.retry_after_ms.unwrap_or(UPLOAD_RETRY_MS)));
            return None;
        }
        held.row.state = OutboxState::Refused(refusal.code);
        Some(Change::Outbox(held.row.clone()))
    }

    /// Nobody knows what became of what was under way: it is handed over again, with the same id.
    pub(crate) fn disconnected(&mut self) {
        for held in self.rows.values_mut() {
            if matches!(held.row.state, OutboxState::Sending | OutboxState::Uploading) {
                held.row.state = OutboxState::Waiting;
            }
            held.afresh();
        }
    }

    /// Counts the attempts of what goes out now, and gives the frames to emit once that is on the disk.
    pub(crate) fn hand_over(&mut self, now: Time) -> HandedOver {
        let mut busy = BTreeSet::new();
        let count = |state| self.rows.values().filter(|held| held.row.state == state).count();
        let mut under_way = count(OutboxState::Sending);
        let mut uploading = count(OutboxState::Uploading);
        let HandedOver { mut changes, mut frames, mut uploads } = HandedOver::default();
        for held in self.rows.values_mut() {
            let ready = held.ready_at(now) <= now;
            let row = &mut held.row;
            if matches!(row.state, OutboxState::Refused(_)) || !busy.insert(row.send.conversation.clone()) {
                continue;
            }
            if row.state != OutboxState::Waiting || !ready {
                continue;
            }
            if let Some(file) = row.send.body.file().filter(|_| !held.uploaded) {
                if uploading < UPLOADS {
                    uploading += 1;
                    uploads.push((row.send.id, file.clone()));
                    row.state = OutboxState::Uploading;
                }
            } else if under_way < IN_FLIGHT {
                under_way += 1;
                row.attempts = row.attempts.saturating_add(1);
                // On the disk it waits: after a crash nobody knows what became of the try.
                changes.push(Change::Outbox(row.clone()));
                frames.push(ClientFrame::Send(row.send.clone()));
                row.state = OutboxState::Sending;
                held.until = now.plus(ANSWER_TIMEOUT_MS);
            }
        }
        HandedOver { changes, frames, uploads }
    }

    pub(crate) fn overdue(&self, now: Time) -> bool {
        self.rows.values().any(|held| held.row.state == OutboxState::Sending && held.until <= now)
    }

    pub(crate) fn next_timer(&self, now: Time) -> Option<Time> {
        let timer = |held: &Held| match held.row.state {
            OutboxState::Sending => Some(held.until),
            // One that may go already waits for the one before it, not for the clock.
            OutboxState::Waiting => Some(held.ready_at(now)).filter(|ready| now < *ready),
            OutboxState::Uploading | OutboxState::Refused(_) => None,
        };
        self.rows.values().filter_map(timer).min()
    }

    fn held(&mut self, id: EntryId) -> Option<&mut Held> {
        self.rows.get_mut(self.places.get(&id)?)
    }
}
