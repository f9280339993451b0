//! Views: what a query shows, made from the cache and the live state, and the difference between two of them.

use crate::api::{
    Connection, ConversationHead, Found, InboxRow, Item, Outgoing, OutgoingState, Patch, Query, Splice,
};
use crate::live::Live;
use crate::passage::{self, Part, Passage};
use crate::search;
use bedside_engine::{OutboxRow, OutboxState};
use bedside_protocol::{ConversationId, Seq, Time};
use bedside_store::{CachedConversation, Reader, StoreError};

/// What a query shows at one moment.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "a window holds a handful")]
pub(crate) enum View {
    Connection(Connection),
    Inbox(Vec<InboxRow>),
    Conversation { head: Option<ConversationHead>, items: Vec<Item> },
    Passage(Passage),
    Outbox(Vec<Outgoing>),
    Search(Found),
}

impl View {
    /// What `query` shows now; `reader` is none while nobody is signed in. A conversation reaches back to `first`, if
    /// that is before its newest ones: a window that grew doesn't shrink at its other end.
    pub(crate) fn new(
        query: &Query,
        reader: Option<&Reader>,
        live: &Live,
        first: Option<Seq>,
    ) -> Result<Self, StoreError> {
        if *query == Query::Connection {
            return Ok(View::Connection(Connection {
                account: live.account.clone().filter(|_| live.is_open()),
                link: live.link.clone(),
                catching_up: live.catching_up,
                waiting: live.waiting,
                refused: live.refused,
                history: live.history.filter(|_| live.is_open()),
                vault: live.vault,
                repaired: live.repaired,
            }));
        }
        let reader = reader.filter(|_| live.account.is_some() && live.is_open());
        let outbox = match reader {
            Some(reader) => reader.outbox()?.iter().map(|row| outgoing(row, live)).collect(),
            None => Vec::new(),
        };
        Ok(match query {
            Query::Connection | Query::Outbox => View::Outbox(outbox),
            Query::Inbox => View::Inbox(inbox(reader, &outbox)?),
            Query::Conversation { id, newest } => conversation(reader, live, id, *newest, first)?,
            Query::Passage { id, at, from, to } => {
                let part = Part { id, at: *at, from: *from, to: to.unwrap_or(Seq::MAX) };
                View::Passage(passage::shown(reader, live, part)?)
            }
            Query::Search { text } => View::Search(search::found(reader, &live.beyond, text)?),
        })
    }

    /// What makes this view of nothing.
    pub(crate) fn snapshot(&self) -> Patch {
        match self {
            View::Connection(connection) => Patch::Connection { connection: connection.clone() },
            View::Inbox(rows) => Patch::Inbox { rows: Splice::all(rows) },
            View::Conversation { head, items } => {
                Patch::Conversation { head: head.clone(), items: Splice::all(items) }
            }
            View::Passage(passage) => passage.patch(passage.head.clone(), Splice::all(&passage.items)),
            View::Outbox(rows) => Patch::Outbox { rows: Splice::all(rows) },
            View::Search(found) => Patch::Search { found: found.clone() },
        }
    }

    /// What makes this view of `old`.
    pub(crate) fn since(&self, old: &View) -> Change {
        match (self, old) {
            (new, old) if new == old => Change::None,
            (View::Inbox(new), View::Inbox(old)) => {
                Splice::between(old, new).map_or(Change::None, |rows| Change::Patch(Patch::Inbox { rows }))
            }
            (View::Outbox(new), View::Outbox(old)) => {
                Splice::between(old, new).map_or(Change::None, |rows| Change::Patch(Patch::Outbox { rows }))
            }
            (
                View::Conversation { head: Some(head), items },
                View::Conversation { head: before, items: old },
            ) => Change::Patch(Patch::Conversation {
                head: (Some(head) != before.as_ref()).then(|| head.clone()),
                items: Splice::between(old, items).unwrap_or(Splice::none()),
            }),
            (View::Passage(new), View::Passage(old)) if new.head.is_some() => {
                let head = new.head.clone().filter(|_| new.head != old.head);
                let items = Splice::between(&old.items, &new.items).unwrap_or(Splice::none());
                Change::Patch(new.patch(head, items))
            }
            (View::Search(found), _) => Change::Patch(Patch::Search { found: found.clone() }),
            (View::Connection(connection), _) => {
                Change::Patch(Patch::Connection { connection: connection.clone() })
            }
            // A conversation that left the cache: no patch can say so.
            _ => Change::Anew,
        }
    }

