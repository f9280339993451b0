//! A provider's console: the real engine over the real cache. Its program can die between any two steps, its disk stays.

use crate::server::Conn;
use bedside_engine::{Attempt, Change, Config, Effect, Engine, Input, Ticket};
use bedside_protocol::*;
use bedside_store::{Account, Cache, Files, Reader, Write};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

/// After its disk has failed, a console starts anew from it, this much later.
pub const RESTART_MS: u64 = 2_000;
/// Most commits that one transaction takes.
const BATCH: usize = 8;

/// A commit on its way to the disk.
#[derive(Debug)]
struct Pending {
    ticket: Ticket,
    changes: Vec<Change>,
    /// A person threw a message away or took it back: it goes from the outbox without being sent.
    by_person: bool,
}

/// What a step of the disk did.
pub enum Disk {
    /// Nothing waited.
    Idle,
    /// These are on the disk: tickets, and what of the outbox ended without and with a person's word.
    Wrote {
        tickets: Vec<Ticket>,
        rows: Vec<bedside_engine::OutboxRow>,
        sent: Vec<EntryId>,
        withdrawn: Vec<EntryId>,
    },
    /// The disk failed; the program starts anew from it.
    Failed,
}

pub struct Device {
    pub me: UserId,
    files: Files,
    cache: Cache,
    /// None while the program is down.
    pub engine: Option<Engine>,
    /// Counts the program's lives: what was set up for an earlier one is void.
    pub life: u64,
    pub conn: Option<(Conn, Attempt)>,
    /// Its clock is ahead of the world's by this, in milliseconds.
    pub ahead: u64,
    pub fault: bool,
    pending: VecDeque<Pending>,
    /// How often each message was handed over, as the disk has it.
    pub attempts: BTreeMap<EntryId, u32>,
    /// The newest entry that the disk holds of each conversation.
    pub held: BTreeMap<ConversationId, Seq>,
    pub timer: Option<Time>,
}

impl Device {
    pub fn new(folder: &Path, number: usize, provider: &str) -> Self {
        let files = Files::new(folder.join(format!("device-{number}")));
        let mut cache = Cache::open(&files, &format!("d-{number}")).expect("a cache");
        let me = UserId::new(provider).expect("an id");
        let account = Account {
            me: Me {
                id: me.clone(),
                name: provider.into(),
                role: Role::Provider,
                clinic: crate::server::clinic(),
            },
            server: "https://chat.example".into(),
            token: "t".into(),
            limits: Limits::default(),
        };
        cache.commit([[Write::Account(account)].as_slice()]).expect("the disk");
        Self {
            me,
            files,
            cache,
            engine: None,
            life: 0,
            conn: None,
            ahead: 0,
            fault: false,
            pending: VecDeque::new(),
            attempts: BTreeMap::new(),
            held: BTreeMap::new(),
            timer: None,
        }
    }

    pub fn reader(&self) -> Reader {
        Reader::open(&self.files).expect("the disk")
    }

    /// The program starts, with what the disk holds.
    pub fn start(&mut self, seed: u64) {
        let snapshot = self.reader().snapshot().expect("the disk");
        self.attempts = snapshot.outbox.iter().map(|row| (row.send.id, row.attempts)).collect();
        let hi = |cached: &bedside_engine::Cached| cached.range.map_or(Seq::ZERO, |range| range.hi);
        self.held = snapshot.conversations.iter().map(|(id, cached)| (id.clone(), hi(cached))).collect();
        self.engine = Some(Engine::new(Config { me: self.me.clone(), seed }, snapshot));
        self.timer = None;
    }

    /// The program dies. `kept`: what was being written reaches the disk, and it never hears of it.
    pub fn crash(&mut self, kept: bool) -> Disk {
        let wrote = if kept { self.write() } else { Disk::Idle };
        self.engine = None;
        self.life += 1;
        self.pending.clear();
        self.timer = None;
        wrote
    }

    /// The engine's own time.
    pub fn clock(&self, now: Time) -> Time {
        now.plus(self.ahead)
    }

    pub fn handle(&mut self, now: Time, input: Input) -> Vec<Effect> {
        let (now, by_person) = (self.clock(now), matches!(input, Input::Discard(_) | Input::Recall(_)));
        let Some(engine) = &mut self.engine else {
            return Vec::new();
        };
        let effects = engine.handle(now, input);
        // Only the first commit is the person's; what else goes out meanwhile is not.
        let mut by_person = by_person;
        for effect in &effects {
            if let Effect::Commit(ticket, changes) = effect {
                self.pending.push_back(Pending { ticket: *ticket, changes: changes.clone(), by_person });
                by_person = false;
            }
        }
        effects
    }

    pub fn next_timer(&self, now: Time) -> Option<Time> {
        self.engine.as_ref()?.next_timer(self.clock(now)).map(|time| time.minus(self.ahead))
    }

    /// Writes what has gathered, in one transaction.
    pub fn write(&mut self) -> Disk {
        let batch: Vec<_> = self.pending.drain(..self.pending.len().min(BATCH)).collect();
        if batch.is_empty() {
            return Disk::Idle;
        }
        if std::mem::take(&mut self.fault) {
            return Disk::Failed;
        }
        let commits: Vec<Vec<Write>> =
            batch.iter().map(|pending| pending.changes.iter().cloned().map(Write::Sync).collect()).collect();
        self.cache.commit(commits.iter().map(Vec::as_slice)).expect("the cache takes what the engine says");
        let (mut tickets, mut rows, mut sent, mut withdrawn) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for Pending { ticket, changes, by_person } in batch {
            tickets.push(ticket);
            for change in changes {
                match change {
                    Change::Outbox(row) => {
                        self.attempts.insert(row.send.id, row.attempts);
                        rows.push(row);
                    }
                    Change::OutboxDone(id) if by_person => withdrawn.push(id),
                    Change::OutboxDone(id) => sent.push(id),
                    Change::Entries { conversation, range, .. } => {
                        self.held.insert(conversation, range.hi);
                    }
                    _ => {}
                }
            }
        }
        Disk::Wrote { tickets, rows, sent, withdrawn }
    }

    pub fn writes(&self) -> bool {
        !self.pending.is_empty()
    }
}
