//! What must be true of every run. A fault of it panics with what is wrong.

use crate::device::{News, Wish};
use crate::world::World;
use bedside_engine::{OutboxRow, OutboxState};
use bedside_protocol::*;
use std::collections::{BTreeMap, BTreeSet};

/// What became of a provider's message, as people were shown it.
#[derive(Debug)]
struct Written {
    device: usize,
    conversation: ConversationId,
    body: Body,
    /// What its writer had in view, each time it was sent knowingly.
    seen: Seq,
    forced: bool,
    /// It may be taken back until then, by its device's clock.
    hold_until: Time,
    /// It was shown as kept.
    kept: bool,
    refused: bool,
    sent: bool,
    withdrawn: bool,
}

/// All that was written in a run.
#[derive(Debug, Default)]
pub struct Ledger {
    written: BTreeMap<EntryId, Written>,
    asked: BTreeMap<EntryId, ConversationId>,
    /// What colleagues without a console here wrote.
    colleagues: BTreeSet<EntryId>,
    /// What each device's person has typed and not sent.
    drafts: BTreeMap<(usize, ConversationId), String>,
    /// What is attached there.
    attached: BTreeMap<(usize, ConversationId), Vec<File>>,
}

impl Ledger {
    pub fn messages(&self) -> usize {
        self.written.len() + self.asked.len()
    }

    pub fn asked(&mut self, id: EntryId, conversation: &ConversationId) {
        self.asked.insert(id, conversation.clone());
    }

    pub fn colleague_wrote(&mut self, id: EntryId) {
        self.colleagues.insert(id);
    }

    /// A provider writes.
    pub fn wrote(&mut self, device: usize, send: &Send, hold_until: Time) {
        let written = Written {
            device,
            conversation: send.conversation.clone(),
            body: send.body.clone(),
            seen: send.seen,
            forced: false,
            hold_until,
            kept: false,
            refused: false,
            sent: false,
            withdrawn: false,
        };
        self.written.insert(send.id, written);
    }

    fn of(&mut self, id: EntryId) -> &mut Written {
        self.written.get_mut(&id).expect("somebody wrote it")
    }

    pub fn again(&mut self, id: EntryId, seen: Seq, forced: bool) {
        let written = self.of(id);
        written.seen = written.seen.max(seen);
        written.forced |= forced;
        written.hold_until = Time::ZERO;
    }

    /// Its writer wants it to go at once.
    pub fn hurried(&mut self, id: EntryId) {
        self.of(id).hold_until = Time::ZERO;
    }

    /// Something is on the disk of a device, and so on its screen.
    pub fn learn(&mut self, device: usize, news: News) {
        match news {
            News::Row(row) => self.kept(device, &row),
            News::Sent(id) => self.sent(id),
            News::Withdrawn(id, wish) => {
                let written = self.of(id);
                written.withdrawn = true;
                if wish == Wish::Recall {
                    let place = (device, written.conversation.clone());
                    match written.body.clone() {
                        Body::File(file) => self.attached.entry(place).or_default().insert(0, file),
                        body => {
                            let text = body.words().unwrap_or_default().to_owned();
                            let draft = self.drafts.entry(place).or_default();
                            *draft = if draft.is_empty() { text } else { format!("{text}\n{draft}") };
                        }
                    }
                }
            }
            News::Typed(conversation, text) => {
                self.drafts.insert((device, conversation), text);
            }
        }
    }

    pub fn attached(&mut self, device: usize, conversation: &ConversationId, file: &File) {
        self.attached.entry((device, conversation.clone())).or_default().push(file.clone());
    }

    fn kept(&mut self, device: usize, row: &OutboxRow) {
        let written = self.of(row.send.id);
        assert!(!written.withdrawn, "{} was withdrawn and is in the outbox again", row.send.id);
        written.refused |= matches!(row.state, OutboxState::Refused(_));
        if !std::mem::replace(&mut written.kept, true) {
            // What is sent is no draft any more.
            let place = (device, written.conversation.clone());
            self.drafts.remove(&place);
            if let Some(file) = row.send.body.file() {
                self.attached.entry(place).or_default().retain(|there| there != file);
            }
        }
    }

