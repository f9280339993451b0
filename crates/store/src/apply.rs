//! Writes as SQL.

use crate::{Account, Draft, StoreError, Topic, Write, attachment};
use bedside_engine::{Change, OutboxRow, OutboxState, Range};
use bedside_protocol::{Amend, Body, Conversation, ConversationId, Entry, Rev, Role, Time};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};

/// Revs of which a search knows the earliest time; the migration that began with it says so too.
pub(crate) const SPAN: i64 = 1024;

/// What a transaction holds back until its end, since only the last of it counts: it saves most of the statements of
/// a flood.
pub(crate) struct Batch<'a> {
    transaction: &'a Transaction<'a>,
    cursor: Option<Rev>,
    held: BTreeMap<ConversationId, Held>,
    /// The earliest time of new entries, by their revs' span.
    spans: BTreeMap<i64, i64>,
    /// Conversations of which somebody may have read more.
    marked: BTreeSet<ConversationId>,
    /// Conversations that went in this transaction: a summary that follows brings one back.
    purged: BTreeSet<ConversationId>,
    /// A draft or a message may have gone: files that nothing names any more go too.
    loose_files: bool,
    /// Bytes of files went.
    swept: bool,
}

/// What of a conversation's log is here, and how much of it is unread.
struct Held {
    lo: i64,
    hi: i64,
    counted_from: i64,
    unread: i64,
}

impl<'a> Batch<'a> {
    /// Begins with the newest summary of each conversation, on which the rest of the writes may build.
    pub(crate) fn begin(
        transaction: &'a Transaction<'a>,
        writes: impl Iterator<Item = &'a Write>,
    ) -> Result<Self, StoreError> {
        let mut newest: BTreeMap<&ConversationId, &Conversation> = BTreeMap::new();
        for write in writes {
            if let Write::Sync(Change::Summary(summary)) = write
                && newest.get(&summary.id).is_none_or(|known| known.rev < summary.rev)
            {
                newest.insert(&summary.id, summary);
            }
        }
        for summary in newest.values() {
            set_summary(transaction, summary)?;
        }
        let marked = newest.into_keys().cloned().collect();
        Ok(Self {
            transaction,
            cursor: None,
            held: BTreeMap::new(),
            spans: BTreeMap::new(),
            marked,
            purged: BTreeSet::new(),
            loose_files: false,
            swept: false,
        })
    }

    /// Applies `writes` in their order and says what they touch.
    pub(crate) fn apply(&mut self, writes: &[Write]) -> Result<BTreeSet<Topic>, StoreError> {
        let mut topics = BTreeSet::new();
        for write in writes {
            match write {
                Write::Account(account) => {
                    set_account(self.transaction, account)?;
                    topics.insert(Topic::Account);
                }
                Write::Draft(id, draft) => {
                    self.loose_files = true;
                    set_draft(self.transaction, id, draft)?;
                    topics.insert(Topic::Conversation(id.clone()));
                }
                Write::Attach(id, file, bytes) => {
                    attachment::keep(self.transaction, file, bytes)?;
                    attachment::change_draft(self.transaction, id, |files| {
                        if files.iter().all(|there| there.sha256 != file.sha256) {
                            files.push(file.clone());
                        }
                    })?;
                    topics.insert(Topic::Conversation(id.clone()));
                }
                Write::Detach(id, sha256) => {
                    self.loose_files = true;
                    attachment::change_draft(self.transaction, id, |files| {
                        files.retain(|file| file.sha256 != *sha256);
                    })?;
                    topics.insert(Topic::Conversation(id.clone()));
                }
                Write::Fetched(entry, sha256, bytes, now) => {
                    attachment::fetched(self.transaction, *entry, sha256, bytes, *now)?;
                }
                Write::ShrinkFiles(most) => attachment::shrink(self.transaction, *most)?,
                Write::Reached(at) => {
                    self.transaction
                        .prepare_cached("UPDATE device SET reached = ?1, clock = ?1")?
                        .execute([number(at.millis())])?;
                }
                Write::Clock(now) => {
                    self.transaction
                        .prepare_cached("UPDATE device SET clock = max(clock, ?1)")?
                        .execute([number(now.millis())])?;
                }
                Write::Sync(change) => self.change(change, &mut topics)?,
            }
        }
        Ok(topics)
    }

