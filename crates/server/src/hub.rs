//! Fan-out: who is there, and who gets what. It remembers nothing that the log doesn't know, but who is connected.

mod presence;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod tests;

use crate::log::{Change, Committed, Revocation};
use crate::metrics::Metrics;
use crate::session::{End, Frame, Session};
use crate::view;
use bedside_protocol::{
    ClinicId, ConversationFrame, ConversationId, EntryFrame, Heartbeat, Paused, Receipt, Rev, Revoked, Role,
    ServerFrame, Suggesting, Time, TypingFrame, UserId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The sessions of all clinics.
pub struct Hub {
    // One lock for all: nothing under it waits, and what a session is sent keeps the order of the commits.
    state: Mutex<State>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct State {
    clinics: BTreeMap<ClinicId, Clinic>,
    revocations: BTreeMap<(ClinicId, UserId), Revocation>,
    /// Background tasks that rest.
    paused: BTreeSet<&'static str>,
}

#[derive(Default)]
struct Clinic {
    rev: Rev,
    providers: BTreeMap<u64, Provider>,
    patients: BTreeMap<UserId, BTreeMap<u64, Arc<Session>>>,
}

struct Provider {
    session: Arc<Session>,
    viewing: Option<ConversationId>,
}

impl Hub {
    /// A hub that knows what the log knows.
    pub fn new(
        revs: BTreeMap<ClinicId, Rev>,
        revocations: BTreeMap<(ClinicId, UserId), Revocation>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let clinics = revs.into_iter().map(|(id, rev)| {
            let clinic = Clinic { rev, ..Clinic::default() };
            (id, clinic)
        });
        let state = State { clinics: clinics.collect(), revocations, ..State::default() };
        Self { state: Mutex::new(state), metrics }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token of `user`, made at `made`, was revoked. A token says only the second it was made in.
    pub fn revoked(&self, clinic: &ClinicId, user: &UserId, made: Time) -> Option<Revocation> {
        let state = self.state();
        let revocation = state.revocations.get(&(clinic.clone(), user.clone()))?;
        (made <= revocation.at).then_some(*revocation)
    }

    /// Lets a session in: it gets what `welcome` makes of the clinic's rev, and after it whatever is published.
    /// `made` is when its token was made: it may have been revoked since it was checked, and then it isn't let in.
    pub fn join(
        &self,
        session: &Arc<Session>,
        made: Time,
        welcome: impl FnOnce(Rev) -> Frame,
    ) -> Result<(), Revocation> {
        let mut state = self.state();
        let key = (session.clinic.clone(), session.who.id.clone());
        if let Some(revocation) = state.revocations.get(&key).filter(|revocation| made <= revocation.at) {
            return Err(*revocation);
        }
        let State { clinics, paused, .. } = &mut *state;
        let clinic = clinics.entry(key.0).or_default();
        self.emit(session, &welcome(clinic.rev));
        if session.is_provider() {
            if !paused.is_empty() {
                self.emit(session, &Frame::new(&paused_frame(paused)));
            }
            for frame in presence::others(clinic, &session.who) {
                self.emit(session, &frame);
            }
            let before = presence::of(clinic, &session.who);
            clinic.providers.insert(session.number, Provider { session: session.clone(), viewing: None });
            self.tell_presence(clinic, session, before);
        } else {
            let sessions = clinic.patients.entry(key.1).or_default();
            sessions.insert(session.number, session.clone());
        }
        self.metrics.sockets(session.who.role).inc();
        Ok(())
    }

    /// Lets a session go.
    pub fn leave(&self, session: &Session) {
        let mut state = self.state();
        let Some(clinic) = state.clinics.get_mut(&session.clinic) else {
            return;
        };
        let before = presence::of(clinic, &session.who);
        let gone = if session.is_provider() {
            clinic.providers.remove(&session.number).is_some()
        } else if let Some(sessions) = clinic.patients.get_mut(&session.who.id) {
            let gone = sessions.remove(&session.number).is_some();
            if sessions.is_empty() {
                clinic.patients.remove(&session.who.id);
            }
            gone
        } else {
            false
        };
        if gone {
            self.metrics.sockets(session.who.role).dec();
            self.tell_presence(clinic, session, before);
        }
    }

    /// Tells everyone concerned what was committed. Called in the order of the commits, by the writer alone.
    pub fn publish(&self, committed: &Committed) {
        if committed.changes().is_empty() {
            return;
        }
        let mut state = self.state();
        let state = &mut *state;
        let clinic = state.clinics.entry(committed.clinic().clone()).or_default();
        for change in committed.changes() {
            match change {
                Change::Entry(record, summary) => {
                    self.metrics.entries.inc();
                    let conversation = &summary.conversation;
                    clinic.rev = clinic.rev.max(conversation.rev);
                    self.to_providers(clinic, None, || {
                        ServerFrame::Entry(EntryFrame {
                            entry: record.entry.clone(),
                            conversation: conversation.clone(),
                        })
                    });
                    if let Some(entry) = view::entry(record) {
                        self.to_patient(clinic, &conversation.patient.id, || {
                            ServerFrame::Entry(EntryFrame {
                                entry,
                                conversation: view::conversation(summary),
                            })
                        });
                    }
                }
                Change::Summary(summary) => {
                    clinic.rev = clinic.rev.max(summary.conversation.rev);
                    self.to_providers(clinic, None, || conversation_frame(summary.conversation.clone()));
                }
                Change::Read { reader, role, summary } => {
                    let conversation = &summary.conversation;
                    clinic.rev = clinic.rev.max(conversation.rev);
                    self.to_providers(clinic, None, || conversation_frame(conversation.clone()));
                    let upto = conversation.read.get(reader).copied().unwrap_or_default();
                    self.to_patient(clinic, &conversation.patient.id, || match role {
                        // The patient's own devices.
                        Role::Patient => conversation_frame(view::conversation(summary)),
                        _ => ServerFrame::Receipt(Receipt {
                            conversation: conversation.id.clone(),
                            upto: upto.min(view::head(summary)),
                        }),
                    });
                }
                Change::Revoked { user, revocation } => {
                    let key = (committed.clinic().clone(), user.clone());
                    state.revocations.insert(key, *revocation);
                    let frame = revoked_frame(*revocation);
                    for session in sessions_of(clinic, user) {
                        self.emit(session, &frame);
                        session.ending.end(End::Revoked);
                    }
                }
            }
        }
    }

    /// Says that `session` is writing: to its clinic's other providers, and to the conversation's patient.
    pub fn typing(&self, session: &Session, conversation: ConversationId, patient: &UserId, until: Time) {
        let frame = || ServerFrame::Typing(TypingFrame { conversation, who: session.who.clone(), until });
        let frame = Frame::new(&frame());
        let state = self.state();
        let Some(clinic) = state.clinics.get(&session.clinic) else {
            return;
        };
        let patients = clinic.patients.get(patient).into_iter().flat_map(BTreeMap::values);
        let providers = clinic.providers.values().map(|provider| &provider.session);
        for other in providers.chain(patients) {
            if other.who.id != session.who.id {
                self.emit(other, &frame);
            }
        }
    }

    /// Tells a clinic's providers how far a background task is.
    pub fn suggesting(&self, clinic: &ClinicId, suggesting: Suggesting) {
        if let Some(clinic) = self.state().clinics.get(clinic) {
            self.to_providers(clinic, None, || ServerFrame::Suggesting(suggesting));
        }
    }

    /// Says which background tasks rest, if that changed: to all providers, since clinics share services.
    pub fn paused(&self, tasks: BTreeSet<&'static str>) {
        let mut state = self.state();
        if state.paused != tasks {
            state.paused = tasks;
            let providers = state.clinics.values().flat_map(|clinic| clinic.providers.values());
            self.to_each(providers.map(|provider| &provider.session), || paused_frame(&state.paused));
        }
    }

    /// Says what a provider looks at.
    pub fn viewing(&self, session: &Session, conversation: Option<ConversationId>) {
        let mut state = self.state();
        let Some(clinic) = state.clinics.get_mut(&session.clinic) else {
            return;
        };
        let before = presence::of(clinic, &session.who);
        if let Some(provider) = clinic.providers.get_mut(&session.number) {
            provider.viewing = conversation;
        }
        self.tell_presence(clinic, session, before);
    }

    /// Tells every session that the server lives.
    pub fn heartbeat(&self, now: Time) {
        let state = self.state();
        for clinic in state.clinics.values() {
            let frame = Frame::new(&ServerFrame::Heartbeat(Heartbeat { rev: clinic.rev, now }));
            for session in sessions(clinic) {
                self.emit(session, &frame);
            }
        }
    }

    /// Ends every session.
    pub fn end_all(&self, why: End) {
        let state = self.state();
        for session in state.clinics.values().flat_map(sessions) {
            session.ending.end(why);
        }
    }

    /// Tells the other providers how `session`'s person is there now, unless that is as it was `before`.
    fn tell_presence(&self, clinic: &Clinic, session: &Session, before: bedside_protocol::Presence) {
        let now = presence::of(clinic, &session.who);
        if session.is_provider() && now != before {
            self.to_providers(clinic, Some(&session.who.id), || ServerFrame::Presence(now));
        }
    }

    /// Emits to all providers but `except`. The frame is made only if somebody gets it.
    fn to_providers(&self, clinic: &Clinic, except: Option<&UserId>, frame: impl FnOnce() -> ServerFrame) {
        let sessions = clinic.providers.values().map(|provider| &provider.session);
        self.to_each(sessions.filter(|session| Some(&session.who.id) != except), frame);
    }

    fn to_patient(&self, clinic: &Clinic, patient: &UserId, frame: impl FnOnce() -> ServerFrame) {
        let sessions = clinic.patients.get(patient);
        self.to_each(sessions.into_iter().flat_map(BTreeMap::values), frame);
    }

    fn to_each<'a>(
        &self,
        sessions: impl Iterator<Item = &'a Arc<Session>>,
        frame: impl FnOnce() -> ServerFrame,
    ) {
        let mut sessions = sessions.peekable();
        if sessions.peek().is_none() {
            return;
        }
        let frame = Frame::new(&frame());
        for session in sessions {
            self.emit(session, &frame);
        }
    }

    fn emit(&self, session: &Session, frame: &Frame) {
        self.metrics.emitted.inc();
        session.emit(frame);
    }
}

/// A conversation's summary as a frame.
pub fn conversation_frame(conversation: bedside_protocol::Conversation) -> ServerFrame {
    ServerFrame::Conversation(ConversationFrame { conversation })
}

/// The last frame of somebody whose access has ended.
pub fn revoked_frame(revocation: Revocation) -> Frame {
    Frame::new(&ServerFrame::Revoked(Revoked { wipe: revocation.wipe }))
}

fn paused_frame(tasks: &BTreeSet<&'static str>) -> ServerFrame {
    ServerFrame::Paused(Paused { tasks: tasks.iter().map(|&task| task.to_owned()).collect() })
}

fn sessions(clinic: &Clinic) -> impl Iterator<Item = &Arc<Session>> {
    let patients = clinic.patients.values().flat_map(BTreeMap::values);
    clinic.providers.values().map(|provider| &provider.session).chain(patients)
}

fn sessions_of<'a>(clinic: &'a Clinic, user: &'a UserId) -> impl Iterator<Item = &'a Arc<Session>> {
    sessions(clinic).filter(move |session| session.who.id == *user)
}
