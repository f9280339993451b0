//! Search: the index that follows the entries, and what it finds.
//!
//! An entry is indexed after its commit, in small steps while the writer has nothing else to do; the newest comes first. Until
//! then it isn't found, and [`Covers`] says so.

use crate::{Reader, StoreError, parse};
use bedside_protocol::{Conversation, Entry, Time};
use rusqlite::{Connection, Row, TransactionBehavior, params_from_iter, types::Value};
use std::collections::BTreeSet;

/// Hits among which those that say just what was asked for come first. Ranking all of a common word's hits would take a second
/// among a million messages (measured: docs of the cache's benchmark), and whoever searches a chat looks for something recent.
const WEIGHED: usize = 100;
/// Entries of one step: some milliseconds, for which a commit may wait.
const STEP: usize = 200;

/// What is searched for. All of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Each inner list stands side by side, in its order; the last of its words may go on.
    pub phrases: Vec<Vec<String>>,
    /// A patient whose name has words that begin so.
    pub patient: Vec<String>,
    /// Written by the patient (true), or by the clinic (false).
    pub by_patient: Option<bool>,
    /// Committed before.
    pub before: Option<Time>,
    /// A file.
    pub has_file: bool,
    /// A patient's, and not read yet.
    pub unread: bool,
}

/// An entry that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The entry.
    pub entry: Entry,
    /// Its conversation's patient.
    pub patient: String,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Patients by their names; none if the search is for more than words.
    pub patients: Vec<Conversation>,
    /// Entries, the newest first; of the newest [`WEIGHED`], those with the words side by side and then those with the whole
    /// words come before those with words that only begin so.
    pub hits: Vec<Hit>,
    /// Whether there are more than was asked for.
    pub more: bool,
    /// What was searched.
    pub covers: Covers,
}

/// What a search can have found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covers {
    /// Conversations that are known.
    pub conversations: u32,
    /// Since when their entries are here, in each of them; none: from their beginning.
    pub since: Option<Time>,
    /// Conversations whose newest entries are still to come.
    pub behind: u32,
    /// Entries that are here and not indexed yet.
    pub unindexed: u32,
}

/// Indexes the newest entries that aren't; says how many.
pub(crate) fn index_step(connection: &mut Connection) -> Result<usize, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut done = 0;
    {
        let mut rows = transaction.prepare_cached(
            "SELECT rowid, rev, entry, EXISTS (SELECT 1 FROM entry AS later WHERE later.amends = entry.id
                     OR (later.amends = entry.amends AND entry.seq < later.seq))
             FROM entry WHERE NOT indexed ORDER BY rev DESC LIMIT ?1",
        )?;
        let mut forget = transaction.prepare_cached("DELETE FROM found WHERE rowid = ?1")?;
        let mut learn = transaction.prepare_cached("INSERT INTO found (rowid, words) VALUES (?1, ?2)")?;
        let mut mark = transaction.prepare_cached("UPDATE entry SET indexed = 1 WHERE rowid = ?1")?;
        let rows = rows.query_map([i64::try_from(STEP).unwrap_or(i64::MAX)], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, bool>(3)?,
            ))
        })?;
        for row in rows.collect::<Result<Vec<_>, _>>()? {
            let (place, rev, entry, amended) = row;
            let entry: Entry = parse(&entry)?;
            forget.execute([rev])?;
            // What was corrected is found by the correction, and what was taken back not at all.
            if let Some(words) = entry.body.words().filter(|_| !amended) {
                learn.execute((rev, words))?;
            }
            mark.execute([place])?;
            done += 1;
        }
    }
    transaction.commit()?;
    Ok(done)
}

impl Reader {
    /// At most `limit` of the newest entries that `search` is for, of one moment.
    pub fn search(&self, search: &Search, limit: usize) -> Result<Found, StoreError> {
        self.timed("search", || {
            let moment = self.connection.unchecked_transaction()?;
            let mut hits = hits(&moment, search, WEIGHED.max(limit + 1))?;
            let more = hits.len() > limit;
            weigh(&moment, &search.phrases, &mut hits)?;
            hits.truncate(limit);
            Ok(Found { patients: patients(&moment, search, limit)?, hits, more, covers: covers(&moment)? })
        })
    }
}

/// An FTS5 expression: each phrase in quotes, its last word a prefix.
fn expression(phrases: &[Vec<String>]) -> String {
    phrases.iter().map(|words| quoted(words) + " *").collect::<Vec<_>>().join(" ")
}

/// A phrase of FTS5. Words hold letters and digits alone, but nothing here relies on that.
fn quoted(words: &[String]) -> String {
    format!("\"{}\"", words.join(" ").replace('"', "\"\""))
}

