//! The engine against a server's log in memory, over a network that drops, doubles and reorders, with crashes between
//! any two steps. Seeded: a failing seed fails again.

use crate::rng::Rng;
use crate::*;
use bedside_protocol::*;
use std::collections::{BTreeMap, VecDeque};

const CONVERSATIONS: [&str; 3] = ["conversation-1", "conversation-2", "conversation-3"];
pub(super) const ME: &str = "provider-1";
pub(super) const PATIENT: &str = "patient-1";

pub(super) fn conversation_id(index: u64) -> ConversationId {
    ConversationId::new(CONVERSATIONS[index as usize]).unwrap()
}

pub(super) fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub(super) fn entry_id(n: u64) -> EntryId {
    EntryId::from_parts(Time::new(1_700_000_000_000 + n), [7; 10])
}

/// A server's log: dense seq, growing rev, idempotent by id.
#[derive(Default)]
pub(super) struct Server {
    rev: u64,
    logs: BTreeMap<ConversationId, Vec<Entry>>,
    revs: BTreeMap<ConversationId, u64>,
    read: BTreeMap<ConversationId, Seq>,
}

impl Server {
    fn summary(&self, id: &ConversationId) -> Conversation {
        let head = self.logs.get(id).map_or(0, Vec::len) as u64;
        Conversation {
            id: id.clone(),
            rev: Rev::new(self.revs.get(id).copied().unwrap_or(0)),
            head: Seq::new(head),
            patient: Patient { id: user(PATIENT), name: "P".into(), born: None, extra: Extra::new() },
            state: Phase::Open,
            until: None,
            assigned: None,
            urgency: None,
            waiting_since: None,
            last: None,
            read: self.read.get(id).map(|upto| (user(ME), *upto)).into_iter().collect(),
            extra: Extra::new(),
        }
    }

    pub(super) fn append(
        &mut self,
        id: &ConversationId,
        entry: EntryId,
        author: &str,
        body: Body,
    ) -> ServerFrame {
        self.rev += 1;
        self.revs.insert(id.clone(), self.rev);
        let log = self.logs.entry(id.clone()).or_default();
        let role = if author == ME { Role::Provider } else { Role::Patient };
        let entry = Entry {
            conversation: id.clone(),
            seq: Seq::new(log.len() as u64 + 1),
            rev: Rev::new(self.rev),
            id: entry,
            at: Time::new(self.rev),
            author: Author { id: user(author), role, name: author.into(), extra: Extra::new() },
            preview: body.preview(),
            body,
            from: None,
            prev: None,
            extra: Extra::new(),
        };
        log.push(entry.clone());
        ServerFrame::Entry(EntryFrame { entry, conversation: self.summary(id) })
    }

    pub(super) fn welcome(&self) -> ServerFrame {
        ServerFrame::Welcome(Welcome {
            me: Me {
                id: user(ME),
                name: "M".into(),
                role: Role::Provider,
                clinic: ClinicId::new("c").unwrap(),
            },
            rev: Rev::new(self.rev),
            heartbeat_ms: 1000,
            now: Time::ZERO,
            limits: Limits::default(),
            policy: Extra::new(),
        })
    }

    pub(super) fn answer(&mut self, frame: ClientFrame) -> Option<ServerFrame> {
        match frame {
            ClientFrame::Send(send) => {
                let known = self.logs.values().flatten().find(|entry| entry.id == send.id).cloned();
                Some(match known {
                    Some(entry) => ServerFrame::Entry(EntryFrame {
                        conversation: self.summary(&entry.conversation),
                        entry,
                    }),
                    None => self.append(&send.conversation, send.id, ME, send.body),
                })
            }
            ClientFrame::Changes(ask) => {
                let mut ids: Vec<_> = self.revs.iter().filter(|(_, rev)| ask.since.get() < **rev).collect();
                ids.sort_by_key(|(_, rev)| **rev);
                let more = ids.len() > 2;
                let conversations: Vec<_> = ids.iter().take(2).map(|(id, _)| self.summary(id)).collect();
                let rev = conversations.last().map_or(ask.since, |last| last.rev);
                Some(ServerFrame::Changes(ChangesAnswer { since: ask.since, rev, more, conversations }))
            }
            ClientFrame::Entries(ask) => {
                let log = self.logs.get(&ask.conversation).cloned().unwrap_or_default();
                let head = Seq::new(log.len() as u64);
                let wanted = |entry: &Entry| ask.from <= entry.seq && entry.seq <= ask.to;
                let entries = log.into_iter().filter(wanted).collect();
                let Entries { conversation, from, to } = ask;
                Some(ServerFrame::Entries(EntriesAnswer { conversation, from, to, head, entries }))
            }
            ClientFrame::Read(read) => {
                let upto = self.read.entry(read.conversation.clone()).or_default();
                if *upto < read.upto {
                    *upto = read.upto;
                    self.rev += 1;
                    self.revs.insert(read.conversation.clone(), self.rev);
                }
                let conversation = self.summary(&read.conversation);
                Some(ServerFrame::Conversation(ConversationFrame { conversation }))
            }
            ClientFrame::Typing(_) | ClientFrame::Viewing(_) => None,
        }
    }
}

