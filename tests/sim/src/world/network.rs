//! The network: lines between peers and the server, and the weather over them.

use super::{Event, OUT_QUEUE, Peer, World};
use crate::patient::Patient;
use crate::server::{Conn, Out, author, patient_name};
use bedside_engine::{Attempt, Input, Trouble};
use bedside_protocol::*;

/// A connection, as the network sees it.
pub(super) struct Line {
    pub(super) peer: Peer,
    pub(super) attempt: Attempt,
    /// Swallows all.
    pub(super) black: bool,
    pub(super) stalled_until: Time,
    /// When the last frame in each direction arrives.
    last: [Time; 2],
    frames: u64,
    /// Frames that the peer hasn't read yet.
    waiting: usize,
}

/// What may happen to a frame, in percent, and how long it may take.
#[derive(Clone, Copy, Default)]
pub(super) struct Weather {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) overtaken: u64,
    pub(super) delay_ms: u64,
}

impl World {
    pub(super) fn dial(&mut self, peer: Peer, attempt: Attempt) -> Conn {
        self.conns += 1;
        let line = Line {
            peer,
            attempt,
            black: false,
            stalled_until: Time::ZERO,
            last: [self.now; 2],
            frames: 0,
            waiting: 0,
        };
        self.lines.insert(self.conns, line);
        if let Peer::Patient(patient) = peer {
            self.patients[patient].dialled(self.conns, self.now);
            self.after(Patient::PATIENCE_MS, Event::PatientTimer(patient));
        }
        let delay = 1 + self.weather.delay_ms / 2;
        self.after(delay, Event::Dial(self.conns));
        self.conns
    }

    pub(super) fn dialled(&mut self, conn: Conn) {
        let Some(peer) = self.lines.get(&conn).map(|line| line.peer) else { return };
        let who = match peer {
            Peer::Device(device) => author(Role::Provider, self.devices[device].me.as_str()),
            Peer::Patient(patient) => author(Role::Patient, &patient_name(patient)),
        };
        match self.server.accept(conn, who, self.now) {
            Some(Ok(welcome)) => self.send(conn, welcome),
            Some(Err(code)) => self.after(1, Event::Refused(conn, code)),
            None => self.after(1, Event::Closed(conn, Trouble::Unreachable)),
        }
    }

    pub(super) fn tell(&mut self, out: Vec<Out>) {
        for (conn, frame) in out {
            self.send(conn, frame);
        }
    }

    /// The server hands a frame to a connection; one that isn't read is cut.
    pub(super) fn send(&mut self, conn: Conn, frame: ServerFrame) {
        let Some(line) = self.lines.get_mut(&conn) else { return };
        line.waiting += 1;
        if line.waiting > OUT_QUEUE {
            return self.after(0, Event::Left(conn));
        }
        self.travels(conn, 1, |conn| Event::ToPeer(conn, frame.clone()));
    }

    /// A frame on its way, as the weather is. The first of a line is its welcome, which nothing overtakes.
    pub(super) fn travels(&mut self, conn: Conn, direction: usize, event: impl Fn(Conn) -> Event) {
        let (weather, now) = (self.weather, self.now);
        let mut rng = self.rng(conn << 20 | self.lines.get(&conn).map_or(0, |line| line.frames));
        let Some(line) = self.lines.get_mut(&conn) else { return };
        line.frames += 1;
        let first = line.frames == 1;
        let mut chance = |percent: u64| !first && rng.u64(0..100) < percent;
        let (lost, doubled, overtaken) =
            (chance(weather.lost), chance(weather.doubled), chance(weather.overtaken));
        if line.black || lost {
            line.waiting = line.waiting.saturating_sub(direction);
            return;
        }
        let arrives = now.plus(1 + rng.u64(0..=weather.delay_ms));
        let arrives =
            if overtaken { arrives.plus(weather.delay_ms) } else { arrives.max(line.last[direction]) };
        if !overtaken {
            line.last[direction] = arrives;
        }
        self.at(arrives, event(conn));
        if doubled {
            self.line(conn, |line| line.waiting += direction);
            self.at(arrives.plus(1 + rng.u64(0..=weather.delay_ms)), event(conn));
        }
    }

    pub(super) fn arrives(&mut self, conn: Conn, frame: ServerFrame) {
        let now = self.now;
        let Some(line) = self.lines.get_mut(&conn) else { return };
        if now < line.stalled_until {
            let until = line.stalled_until;
            return self.at(until, Event::ToPeer(conn, frame));
        }
        line.waiting = line.waiting.saturating_sub(1);
        let (peer, attempt) = (line.peer, line.attempt);
        match peer {
            Peer::Device(device) => self.input(device, Input::Frame(attempt, frame)),
            Peer::Patient(patient) => {
                self.patients[patient].hears(conn, frame, now);
                self.patient_sends(patient);
            }
        }
    }

    pub(super) fn closed(&mut self, conn: Conn, trouble: Trouble) {
        let Some(line) = self.lines.get(&conn) else { return };
        if line.black {
            // It swallows this too.
            return;
        }
        let (peer, attempt) = (line.peer, line.attempt);
        self.lines.remove(&conn);
        match peer {
            Peer::Device(device) => self.input(device, Input::Closed(attempt, trouble)),
            Peer::Patient(patient) => self.patient_lost(patient, conn),
        }
    }

    pub(super) fn line(&mut self, conn: Conn, change: impl FnOnce(&mut Line)) {
        if let Some(line) = self.lines.get_mut(&conn) {
            change(line);
        }
    }
}
