//! What a patient sees: the public entries, and nothing that tells of the others.

use crate::log::{Answer, Record, Summary};
use bedside_protocol::{Conversation, ConversationFrame, Entry, EntryFrame, Extra, Seq, ServerFrame};

/// The newest entry that the patient sees, 0 without any.
pub fn head(summary: &Summary) -> Seq {
    summary.public_last.as_ref().map_or(Seq::ZERO, |last| last.seq)
}

/// A conversation for its patient's eyes.
pub fn conversation(summary: &Summary) -> Conversation {
    let of = &summary.conversation;
    let head = head(summary);
    Conversation {
        id: of.id.clone(),
        rev: of.rev,
        head,
        patient: of.patient.clone(),
        state: of.state,
        until: None,
        closed_at: None,
        assigned: None,
        urgency: None,
        waiting_since: of.waiting_since,
        last: summary.public_last.clone(),
        // A mark beyond the public head would tell of something there.
        read: of.read.iter().map(|(who, upto)| (who.clone(), (*upto).min(head))).collect(),
        extra: Extra::new(),
    }
}

/// An entry for its patient's eyes, if it is for them.
pub fn entry(record: &Record) -> Option<Entry> {
    record.public.then(|| Entry { from: None, prev: Some(record.prev), ..record.entry.clone() })
}

/// A conversation as a provider or, if `private`, its patient sees it.
pub fn summary(summary: &Summary, private: bool) -> Conversation {
    if private { conversation(summary) } else { summary.conversation.clone() }
}

/// The frame that answers a write, for a provider's or, if `private`, the patient's eyes.
pub fn answer(answer: &Answer, private: bool) -> Option<ServerFrame> {
    Some(match answer {
        Answer::Entry(record, of) => ServerFrame::Entry(EntryFrame {
            entry: if private { entry(record)? } else { record.entry.clone() },
            conversation: summary(of, private),
        }),
        Answer::Summary(of) => {
            ServerFrame::Conversation(ConversationFrame { conversation: summary(of, private) })
        }
        Answer::Revoked | Answer::Tries(_) | Answer::Ended | Answer::Uploaded | Answer::Forgotten(_) => {
            return None;
        }
    })
}