/// What the store would hold.
#[derive(Default)]
struct Disk {
    snapshot: Snapshot,
    entries: BTreeMap<(ConversationId, Seq), Entry>,
}

impl Disk {
    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Cursor(rev) => self.snapshot.cursor = rev,
                Change::Summary(summary) => {
                    let range = self.snapshot.conversations.get(&summary.id).and_then(|cached| cached.range);
                    let cached = Cached { rev: summary.rev, head: summary.head, range, read: summary.read };
                    self.snapshot.conversations.insert(summary.id, cached);
                }
                Change::Entries { conversation, range, entries } => {
                    for entry in entries {
                        let place = (conversation.clone(), entry.seq);
                        let known = self.entries.insert(place, entry.clone());
                        assert!(
                            known.is_none_or(|known| known.id == entry.id),
                            "another entry in the same place"
                        );
                    }
                    self.snapshot.conversations.get_mut(&conversation).unwrap().range = Some(range);
                    let mut held = range.lo.get()..=range.hi.get();
                    assert!(
                        held.all(|seq| self.entries.contains_key(&(conversation.clone(), Seq::new(seq)))),
                        "hole"
                    );
                }
                Change::Read(conversation, upto) => {
                    let known = self.snapshot.reads.entry(conversation).or_default();
                    *known = upto.max(*known);
                }
                Change::Outbox(row) => {
                    assert_ne!(row.state, OutboxState::Sending, "nobody knows that after a crash");
                    self.snapshot.outbox.retain(|known| known.place != row.place);
                    self.snapshot.outbox.push(row);
                    self.snapshot.outbox.sort_by_key(|row| row.place);
                }
                Change::DraftSent(_) => {}
                Change::OutboxDone(id) => self.snapshot.outbox.retain(|row| row.send.id != id),
            }
        }
    }
}

