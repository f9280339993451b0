//! One's own read marks: kept, sent while the server's are smaller, never lowered.

use crate::{Change, Snapshot};
use bedside_protocol::{ClientFrame, Conversation, ConversationId, Read, Seq, Time, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// A mark that the server hasn't confirmed within this is sent again: it may have been refused as one too many.
const RESEND_MS: u64 = 10_000;

#[derive(Debug)]
pub(crate) struct Reads {
    me: UserId,
    /// How far one has read, here.
    own: BTreeMap<ConversationId, Seq>,
    /// How far one has read, as the server has it.
    confirmed: BTreeMap<ConversationId, Seq>,
    /// Marks that the server may not have.
    pending: BTreeSet<ConversationId>,
    /// What this connection was told, and when to tell it again.
    sent: BTreeMap<ConversationId, (Seq, Time)>,
}

impl Reads {
    pub(crate) fn new(me: UserId, snapshot: &Snapshot) -> Self {
        let confirmed: BTreeMap<_, _> = snapshot
            .conversations
            .iter()
            .filter_map(|(id, cached)| Some((id.clone(), *cached.read.get(&me)?)))
            .collect();
        let pending = snapshot
            .reads
            .iter()
            .filter(|(id, upto)| confirmed.get(*id).is_none_or(|confirmed| confirmed < upto))
            .map(|(id, _)| id.clone())
            .collect();
        Self { me, own: snapshot.reads.clone(), confirmed, pending, sent: BTreeMap::new() }
    }

    /// A person has read so far. `None` if that is nothing new.
    pub(crate) fn mark(&mut self, conversation: &ConversationId, upto: Seq) -> Option<Change> {
        let known = self.own.get(conversation).max(self.confirmed.get(conversation)).copied();
        if upto <= known.unwrap_or(Seq::ZERO) {
            return None;
        }
        self.own.insert(conversation.clone(), upto);
        self.pending.insert(conversation.clone());
        Some(Change::Read(conversation.clone(), upto))
    }

    /// The server's summary says how far it knows.
    pub(crate) fn confirm(&mut self, conversation: &Conversation) {
        let Some(upto) = conversation.read.get(&self.me).copied() else {
            return;
        };
        let known = self.confirmed.entry(conversation.id.clone()).or_default();
        *known = upto.max(*known);
        if self.own.get(&conversation.id).is_none_or(|own| *own <= upto) {
            self.pending.remove(&conversation.id);
        }
    }

    /// Marks to tell now.
    pub(crate) fn unsent(&mut self, now: Time) -> Vec<ClientFrame> {
        let mut frames = Vec::new();
        for conversation in &self.pending {
            let Some(upto) = self.own.get(conversation).copied() else {
                continue;
            };
            if self.sent.get(conversation).is_none_or(|(sent, again)| *sent != upto || *again <= now) {
                self.sent.insert(conversation.clone(), (upto, now.plus(RESEND_MS)));
                frames.push(ClientFrame::Read(Read { conversation: conversation.clone(), upto }));
            }
        }
        frames
    }

    pub(crate) fn next_timer(&self) -> Option<Time> {
        self.pending.iter().filter_map(|conversation| Some(self.sent.get(conversation)?.1)).min()
    }

    pub(crate) fn disconnected(&mut self) {
        self.sent.clear();
    }
}
