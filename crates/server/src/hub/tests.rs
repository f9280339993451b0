//! Who gets what.

use super::*;
use crate::log::conformance::{Desk, START, amara, assign, author, clinic, hana, jonas, note};
use crate::log::{SqliteLog, Write};
use crate::session::{Ending, Sink, Undelivered};
use bedside_protocol::{Author, Body, Conversation, Presence, PresenceState, Seq, Welcome, Who};
use serde_json::Value;

/// Keeps what a session was sent; full after so many frames.
#[derive(Clone)]
pub struct Wire {
    frames: Arc<Mutex<Vec<(&'static str, Value)>>>,
    room: usize,
}

impl Sink for Wire {
    fn emit(&self, frame: &Frame) -> Result<(), Undelivered> {
        let mut frames = self.frames.lock().unwrap();
        if frames.len() >= self.room {
            return Err(Undelivered::Full);
        }
        frames.push((frame.event, serde_json::from_str(frame.data.get()).unwrap()));
        Ok(())
    }
}

impl Wire {
    fn new(room: usize) -> Self {
        Self { frames: Arc::default(), room }
    }

    pub fn take(&self) -> Vec<(&'static str, Value)> {
        std::mem::take(&mut self.frames.lock().unwrap())
    }

    fn events(&self) -> Vec<&'static str> {
        self.take().into_iter().map(|(event, _)| event).collect()
    }
}

/// Drops what has been sent so far.
fn forget(wires: &[&Wire]) {
    for wire in wires {
        wire.take();
    }
}

fn hub() -> Hub {
    Hub::new(BTreeMap::new(), BTreeMap::new(), Arc::default())
}

fn session(number: u64, at: &str, of: &Author, wire: &Wire) -> Arc<Session> {
    Arc::new(Session {
        number,
        who: Who { id: of.id.clone(), role: of.role, name: of.name.clone() },
        clinic: clinic(at),
        conversation: None,
        ending: Arc::new(Ending::default()),
        sink: Box::new(wire.clone()),
    })
}

fn welcome(rev: Rev) -> Frame {
    let me = bedside_protocol::Me {
        id: amara().id,
        name: "x".into(),
        role: Role::Provider,
        clinic: clinic("riverside"),
    };
    Frame::new(&ServerFrame::Welcome(Welcome {
        me,
        rev,
        epoch: bedside_protocol::Epoch::new("e").unwrap(),
        heartbeat_ms: 1,
        now: START,
        limits: Default::default(),
        policy: Default::default(),
    }))
}

/// A hub with a log, and people who have joined.
pub struct Room {
    pub hub: Hub,
    pub desk: Desk<SqliteLog>,
    pub of: ConversationId,
    number: u64,
    _directory: tempfile::TempDir,
}

impl Room {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut desk = Desk::new(SqliteLog::open(&directory.path().join("log")).unwrap());
        let of = desk.admit("hana");
        Self { hub: hub(), desk, of, number: 0, _directory: directory }
    }

    pub fn join(&mut self, at: &str, of: &Author) -> (Arc<Session>, Wire) {
        self.join_with(at, of, usize::MAX)
    }

    fn join_with(&mut self, at: &str, of: &Author, room: usize) -> (Arc<Session>, Wire) {
        self.number += 1;
        let wire = Wire::new(room);
        let session = session(self.number, at, of, &wire);
        assert!(self.hub.join(&session, START, welcome).is_ok());
        (session, wire)
    }

    fn publish(&mut self, of: &Author, body: Body) {
        let to = self.of.clone();
        let outcome = self.desk.send(of, &to, body).unwrap();
        self.hub.publish(&outcome.committed);
    }
}

#[test]
fn welcome_comes_first_and_names_the_newest_rev() {
    let mut room = Room::new();
    room.publish(&amara(), Body::text("x"));
    let (_, wire) = room.join("riverside", &amara());
    let frames = wire.take();
    assert_eq!(frames.len(), 1);
    assert_eq!((frames[0].0, &frames[0].1["rev"]), ("welcome", &Value::from(2)));
}