    pub fn handed_over(&mut self, send: &Send, clock: Time) {
        let known = self.written.get(&send.id);
        let written = known.unwrap_or_else(|| panic!("{} is handed over, and nobody wrote it", send.id));
        assert!(written.kept, "{} is handed over before it is kept", send.id);
        assert!(!written.withdrawn, "{} was withdrawn and is handed over", send.id);
        assert_eq!(send.conversation, written.conversation, "{} is misdirected", send.id);
        assert!(written.hold_until <= clock, "{} is handed over while it may be taken back", send.id);
        assert!(!send.force || written.forced, "{} is forced, and nobody wants that", send.id);
    }

    fn sent(&mut self, id: EntryId) {
        // An entry of another of the same person's devices ends nothing here.
        if let Some(written) = self.written.get_mut(&id) {
            written.sent = true;
        }
    }
}

/// Whether the server has every provider's read marks.
pub fn marks_agree(world: &mut World) -> bool {
    let summaries: BTreeMap<_, _> = world
        .conversations
        .clone()
        .into_iter()
        .map(|id| {
            let (summary, _) = world.server.log(&id);
            (id, summary)
        })
        .collect();
    world.devices.iter().all(|device| {
        let own = device.reader().snapshot().expect("the disk").reads;
        own.iter().all(|(id, upto)| Some(upto) <= summaries[id].read.get(&device.me))
    })
}

/// Everything, once all faults have ended. `quiet`: whether all was in order in time.
pub fn all(world: &mut World, quiet: bool) {
    for device in &world.devices {
        let link = device.engine.as_ref().map(|engine| engine.link().clone());
        let counts = device.engine.as_ref().map(|engine| (engine.outbox_counts(), engine.catching_up()));
        assert!(quiet, "no quiet in time: {link:?} {counts:?}");
    }
    let mut entries = BTreeMap::new();
    for id in world.conversations.clone() {
        let (summary, log) = world.server.log(&id);
        log_is_dense(&id, &summary, &log);
        replies_had_seen_what_came(world, &log);
        for (number, device) in world.devices.iter().enumerate() {
            let found = device.reader().conversation(&id, 0, Some(Seq::new(1))).expect("the disk");
            let found = found.unwrap_or_else(|| panic!("device {number} doesn't know {id}"));
            let draft = world.ledger.drafts.get(&(number, id.clone())).map_or("", String::as_str);
            assert_eq!(found.draft.text, draft, "device {number} keeps another draft for {id}");
            let attached = world.ledger.attached.get(&(number, id.clone())).map_or(&[][..], Vec::as_slice);
            assert_eq!(found.files, attached, "device {number} keeps other files for {id}");
            assert!(found.files.iter().all(|file| device.has(file)), "device {number} lost bytes of {id}");
            let range = found.range;
            if log.is_empty() {
                continue;
            }
            let range = range.unwrap_or_else(|| panic!("device {number} holds nothing of {id}"));
            assert_eq!(range.hi, summary.head, "device {number} lacks the end of {id}");
            assert_eq!(found.conversation, summary, "device {number} has another summary of {id}");
            let wanted: Vec<_> = log.iter().filter(|entry| range.contains(entry.seq)).cloned().collect();
            let unread = wanted
                .iter()
                .filter(|entry| entry.author.role == Role::Patient && found.read_upto < entry.seq);
            let inbox = device.reader().inbox().expect("the disk");
            let row = inbox.iter().find(|row| row.conversation.id == id).expect("a row a conversation");
            assert_eq!(row.unread as usize, unread.count(), "device {number} counts {id} wrong");
            assert_eq!(found.entries, wanted, "device {number} holds another {id}");
        }
        entries.extend(log.into_iter().map(|entry| (entry.id, entry)));
    }
    for (id, conversation) in &world.ledger.asked {
        let entry = entries.get(id).unwrap_or_else(|| panic!("a patient's message is lost: {id}"));
        assert_eq!(entry.conversation, *conversation, "{id} is misdirected");
    }
    providers_messages_end_once(world, &entries);
    order_is_kept(world, &entries);
}

