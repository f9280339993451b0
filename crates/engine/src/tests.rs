//! The engine against a server's log in memory, over a network that drops, doubles and reorders, with crashes between
//! any two steps. Seeded: a failing seed fails again.

use crate::rng::Rng;
use crate::*;
use bedside_protocol::*;
use std::collections::{BTreeMap, VecDeque};

const CONVERSATIONS: [&str; 3] = ["conversation-1", "conversation-2", "conversation-3"];
const ME: &str = "provider-1";
const PATIENT: &str = "patient-1";

fn conversation_id(index: u64) -> ConversationId {
    ConversationId::new(CONVERSATIONS[index as usize]).unwrap()
}

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn entry_id(n: u64) -> EntryId {
    EntryId::from_parts(Time::new(1_700_000_000_000 + n), [7; 10])
}

/// A server's log: dense seq, growing rev, idempotent by id.
#[derive(Default)]
struct Server {
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

    fn append(&mut self, id: &ConversationId, entry: EntryId, author: &str, body: Body) -> ServerFrame {
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

    fn welcome(&self) -> ServerFrame {
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

    fn answer(&mut self, frame: ClientFrame) -> Option<ServerFrame> {
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

fn live_engine(snapshot: Snapshot) -> (Engine, Vec<Effect>, Time) {
    let now = Time::new(1_700_000_000_000);
    let mut engine = Engine::new(Config { me: user(ME), seed: 1 }, snapshot);
    assert_eq!(engine.handle(now, Input::Start), [Effect::Connect(1)]);
    let effects = engine.handle(now, Input::Frame(1, Server::default().welcome()));
    (engine, effects, now)
}

fn send_of(n: u64, conversation: u64) -> Send {
    let body = Body::text("x");
    let conversation = conversation_id(conversation);
    Send { id: entry_id(n), conversation, seen: Seq::ZERO, body, from: None, force: false }
}

fn rejected(id: EntryId, code: Code, retry_after_ms: Option<u64>) -> Input {
    let (of, message) = ("send".into(), String::new());
    Input::Frame(
        1,
        ServerFrame::Rejected(Rejected {
            of,
            id: Some(id),
            conversation: None,
            code,
            message,
            retry_after_ms,
        }),
    )
}

fn emitted(effects: &[Effect]) -> Vec<EntryId> {
    let sends = effects.iter().filter_map(|effect| match effect {
        Effect::Emit(ClientFrame::Send(send)) => Some(send.id),
        _ => None,
    });
    sends.collect()
}

/// Confirms every commit, and those that follow, as a disk would.
fn flush(engine: &mut Engine, now: Time, effects: Vec<Effect>) -> Vec<Effect> {
    let mut all = Vec::new();
    let mut queue = VecDeque::from(effects);
    while let Some(effect) = queue.pop_front() {
        if let Effect::Commit(ticket, _) = &effect {
            queue.extend(engine.handle(now, Input::Committed(*ticket)));
        }
        all.push(effect);
    }
    all
}

#[test]
fn nothing_goes_out_before_it_is_on_the_disk_with_its_attempt_counted() {
    let (mut engine, _, now) = live_engine(Snapshot::default());
    let effects = engine.handle(now, Input::Send(send_of(1, 0), now));
    assert_eq!(emitted(&effects), []);
    let attempts: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Commit(ticket, changes) => match changes.as_slice() {
                [Change::Outbox(row), ..] => Some((*ticket, row.attempts)),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let [(first, 0), (second, 1)] = attempts[..] else { panic!("{attempts:?}") };
    assert_eq!(emitted(&engine.handle(now, Input::Committed(first))), []);
    assert_eq!(emitted(&engine.handle(now, Input::Committed(second))), [entry_id(1)]);
}

#[test]
fn one_message_a_conversation_is_under_way_and_a_refused_one_stops_nobody() {
    let (mut engine, _, now) = live_engine(Snapshot::default());
    for n in [1, 2, 3] {
        let effects = engine.handle(now, Input::Send(send_of(n, u64::from(n == 3)), now));
        let expected: &[EntryId] = if n == 2 { &[] } else { &[entry_id(n)] };
        assert_eq!(emitted(&flush(&mut engine, now, effects)), expected);
    }
    let effects = engine.handle(now, rejected(entry_id(1), Code::Forbidden, None));
    assert_eq!(emitted(&flush(&mut engine, now, effects)), [entry_id(2)]);
    assert_eq!(engine.outgoing(entry_id(1)).unwrap().state, OutboxState::Refused(Code::Forbidden));
    assert_eq!(engine.outbox_counts(), (2, 1));
}

/// Every arrow of the outbox's diagram.
#[test]
fn outbox_arrows() {
    let id = entry_id(1);
    let state = |engine: &Engine| engine.outgoing(id).map(|row| row.state);
    let sending = || {
        let (mut engine, _, now) = live_engine(Snapshot::default());
        let effects = engine.handle(now, Input::Send(send_of(1, 0), now));
        flush(&mut engine, now, effects);
        assert_eq!(state(&engine), Some(OutboxState::Sending));
        (engine, now)
    };

    let (mut engine, now) = sending();
    let frame = Server::default().append(&conversation_id(0), id, ME, Body::text("x"));
    let effects = engine.handle(now, Input::Frame(1, frame));
    let together = effects.iter().any(|effect| match effect {
        Effect::Commit(_, changes) => {
            changes.contains(&Change::OutboxDone(id))
                && changes.iter().any(|c| matches!(c, Change::Entries { .. }))
        }
        _ => false,
    });
    assert!(together, "the entry comes and the row goes in one transaction");
    assert_eq!(state(&engine), None);

    let (mut engine, now) = sending();
    engine.handle(now, Input::Closed(1, Trouble::Closed));
    assert_eq!(state(&engine), Some(OutboxState::Waiting));
    assert_eq!(engine.handle(now, Input::Discard(id)), [], "the server may have it");

    let (mut engine, now) = sending();
    engine.handle(now, rejected(id, Code::RateLimited, Some(700)));
    assert_eq!(state(&engine), Some(OutboxState::Waiting));
    assert_eq!(engine.next_timer(now), Some(now.plus(700)));
    let effects = engine.handle(now.plus(700), Input::Timer);
    assert_eq!(emitted(&flush(&mut engine, now, effects)), [id]);

    let (mut engine, now) = sending();
    engine.handle(now, rejected(id, Code::Behind, None));
    assert_eq!(state(&engine), Some(OutboxState::Refused(Code::Behind)));
    let effects = engine.handle(now, Input::SendAgain(id, Seq::new(9)));
    let effects = flush(&mut engine, now, effects);
    let forced = effects.iter().any(|effect| match effect {
        Effect::Emit(ClientFrame::Send(send)) => send.id == id && send.force && send.seen == Seq::new(9),
        _ => false,
    });
    assert!(forced);
    engine.handle(now, rejected(id, Code::Forbidden, None));
    engine.handle(now, Input::Discard(id));
    assert_eq!(state(&engine), None);
}

#[test]
fn a_server_that_answers_no_question_is_left() {
    let (mut engine, effects, now) = live_engine(Snapshot::default());
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Emit(ClientFrame::Changes(_)))));
    for s in 1..=19 {
        let heartbeat = Heartbeat { rev: Rev::ZERO, now };
        engine.handle(now.plus(s * 1000), Input::Frame(1, ServerFrame::Heartbeat(heartbeat)));
    }
    assert_eq!(engine.handle(now.plus(20_000), Input::Timer), [Effect::Disconnect]);
}

#[test]
fn a_server_that_always_has_more_but_never_any_is_left() {
    let (mut engine, _, now) = live_engine(Snapshot::default());
    let conversations = Vec::new();
    let answer = ChangesAnswer { since: Rev::ZERO, rev: Rev::ZERO, more: true, conversations };
    let effects = engine.handle(now, Input::Frame(1, ServerFrame::Changes(answer)));
    assert_eq!(effects, [Effect::Disconnect]);
}

#[test]
fn a_server_can_name_no_wait_that_spins_or_never_ends() {
    for (named, waited) in [(0, 200), (u64::MAX, 600_000)] {
        let (mut engine, _, now) = live_engine(Snapshot::default());
        let effects = engine.handle(now, Input::Send(send_of(1, 0), now));
        flush(&mut engine, now, effects);
        engine.handle(now, rejected(entry_id(1), Code::Unavailable, Some(named)));
        let before = engine.handle(now.plus(waited - 1), Input::Committed(0));
        assert_eq!(emitted(&flush(&mut engine, now, before)), []);
        let after = engine.handle(now.plus(waited), Input::Committed(0));
        assert_eq!(emitted(&flush(&mut engine, now, after)), [entry_id(1)]);
    }
}

#[test]
fn a_server_that_lost_its_log_is_not_followed() {
    let now = Time::new(1_700_000_000_000);
    let snapshot = Snapshot { cursor: Rev::new(7), ..Snapshot::default() };
    let mut engine = Engine::new(Config { me: user(ME), seed: 1 }, snapshot);
    engine.handle(now, Input::Start);
    assert_eq!(engine.handle(now, Input::Frame(1, Server::default().welcome())), [Effect::Disconnect]);
    assert!(matches!(engine.link(), Link::Offline { trouble: Trouble::RolledBack, .. }));
}

#[test]
fn what_an_earlier_attempt_says_is_ignored() {
    let (mut engine, _, now) = live_engine(Snapshot::default());
    engine.handle(now, Input::Closed(1, Trouble::Closed));
    engine.handle(now, Input::Reconnect);
    assert_eq!(engine.handle(now, Input::Frame(1, Server::default().welcome())), []);
    assert_eq!(engine.handle(now, Input::Closed(1, Trouble::Closed)), []);
    assert!(matches!(engine.link(), Link::Connecting { .. }));
}

#[test]
fn the_open_conversation_is_fetched_first() {
    let mut server = Server::default();
    for index in [0, 1, 2] {
        for n in 0..80 {
            server.append(&conversation_id(index), entry_id(index * 100 + n), PATIENT, Body::text("x"));
        }
    }
    let (mut engine, _, now) = live_engine(Snapshot::default());
    engine.handle(now, Input::Open(Some(conversation_id(0))));
    let ask = ClientFrame::Changes(Changes { since: Rev::ZERO, limit: None });
    let answer = server.answer(ask).unwrap();
    let effects = engine.handle(now, Input::Frame(1, answer));
    let first = effects.iter().find_map(|effect| match effect {
        Effect::Emit(ClientFrame::Entries(ask)) => Some(ask.clone()),
        _ => None,
    });
    let (from, to) = (Seq::new(31), Seq::new(80));
    assert_eq!(first, Some(Entries { conversation: conversation_id(0), from, to }));
}
