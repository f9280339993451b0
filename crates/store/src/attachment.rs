//! The bytes of files. One's own, until their messages are in the log, are among what only this computer knows; those that
//! were fetched can be fetched again, and the oldest of them go when room is short.

use crate::{Reader, StoreError, parse};
use bedside_protocol::{Body, ConversationId, Entry, EntryId, File, Send, Time};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

/// Which file of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOf {
    /// The one of this entry, or of a message on its way.
    Message(EntryId),
    /// The one of this digest, attached to the draft.
    Draft(String),
}

/// Keeps the bytes of a file that a draft or a message names.
pub(crate) fn keep(transaction: &Transaction<'_>, file: &File, bytes: &[u8]) -> Result<(), StoreError> {
    transaction
        .prepare_cached("INSERT OR IGNORE INTO own_file (sha256, bytes) VALUES (?1, ?2)")?
        .execute(params![file.sha256, bytes])?;
    Ok(())
}

/// Changes what is attached to a conversation's draft.
pub(crate) fn change_draft(
    transaction: &Transaction<'_>,
    id: &ConversationId,
    change: impl FnOnce(&mut Vec<File>),
) -> Result<(), StoreError> {
    let files: Option<String> = transaction
        .prepare_cached("SELECT files FROM draft WHERE conversation = ?1")?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()?;
    let mut files: Vec<File> = files.map(|files| parse(&files)).transpose()?.unwrap_or_default();
    change(&mut files);
    transaction
        .prepare_cached(
            "INSERT INTO draft (conversation, text, cursor, files) VALUES (?1, '', 0, ?2)
             ON CONFLICT DO UPDATE SET files = excluded.files",
        )?
        .execute([id.as_str(), &serde_json::to_string(&files)?])?;
    Ok(())
}

/// Takes off a draft what waits to be sent.
pub(crate) fn sent(transaction: &Transaction<'_>, id: &ConversationId) -> Result<(), StoreError> {
    let mut waiting = transaction.prepare_cached(
        "SELECT send ->> '$.body.sha256' FROM outbox WHERE conversation = ?1 AND send ->> '$.body.kind' = 'file'",
    )?;
    let waiting = waiting.query_map([id.as_str()], |row| row.get::<_, String>(0))?;
    let waiting = waiting.collect::<Result<Vec<_>, _>>()?;
    change_draft(transaction, id, |files| files.retain(|file| !waiting.contains(&file.sha256)))
}

/// A message's entry is here: its bytes stay, as if they had been fetched.
pub(crate) fn settled(transaction: &Transaction<'_>, id: EntryId) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO fetched_file (conversation, sha256, at, bytes)
             SELECT outbox.conversation, sha256, at, bytes FROM outbox
             JOIN own_file ON sha256 = send ->> '$.body.sha256'
             WHERE outbox.id = ?1 AND EXISTS (SELECT 1 FROM entry WHERE entry.id = outbox.id)
                 AND NOT EXISTS (SELECT 1 FROM entry AS later WHERE later.amends = outbox.id)",
        )?
        .execute([id.to_string()])?;
    Ok(())
}

/// Forgets empty drafts, and the bytes that no draft and no message names any more; says whether there were such.
pub(crate) fn sweep(transaction: &Transaction<'_>) -> Result<bool, StoreError> {
    transaction.prepare_cached("DELETE FROM draft WHERE text = '' AND files = '[]'")?.execute([])?;
    let swept = transaction
        .prepare_cached(
            "DELETE FROM own_file WHERE sha256 NOT IN (
                 SELECT send ->> '$.body.sha256' FROM outbox WHERE send ->> '$.body.kind' = 'file'
                 UNION ALL SELECT value ->> 'sha256' FROM draft, json_each(draft.files))",
        )?
        .execute([])?;
    Ok(0 < swept)
}

/// Keeps the bytes of a file that was fetched, unless its entry has gone meanwhile or was taken back.
pub(crate) fn fetched(
    transaction: &Transaction<'_>,
    id: EntryId,
    sha256: &str,
    bytes: &[u8],
    now: Time,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO fetched_file (conversation, sha256, at, bytes)
             SELECT conversation, ?2, ?3, ?4 FROM entry WHERE id = ?1
                 AND NOT EXISTS (SELECT 1 FROM entry AS later WHERE later.amends = entry.id)",
        )?
        .execute(params![id.to_string(), sha256, i64::try_from(now.millis()).unwrap_or(i64::MAX), bytes])?;
    Ok(())
}

