//! A provider's console: the real engine over the real cache. Its program can die between any two steps, its disk stays.

use crate::server::Conn;
use bedside_engine::{Attempt, Change, Config, Effect, Engine, Input, Keep, Link, OutboxRow, Ticket};
use bedside_protocol::*;
use bedside_store::{Account, Cache, Draft, Files, Key, Keys, Reader, Write};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

/// After its disk has failed, a console starts anew from it, this much later.
pub const RESTART_MS: u64 = 2_000;
/// Most commits that one transaction takes.
const BATCH: usize = 8;

/// A commit on its way to the disk.
#[derive(Debug)]
struct Pending {
    /// None: the core's own write, not the engine's.
    ticket: Option<Ticket>,
    writes: Vec<Write>,
    /// A person wants a message gone from the outbox without being sent.
    wish: Option<Wish>,
}

/// How a person wants a message gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Discard,
    Recall,
}

/// What is on the disk now that wasn't before.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a step has a handful")]
pub enum News {
    Row(OutboxRow),
    Sent(EntryId),
    Withdrawn(EntryId, Wish),
    Typed(ConversationId, String),
}

/// What a step of the disk did.
pub enum Disk {
    /// Nothing waited.
    Idle,
    /// These are on the disk.
    Wrote { ticket: Option<Ticket>, news: Vec<News> },
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
        let files = Files::new(folder.join(format!("device-{number}")), keys());
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
        self.engine = Some(Engine::new(
            Config {
                me: self.me.clone(),
                seed,
                keep: Keep {
                    history: seed.is_multiple_of(2),
                    closed_ms: None,
                    own_only: seed.is_multiple_of(3),
                },
            },
            snapshot,
        ));
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
        let now = self.clock(now);
        // Only the first commit is the person's; what else goes out meanwhile is not.
        let mut wish = match input {
            Input::Discard(_) => Some(Wish::Discard),
            Input::Recall(_) => Some(Wish::Recall),
            _ => None,
        };
        let Some(engine) = &mut self.engine else {
            return Vec::new();
        };
        let effects = engine.handle(now, input);
        for effect in &effects {
            if let Effect::Commit(ticket, changes) = effect {
                let writes = changes.iter().cloned().map(Write::Sync).collect();
                self.pending.push_back(Pending { ticket: Some(*ticket), writes, wish: wish.take() });
            }
        }
        effects
    }

    /// A person types: the core keeps the draft, and the engine doesn't hear of it.
    pub fn types(&mut self, conversation: &ConversationId, text: String) {
        let writes = vec![Write::Draft(conversation.clone(), Draft { text, cursor: 0 })];
        self.pending.push_back(Pending { ticket: None, writes, wish: None });
    }

    /// A person attaches a file; its bytes are its name's.
    pub fn attaches(&mut self, conversation: &ConversationId, file: &File) {
        let bytes = file.name.as_bytes().into();
        let writes = [Write::Attach(conversation.clone(), file.clone(), bytes)];
        // Only then can it be sent.
        self.cache.commit([writes.as_slice()]).expect("the disk");
    }

    /// Whether the disk has a file's bytes.
    pub fn has(&self, file: &File) -> bool {
        let anywhere = ConversationId::new("anywhere").expect("an id");
        let bytes = self.reader().bytes(&anywhere, &file.sha256).expect("the disk");
        bytes.as_deref() == Some(file.name.as_bytes())
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
        let commits = batch.iter().map(|pending| pending.writes.as_slice());
        self.cache.commit(commits).expect("the cache takes what the engine says");
        let ticket = batch.iter().filter_map(|pending| pending.ticket).next_back();
        let mut news = Vec::new();
        for Pending { writes, wish, .. } in batch {
            for write in writes {
                match write {
                    Write::Sync(Change::Outbox(row)) => {
                        self.attempts.insert(row.send.id, row.attempts);
                        news.push(News::Row(row));
                    }
                    Write::Sync(Change::OutboxDone(id)) => {
                        news.push(wish.map_or(News::Sent(id), |wish| News::Withdrawn(id, wish)));
                    }
                    Write::Sync(Change::Entries { conversation, range, .. }) => {
                        self.held.insert(conversation, range.hi);
                    }
                    Write::Draft(conversation, draft) => news.push(News::Typed(conversation, draft.text)),
                    _ => {}
                }
            }
        }
        Disk::Wrote { ticket, news }
    }

    fn link_is(&self, like: impl Fn(&Link) -> bool) -> bool {
        self.engine.as_ref().is_some_and(|engine| like(engine.link()))
    }

    /// Its person works offline.
    pub fn is_paused(&self) -> bool {
        self.link_is(|link| matches!(link, Link::Paused { .. }))
    }

    /// The server doesn't let its person in.
    pub fn is_refused(&self) -> bool {
        self.link_is(|link| matches!(link, Link::Refused(_)))
    }

    pub fn writes(&self) -> bool {
        !self.pending.is_empty()
    }
}

fn keys() -> Keys {
    Keys { cache: Key::new([7; Key::BYTES]), kept: Key::new([9; Key::BYTES]) }
}
