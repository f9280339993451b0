//! The world: one clock, one queue of what is to happen, and a network between consoles, patients and the server.

mod network;
mod people;

use crate::check::{self, Ledger};
use crate::device::{Device, Disk, News, RESTART_MS};
use crate::patient::Patient;
use crate::plan::{Action, CONVERSATIONS, DEVICES, Plan, TROUBLE_MS};
use crate::server::{Conn, Server};
use bedside_engine::{Effect, Input, Link, Trouble};
use bedside_protocol::*;
use fastrand::Rng;
use network::{Line, Weather};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

/// The world begins here.
const START: Time = Time::new(1_800_000_000_000);
/// Once nothing goes wrong any more, all must be in order within this.
const QUIET_MS: u64 = 180_000;
/// So many frames may wait for a connection that isn't read; then the server cuts it.
const OUT_QUEUE: usize = 60;
/// A server notices a connection that swallows all after this.
const NOTICED_MS: u64 = 10_000;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Device(usize),
    Patient(usize),
}

/// All that happens in a run, a line each; it outlives a run that panics.
pub type Trace = Rc<RefCell<String>>;

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all events are frames")]
enum Event {
    Action(Action),
    Dial(Conn),
    ToServer(Conn, ClientFrame),
    ToPeer(Conn, ServerFrame),
    Refused(Conn, ConnectRefusal),
    Closed(Conn, Trouble),
    /// The server notices that a connection is gone.
    Left(Conn),
    Commit,
    ServerStarts,
    Heartbeat,
    Disk(usize, u64),
    Starts(usize, u64),
    Timer(usize, u64),
    Uploaded(usize, u64, EntryId, File),
    PatientTimer(usize),
}

pub struct World {
    seed: u64,
    pub now: Time,
    queue: BTreeMap<(Time, u64), Event>,
    events: u64,
    pub server: Server,
    pub devices: Vec<Device>,
    pub patients: Vec<Patient>,
    pub conversations: Vec<ConversationId>,
    pub ledger: Ledger,
    lines: BTreeMap<Conn, Line>,
    conns: Conn,
    weather: Weather,
    ids: u64,
    trace: Option<Trace>,
    _folder: tempfile::TempDir,
}

impl World {
    pub fn new(seed: u64, trace: Option<Trace>) -> Self {
        let folder = scratch();
        let (server, conversations) = Server::start(folder.path().join("log"), seed, START);
        let provider = |n| if n < 2 { "provider-a" } else { "provider-b" };
        Self {
            seed,
            now: START,
            queue: BTreeMap::new(),
            events: 0,
            server,
            devices: (0..DEVICES).map(|n| Device::new(folder.path(), n, provider(n))).collect(),
            patients: (0..CONVERSATIONS).map(|n| Patient::new(conversations[n].clone())).collect(),
            conversations,
            ledger: Ledger::default(),
            lines: BTreeMap::new(),
            conns: 0,
            weather: Weather { delay_ms: 20, ..Weather::default() },
            ids: 0,
            trace,
            _folder: folder,
        }
    }

    /// Runs the plan, lets all faults end, and waits until all is in order.
    pub fn run(mut self, plan: &Plan) -> Outcome {
        for (at, action) in plan {
            self.at(START.plus(*at), Event::Action(*action));
        }
        for device in 0..DEVICES {
            self.starts(device);
        }
        for patient in 0..CONVERSATIONS {
            self.dial(Peer::Patient(patient), 1);
        }
        self.after(1_000, Event::Heartbeat);
        self.until(START.plus(TROUBLE_MS), |_| false);
        self.heal();
        let end = self.now.plus(QUIET_MS);
        let quiet = self.until(end, |world| world.in_order());
        check::all(&mut self, quiet);
        Outcome { messages: self.ledger.messages(), quiet_after_ms: self.now.since(START.plus(TROUBLE_MS)) }
    }

