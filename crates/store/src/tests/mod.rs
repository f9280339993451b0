use crate::*;
use bedside_engine::{Change, OutboxRow, OutboxState, Range};
use bedside_protocol::{
    Author, Body, ClinicId, Code, Conversation, Entry, EntryId, Extra, File, Last, Patient, Rev, Role, Send,
    Seq, Time, UserId,
};
use std::sync::mpsc::channel;

mod attachments;
mod files;
mod filters;
mod migrations;
mod reading;
mod search;
mod writing;

struct Cache {
    files: Files,
    folder: tempfile::TempDir,
    writer: Option<Writer>,
    life: std::cell::Cell<u64>,
}

impl Cache {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().join("private"), keys());
        let writer = Some(writer(&files, "device-1").unwrap());
        let cache = Self { files, folder, writer, life: Default::default() };
        cache.write(vec![Write::Account(account())]).unwrap();
        cache
    }

    fn write(&self, writes: Vec<Write>) -> Result<Committed, StoreError> {
        let (sender, receiver) = channel();
        self.life.set(self.life.get() + 1);
        self.writer
            .as_ref()
            .unwrap()
            .submit(Some(self.life.get()), writes, move |outcome| sender.send(outcome).unwrap());
        receiver.recv().unwrap()
    }

    fn sync(&self, changes: Vec<Change>) -> Committed {
        self.write(changes.into_iter().map(Write::Sync).collect()).unwrap()
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.files).unwrap()
    }

    fn reopen(&mut self) {
        self.writer = None;
        self.writer = Some(writer(&self.files, "device-2").unwrap());
    }
}

fn keys() -> Keys {
    Keys { cache: Key::new([7; 32]), kept: Key::new([9; 32]) }
}

fn writer(files: &Files, device: &str) -> Result<Writer, StoreError> {
    Writer::start(crate::Cache::open(files, device)?, || ())
}

fn draft(text: &str) -> Draft {
    Draft { text: text.into(), cursor: 2 }
}

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn account() -> Account {
    let me = Me {
        id: user("provider.1-a"),
        name: "Amara".into(),
        role: Role::Provider,
        clinic: ClinicId::new("c").unwrap(),
    };
    Account { me, server: "http://localhost".into(), token: "t".into(), limits: Limits::default() }
}

fn conversation(id: &str, rev: u64, head: u64, waiting_since: Option<u64>) -> Conversation {
    let author = Author { id: user("p"), role: Role::Patient, name: "P".into(), extra: Extra::new() };
    let patient = Patient { id: user("p"), name: "P".into(), born: None, extra: Extra::new() };
    let seq = Seq::new(head);
    let last = Last { seq, at: Time::new(rev), author, preview: "x".into(), extra: Extra::new() };
    Conversation {
        head: seq,
        waiting_since: waiting_since.map(Time::new),
        last: Some(last),
        ..Conversation::new(ConversationId::new(id).unwrap(), Rev::new(rev), patient)
    }
}

fn entries(id: &str, seqs: std::ops::RangeInclusive<u64>) -> Change {
    let conversation = ConversationId::new(id).unwrap();
    let range = Range::new(Seq::new(*seqs.start()), Seq::new(*seqs.end())).unwrap();
    let entry = |seq: u64| Entry {
        conversation: conversation.clone(),
        seq: Seq::new(seq),
        rev: Rev::new(seq),
        id: EntryId::from_parts(Time::new(seq), [id.len() as u8; 10]),
        at: Time::new(seq),
        author: Author { id: user("p"), role: Role::Patient, name: "P".into(), extra: Extra::new() },
        body: Body::text(format!("text {seq}")),
        preview: "x".into(),
        from: None,
        prev: None,
        extra: [("later".to_owned(), 1.into())].into(),
    };
    Change::Entries { conversation: conversation.clone(), range, entries: seqs.map(entry).collect() }
}

fn outbox_row(place: u64, state: OutboxState) -> OutboxRow {
    let send = Send {
        id: EntryId::from_parts(Time::new(place), [9; 10]),
        conversation: ConversationId::new("a").unwrap(),
        seen: Seq::new(3),
        body: Body::text("reply"),
        from: None,
        force: false,
    };
    OutboxRow { place, send, at: Time::new(5), hold_until: Time::new(9), attempts: 2, state }
}

fn file(n: u8) -> File {
    File {
        sha256: format!("{n:064x}"),
        name: format!("{n}.png"),
        media_type: "image/png".into(),
        bytes: 3,
        extra: Extra::new(),
    }
}