struct World {
    rng: Rng,
    now: Time,
    engine: Engine,
    server: Server,
    disk: Disk,
    commits: VecDeque<(Ticket, Vec<Change>)>,
    attempt: Option<Attempt>,
    to_client: VecDeque<ServerFrame>,
    to_server: VecDeque<ClientFrame>,
    written: Vec<(ConversationId, EntryId)>,
    /// Whether the network and the computer misbehave.
    faults: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            rng: Rng::new(seed),
            now: Time::new(1_700_000_000_000),
            engine: Engine::new(Config { me: user(ME), seed }, Snapshot::default()),
            server: Server::default(),
            disk: Disk::default(),
            commits: VecDeque::new(),
            attempt: None,
            to_client: VecDeque::new(),
            to_server: VecDeque::new(),
            written: Vec::new(),
            faults: true,
        };
        world.input(Input::Start);
        world
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.rng.up_to(99) < percent
    }

    fn input(&mut self, input: Input) {
        for effect in self.engine.handle(self.now, input) {
            match effect {
                Effect::Connect(attempt) => {
                    self.cut();
                    self.attempt = Some(attempt);
                    self.to_client.push_back(self.server.welcome());
                }
                Effect::Disconnect => self.cut(),
                Effect::Emit(frame) => self.to_server.push_back(frame),
                Effect::Commit(ticket, changes) => self.commits.push_back((ticket, changes)),
                Effect::Tell(_) | Effect::Wipe => {}
            }
        }
    }

    fn cut(&mut self) {
        self.attempt = None;
        self.to_client.clear();
        self.to_server.clear();
    }

    /// The program dies: what was not on the disk is gone, and so is the connection.
    fn crash(&mut self) {
        self.cut();
        self.commits.clear();
        let seed = self.rng.up_to(u64::MAX);
        let snapshot = self.disk.snapshot.clone();
        let unsent = snapshot.outbox.len();
        self.engine = Engine::new(Config { me: user(ME), seed }, snapshot);
        assert_eq!(self.engine.outbox_counts().0, unsent);
        self.input(Input::Start);
    }

    fn disk_step(&mut self) {
        if let Some((ticket, changes)) = self.commits.pop_front() {
            self.disk.apply(changes);
            self.input(Input::Committed(ticket));
        }
    }

    fn network_step(&mut self) {
        if let Some(frame) = self.to_server.pop_front() {
            let lost = self.faults && self.chance(4);
            if !lost && let Some(answer) = self.server.answer(frame) {
                self.to_client.push_back(answer);
            }
        }
        if self.faults && self.to_client.len() > 1 && self.chance(5) {
            let last = self.to_client.len() - 1;
            let other = self.rng.up_to(last as u64) as usize;
            // Not before the welcome: nothing is.
            if !self.to_client.iter().any(|frame| matches!(frame, ServerFrame::Welcome(_))) {
                self.to_client.swap(other, last);
            }
        }
        if let (Some(attempt), Some(frame)) = (self.attempt, self.to_client.pop_front()) {
            let doubled = self.faults && self.chance(5);
            let lost = self.faults && self.chance(4);
            if !lost {
                self.input(Input::Frame(attempt, frame.clone()));
            }
            if doubled {
                self.input(Input::Frame(attempt, frame));
            }
        }
    }

    fn people_step(&mut self, n: u64) {
        let conversation = conversation_id(self.rng.up_to(2));
        match self.rng.up_to(9) {
            0..3 => {
                let frame = self.server.append(&conversation, entry_id(n), PATIENT, Body::text("patient"));
                self.to_client.push_back(frame);
            }
            3..6 => {
                let id = entry_id(n);
                let body = Body::text("provider");
                let send = Send {
                    id,
                    conversation: conversation.clone(),
                    seen: Seq::ZERO,
                    body,
                    from: None,
                    force: false,
                };
                self.written.push((conversation, id));
                self.input(Input::Send(send, self.now));
                // A person sees it as kept only once it is on the disk.
                while !self.commits.is_empty() {
                    self.disk_step();
                }
            }
            6 => {
                let upto = self.engine.catchup.range(&conversation).map_or(Seq::ZERO, |range| range.hi);
                self.input(Input::Read(conversation, upto));
            }
            7 => self.input(Input::Open(Some(conversation))),
            8 => self.input(Input::LoadOlder(conversation)),
            _ => {}
        }
    }

    fn step(&mut self, n: u64) {
        self.now = self.now.plus(20);
        if self.faults {
            if self.chance(25) {
                self.people_step(n);
            }
            if self.chance(1) {
                self.crash();
            }
            if self.chance(2)
                && let Some(attempt) = self.attempt
            {
                self.cut();
                self.input(Input::Closed(attempt, Trouble::Closed));
            }
        }
        if !self.faults || self.chance(70) {
            self.disk_step();
        }
        self.network_step();
        if n.is_multiple_of(50) && self.attempt.is_some() {
            let (rev, now) = (Rev::new(self.server.rev), self.now);
            self.to_client.push_back(ServerFrame::Heartbeat(Heartbeat { rev, now }));
        }
        if self.engine.next_timer(self.now).is_some_and(|time| time <= self.now) {
            self.input(Input::Timer);
            let again = self.engine.next_timer(self.now);
            assert!(again.is_none_or(|time| self.now < time), "a timer that never ends");
        }
    }

    fn settled(&self) -> bool {
        self.commits.is_empty()
            && self.disk.snapshot.outbox.is_empty()
            && matches!(self.engine.link(), Link::Live { .. })
            && self.engine.catching_up() == 0
            && self.disk.snapshot.cursor.get() == self.server.rev
            && self.disk.snapshot.reads.iter().all(|(id, upto)| Some(upto) <= self.server.read.get(id))
    }

    fn check(&self, seed: u64) {
        for (id, log) in &self.server.logs {
            let held: Vec<_> =
                self.disk.entries.iter().filter(|((of, _), _)| of == id).map(|(_, e)| e).collect();
            let range = self.disk.snapshot.conversations[id].range.unwrap();
            assert_eq!(range.hi.get(), log.len() as u64, "seed {seed}");
            let wanted: Vec<_> = log.iter().filter(|entry| range.contains(entry.seq)).collect();
            assert_eq!(held, wanted, "seed {seed}");
            // Each once, and in the order in which they were written.
            let mine: Vec<_> =
                log.iter().filter(|entry| entry.author.id == user(ME)).map(|entry| entry.id).collect();
            let written: Vec<_> = self.written.iter().filter(|(of, _)| of == id).map(|(_, id)| *id).collect();
            assert_eq!(mine, written, "seed {seed}");
        }
    }
}

/// As many as run in two seconds.
const SEEDS: u64 = 300;

#[test]
fn whatever_the_network_does_all_logs_agree_in_the_end() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for n in 1..=1_500 {
            world.step(n);
        }
        world.faults = false;
        let mut n = 1_500;
        while !world.settled() {
            n += 1;
            assert!(n < 10_000, "seed {seed} never settles: {:?}", world.engine);
            world.step(n);
        }
        world.check(seed);
    }
}
