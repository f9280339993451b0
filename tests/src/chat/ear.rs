//! Hands on a patient's own entries, each once and in order. What it misses it asks for.

use super::Heard;
use bedside_protocol::{ClientFrame, ConversationId, Entries, Entry, MAX_ENTRIES_PAGE, Seq, ServerFrame};
use tokio::sync::mpsc;

pub(super) struct Ear {
    tell: mpsc::UnboundedSender<Heard>,
    /// Every public entry up to here has been heard.
    upto: Seq,
}

impl Ear {
    pub(super) fn new(tell: mpsc::UnboundedSender<Heard>) -> Self {
        let upto = Seq::ZERO;
        Self { tell, upto }
    }

    /// Asks for what came after.
    pub(super) fn missing(&self, own: &ConversationId) -> ClientFrame {
        ClientFrame::Entries(Entries {
            conversation: own.clone(),
            from: self.upto.next(),
            to: self.upto.plus(MAX_ENTRIES_PAGE),
            summary: false,
        })
    }

    /// Answers what to ask for now.
    pub(super) fn hear(&mut self, frame: &ServerFrame) -> Option<ClientFrame> {
        match frame {
            ServerFrame::Entry(frame) => {
                let entry = &frame.entry;
                if entry.prev.is_some_and(|prev| prev <= self.upto) {
                    self.pass(entry);
                }
                (entry.seq > self.upto).then(|| self.missing(&entry.conversation))
            }
            ServerFrame::Entries(answer) => {
                answer.entries.iter().for_each(|entry| self.pass(entry));
                if answer.to < answer.head {
                    self.upto = self.upto.max(answer.to);
                    return Some(self.missing(&answer.conversation));
                }
                self.say(Heard::CaughtUp);
                None
            }
            _ => None,
        }
    }

    fn pass(&mut self, entry: &Entry) {
        if entry.seq > self.upto {
            self.upto = entry.seq;
            self.say(Heard::Entry(entry.clone()));
        }
    }

    fn say(&self, heard: Heard) {
        // A person who doesn't listen still writes.
        drop(self.tell.send(heard));
    }
}