#[test]
fn what_rests_is_told_to_providers_when_it_changes_and_when_they_come() {
    let mut room = Room::new();
    let ((_, amaras), (_, hanas)) = (room.join("riverside", &amara()), room.join("riverside", &hana()));
    forget(&[&amaras, &hanas]);
    for tasks in [vec!["reply"], vec!["reply"], vec![]] {
        room.hub.paused(tasks.into_iter().collect());
    }
    let tasks: Vec<Value> = amaras.take().into_iter().map(|(_, data)| data["tasks"].clone()).collect();
    assert_eq!(tasks, [serde_json::json!(["reply"]), serde_json::json!([])]);
    assert_eq!(hanas.events(), [""; 0]);
    assert_eq!(room.join("lakeside", &jonas()).1.events(), ["welcome"]);
    room.hub.paused(["reply"].into());
    assert_eq!(room.join("lakeside", &jonas()).1.events(), ["welcome", "paused"]);
}

#[test]
fn entries_go_to_the_clinic_and_to_their_patient() {
    let mut room = Room::new();
    let samuel = author(Role::Patient, "samuel");
    let (_, amara_1) = room.join("riverside", &amara());
    let (_, amara_2) = room.join("riverside", &amara());
    let (_, stranger) = room.join("hillside", &amara());
    let (_, hana_1) = room.join("riverside", &hana());
    let (_, hana_2) = room.join("riverside", &hana());
    let (_, elsewhere) = room.join("hillside", &hana());
    let (_, samuel) = room.join("riverside", &samuel);
    let all = [&amara_1, &amara_2, &stranger, &hana_1, &hana_2, &elsewhere, &samuel];
    forget(&all);
    room.publish(&hana(), Body::text("x"));
    // The patient's text, and the wait-time message.
    assert_eq!(all.map(|wire| wire.events().len()), [2, 2, 0, 2, 2, 0, 0]);
    room.publish(&amara(), note("between us"));
    room.publish(&amara(), assign(None));
    assert_eq!(all.map(|wire| wire.events().len()), [2, 2, 0, 0, 0, 0, 0]);
    room.publish(&jonas(), Body::text("x"));
    assert_eq!(all.map(|wire| wire.events().len()), [1, 1, 0, 1, 1, 0, 0]);
}

#[test]
fn a_read_mark_is_a_conversation_to_providers_and_a_receipt_to_the_patient() {
    let mut room = Room::new();
    let (_, provider) = room.join("riverside", &jonas());
    let (_, patient) = room.join("riverside", &hana());
    let of = room.of.clone();
    for body in [Body::text("x"), note("x")] {
        room.publish(&amara(), body);
    }
    forget(&[&provider, &patient]);
    let outcome = room.desk.read(&amara(), &of, 2).unwrap();
    room.hub.publish(&outcome.committed);
    assert_eq!(provider.events(), ["conversation"]);
    let frames = patient.take();
    assert_eq!(frames[0].0, "receipt");
    // The second entry is a note: to the patient, all has been read up to the first.
    assert_eq!(frames[0].1["upto"], 1);
    let outcome = room.desk.read(&hana(), &of, 1).unwrap();
    room.hub.publish(&outcome.committed);
    assert_eq!(provider.events(), ["conversation"]);
    assert_eq!(patient.events(), ["conversation"]);
}

#[test]
fn a_full_socket_is_ended_and_gets_nothing_more() {
    let mut room = Room::new();
    let (slow, slow_wire) = room.join_with("riverside", &jonas(), 3);
    let (_, wire) = room.join("riverside", &amara());
    // welcome and presence fit, and one entry.
    for n in 0..3 {
        room.publish(&amara(), Body::text(n.to_string()));
    }
    assert!(slow.ending.has_ended());
    assert_eq!(slow_wire.events(), ["welcome", "presence", "entry"]);
    assert_eq!(wire.events().len(), 5);
    // There would be room again: no gap is ever delivered over.
    room.publish(&amara(), Body::text("x"));
    assert!(slow_wire.events().is_empty());
}