    fn change(&mut self, change: &Change, topics: &mut BTreeSet<Topic>) -> Result<(), StoreError> {
        let transaction = self.transaction;
        match change {
            Change::Cursor(rev) => self.cursor = Some(*rev),
            Change::Epoch(epoch) => {
                transaction.prepare_cached("UPDATE device SET epoch = ?1")?.execute([epoch.as_str()])?;
            }
            Change::Summary(summary) => {
                if self.purged.contains(&summary.id) {
                    set_summary(transaction, summary)?;
                }
                topics.insert(Topic::Conversation(summary.id.clone()));
            }
            Change::Entries { conversation, range, entries } => {
                self.add_entries(conversation, *range, entries)?;
                topics.insert(Topic::Conversation(conversation.clone()));
            }
            Change::Forget(conversation) => {
                transaction
                    .prepare_cached(
                        "DELETE FROM found WHERE rowid IN (SELECT rev FROM entry WHERE conversation = ?1)",
                    )?
                    .execute([conversation.as_str()])?;
                transaction
                    .prepare_cached("DELETE FROM entry WHERE conversation = ?1")?
                    .execute([conversation.as_str()])?;
                attachment::forget(transaction, conversation, 0)?;
                let held = self.held(conversation)?;
                (held.lo, held.hi, held.unread) = (0, 0, 0);
            }
            Change::Trim(conversation, lo) => {
                let before = params![conversation.as_str(), number(lo.get())];
                transaction
                    .prepare_cached(
                        "DELETE FROM found WHERE rowid IN
                            (SELECT rev FROM entry WHERE conversation = ?1 AND seq < ?2)",
                    )?
                    .execute(before)?;
                let counted_from = self.held(conversation)?.counted_from;
                let unread: i64 = transaction
                    .prepare_cached(
                        "SELECT count(*) FROM entry WHERE conversation = ?1 AND seq < ?2 AND by_patient AND ?3 < seq",
                    )?
                    .query_row(params![conversation.as_str(), number(lo.get()), counted_from], |row| row.get(0))?;
                transaction
                    .prepare_cached("DELETE FROM entry WHERE conversation = ?1 AND seq < ?2")?
                    .execute(before)?;
                attachment::forget(transaction, conversation, number(lo.get()))?;
                let held = self.held(conversation)?;
                (held.lo, held.unread) = (number(lo.get()), held.unread - unread);
                topics.insert(Topic::Conversation(conversation.clone()));
            }
            Change::Purge(conversation) => {
                self.change(&Change::Forget(conversation.clone()), topics)?;
                self.held.remove(conversation);
                self.purged.insert(conversation.clone());
                transaction
                    .prepare_cached(
                        "DELETE FROM patient_found WHERE rowid IN (SELECT number FROM conversation WHERE id = ?1)",
                    )?
                    .execute([conversation.as_str()])?;
                transaction
                    .prepare_cached("DELETE FROM conversation WHERE id = ?1")?
                    .execute([conversation.as_str()])?;
                topics.insert(Topic::Conversation(conversation.clone()));
            }
            Change::Read(conversation, upto) => {
                transaction
                    .prepare_cached(
                        "INSERT INTO own_read VALUES (?1, ?2)
                         ON CONFLICT DO UPDATE SET upto = max(upto, excluded.upto)",
                    )?
                    .execute(params![conversation.as_str(), number(upto.get())])?;
                self.marked.insert(conversation.clone());
                topics.insert(Topic::Conversation(conversation.clone()));
            }
            Change::Outbox(row) => {
                set_outbox_row(transaction, row)?;
                topics.extend([Topic::Outbox, Topic::Conversation(row.send.conversation.clone())]);
            }
            Change::DraftBack(id, Body::File(file)) => {
                attachment::change_draft(transaction, id, |files| {
                    files.retain(|there| there.sha256 != file.sha256);
                    files.insert(0, file.clone());
                })?;
            }
            Change::DraftBack(id, body) => {
                let text = body.words().unwrap_or_default();
                transaction
                    .prepare_cached(
                        "INSERT INTO draft (conversation, text, cursor) VALUES (?1, ?2, ?3)
                         ON CONFLICT DO UPDATE SET cursor = excluded.cursor,
                             text = excluded.text || CASE text WHEN '' THEN '' ELSE char(10) || text END",
                    )?
                    .execute(params![id.as_str(), text, length(text)])?;
            }
            Change::DraftSent(id) => {
                self.loose_files = true;
                attachment::sent(transaction, id)?;
                set_draft(transaction, id, &Draft::default())?;
            }
            Change::OutboxDone(id) => {
                self.loose_files = true;
                attachment::settled(transaction, *id)?;
                let conversation: Option<String> = transaction
                    .prepare_cached("DELETE FROM outbox WHERE id = ?1 RETURNING conversation")?
                    .query_map([id.to_string()], |row| row.get(0))?
                    .next()
                    .transpose()?;
                if let Some(conversation) = conversation {
                    topics.extend([Topic::Outbox, Topic::Conversation(ConversationId::new(conversation)?)]);
                }
            }
        }
        Ok(())
    }