    /// Handles what happens until `end`, or until `done`, which is looked at once a second.
    fn until(&mut self, end: Time, done: impl Fn(&mut Self) -> bool) -> bool {
        let mut look = self.now;
        while let Some(((at, _), _)) = self.queue.first_key_value() {
            if end < *at {
                break;
            }
            let Some(((at, _), event)) = self.queue.pop_first() else { break };
            self.now = at;
            if look <= at {
                look = at.plus(1_000);
                if done(self) {
                    return true;
                }
            }
            self.note(&event);
            self.happens(event);
        }
        self.now = end;
        false
    }

    fn note(&mut self, event: &Event) {
        let now = self.now.since(START);
        if let Some(trace) = &self.trace {
            let mut trace = trace.borrow_mut();
            let _written = match event {
                Event::ToPeer(conn, frame) => writeln!(trace, "{now} ms server to {conn}: {}", brief(frame)),
                Event::ToServer(conn, frame) => writeln!(trace, "{now} ms {conn} to server: {frame:?}"),
                other => writeln!(trace, "{now} ms {other:?}"),
            };
        }
    }

    fn after(&mut self, ms: u64, event: Event) {
        self.at(self.now.plus(ms), event);
    }

    fn at(&mut self, at: Time, event: Event) {
        self.events += 1;
        self.queue.insert((at, self.events), event);
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Action(action) => self.act(action),
            Event::Dial(conn) => self.dialled(conn),
            Event::ToServer(conn, frame) => {
                let out = self.server.take(conn, frame, self.now);
                self.tell(out);
                if self.server.waits() {
                    self.after(3, Event::Commit);
                }
            }
            Event::ToPeer(conn, frame) => self.arrives(conn, frame),
            Event::Refused(conn, code) => {
                if let Some(line) = self.lines.remove(&conn) {
                    match line.peer {
                        Peer::Device(device) => self.input(device, Input::Refused(line.attempt, code)),
                        Peer::Patient(patient) => self.patient_lost(patient, conn),
                    }
                }
            }
            Event::Closed(conn, trouble) => self.closed(conn, trouble),
            Event::Left(conn) => {
                self.server.leave(conn);
                self.after(1, Event::Closed(conn, Trouble::Closed));
            }
            Event::Commit => {
                let out = self.server.commit(self.now);
                self.tell(out);
            }
            Event::ServerStarts => self.server.start_again(),
            Event::Heartbeat => {
                let out = self.server.heartbeats(self.now);
                self.tell(out);
                self.after(1_000, Event::Heartbeat);
            }
            Event::Disk(device, life) if self.devices[device].life == life => self.disk(device),
            Event::Starts(device, life) if self.devices[device].life == life => self.starts(device),
            Event::Timer(device, life) if self.devices[device].life == life => {
                self.devices[device].timer = None;
                let due = self.devices[device].next_timer(self.now).is_some_and(|time| time <= self.now);
                if due {
                    self.input(device, Input::Timer);
                    let again = self.devices[device].next_timer(self.now);
                    assert!(again.is_none_or(|time| self.now < time), "a timer that never ends");
                }
                self.set_timer(device);
            }
            Event::Uploaded(device, life, id, file) if self.devices[device].life == life => {
                self.uploaded(device, id, &file);
            }
            Event::Disk(..) | Event::Starts(..) | Event::Timer(..) | Event::Uploaded(..) => {}
            Event::PatientTimer(patient) => self.patient_timer(patient),
        }
    }

    // The consoles.

    fn input(&mut self, device: usize, input: Input) {
        let asked = matches!(input, Input::Reconnect | Input::SendNow(_));
        let paused = self.devices[device].is_paused() && !asked;
        let effects = self.devices[device].handle(self.now, input);
        for effect in effects {
            match effect {
                Effect::Connect(attempt) => {
                    assert!(!paused, "who works offline is connected");
                    self.drop_line(device);
                    let conn = self.dial(Peer::Device(device), attempt);
                    self.devices[device].conn = Some((conn, attempt));
                }
                Effect::Disconnect => self.drop_line(device),
                Effect::Emit(frame) => {
                    if let ClientFrame::Send(send) = &frame {
                        let counted = self.devices[device].attempts.get(&send.id).copied().unwrap_or(0);
                        assert!(counted > 0, "{} goes out before its attempt is on the disk", send.id);
                        self.ledger.handed_over(send, self.devices[device].clock(self.now));
                    }
                    if let Some((conn, _)) = self.devices[device].conn {
                        self.travels(conn, 0, |conn| Event::ToServer(conn, frame.clone()));
                    }
                }
                Effect::Commit(..) => self.disk_soon(device),
                Effect::Upload(id, file) => {
                    assert!(self.devices[device].has(&file), "{id} has lost its file");
                    let life = self.devices[device].life;
                    let ms = 1 + self.rng(device as u64).u64(0..2_000);
                    self.after(ms, Event::Uploaded(device, life, id, file));
                }
                Effect::Tell(_) | Effect::Wipe => {}
            }
        }
        self.set_timer(device);
    }

    /// A file has reached the server, or not.
    fn uploaded(&mut self, device: usize, id: EntryId, file: &File) {
        let me = self.devices[device].me.clone();
        let outcome = match self.rng(device as u64).u8(..) {
            ..64 => Err(Refusal::new(Code::Unavailable, "")),
            _ => self.server.uploaded(&me, file, self.now),
        };
        self.input(device, Input::Uploaded(id, outcome));
    }

    fn disk_soon(&mut self, device: usize) {
        let life = self.devices[device].life;
        let ms = 1 + self.rng(device as u64).u64(0..8);
        self.after(ms, Event::Disk(device, life));
    }

    fn set_timer(&mut self, device: usize) {
        let Some(next) = self.devices[device].next_timer(self.now) else { return };
        let next = next.max(self.now.plus(1));
        if self.devices[device].timer.is_none_or(|timer| next < timer || timer < self.now) {
            self.devices[device].timer = Some(next);
            let life = self.devices[device].life;
            self.at(next, Event::Timer(device, life));
        }
    }

    fn disk(&mut self, device: usize) {
        let wrote = self.devices[device].write();
        self.wrote(device, wrote, true);
    }

    /// The disk did a step; `alive`: the program hears of it.
    fn wrote(&mut self, device: usize, wrote: Disk, alive: bool) {
        match wrote {
            Disk::Idle => {}
            Disk::Failed => {
                self.devices[device].crash(false);
                self.drop_line(device);
                let life = self.devices[device].life;
                self.after(RESTART_MS, Event::Starts(device, life));
            }
            Disk::Wrote { ticket, news } => {
                for news in news {
                    if let News::Sent(id) = news {
                        let there = self.server.ids.contains(&id);
                        assert!(there, "{id} is shown as sent, and the server doesn't have it");
                    }
                    self.ledger.learn(device, news);
                }
                if alive {
                    ticket.into_iter().for_each(|ticket| self.input(device, Input::Committed(ticket)));
                    if self.devices[device].writes() {
                        let life = self.devices[device].life;
                        self.after(1, Event::Disk(device, life));
                    }
                }
            }
        }
    }

    fn starts(&mut self, device: usize) {
        let seed = self.rng(1_000 + device as u64).u64(..);
        self.devices[device].start(seed);
        self.input(device, Input::Start);
    }

    fn drop_line(&mut self, device: usize) {
        if let Some((conn, _)) = self.devices[device].conn.take()
            && let Some(line) = self.lines.remove(&conn)
        {
            // The server notices a moment later, or after a while if the line swallows the goodbye.
            let ms = if line.black { NOTICED_MS } else { 1 + self.weather.delay_ms };
            self.after(ms, Event::Left(conn));
        }
    }

    // The patients.

    fn patient_sends(&mut self, patient: usize) {
        if let Some((conn, send)) = self.patients[patient].next_send(self.now) {
            self.travels(conn, 0, |conn| Event::ToServer(conn, ClientFrame::Send(send.clone())));
            self.after(Patient::PATIENCE_MS, Event::PatientTimer(patient));
        }
    }

    fn patient_timer(&mut self, patient: usize) {
        if self.patients[patient].is_overdue(self.now) {
            let conn = self.patients[patient].conn.take();
            if let Some(conn) = conn {
                self.lines.remove(&conn);
                self.after(1, Event::Left(conn));
            }
            self.dial(Peer::Patient(patient), 1);
        } else {
            self.patient_sends(patient);
        }
    }

    fn patient_lost(&mut self, patient: usize, conn: Conn) {
        if self.patients[patient].conn.is_none_or(|own| own == conn) {
            self.patients[patient].disconnected();
            self.after(1_000, Event::PatientTimer(patient));
        }
    }

    /// Randomness that stays the same when other things are left out of the plan.
    fn rng(&self, what: u64) -> Rng {
        Rng::with_seed(
            self.seed.rotate_left(32) ^ what.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ self.now.millis(),
        )
    }

    // The end.

    /// Nothing goes wrong any more, and everybody is where they belong.
    fn heal(&mut self) {
        self.weather = Weather { delay_ms: 20, ..Weather::default() };
        self.server.fault = false;
        self.server.forgive();
        if !self.server.is_up() {
            self.queue.retain(|_, event| !matches!(event, Event::ServerStarts));
            self.server.start_again();
        }
        for device in 0..DEVICES {
            self.devices[device].fault = false;
            if self.devices[device].is_paused() || self.devices[device].is_refused() {
                self.input(device, Input::Reconnect);
            }
        }
    }

    fn in_order(&mut self) -> bool {
        let rev = self.server.rev();
        let devices = self.devices.iter().all(|device| {
            let Some(engine) = &device.engine else { return false };
            matches!(engine.link(), Link::Live { .. })
                && !device.writes()
                && engine.catching_up() == 0
                && engine.outbox_counts().0 == 0
                && device.reader().snapshot().is_ok_and(|snapshot| snapshot.cursor == rev)
        });
        // One who was refused only now, because the access was given back too late, is sent back.
        for device in 0..DEVICES {
            if self.devices[device].is_refused() {
                self.input(device, Input::Reconnect);
            }
        }
        devices && self.patients.iter().all(|patient| patient.waiting.is_empty()) && check::marks_agree(self)
    }
}

/// What became of a run that went well.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Messages that were written, by whomever.
    pub messages: usize,
    /// How long it took, once nothing went wrong any more, until all was in order.
    pub quiet_after_ms: u64,
}

fn brief(frame: &ServerFrame) -> String {
    match frame {
        ServerFrame::Entry(live) => {
            format!("entry {} {} rev {}", live.entry.conversation, live.entry.seq, live.entry.rev)
        }
        ServerFrame::Conversation(live) => format!("conversation rev {}", live.conversation.rev),
        ServerFrame::Changes(answer) => {
            format!("changes {}..{} more {}", answer.since, answer.rev, answer.more)
        }
        ServerFrame::Entries(answer) => {
            format!(
                "entries {} {}..{}: {}",
                answer.conversation,
                answer.from,
                answer.to,
                answer.entries.len()
            )
        }
        ServerFrame::Heartbeat(heartbeat) => format!("heartbeat {}", heartbeat.rev),
        other => format!("{other:?}"),
    }
}

/// A folder whose files are synced at no cost, where there is one: the simulation decides what is lost.
fn scratch() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir()
        && let Ok(folder) = tempfile::tempdir_in(memory)
    {
        return folder;
    }
    tempfile::tempdir().expect("a folder")
}
