//! Any inputs in any order, from a server that may say anything: the engine never panics, never asks for a timer that
//! has passed, never commits a hole, and hands nothing over that isn't on the disk.

#![no_main]

use arbitrary::Arbitrary;
use bedside_engine::{Change, Config, Effect, Engine, Input, Keep, Snapshot, Ticket, Trouble};
use bedside_protocol::*;
use libfuzzer_sys::fuzz_target;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Arbitrary, Debug)]
enum Step {
    Welcome { rev: u8, epoch: bool },
    Heartbeat(u8),
    Entry { conversation: u8, seq: u8, rev: u8, id: u8, head: u8 },
    Summary { conversation: u8, rev: u8, head: u8, read: u8 },
    Changes { rev: u8, more: bool, conversations: Vec<(u8, u8, u8)> },
    Page { count: u8, shifted: bool },
    Rejected { id: Option<u8>, of: u8, code: u8, retry: Option<u16> },
    Refused(u8),
    Closed,
    Committed,
    Send { id: u8, conversation: u8, hold: u8 },
    SendNow(u8),
    SendAgain(u8),
    Discard(u8),
    Recall(u8),
    Read { conversation: u8, upto: u8 },
    Open(Option<u8>),
    Older(u8),
    Reconnect,
    Pause,
    Doubt,
    Wait(u16),
}

fn conversation(n: u8) -> ConversationId {
    ConversationId::new(format!("c-{}", n % 4)).unwrap()
}

fn entry_id(n: u8) -> EntryId {
    EntryId::from_parts(Time::new(u64::from(n)), [n; 10])
}

fn summary(n: u8, rev: u8, head: u8, read: u8) -> Conversation {
    let me = UserId::new("me").unwrap();
    let patient =
        Patient { id: UserId::new("p").unwrap(), name: "P".into(), born: None, extra: Extra::new() };
    Conversation {
        head: Seq::new(head.into()),
        read: BTreeMap::from([(me, Seq::new(read.into()))]),
        ..Conversation::new(conversation(n), Rev::new(rev.into()), patient)
    }
}

fn entry(conversation_: u8, seq: u64, rev: u8, id: u8) -> Entry {
    let body = Body::text("x");
    Entry {
        conversation: conversation(conversation_),
        seq: Seq::new(seq),
        rev: Rev::new(rev.into()),
        id: entry_id(id),
        at: Time::ZERO,
        author: Author {
            id: UserId::new("p").unwrap(),
            role: Role::Patient,
            name: "P".into(),
            extra: Extra::new(),
        },
        preview: body.preview(),
        body,
        from: None,
        prev: None,
        extra: Extra::new(),
    }
}

struct Rig {
    engine: Engine,
    now: Time,
    attempt: u64,
    pending: Vec<(Ticket, Vec<Change>)>,
    asked: Vec<Entries>,
    kept: BTreeSet<EntryId>,
}

impl Rig {
    fn input(&mut self, input: Input) {
        for effect in self.engine.handle(self.now, input) {
            match effect {
                Effect::Connect(attempt) => {
                    assert!(attempt > self.attempt);
                    self.attempt = attempt;
                    self.asked.clear();
                }
                Effect::Emit(ClientFrame::Entries(ask)) => self.asked.push(ask),
                Effect::Emit(ClientFrame::Send(send)) => {
                    assert!(self.kept.contains(&send.id), "not on the disk")
                }
                Effect::Commit(ticket, changes) => {
                    for change in &changes {
                        if let Change::Entries { range, entries, .. } = change {
                            let dense = entries.windows(2).all(|two| two[0].seq.next() == two[1].seq);
                            assert!(dense && entries.iter().all(|entry| range.contains(entry.seq)), "a hole");
                        }
                    }
                    self.pending.push((ticket, changes));
                }
                _ => {}
            }
        }
    }