    /// Keeps the line "New" where it was when the watch began.
    pub(crate) fn keep_read_upto(&mut self, first: Seq) {
        if let View::Conversation { head: Some(head), .. } = self {
            head.read_upto = first;
        }
    }

    /// The oldest entry that is shown.
    pub(crate) fn first(&self) -> Option<Seq> {
        let View::Conversation { items, .. } = self else { return None };
        Self::first_of(items)
    }

    fn first_of(items: &[Item]) -> Option<Seq> {
        items.iter().find_map(|item| match item {
            Item::Entry { entry } => Some(entry.seq),
            Item::Outgoing { .. } => None,
        })
    }

    /// Where the line "New" stands.
    pub(crate) fn read_upto(&self) -> Option<Seq> {
        match self {
            View::Conversation { head: Some(head), .. } => Some(head.read_upto),
            _ => None,
        }
    }
}

/// How a view follows another.
#[derive(Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "a change is made once and sent at once")]
pub(crate) enum Change {
    None,
    Patch(Patch),
    /// Only a new snapshot says it.
    Anew,
}

fn inbox(reader: Option<&Reader>, outbox: &[Outgoing]) -> Result<Vec<InboxRow>, StoreError> {
    let Some(reader) = reader else {
        return Ok(Vec::new());
    };
    let row = |row: bedside_store::InboxEntry| InboxRow {
        outgoing: most_telling(outbox, &row.conversation.id).cloned(),
        conversation: row.conversation,
        unread: row.unread,
        draft: row.draft,
    };
    Ok(reader.inbox()?.into_iter().map(row).collect())
}

/// The newest refused message of a conversation, or the newest that waits.
fn most_telling<'a>(outbox: &'a [Outgoing], id: &ConversationId) -> Option<&'a Outgoing> {
    let refused = |outgoing: &&Outgoing| matches!(outgoing.state, OutgoingState::Refused { .. });
    outbox.iter().filter(|outgoing| outgoing.conversation == *id).max_by_key(refused)
}

fn conversation(
    reader: Option<&Reader>,
    live: &Live,
    id: &ConversationId,
    newest: u32,
    first: Option<Seq>,
) -> Result<View, StoreError> {
    let found = match reader {
        Some(reader) => reader.conversation(id, newest, first)?,
        None => None,
    };
    let Some(mut found) = found else {
        return Ok(View::Conversation { head: None, items: Vec::new() });
    };
    let mine = outgoing_items(&found, id, live);
    let mut items: Vec<_> =
        std::mem::take(&mut found.entries).into_iter().map(|entry| Item::Entry { entry }).collect();
    let first = View::first_of(&items);
    items.extend(mine);
    let older = first.is_some_and(|first| Seq::new(1) < first);
    Ok(View::Conversation { head: Some(ConversationHead { older, ..head(found, live) }), items })
}

/// What stands around the messages of a conversation that is shown from its newest entry on.
pub(crate) fn head(found: CachedConversation, live: &Live) -> ConversationHead {
    let loaded_upto = found.range.map_or(Seq::ZERO, |range| range.hi);
    ConversationHead {
        older: false,
        newer: false,
        kept: true,
        catching_up: loaded_upto < found.conversation.head,
        typing: live.typing.get(&found.conversation.id).cloned(),
        draft: found.draft.text,
        cursor: found.draft.cursor,
        files: found.files,
        read_upto: found.read_upto,
        loaded_upto,
        conversation: found.conversation,
    }
}

/// A conversation's messages that the log doesn't hold.
pub(crate) fn outgoing_items(found: &CachedConversation, id: &ConversationId, live: &Live) -> Vec<Item> {
    let mine = found.outbox.iter().filter(|row| row.send.conversation == *id);
    mine.map(|row| Item::Outgoing { outgoing: outgoing(row, live) }).collect()
}

