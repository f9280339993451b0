//! Reading the cache.

use crate::{Account, Draft, Files, StoreError, parse};
use bedside_engine::{Cached, OutboxRow, OutboxState, Range, Snapshot};
use bedside_protocol::{Conversation, ConversationId, Entry, EntryId, Epoch, File, Rev, Seq, Time};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::time::{Duration, Instant};

/// When the server was last reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// When; none if never.
    pub at: Option<Time>,
    /// The latest that the clock has shown.
    pub clock: Time,
}

/// A row of the inbox as the cache has it.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxEntry {
    /// The summary.
    pub conversation: Conversation,
    /// The patient's entries after what one has read, as far as they are here.
    pub unread: u32,
    /// Whether a draft is kept.
    pub draft: bool,
}

/// A conversation as the cache has it.
#[derive(Clone, Debug, PartialEq)]
pub struct CachedConversation {
    /// The summary.
    pub conversation: Conversation,
    /// What of its log is here.
    pub range: Option<Range>,
    /// What is typed and not sent.
    pub draft: Draft,
    /// What is attached to it.
    pub files: Vec<File>,
    /// How far one has read.
    pub read_upto: Seq,
    /// What was asked for of its entries, oldest first.
    pub entries: Vec<Entry>,
    /// The outbox at the same moment.
    pub outbox: Vec<OutboxRow>,
}

impl CachedConversation {
    /// One of which nothing is here but its summary.
    pub fn unkept(conversation: Conversation) -> Self {
        let (draft, files, entries, outbox) = Default::default();
        Self { conversation, range: None, draft, files, read_upto: Seq::ZERO, entries, outbox }
    }
}

/// From here on a read is noted: two frames and a half of a display.
const SLOW: Duration = Duration::from_millis(40);

/// A read-only connection. What it returns in one call is one moment's state.
#[derive(Debug)]
pub struct Reader {
    pub(crate) connection: Connection,
}

impl Reader {
    /// Opens the cache for reading; a writer must have made it.
    pub fn open(files: &Files) -> Result<Self, StoreError> {
        Ok(Self { connection: files.readable()? })
    }

    /// Reads a database that somebody else opened. A benchmark compares the cache with a copy of it that isn't encrypted.
    #[doc(hidden)]
    pub fn on(connection: Connection) -> Self {
        Self { connection }
    }

    /// Does a read, and notes one that takes long enough to be felt: by its name, never by what it looked for.
    pub(crate) fn timed<T>(&self, name: &str, read: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let outcome = read();
        let took = start.elapsed();
        if SLOW < took {
            tracing::warn!(
                query = name,
                ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                "a slow query"
            );
        }
        outcome
    }

    /// This device's id.
    pub fn device(&self) -> Result<String, StoreError> {
        Ok(self.connection.query_row("SELECT id FROM device", [], |row| row.get(0))?)
    }

    /// When the server was last reached.
    pub fn reached(&self) -> Result<Reached, StoreError> {
        Ok(self.connection.query_row("SELECT reached, clock FROM device", [], |row| {
            let (at, clock) = (Time::new(number(row, 0)?), Time::new(number(row, 1)?));
            Ok(Reached { at: Some(at).filter(|at| *at != Time::ZERO), clock })
        })?)
    }

    /// What the cache weighs, in bytes, without what has become free in it.
    pub fn weight(&self) -> Result<u64, StoreError> {
        let pragma = |name| self.connection.pragma_query_value(None, name, |row| number(row, 0));
        let used = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
        Ok(used * pragma("page_size")?)
    }