    fn frame(&mut self, frame: ServerFrame) {
        self.input(Input::Frame(self.attempt, frame));
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Welcome { rev, epoch } => self.frame(ServerFrame::Welcome(Welcome {
                me: Me {
                    id: UserId::new("me").unwrap(),
                    name: "M".into(),
                    role: Role::Provider,
                    clinic: ClinicId::new("c").unwrap(),
                },
                rev: Rev::new(rev.into()),
                epoch: Epoch::new(if epoch { "a" } else { "b" }).unwrap(),
                heartbeat_ms: 1_000,
                now: self.now,
                limits: Limits::default(),
                policy: Extra::new(),
            })),
            Step::Heartbeat(rev) => {
                let now = self.now;
                self.frame(ServerFrame::Heartbeat(Heartbeat { rev: Rev::new(rev.into()), now }));
            }
            Step::Entry { conversation, seq, rev, id, head } => self.frame(ServerFrame::Entry(EntryFrame {
                entry: entry(conversation, seq.into(), rev, id),
                conversation: summary(conversation, rev, head, 0),
            })),
            Step::Summary { conversation, rev, head, read } => {
                let conversation = summary(conversation, rev, head, read);
                self.frame(ServerFrame::Conversation(ConversationFrame { conversation }));
            }
            Step::Changes { rev, more, conversations } => {
                let conversations = conversations
                    .into_iter()
                    .take(8)
                    .map(|(n, rev, head)| summary(n, rev, head, 0))
                    .collect();
                let (since, rev) = (Rev::ZERO, Rev::new(rev.into()));
                self.frame(ServerFrame::Changes(ChangesAnswer { since, rev, more, conversations }));
            }
            Step::Page { count, shifted } => {
                let Some(Entries { conversation, from, to, .. }) = self.asked.pop() else { return };
                let n = conversation.as_str().as_bytes().last().map_or(0, |digit| digit - b'0');
                let first = from.get() + u64::from(shifted);
                let entries =
                    (0..u64::from(count)).map(|at| entry(n, first + at, 1, (first + at) as u8)).collect();
                let head = to;
                self.frame(ServerFrame::Entries(EntriesAnswer { conversation, from, to, head, entries, summary: None }));
            }
            Step::Rejected { id, of, code, retry } => {
                let of = ["send", "changes", "entries", "read"][usize::from(of % 4)].to_owned();
                self.frame(ServerFrame::Rejected(Rejected {
                    of,
                    id: id.map(entry_id),
                    conversation: id.map(conversation),
                    search: None,
                    code: Code::ALL[usize::from(code) % Code::ALL.len()],
                    message: String::new(),
                    retry_after_ms: retry.map(u64::from),
                }));
            }
            Step::Refused(code) => {
                let code = ConnectRefusal::ALL[usize::from(code) % ConnectRefusal::ALL.len()];
                self.input(Input::Refused(self.attempt, code));
            }
            Step::Closed => self.input(Input::Closed(self.attempt, Trouble::Closed)),
            Step::Committed => {
                if self.pending.is_empty() {
                    return;
                }
                let (ticket, changes) = self.pending.remove(0);
                self.kept.extend(changes.iter().filter_map(|change| match change {
                    Change::Outbox(row) if row.attempts > 0 => Some(row.send.id),
                    _ => None,
                }));
                self.input(Input::Committed(ticket));
            }
            Step::Send { id, conversation: n, hold } => {
                if self.engine.outgoing(entry_id(id)).is_some() {
                    // A writer never makes an id twice.
                    return;
                }
                let (id, conversation, body) = (entry_id(id), conversation(n), Body::text("x"));
                let send = Send { id, conversation, seen: Seq::ZERO, body, from: None, force: false };
                let hold_until = if hold == 0 { Time::ZERO } else { self.now.plus(u64::from(hold) * 100) };
                self.input(Input::Send { sends: vec![send], at: self.now, hold_until });
            }
            Step::SendNow(id) => self.input(Input::SendNow(entry_id(id))),
            Step::SendAgain(id) => self.input(Input::SendAgain(entry_id(id), Seq::MAX)),
            Step::Discard(id) => self.input(Input::Discard(entry_id(id))),
            Step::Recall(id) => self.input(Input::Recall(entry_id(id))),
            Step::Read { conversation: n, upto } => {
                self.input(Input::Read(conversation(n), Seq::new(upto.into())))
            }
            Step::Open(n) => self.input(Input::Open(n.map(conversation))),
            Step::Older(n) => self.input(Input::LoadOlder(conversation(n))),
            Step::Reconnect => self.input(Input::Reconnect),
            Step::Pause => self.input(Input::Pause),
            Step::Doubt => self.input(Input::Doubt),
            Step::Wait(ms) => {
                self.now = self.now.plus(ms.into());
                if self.engine.next_timer(self.now).is_some_and(|time| time <= self.now) {
                    self.input(Input::Timer);
                    let again = self.engine.next_timer(self.now);
                    assert!(again.is_none_or(|time| self.now < time), "a timer that never ends");
                }
            }
        }
    }
}

fuzz_target!(|steps: Vec<Step>| {
    let engine = Engine::new(Config { me: UserId::new("me").unwrap(), seed: 1, keep: Keep { history: true, closed_ms: Some(1), own_only: true } }, Snapshot::default());
    let now = Time::new(1_000_000);
    let mut rig =
        Rig { engine, now, attempt: 0, pending: Vec::new(), asked: Vec::new(), kept: BTreeSet::new() };
    rig.input(Input::Start);
    for step in steps.into_iter().take(400) {
        rig.step(step);
    }
});