fn log_is_dense(id: &ConversationId, summary: &Conversation, log: &[Entry]) {
    let dense = (1..).map(Seq::new);
    assert!(log.iter().zip(dense).all(|(entry, seq)| entry.seq == seq), "the log of {id} has holes");
    assert_eq!(summary.head.get(), log.len() as u64);
    assert!(log.is_sorted_by_key(|entry| entry.rev), "the revs of {id} don't grow");
}

/// No reply follows a message that its writer had not in view, unless the writer wanted that.
fn replies_had_seen_what_came(world: &World, log: &[Entry]) {
    for (at, entry) in log.iter().enumerate() {
        // A file is taken whatever came.
        let written = world.ledger.written.get(&entry.id);
        let Some(written) = written.filter(|written| !written.forced && written.body.file().is_none()) else {
            continue;
        };
        let unseen = log[..at].iter().find(|other| {
            other.seq > written.seen
                && other.body.is_message()
                && other.author.id != entry.author.id
                && other.author.role != Role::System
        });
        assert!(unseen.is_none(), "{} was sent although its writer had not seen {unseen:?}", entry.id);
    }
}

fn providers_messages_end_once(world: &World, entries: &BTreeMap<EntryId, Entry>) {
    let rows: Vec<Vec<OutboxRow>> =
        world.devices.iter().map(|device| device.reader().outbox().expect("the disk")).collect();
    for (id, written) in &world.ledger.written {
        let waits = rows[written.device].iter().find(|row| row.send.id == *id);
        let Some(entry) = entries.get(id) else {
            assert!(!written.sent, "{id} is shown as sent, and isn't in the log");
            let visible = waits.is_some_and(|row| matches!(row.state, OutboxState::Refused(_)));
            assert!(!written.kept || written.withdrawn || visible, "{id} is lost: {written:?}");
            continue;
        };
        assert!(written.kept, "{id} is in the log, and was never shown as kept");
        assert!(!written.withdrawn, "{id} was withdrawn, and is in the log");
        assert_eq!(waits, None, "{id} is in the log, and still in the outbox");
        let wanted = (&written.conversation, &written.body);
        assert_eq!((&entry.conversation, &entry.body), wanted, "{id} is misdirected");
        assert_eq!(entry.author.id, world.devices[written.device].me);
    }
    let strangers = entries.values().find(|entry| {
        let ledger = &world.ledger;
        let known = ledger.written.contains_key(&entry.id)
            || ledger.asked.contains_key(&entry.id)
            || ledger.colleagues.contains(&entry.id);
        !known && entry.author.role != Role::System
    });
    assert!(strangers.is_none(), "nobody wrote {strangers:?}");
}

/// What one device sent to one conversation without a refusal stands there in the order in which it was written.
fn order_is_kept(world: &World, entries: &BTreeMap<EntryId, Entry>) {
    let mut last: BTreeMap<(usize, &ConversationId), Seq> = BTreeMap::new();
    for (id, written) in &world.ledger.written {
        let (false, Some(entry)) = (written.refused, entries.get(id)) else { continue };
        let before = last.insert((written.device, &written.conversation), entry.seq);
        assert!(before < Some(entry.seq), "{id} stands before what was written before it");
    }
    let mut last: BTreeMap<&ConversationId, Seq> = BTreeMap::new();
    for (id, conversation) in &world.ledger.asked {
        let Some(entry) = entries.get(id) else { continue };
        let before = last.insert(conversation, entry.seq);
        assert!(before < Some(entry.seq), "{id} stands before what its patient wrote before it");
    }
}