#[test]
fn presence_is_of_people_not_of_sockets() {
    let mut room = Room::new();
    let (_, jonas_wire) = room.join("riverside", &jonas());
    let told = |wire: &Wire| -> Vec<(String, Option<String>, PresenceState)> {
        let frames = wire.take().into_iter().filter(|(event, _)| *event == "presence");
        let presence = |(_, data)| serde_json::from_value::<Presence>(data).unwrap();
        let tell = |p: Presence| (p.who.id.to_string(), p.viewing.map(|id| id.to_string()), p.state);
        frames.map(presence).map(tell).collect()
    };
    let is = |viewing: Option<&ConversationId>, state| {
        vec![("amara".to_owned(), viewing.map(ToString::to_string), state)]
    };
    let (one, first) = room.join("riverside", &amara());
    assert_eq!(told(&jonas_wire), is(None, PresenceState::Online));
    assert_eq!(told(&first), [("jonas".to_owned(), None, PresenceState::Online)]);
    let (two, _) = room.join("riverside", &amara());
    assert_eq!(told(&jonas_wire), []);
    let of = room.of.clone();
    room.hub.viewing(&one, Some(of.clone()));
    assert_eq!(told(&jonas_wire), is(Some(&of), PresenceState::Online));
    room.hub.viewing(&one, Some(of.clone()));
    assert_eq!(told(&jonas_wire), []);
    // A newcomer is told of those who are there, and where.
    let (_, third) = room.join("riverside", &author(Role::Provider, "priya"));
    assert_eq!(told(&third)[0], is(Some(&of), PresenceState::Online)[0]);
    told(&jonas_wire);
    room.hub.leave(&one);
    assert_eq!(told(&jonas_wire), is(None, PresenceState::Online));
    room.hub.leave(&two);
    assert_eq!(told(&jonas_wire), is(None, PresenceState::Offline));
    room.hub.leave(&two);
    assert_eq!(told(&jonas_wire), []);
    // Amara's first socket was told of the newcomer, and never of its own person.
    assert_eq!(told(&first), [("priya".to_owned(), None, PresenceState::Online)]);
}

#[test]
fn typing_is_told_to_the_others() {
    let mut room = Room::new();
    let (amara_session, amara_wire) = room.join("riverside", &amara());
    let (_, jonas_wire) = room.join("riverside", &jonas());
    let (hana_session, hana_wire) = room.join("riverside", &hana());
    let (_, samuel_wire) = room.join("riverside", &author(Role::Patient, "samuel"));
    let all = [&amara_wire, &jonas_wire, &hana_wire, &samuel_wire];
    forget(&all);
    room.hub.typing(&amara_session, room.of.clone(), &hana().id, START);
    assert_eq!(all.map(|wire| wire.events().len()), [0, 1, 1, 0]);
    room.hub.typing(&hana_session, room.of.clone(), &hana().id, START);
    assert_eq!(all.map(|wire| wire.events().len()), [1, 1, 0, 0]);
}

#[test]
fn heartbeats_carry_the_clinics_rev() {
    let mut room = Room::new();
    let (_, here) = room.join("riverside", &amara());
    let (_, there) = room.join("hillside", &amara());
    room.publish(&amara(), Body::text("x"));
    forget(&[&here, &there]);
    room.hub.heartbeat(START);
    assert_eq!(here.take(), [("heartbeat", serde_json::json!({"rev": 2, "now": START}))]);
    assert_eq!(there.take(), [("heartbeat", serde_json::json!({"rev": 0, "now": START}))]);
}

#[test]
fn who_is_revoked_is_told_ended_and_not_let_in_again() {
    let mut room = Room::new();
    let (session, wire) = room.join("riverside", &amara());
    let (other, other_wire) = room.join("hillside", &amara());
    forget(&[&wire, &other_wire]);
    let write = Write::Revoke { clinic: clinic("riverside"), user: amara().id, wipe: true };
    let outcome = room.desk.commit(write).unwrap();
    room.hub.publish(&outcome.committed);
    assert_eq!(wire.take(), [("revoked", serde_json::json!({"wipe": true}))]);
    assert!(session.ending.has_ended());
    assert!(!other.ending.has_ended() && other_wire.take().is_empty());
    let (clinic, id) = (clinic("riverside"), amara().id);
    assert!(room.hub.revoked(&clinic, &id, START).is_some());
    let late = Wire::new(9);
    let again = self::session(99, "riverside", &amara(), &late);
    assert!(room.hub.join(&again, START, welcome).is_err());
    assert!(late.take().is_empty());
    // A token made afterwards is somebody's whom the clinic has let in again.
    assert!(room.hub.join(&again, START.plus(1000), welcome).is_ok());
}

#[test]
fn conversations_without_entries_are_told_to_providers() {
    let mut room = Room::new();
    let (_, wire) = room.join("riverside", &amara());
    wire.take();
    let write = Write::Admit {
        clinic: clinic("riverside"),
        patient: bedside_protocol::Patient {
            id: author(Role::Patient, "samuel").id,
            name: "Samuel".into(),
            born: None,
            extra: Default::default(),
        },
    };
    let outcome = room.desk.commit(write).unwrap();
    room.hub.publish(&outcome.committed);
    let frames = wire.take();
    assert_eq!(frames[0].0, "conversation");
    let conversation: Conversation = serde_json::from_value(frames[0].1["conversation"].clone()).unwrap();
    assert_eq!(conversation.head, Seq::ZERO);
}
