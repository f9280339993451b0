//! The server's side: the real log, with who is connected and who is told.

use crate::plan::CONVERSATIONS;
use bedside_protocol::*;
use bedside_server::log::{Answer, Change, Log, Outcome, Reader, SqliteLog, Upload, Write};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Names a connection; never used twice.
pub type Conn = u64;

/// What goes back over which connection.
pub type Out = (Conn, ServerFrame);

const HEARTBEAT_MS: u32 = 1_000;

/// A server that can be killed between any two steps. What is on its disk stays.
pub struct Server {
    path: PathBuf,
    seed: u64,
    starts: u64,
    /// None while it is down.
    running: Option<Running>,
    revoked: BTreeSet<UserId>,
    /// What its log holds, also while it is down.
    pub ids: BTreeSet<EntryId>,
    /// Its next commit fails.
    pub fault: bool,
}

struct Running {
    log: SqliteLog,
    reader: Box<dyn Reader>,
    sessions: BTreeMap<Conn, Author>,
    batch: Vec<(Conn, Subject, Write)>,
}

/// What a refusal says it is about.
#[derive(Clone)]
struct Subject {
    of: &'static str,
    id: Option<EntryId>,
    conversation: ConversationId,
}

pub fn clinic() -> ClinicId {
    ClinicId::new("riverside").expect("an id")
}

pub fn patient_name(n: usize) -> String {
    format!("patient-{n}")
}

pub fn author(role: Role, name: &str) -> Author {
    Author { id: UserId::new(name).expect("an id"), role, name: name.into(), extra: Extra::new() }
}

impl Server {
    /// Starts one with a conversation for each patient; gives their ids.
    pub fn start(path: PathBuf, seed: u64, now: Time) -> (Self, Vec<ConversationId>) {
        let (revoked, ids, fault) = (BTreeSet::new(), BTreeSet::new(), false);
        let mut server = Self { path, seed, starts: 0, running: None, revoked, ids, fault };
        server.start_again();
        let patients: Vec<_> = (0..CONVERSATIONS)
            .map(|n| Write::Admit {
                clinic: clinic(),
                patient: Patient {
                    id: UserId::new(patient_name(n)).expect("an id"),
                    name: patient_name(n),
                    born: None,
                    extra: Extra::new(),
                },
            })
            .collect();
        let running = server.running.as_mut().expect("it was started");
        let outcomes = running.log.commit(now, &patients).expect("the log");
        let conversations = outcomes.into_iter().map(|outcome| match outcome.expect("a patient").answer {
            Answer::Summary(summary) => summary.conversation.id.clone(),
            other => panic!("no conversation: {other:?}"),
        });
        let conversations = conversations.collect();
        (server, conversations)
    }

    pub fn start_again(&mut self) {
        self.starts += 1;
        let mut rng = fastrand::Rng::with_seed(self.seed ^ (self.starts << 48));
        let random = Box::new(move || {
            let mut bytes = [0; 10];
            rng.fill(&mut bytes);
            Ok(bytes)
        });
        let log = SqliteLog::open_with(&self.path, random).expect("the log opens after a crash");
        let reader = log.reader().expect("a reader");
        self.running = Some(Running { log, reader, sessions: BTreeMap::new(), batch: Vec::new() });
    }

    pub fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// Dies. `kept`: what was being written is on the disk all the same, and nobody hears of it.
    pub fn crash(&mut self, now: Time, kept: bool) -> Vec<Conn> {
        let Some(mut running) = self.running.take() else {
            return Vec::new();
        };
        if kept {
            let writes: Vec<_> = running.batch.drain(..).map(|(_, _, write)| write).collect();
            let outcomes = running.log.commit(now, &writes).expect("the log");
            self.ids.extend(outcomes.iter().flatten().flat_map(added));
        }
        running.sessions.into_keys().collect()
    }

    /// Somebody connects. None: nobody is there.
    pub fn accept(
        &mut self,
        conn: Conn,
        who: Author,
        now: Time,
    ) -> Option<Result<ServerFrame, ConnectRefusal>> {
        if self.revoked.contains(&who.id) {
            return self.running.as_ref().map(|_| Err(ConnectRefusal::Revoked));
        }
        let running = self.running.as_mut()?;
        let rev = running.reader.revs().expect("the log").get(&clinic()).copied().unwrap_or_default();
        let me = Me { id: who.id.clone(), name: who.name.clone(), role: who.role, clinic: clinic() };
        running.sessions.insert(conn, who);
        Some(Ok(ServerFrame::Welcome(Welcome {
            me,
            rev,
            epoch: running.log.epoch().clone(),
            heartbeat_ms: HEARTBEAT_MS,
            now,
            limits: Limits::default(),
            policy: Extra::new(),
        })))
    }

    pub fn leave(&mut self, conn: Conn) {
        if let Some(running) = &mut self.running {
            running.sessions.remove(&conn);
        }
    }