    fn held(&mut self, conversation: &ConversationId) -> Result<&mut Held, StoreError> {
        Ok(match self.held.entry(conversation.clone()) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => {
                let held = self
                    .transaction
                    .prepare_cached("SELECT lo, hi, counted_from, unread FROM conversation WHERE id = ?1")?
                    .query_row([conversation.as_str()], |row| {
                        let (lo, hi) = (row.get(0)?, row.get(1)?);
                        Ok(Held { lo, hi, counted_from: row.get(2)?, unread: row.get(3)? })
                    })
                    .optional()?;
                slot.insert(held.unwrap_or(Held { lo: 0, hi: 0, counted_from: 0, unread: 0 }))
            }
        })
    }

    fn add_entries(
        &mut self,
        conversation: &ConversationId,
        range: Range,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        // An entry that is there is there for good: the same place and id again changes nothing. Another id in its
        // place, or its id in another place, is a broken server, and fails the transaction.
        let transaction = self.transaction;
        let mut insert = transaction.prepare_cached(
            "INSERT INTO entry (conversation, seq, id, by_patient, entry, rev, amends) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE SET seq = seq
             WHERE conversation = excluded.conversation AND seq = excluded.seq",
        )?;
        let mut swept = false;
        for entry in entries {
            let at = number(entry.at.millis());
            let oldest = self.spans.entry(number(entry.rev.get()) / SPAN).or_insert(at);
            *oldest = at.min(*oldest);
        }
        let held = self.held(conversation)?;
        for entry in entries {
            let by_patient = entry.author.role == Role::Patient;
            let seq = number(entry.seq.get());
            let amends = entry.body.amends();
            if let Body::Amend(Amend { target, text: None, .. }) = &entry.body {
                swept |= attachment::taken_back(transaction, *target)?;
            }
            let there = insert.execute(params![
                conversation.as_str(),
                seq,
                entry.id.to_string(),
                by_patient,
                serde_json::to_string(entry)?,
                number(entry.rev.get()),
                amends.map(|target| target.to_string()),
            ])?;
            if let Some(target) = amends {
                transaction
                    .prepare_cached("UPDATE entry SET indexed = 0 WHERE id = ?1 OR amends = ?1")?
                    .execute([target.to_string()])?;
            }
            if there != 1 {
                return Err(StoreError::Contradiction);
            }
            // What is held has no holes, so that what lies within it was there before.
            let new = !(held.lo..=held.hi).contains(&seq);
            held.unread += i64::from(new && by_patient && held.counted_from < seq);
        }
        (held.lo, held.hi) = (number(range.lo.get()), number(range.hi.get()));
        self.swept |= swept;
        Ok(())
    }

    /// Writes what was held back; says whether bytes of files went.
    pub(crate) fn finish(self) -> Result<bool, StoreError> {
        let transaction = self.transaction;
        for (conversation, held) in &self.held {
            transaction
                .prepare_cached(
                    "UPDATE conversation SET lo = ?2, hi = ?3, head = max(head, ?3), unread = ?4,
                         since = iif(lo = ?2, since, coalesce(
                             (SELECT entry ->> 'at' FROM entry WHERE conversation = ?1 AND seq = ?2), 0))
                     WHERE id = ?1",
                )?
                .execute(params![conversation.as_str(), held.lo, held.hi, held.unread])?;
        }
        for span in &self.spans {
            transaction
                .prepare_cached(
                    "INSERT INTO span VALUES (?1, ?2) ON CONFLICT DO UPDATE SET oldest = min(oldest, excluded.oldest)",
                )?
                .execute(span)?;
        }
        for conversation in &self.marked {
            count_anew_if_read(transaction, conversation)?;
        }
        let swept = self.loose_files && attachment::sweep(transaction)?;
        let swept = swept || self.swept;
        if let Some(rev) = self.cursor {
            transaction.prepare_cached("UPDATE device SET cursor = ?1")?.execute([number(rev.get())])?;
        }
        Ok(swept)
    }
}

