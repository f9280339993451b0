//! A made-up clinic's log: conversations, and the frames in which their entries come.

use bedside_protocol::{
    Author, Body, Changes, ChangesAnswer, Conversation, ConversationId, Entries, EntriesAnswer, Entry,
    EntryFrame, EntryId, Extra, Last, MAX_CHANGES_PAGE, MAX_ENTRIES_PAGE, Patient, Rev, Role, Seq,
    ServerFrame, Time, UserId,
};
use std::collections::BTreeMap;

/// Its beginning, in milliseconds since 1970.
const BEGINNING: u64 = 1_767_225_600_000;

/// Sentences as patients and providers write them; a message has one to four.
const SENTENCES: [&str; 8] = [
    "Since Tuesday it gets tight across my chest when I take the stairs.",
    "Thank you.",
    "Have you had a temperature, or noticed any change in your breathing at night?",
    "I took two of the tablets this morning as you said, one before breakfast and one after it.",
    "No, not really.",
    "It is worse in the evening, and it has kept me awake for three nights in a row now.",
    "Please go on with it until Friday, and write again at once if the rash comes back.",
    "Could it be the new medicine?",
];

/// All conversations, and all entries in the order of their commits.
pub struct Log {
    /// As they are before the first entry.
    pub conversations: Vec<Conversation>,
    /// What the server emits.
    pub frames: Vec<EntryFrame>,
}

impl Log {
    /// A log of so many entries, which the conversations get in turn.
    pub fn new(entries: usize, conversations: usize) -> Self {
        let mut now: Vec<_> = (0..conversations).map(conversation).collect();
        let conversations = now.clone();
        let frames = (0..entries).map(|n| next(&mut now, n)).collect();
        Self { conversations, frames }
    }

    /// The clinic's counter when so many entries are published.
    pub fn rev(&self, published: usize) -> Rev {
        rev(self.conversations.len(), published)
    }

    /// How many entries a cache with this cursor holds.
    pub fn published_at(&self, cursor: u64) -> usize {
        usize::try_from(cursor).expect("a small log").saturating_sub(self.conversations.len())
    }

    /// Each conversation's summary when so many entries are published.
    pub fn summaries(&self, published: usize) -> BTreeMap<&ConversationId, &Conversation> {
        let later = self.frames.iter().take(published).map(|frame| &frame.conversation);
        self.conversations.iter().chain(later).map(|summary| (&summary.id, summary)).collect()
    }

    /// The answer to `changes`.
    pub fn changes(&self, asked: &Changes, published: usize) -> ServerFrame {
        let mut changed: Vec<_> = self.summaries(published).into_values().cloned().collect();
        changed.retain(|summary| asked.since < summary.rev);
        changed.sort_by_key(|summary| summary.rev);
        let more = changed.len() > MAX_CHANGES_PAGE as usize;
        changed.truncate(MAX_CHANGES_PAGE as usize);
        let last = changed.last().filter(|_| more).map(|summary| summary.rev);
        let rev = last.unwrap_or(self.rev(published));
        ServerFrame::Changes(ChangesAnswer { since: asked.since, rev, more, conversations: changed })
    }

    /// The answer to `entries`.
    pub fn entries(&self, asked: &Entries, published: usize) -> ServerFrame {
        let Entries { conversation, from, to, .. } = asked.clone();
        let its = self.frames.iter().take(published).filter(|frame| frame.entry.conversation == conversation);
        let head = its.clone().next_back().map_or(Seq::ZERO, |frame| frame.entry.seq);
        let wanted = its.filter(|frame| (from..=to).contains(&frame.entry.seq));
        let entries = wanted.map(|frame| frame.entry.clone()).take(MAX_ENTRIES_PAGE as usize).collect();
        ServerFrame::Entries(EntriesAnswer { conversation, from, to, head, entries, summary: None })
    }
}

fn rev(conversations: usize, published: usize) -> Rev {
    Rev::new((conversations + published) as u64)
}

fn user(id: String) -> UserId {
    UserId::new(id).expect("a good id")
}

fn conversation(number: usize) -> Conversation {
    let patient = Patient {
        id: user(format!("pt-{number:04}")),
        name: format!("Martha Ellison {number}"),
        born: Some("1957-03-12".to_owned()),
        extra: Extra::new(),
    };
    let id = ConversationId::new(format!("c-{number:04}")).expect("a good id");
    Conversation::new(id, rev(number, 1), patient)
}

/// Entry number `n`: two of three are the patient's.
fn next(conversations: &mut [Conversation], n: usize) -> EntryFrame {
    let (count, rev) = (conversations.len(), rev(conversations.len(), n + 1));
    let conversation = &mut conversations[n % count];
    let at = Time::new(BEGINNING + 10 * n as u64);
    let seq = conversation.head.next();
    let (id, role, name) = match seq.get() % 3 {
        0 => (user("pr-jonas".to_owned()), Role::Provider, "Dr. Jonas Lindqvist".to_owned()),
        _ => (conversation.patient.id.clone(), Role::Patient, conversation.patient.name.clone()),
    };
    let author = Author { id, role, name, extra: Extra::new() };
    let sentence = |i: usize| SENTENCES[(n * 5 + i * 3) % SENTENCES.len()];
    let body = Body::text((0..=n % 4).map(sentence).collect::<Vec<_>>().join(" "));
    let preview = body.preview();
    conversation.rev = rev;
    conversation.head = seq;
    conversation.waiting_since = match role {
        Role::Patient => conversation.waiting_since.or(Some(at)),
        _ => None,
    };
    conversation.last =
        Some(Last { seq, at, author: author.clone(), preview: preview.clone(), extra: Extra::new() });
    let mut random = [7; 10];
    random[..8].copy_from_slice(&(n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    let entry = Entry {
        conversation: conversation.id.clone(),
        seq,
        rev,
        id: EntryId::from_parts(at, random),
        at,
        author,
        body,
        preview,
        from: None,
        prev: None,
        extra: Extra::new(),
    };
    EntryFrame { entry, conversation: conversation.clone() }
}