/// Forgets the fetched files of a conversation that its entries from `from` on don't name, or all of them.
pub(crate) fn forget(
    transaction: &Transaction<'_>,
    id: &ConversationId,
    from: i64,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "DELETE FROM fetched_file WHERE conversation = ?1 AND sha256 NOT IN (
                 SELECT entry ->> '$.body.sha256' FROM entry
                 WHERE conversation = ?1 AND seq >= ?2 AND entry ->> '$.body.kind' = 'file')",
        )?
        .execute(params![id.as_str(), from])?;
    Ok(())
}

/// Forgets the file of an entry that was taken back; says whether it was here.
pub(crate) fn taken_back(transaction: &Transaction<'_>, target: EntryId) -> Result<bool, StoreError> {
    let gone = transaction
        .prepare_cached(
            "DELETE FROM fetched_file WHERE (conversation, sha256) =
                 (SELECT conversation, entry ->> '$.body.sha256' FROM entry WHERE id = ?1)",
        )?
        .execute([target.to_string()])?;
    Ok(0 < gone)
}

/// Forgets the fetched files that came first, until the others weigh at most `most` bytes.
pub(crate) fn shrink(transaction: &Transaction<'_>, most: u64) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "DELETE FROM fetched_file WHERE rowid IN (
                 SELECT rowid FROM
                     (SELECT rowid, sum(length(bytes)) OVER (ORDER BY at DESC, rowid DESC) AS with_newer FROM fetched_file)
                 WHERE ?1 < with_newer)",
        )?
        .execute([i64::try_from(most).unwrap_or(i64::MAX)])?;
    Ok(())
}

impl Reader {
    /// What a conversation's message says of its file, or the file that is attached to the draft.
    pub fn file(&self, id: &ConversationId, of: &FileOf) -> Result<Option<File>, StoreError> {
        self.timed("file", || match of {
            FileOf::Message(message) => {
                let ids = (message.to_string(), id.as_str());
                let entry: Option<Entry> = one(
                    &self.connection,
                    "SELECT entry FROM entry WHERE id = ?1 AND conversation = ?2",
                    ids.clone(),
                )?;
                let body = match entry {
                    Some(entry) => Some(entry.body),
                    None => one(
                        &self.connection,
                        "SELECT send FROM outbox WHERE id = ?1 AND conversation = ?2",
                        ids,
                    )?
                    .map(|send: Send| send.body),
                };
                Ok(body.as_ref().and_then(Body::file).cloned())
            }
            FileOf::Draft(sha256) => Ok(self.attached(id)?.into_iter().find(|file| file.sha256 == *sha256)),
        })
    }

    /// What is attached to a conversation's draft.
    pub fn attached(&self, id: &ConversationId) -> Result<Vec<File>, StoreError> {
        let files = "SELECT files FROM draft WHERE conversation = ?1";
        Ok(one(&self.connection, files, [id.as_str()])?.unwrap_or_default())
    }

    /// The bytes of a conversation's file, if they are here.
    pub fn bytes(&self, id: &ConversationId, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM fetched_file WHERE conversation = ?1 AND sha256 = ?2
                   UNION ALL SELECT bytes FROM own_file WHERE sha256 = ?2";
        let bytes = |row: &Row<'_>| row.get(0);
        self.timed("bytes", || {
            Ok(self.connection.prepare_cached(sql)?.query_row([id.as_str(), sha256], bytes).optional()?)
        })
    }

    /// What the fetched files weigh, in bytes.
    pub fn fetched_weight(&self) -> Result<u64, StoreError> {
        let sql = "SELECT coalesce(sum(length(bytes)), 0) FROM fetched_file";
        let sum: i64 = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(u64::try_from(sum).unwrap_or(0))
    }
}

/// The JSON of one row's one column, read.
fn one<T: serde::de::DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Option<T>, StoreError> {
    let json: Option<String> =
        connection.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?;
    json.map(|json| parse(&json)).transpose()
}