fn set_account(transaction: &Transaction<'_>, account: &Account) -> Result<(), StoreError> {
    transaction.execute(
        "INSERT OR REPLACE INTO account VALUES (1, ?1, ?2, ?3, ?4)",
        params![
            account.server,
            account.token,
            serde_json::to_string(&account.me)?,
            serde_json::to_string(&account.limits)?
        ],
    )?;
    Ok(())
}

fn set_draft(transaction: &Transaction<'_>, id: &ConversationId, draft: &Draft) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO draft (conversation, text, cursor) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET text = excluded.text, cursor = excluded.cursor",
        )?
        .execute(params![id.as_str(), draft.text, draft.cursor])?;
    Ok(())
}

fn set_summary(transaction: &Transaction<'_>, conversation: &Conversation) -> Result<(), StoreError> {
    let last_at = conversation.last.as_ref().map_or(0, |last| number(last.at.millis()));
    let name = &conversation.patient.name;
    let unnamed: Option<(i64, bool)> = transaction
        .prepare_cached(
            "INSERT INTO conversation (id, rev, head, lo, hi, waiting_since, last_at, unread, summary, number)
             VALUES (?1, ?2, ?3, 0, 0, ?4, ?5, 0, ?6, (SELECT coalesce(max(number), 0) + 1 FROM conversation))
             ON CONFLICT DO UPDATE SET rev = excluded.rev, head = max(head, excluded.head),
                 waiting_since = excluded.waiting_since, last_at = excluded.last_at, summary = excluded.summary
             WHERE rev < excluded.rev
             RETURNING number, named <> ?7",
        )?
        .query_row(
            params![
            conversation.id.as_str(),
            number(conversation.rev.get()),
            number(conversation.head.get()),
            conversation.waiting_since.map(Time::millis).map(number),
            last_at,
            serde_json::to_string(conversation)?,
            name,
        ], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((row, true)) = unnamed {
        transaction.prepare_cached("DELETE FROM patient_found WHERE rowid = ?1")?.execute([row])?;
        transaction
            .prepare_cached("INSERT INTO patient_found (rowid, name) VALUES (?1, ?2)")?
            .execute(params![row, name])?;
        transaction
            .prepare_cached("UPDATE conversation SET named = ?2 WHERE number = ?1")?
            .execute(params![row, name])?;
    }
    Ok(())
}

fn set_outbox_row(transaction: &Transaction<'_>, row: &OutboxRow) -> Result<(), StoreError> {
    let refused = match row.state {
        OutboxState::Waiting | OutboxState::Uploading | OutboxState::Sending => None,
        OutboxState::Refused(code) => Some(serde_json::to_string(&code)?),
    };
    transaction
        .prepare_cached(
            // Another message in its place fails: it must never be written over.
            "INSERT INTO outbox (place, id, conversation, send, at, attempts, refused, hold_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO UPDATE SET place = excluded.place, send = excluded.send, attempts = excluded.attempts,
                 refused = excluded.refused, hold_until = excluded.hold_until",
        )?
        .execute(params![
            number(row.place),
            row.send.id.to_string(),
            row.send.conversation.as_str(),
            serde_json::to_string(&row.send)?,
            number(row.at.millis()),
            row.attempts,
            refused,
            number(row.hold_until.millis()),
        ])?;
    Ok(())
}

/// Counts the patient's entries after what one has read, here or on another device, if that has changed.
fn count_anew_if_read(
    transaction: &Transaction<'_>,
    conversation: &ConversationId,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "WITH mark (upto) AS (SELECT max(
                 coalesce((SELECT upto FROM own_read WHERE own_read.conversation = ?1), 0),
                 coalesce((SELECT each.value FROM account, conversation, json_each(summary, '$.read') AS each
                           WHERE conversation.id = ?1 AND each.key = account.me ->> 'id'), 0)))
             UPDATE conversation SET counted_from = mark.upto, unread = (
                 SELECT count(*) FROM entry
                 WHERE entry.conversation = ?1 AND by_patient AND seq > mark.upto)
             FROM mark WHERE id = ?1 AND counted_from <> mark.upto",
        )?
        .execute([conversation.as_str()])?;
    Ok(())
}

/// In UTF-16 units.
fn length(text: &str) -> i64 {
    i64::try_from(text.encode_utf16().count()).unwrap_or(i64::MAX)
}

/// The wire's numbers are below 2^53, so SQLite's signed ones hold them.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