/// Brings those that say just what was asked for before the others; among equals, the newest stays first.
fn weigh(connection: &Connection, phrases: &[Vec<String>], hits: &mut [Hit]) -> Result<(), StoreError> {
    let Some(oldest) = hits.last().map(|hit| hit.entry.rev.get()) else { return Ok(()) };
    if phrases.is_empty() {
        return Ok(());
    }
    let whole = phrases.iter().map(|words| quoted(words)).collect::<Vec<_>>().join(" ");
    let together = quoted(&phrases.concat());
    // With a filter the oldest may lie far back: then the newest of a common word are enough.
    let mut statement = connection.prepare_cached(
        "SELECT rowid FROM found WHERE found MATCH ?1 AND rowid >= ?2 ORDER BY rowid DESC LIMIT 1000",
    )?;
    let mut having = |expression: &str| -> Result<BTreeSet<u64>, StoreError> {
        let oldest = i64::try_from(oldest).unwrap_or(i64::MAX);
        let rows = statement.query_map((expression, oldest), |row| row.get::<_, i64>(0))?;
        rows.map(|rev| Ok(u64::try_from(rev?).unwrap_or(0))).collect()
    };
    let whole = having(&whole)?;
    let together = if whole.is_empty() { BTreeSet::new() } else { having(&together)? };
    hits.sort_by_key(|hit| {
        let rev = hit.entry.rev.get();
        (!together.contains(&rev), !whole.contains(&rev))
    });
    Ok(())
}

fn words_apart(words: &[String]) -> Vec<Vec<String>> {
    words.iter().map(|word| vec![word.clone()]).collect()
}

fn hits(connection: &Connection, search: &Search, limit: usize) -> Result<Vec<Hit>, StoreError> {
    let (mut sql, mut values) = ("SELECT entry.entry, named FROM ".to_owned(), Vec::<Value>::new());
    let mut conditions: Vec<&str> = Vec::new();
    if search.phrases.is_empty() {
        sql.push_str("entry JOIN conversation ON conversation.id = entry.conversation");
    } else {
        // CROSS: the index leads, in its own order.
        sql.push_str(
            "found CROSS JOIN entry ON entry.rev = found.rowid
             CROSS JOIN conversation ON conversation.id = entry.conversation",
        );
        conditions.push("found MATCH ?");
        values.push(expression(&search.phrases).into());
    }
    if !search.patient.is_empty() {
        conditions.push("number IN (SELECT rowid FROM patient_found WHERE patient_found MATCH ?)");
        values.push(expression(&words_apart(&search.patient)).into());
    }
    if let Some(by_patient) = search.by_patient {
        conditions.push(if by_patient {
            "by_patient"
        } else {
            "NOT by_patient AND entry.entry ->> '$.author.role' = 'provider'"
        });
    }
    if let Some(before) = search.before {
        conditions.push("entry.entry ->> 'at' < ?");
        values.push(i64::try_from(before.millis()).unwrap_or(i64::MAX).into());
    }
    if search.has_file {
        conditions.push("entry.entry ->> '$.body.kind' = 'file'");
    }
    if search.unread {
        conditions.push("by_patient AND seq > counted_from");
    }
    if conditions.is_empty() {
        return Ok(Vec::new());
    }
    let newest = if search.phrases.is_empty() { "entry.rev" } else { "found.rowid" };
    sql.push_str(&format!(" WHERE {} ORDER BY {newest} DESC LIMIT ?", conditions.join(" AND ")));
    values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut hits = Vec::new();
    while let Some(row) = rows.next()? {
        hits.push(Hit { entry: parse(&row.get::<_, String>(0)?)?, patient: row.get(1)? });
    }
    Ok(hits)
}

fn patients(connection: &Connection, search: &Search, limit: usize) -> Result<Vec<Conversation>, StoreError> {
    let Search { phrases, patient, by_patient, before, has_file, unread } = search;
    let by_name = patient.is_empty() && by_patient.is_none() && before.is_none() && !has_file && !unread;
    if !by_name || phrases.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(
        "SELECT summary FROM conversation WHERE number IN (SELECT rowid FROM patient_found WHERE patient_found MATCH ?1)
         ORDER BY last_at DESC LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query((expression(phrases), limit))?;
    let mut patients = Vec::new();
    while let Some(row) = rows.next()? {
        patients.push(parse(&row.get::<_, String>(0)?)?);
    }
    Ok(patients)
}

/// CROSS: the conversations lead. The other way round, each search would go through all entries.
pub(crate) const COVERS: &str = "SELECT count(*), count(*) FILTER (WHERE hi < head),
        (SELECT max(entry ->> 'at') FROM conversation AS cut
         CROSS JOIN entry ON entry.conversation = cut.id AND seq = cut.lo WHERE cut.lo > 1),
        (SELECT count(*) FROM entry WHERE NOT indexed)
     FROM conversation";

fn covers(connection: &Connection) -> Result<Covers, StoreError> {
    let number = |row: &Row<'_>, column| row.get::<_, u32>(column);
    Ok(connection.prepare_cached(COVERS)?.query_row([], |row| {
        Ok(Covers {
            conversations: number(row, 0)?,
            behind: number(row, 1)?,
            since: row.get::<_, Option<i64>>(2)?.and_then(|at| u64::try_from(at).ok()).map(Time::new),
            unindexed: number(row, 3)?,
        })
    })?)
}
