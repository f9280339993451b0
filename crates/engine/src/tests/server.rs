//! A server's log in memory, as far as a console can tell.

use bedside_protocol::*;
use std::collections::BTreeMap;

const CONVERSATIONS: [&str; 4] = ["conversation-1", "conversation-2", "conversation-3", "conversation-4"];
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
    /// It answers with this many entries at most.
    pub(super) page: Option<usize>,
    rev: u64,
    logs: BTreeMap<ConversationId, Vec<Entry>>,
    revs: BTreeMap<ConversationId, u64>,
    read: BTreeMap<ConversationId, Seq>,
    /// Conversations that are closed, and since when.
    pub(super) closed: BTreeMap<ConversationId, Time>,
}

impl Server {
    fn summary(&self, id: &ConversationId) -> Conversation {
        let head = self.logs.get(id).map_or(0, Vec::len) as u64;
        let rev = Rev::new(self.revs.get(id).copied().unwrap_or(0));
        let patient = Patient { id: user(PATIENT), name: "P".into(), born: None, extra: Extra::new() };
        let read = self.read.get(id).map(|upto| (user(ME), *upto)).into_iter().collect();
        let closed_at = self.closed.get(id).copied();
        let state = if closed_at.is_some() { Phase::Closed } else { Phase::Open };
        let new = Conversation::new(id.clone(), rev, patient);
        Conversation { head: Seq::new(head), read, state, closed_at, ..new }
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

    pub(super) fn epoch(&self) -> Epoch {
        Epoch::new("e").unwrap()
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
            epoch: self.epoch(),
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
                let page = self.page.unwrap_or(usize::MAX);
                let entries = log.into_iter().filter(wanted).take(page).collect();
                let Entries { conversation, from, to, summary } = ask;
                let summary = summary.then(|| self.summary(&conversation));
                Some(ServerFrame::Entries(EntriesAnswer { conversation, from, to, head, entries, summary }))
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
            ClientFrame::Typing(_) | ClientFrame::Viewing(_) | ClientFrame::Search(_) => None,
        }
    }
}