    /// Whose cache this is, if anybody's.
    pub fn account(&self) -> Result<Option<Account>, StoreError> {
        let row = self.connection.query_row("SELECT server, token, me, limits FROM account", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
        });
        let Some((server, token, me, limits)) = row.optional()? else {
            return Ok(None);
        };
        Ok(Some(Account { server, token, me: parse(&me)?, limits: parse(&limits)? }))
    }

    /// What the engine starts from.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.timed("snapshot", || self.snapshot_now())
    }

    fn snapshot_now(&self) -> Result<Snapshot, StoreError> {
        let transaction = self.connection.unchecked_transaction()?;
        let (cursor, epoch) = transaction.query_row("SELECT cursor, epoch FROM device", [], |row| {
            Ok((number(row, 0)?, row.get::<_, Option<String>>(1)?))
        })?;
        let epoch = epoch.map(Epoch::new).transpose()?;
        let mut snapshot = Snapshot { cursor: Rev::new(cursor), epoch, ..Snapshot::default() };
        let mut rows = transaction.prepare("SELECT head, lo, hi, summary FROM conversation")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let conversation: Conversation = parse(&row.get::<_, String>(3)?)?;
            let cached = Cached {
                rev: conversation.rev,
                head: Seq::new(number(row, 0)?),
                range: range(row, 1, 2)?,
                closed: conversation.closed_since(),
                assigned: conversation.assigned,
                read: conversation.read,
            };
            snapshot.conversations.insert(conversation.id, cached);
        }
        let mut rows = transaction.prepare("SELECT conversation, upto FROM own_read")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            snapshot.reads.insert(ConversationId::new(row.get::<_, String>(0)?)?, Seq::new(number(row, 1)?));
        }
        snapshot.outbox = self.outbox()?;
        Ok(snapshot)
    }

    /// All conversations: who waits longest first, then the others, the newest first.
    pub fn inbox(&self) -> Result<Vec<InboxEntry>, StoreError> {
        self.timed("inbox", || self.inbox_now())
    }

    fn inbox_now(&self) -> Result<Vec<InboxEntry>, StoreError> {
        let mut rows = self.connection.prepare_cached(
            "SELECT summary, unread, EXISTS (SELECT 1 FROM draft WHERE draft.conversation = conversation.id)
             FROM conversation ORDER BY waiting_since IS NULL, waiting_since, last_at DESC, id",
        )?;
        let mut rows = rows.query([])?;
        let mut inbox = Vec::new();
        while let Some(row) = rows.next()? {
            let conversation = parse(&row.get::<_, String>(0)?)?;
            inbox.push(InboxEntry { conversation, unread: row.get(1)?, draft: row.get(2)? });
        }
        Ok(inbox)
    }

    /// One conversation with its `newest` newest entries, and those before them from `first` on; `None` if the cache
    /// doesn't know it.
    pub fn conversation(
        &self,
        id: &ConversationId,
        newest: u32,
        first: Option<Seq>,
    ) -> Result<Option<CachedConversation>, StoreError> {
        self.timed("conversation", || {
            self.conversation_now(id, |range| {
                // Within the range that is here, places are dense.
                let tail = range.map_or(Seq::ZERO, |range| range.hi.next().minus(newest.into()));
                (first.map_or(tail, |first| first.min(tail)), Seq::MAX)
            })
        })
    }

    /// One conversation with what is here of `from..=to`; `None` if the cache doesn't know it.
    pub fn part(
        &self,
        id: &ConversationId,
        from: Seq,
        to: Seq,
    ) -> Result<Option<CachedConversation>, StoreError> {
        self.timed("part of a conversation", || self.conversation_now(id, |_| (from, to)))
    }

    /// Whether an entry is here.
    pub fn holds(&self, id: EntryId) -> Result<bool, StoreError> {
        let mut there = self.connection.prepare_cached("SELECT 1 FROM entry WHERE id = ?1")?;
        Ok(there.exists([id.to_string()])?)
    }

    /// Whether an entry that is here takes this one back.
    pub fn is_taken_back(&self, id: EntryId) -> Result<bool, StoreError> {
        let mut back = self
            .connection
            .prepare_cached("SELECT 1 FROM entry WHERE amends = ?1 AND entry ->> '$.body.text' IS NULL")?;
        Ok(back.exists([id.to_string()])?)
    }

    /// Whether an entry that is here replaces this one or takes it back.
    pub fn is_amended(&self, id: EntryId) -> Result<bool, StoreError> {
        let mut later = self.connection.prepare_cached("SELECT 1 FROM entry WHERE amends = ?1")?;
        Ok(later.exists([id.to_string()])?)
    }

    fn conversation_now(
        &self,
        id: &ConversationId,
        wanted: impl FnOnce(Option<Range>) -> (Seq, Seq),
    ) -> Result<Option<CachedConversation>, StoreError> {
        let transaction = self.connection.unchecked_transaction()?;
        let found = transaction
            .prepare_cached(
                "SELECT summary, lo, hi,
                        coalesce(text, ''), coalesce(cursor, 0), coalesce(files, '[]'),
                        coalesce((SELECT upto FROM own_read WHERE own_read.conversation = conversation.id), 0),
                        coalesce((SELECT each.value FROM account, json_each(summary, '$.read') AS each
                                  WHERE each.key = account.me ->> 'id'), 0)
                 FROM conversation LEFT JOIN draft ON draft.conversation = conversation.id WHERE conversation.id = ?1",
            )?
            .query_row([id.as_str()], |row| {
                let read_upto = number(row, 6)?.max(number(row, 7)?);
                let draft = Draft { text: row.get(3)?, cursor: row.get(4)? };
                let files = row.get::<_, String>(5)?;
                Ok((row.get::<_, String>(0)?, range(row, 1, 2)?, draft, files, read_upto))
            })
            .optional()?;
        let Some((summary, range, draft, files, read_upto)) = found else {
            return Ok(None);
        };
        let (from, to) = wanted(range);
        let mut rows = transaction.prepare_cached(
            "SELECT entry FROM entry WHERE conversation = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq",
        )?;
        let [from, to] = [from, to].map(|seq| i64::try_from(seq.get()).unwrap_or(i64::MAX));
        let mut rows = rows.query(params![id.as_str(), from, to])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(parse(&row.get::<_, String>(0)?)?);
        }
        let (conversation, files) = (parse(&summary)?, parse(&files)?);
        let outbox = self.outbox()?;
        let read_upto = Seq::new(read_upto);
        Ok(Some(CachedConversation { conversation, range, draft, files, read_upto, entries, outbox }))
    }

    /// What waits or was refused, in the order in which it was written.
    pub fn outbox(&self) -> Result<Vec<OutboxRow>, StoreError> {
        self.timed("outbox", || self.outbox_now())
    }

    fn outbox_now(&self) -> Result<Vec<OutboxRow>, StoreError> {
        let mut rows = self.connection.prepare_cached(
            "SELECT place, send, at, attempts, refused, hold_until FROM outbox ORDER BY place",
        )?;
        let mut rows = rows.query([])?;
        let mut outbox = Vec::new();
        while let Some(row) = rows.next()? {
            let state = match row.get::<_, Option<String>>(4)? {
                None => OutboxState::Waiting,
                Some(code) => OutboxState::Refused(parse(&code)?),
            };
            outbox.push(OutboxRow {
                place: number(row, 0)?,
                send: parse(&row.get::<_, String>(1)?)?,
                at: Time::new(number(row, 2)?),
                hold_until: Time::new(number(row, 5)?),
                attempts: row.get(3)?,
                state,
            });
        }
        Ok(outbox)
    }

    /// Reads all of the file, and fails if some of it is damaged. Takes seconds for a large one.
    pub fn check(&self) -> Result<(), StoreError> {
        let verdict: String = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict == "ok" { Ok(()) } else { Err(StoreError::Corrupt) }
    }

    /// All entries that are here, by conversation and place: to compare with another log.
    pub fn log(&self) -> Result<Vec<Entry>, StoreError> {
        let mut rows = self.connection.prepare("SELECT entry FROM entry ORDER BY conversation, seq")?;
        let mut rows = rows.query([])?;
        let mut log = Vec::new();
        while let Some(row) = rows.next()? {
            log.push(parse(&row.get::<_, String>(0)?)?);
        }
        Ok(log)
    }
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or(0))
}

fn range(row: &Row<'_>, lo: usize, hi: usize) -> rusqlite::Result<Option<Range>> {
    Ok(Range::new(Seq::new(number(row, lo)?), Seq::new(number(row, hi)?)))
}