fn outgoing(row: &OutboxRow, live: &Live) -> Outgoing {
    let now = live.sending.get(&row.send.id).map_or(row.state, |(_, state)| *state);
    let state = match now {
        OutboxState::Refused(code) => OutgoingState::Refused { code, retry: code.retry() },
        OutboxState::Sending => OutgoingState::Sending,
        OutboxState::Uploading => {
            OutgoingState::Uploading { sent: live.uploads.get(&row.send.id).copied().unwrap_or_default() }
        }
        OutboxState::Waiting if row.attempts == 0 && row.hold_until != Time::ZERO => {
            OutgoingState::Held { until: row.hold_until }
        }
        OutboxState::Waiting => OutgoingState::Waiting { recallable: !row.may_have_been_sent() },
    };
    Outgoing {
        id: row.send.id,
        conversation: row.send.conversation.clone(),
        body: row.send.body.clone(),
        at: row.at,
        seen: row.send.seen,
        state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Account, Keeper, Link, Vault};
    use bedside_engine::{Change as Sync, Range};
    use bedside_protocol::*;
    use bedside_store::{Cache, Files, Key, Keys, Write};
    use std::collections::BTreeSet;

    /// A message goes from the outbox to the log in one commit: a view shows it here or there, and never twice.
    #[test]
    fn a_message_stands_once_in_every_view() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys { cache: Key::new([7; 32]), kept: Key::new([9; 32]) };
        let files = Files::new(dir.path(), keys);
        let mut cache = Cache::open(&files, "d").unwrap();
        let reader = Reader::open(&files).unwrap();
        let id = ConversationId::new("c").unwrap();
        let user = |id: &str| UserId::new(id).unwrap();
        let me = Me {
            id: user("me"),
            name: "M".into(),
            role: Role::Provider,
            clinic: ClinicId::new("r").unwrap(),
        };
        let patient = Patient { id: user("p"), name: "P".into(), born: None, extra: Extra::new() };
        let live = Live {
            account: Some(Account { me: me.clone(), server: String::new(), limits: Limits::default() }),
            vault: Vault::Open { keeper: Keeper::Nothing, opener: None, idle_minutes: 0 },
            ..Live::signed_out(Link::SignedOut)
        };
        let query = Query::Conversation { id: id.clone(), newest: 200 };
        let writer = {
            let id = id.clone();
            std::thread::spawn(move || {
                for n in 1..=3_000 {
                    let (seq, entry_id) = (Seq::new(n), EntryId::from_parts(Time::new(n), [1; 10]));
                    let body = Body::text(format!("{n}"));
                    let send = Send {
                        id: entry_id,
                        conversation: id.clone(),
                        seen: Seq::ZERO,
                        body: body.clone(),
                        from: None,
                        force: false,
                    };
                    let row = OutboxRow {
                        place: 1,
                        send,
                        at: Time::new(n),
                        hold_until: Time::ZERO,
                        attempts: 1,
                        state: OutboxState::Waiting,
                    };
                    let entry = Entry {
                        conversation: id.clone(),
                        seq,
                        rev: Rev::new(n),
                        id: entry_id,
                        at: Time::new(n),
                        author: Author {
                            id: me.id.clone(),
                            role: Role::Provider,
                            name: "M".into(),
                            extra: Extra::new(),
                        },
                        preview: body.preview(),
                        body,
                        from: None,
                        prev: None,
                        extra: Extra::new(),
                    };
                    let summary = Conversation {
                        head: seq,
                        ..Conversation::new(id.clone(), Rev::new(n), patient.clone())
                    };
                    let range = Range::new(Seq::new(1), seq).unwrap();
                    let entries = Sync::Entries { conversation: id.clone(), range, entries: vec![entry] };
                    for changes in [
                        vec![Sync::Outbox(row)],
                        vec![Sync::Summary(summary), entries, Sync::OutboxDone(entry_id)],
                    ] {
                        let writes: Vec<_> = changes.into_iter().map(Write::Sync).collect();
                        cache.commit([writes.as_slice()]).unwrap();
                    }
                }
            })
        };
        while !writer.is_finished() {
            let View::Conversation { items, .. } = View::new(&query, Some(&reader), &live, None).unwrap()
            else {
                unreachable!()
            };
            let mut ids = BTreeSet::new();
            for item in &items {
                let id = match item {
                    Item::Entry { entry } => entry.id,
                    Item::Outgoing { outgoing } => outgoing.id,
                };
                assert!(ids.insert(id), "{id} stands twice among {} items", items.len());
            }
        }
        writer.join().unwrap();
    }
}