    /// Takes somebody's access away; gives the connections that end with it.
    pub fn revoke(&mut self, user: &UserId) -> Vec<Conn> {
        self.revoked.insert(user.clone());
        let Some(running) = &mut self.running else {
            return Vec::new();
        };
        let gone: Vec<_> =
            running.sessions.iter().filter(|(_, who)| who.id == *user).map(|(conn, _)| *conn).collect();
        running.sessions.retain(|_, who| who.id != *user);
        gone
    }

    pub fn forgive(&mut self) {
        self.revoked.clear();
    }

    /// Takes a frame: writes wait for the next commit, questions are answered after it.
    pub fn take(&mut self, conn: Conn, frame: ClientFrame, now: Time) -> Vec<Out> {
        let Some(who) = self.running.as_ref().and_then(|running| running.sessions.get(&conn)).cloned() else {
            return Vec::new();
        };
        let clinic = clinic();
        let write = match frame {
            ClientFrame::Send(send) => {
                let (id, conversation) = (Some(send.id), send.conversation.clone());
                let subject = Subject { of: "send", id, conversation };
                if let Err(refusal) = send.check(&Limits::default()) {
                    return vec![(conn, subject.rejected(refusal))];
                }
                Some((subject, Write::Send { clinic, author: who, send: Box::new(send), tasks: Vec::new() }))
            }
            ClientFrame::Read(read) => {
                let subject = Subject { of: "read", id: None, conversation: read.conversation.clone() };
                Some((subject, Write::Read { clinic, reader: who.id, role: who.role, read }))
            }
            // Consoles of the simulation search what they keep.
            ClientFrame::Typing(_) | ClientFrame::Viewing(_) | ClientFrame::Search(_) => None,
            ClientFrame::Changes(ask) => {
                let mut out = self.commit(now);
                out.extend(self.changes(conn, ask));
                return out;
            }
            ClientFrame::Entries(ask) => {
                let mut out = self.commit(now);
                out.extend(self.entries(conn, ask));
                return out;
            }
        };
        if let (Some((subject, write)), Some(running)) = (write, &mut self.running) {
            running.batch.push((conn, subject, write));
        }
        Vec::new()
    }

    fn changes(&mut self, conn: Conn, ask: Changes) -> Option<Out> {
        let running = self.running.as_mut()?;
        let newest = ask.newest.unwrap_or_default().max(ask.since);
        if let Some(epoch) = &ask.epoch
            && !running.reader.agrees(&clinic(), epoch, newest).expect("the log")
        {
            let subject = Rejected {
                of: "changes".into(),
                id: None,
                conversation: None,
                search: None,
                code: Code::Diverged,
                message: String::new(),
                retry_after_ms: None,
            };
            return Some((conn, ServerFrame::Rejected(subject)));
        }
        // Small pages, so that there are several.
        let page = running.reader.changes(&clinic(), None, ask.since, 2).expect("the log");
        let conversations = page.summaries.into_iter().map(|summary| summary.conversation).collect();
        let answer = ChangesAnswer { since: ask.since, rev: page.rev, more: page.more, conversations };
        Some((conn, ServerFrame::Changes(answer)))
    }

    fn entries(&mut self, conn: Conn, ask: Entries) -> Option<Out> {
        let running = self.running.as_mut()?;
        let Entries { conversation, from, to, summary: told } = ask;
        let (summary, records) = running
            .reader
            .entries(&clinic(), &conversation, from, to)
            .expect("the log")
            .expect("a conversation");
        // A server may answer with less than it was asked for.
        let entries = records.into_iter().take(20).map(|record| record.entry).collect();
        let head = summary.conversation.head;
        let summary = told.then_some(summary.conversation);
        Some((conn, ServerFrame::Entries(EntriesAnswer { conversation, from, to, head, entries, summary })))
    }

    /// Commits what waits, and says who is told what.
    pub fn commit(&mut self, now: Time) -> Vec<Out> {
        let fault = std::mem::take(&mut self.fault);
        let Some(running) = &mut self.running else {
            return Vec::new();
        };
        let batch = std::mem::take(&mut running.batch);
        if batch.is_empty() {
            return Vec::new();
        }
        if fault {
            let refusal = || Refusal::later(Code::Unavailable, "", 500);
            return batch.into_iter().map(|(conn, subject, _)| (conn, subject.rejected(refusal()))).collect();
        }
        let writes: Vec<_> = batch.iter().map(|(_, _, write)| write.clone()).collect();
        let outcomes = running.log.commit(now, &writes).expect("the log");
        self.ids.extend(outcomes.iter().flatten().flat_map(added));
        let mut out = Vec::new();
        for ((conn, subject, _), outcome) in batch.into_iter().zip(outcomes) {
            match outcome {
                Ok(outcome) => {
                    let mut told = false;
                    for change in outcome.committed.changes() {
                        told = true;
                        let frame = frame_of(change);
                        out.extend(running.sessions.keys().map(|to| (*to, frame.clone())));
                    }
                    if !told {
                        let frame = match &outcome.answer {
                            Answer::Entry(record, summary) => entry_frame(record.entry.clone(), summary),
                            Answer::Summary(summary) => summary_frame(summary),
                            Answer::Revoked
                            | Answer::Tries(_)
                            | Answer::Ended
                            | Answer::Uploaded
                            | Answer::Forgotten(_) => continue,
                        };
                        out.push((conn, frame));
                    }
                }
                Err(refusal) => out.push((conn, subject.rejected(refusal))),
            }
        }
        out
    }

    /// The bytes of a provider's file arrive.
    pub fn uploaded(&mut self, uploader: &UserId, file: &File, now: Time) -> Result<(), Refusal> {
        let down = || Refusal::new(Code::Unavailable, "");
        let running = self.running.as_mut().ok_or_else(down)?;
        let (sha256, uploader) = (file.sha256.clone(), uploader.clone());
        let upload = Upload { clinic: clinic(), sha256, uploader, role: Role::Provider, bytes: file.bytes };
        let outcome = running.log.commit(now, &[Write::Upload(upload)]).expect("the log").pop();
        outcome.ok_or_else(down)?.map(drop)
    }

    /// A colleague elsewhere writes all of `ids`.
    pub fn flood(&mut self, conversation: &ConversationId, ids: Vec<EntryId>, now: Time) {
        let Some(running) = &mut self.running else { return };
        let (role, extra) = (Role::Provider, Extra::new());
        let id = UserId::new("provider-c").expect("an id");
        let author = Author { id, role, name: "provider-c".into(), extra };
        let send = |id| Send {
            id,
            conversation: conversation.clone(),
            seen: Seq::MAX,
            body: Body::text(format!("{conversation} colleague {id}")),
            from: None,
            force: false,
        };
        let writes: Vec<_> = ids
            .into_iter()
            .map(|id| Write::Send {
                clinic: clinic(),
                author: author.clone(),
                send: Box::new(send(id)),
                tasks: Vec::new(),
            })
            .collect();
        let outcomes = running.log.commit(now, &writes).expect("the log");
        self.ids.extend(outcomes.iter().flatten().flat_map(added));
    }

    pub fn waits(&self) -> bool {
        self.running.as_ref().is_some_and(|running| !running.batch.is_empty())
    }

    pub fn heartbeats(&mut self, now: Time) -> Vec<Out> {
        let rev = self.rev();
        let Some(running) = &self.running else {
            return Vec::new();
        };
        let frame = ServerFrame::Heartbeat(Heartbeat { rev, now });
        running.sessions.keys().map(|conn| (*conn, frame.clone())).collect()
    }

    pub fn rev(&mut self) -> Rev {
        let running = self.running.as_mut();
        let revs = running.map(|running| running.reader.revs().expect("the log"));
        revs.and_then(|revs| revs.get(&clinic()).copied()).unwrap_or_default()
    }

    /// All of a conversation.
    pub fn log(&mut self, conversation: &ConversationId) -> (Conversation, Vec<Entry>) {
        let reader = self.running.as_mut().expect("it runs").reader.as_mut();
        let (summary, records) = reader
            .entries(&clinic(), conversation, Seq::ZERO, Seq::MAX)
            .expect("the log")
            .expect("a conversation");
        (summary.conversation, records.into_iter().map(|record| record.entry).collect())
    }
}

impl Subject {
    fn rejected(self, refusal: Refusal) -> ServerFrame {
        ServerFrame::Rejected(Rejected {
            of: self.of.into(),
            id: self.id,
            conversation: Some(self.conversation),
            search: None,
            code: refusal.code,
            message: refusal.message,
            retry_after_ms: refusal.retry_after_ms,
        })
    }
}

/// What a write added to the log, the server's own entries included.
fn added(outcome: &Outcome) -> impl Iterator<Item = EntryId> {
    outcome.committed.changes().iter().filter_map(|change| match change {
        Change::Entry(record, _) => Some(record.entry.id),
        _ => None,
    })
}

fn frame_of(change: &Change) -> ServerFrame {
    match change {
        Change::Entry(record, summary) => entry_frame(record.entry.clone(), summary),
        Change::Summary(summary) | Change::Read { summary, .. } => summary_frame(summary),
        Change::Revoked { revocation, .. } => ServerFrame::Revoked(Revoked { wipe: revocation.wipe }),
    }
}

fn entry_frame(entry: Entry, summary: &bedside_server::log::Summary) -> ServerFrame {
    ServerFrame::Entry(EntryFrame { entry, conversation: summary.conversation.clone() })
}

fn summary_frame(summary: &bedside_server::log::Summary) -> ServerFrame {
    ServerFrame::Conversation(ConversationFrame { conversation: summary.conversation.clone() })
}
