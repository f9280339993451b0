//! Search: the index that follows the entries, and what it finds.
//!
//! An entry is indexed after its commit, in small steps while the writer has nothing else to do; the newest comes first. Until
//! then it isn't found, and [`Covers`] says so.

mod index;
mod newest;

pub(crate) use index::index_step;
#[cfg(test)]
pub(crate) use newest::statement;

use crate::{Reader, StoreError, parse};
use bedside_protocol::{Conversation, Entry, Time};
use rusqlite::{Connection, Row};
use std::collections::BTreeSet;

/// Hits among which those that say just what was asked for come first. Ranking all of a common word's hits would take a second
/// among a million messages (measured: docs of the cache's benchmark), and whoever searches a chat looks for something recent.
const WEIGHED: usize = 100;

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

impl Reader {
    /// At most `limit` of the newest entries that `search` is for, of one moment.
    pub fn search(&self, search: &Search, limit: usize) -> Result<Found, StoreError> {
        self.timed("search", || {
            let moment = self.connection.unchecked_transaction()?;
            let mut revs = newest::revs(&moment, search, WEIGHED.max(limit + 1))?;
            let more = revs.len() > limit;
            weigh(&moment, &search.phrases, &mut revs)?;
            revs.truncate(limit);
            let (patients, hits) = (patients(&moment, search, limit)?, hits(&moment, &revs)?);
            Ok(Found { patients, hits, more, covers: covers(&moment)? })
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
fn weigh(connection: &Connection, phrases: &[Vec<String>], revs: &mut [i64]) -> Result<(), StoreError> {
    let (Some(&newest), Some(&oldest)) = (revs.first(), revs.last()) else { return Ok(()) };
    if phrases.is_empty() {
        return Ok(());
    }
    // With a filter the oldest may lie far back: then the newest of a common word are enough.
    let mut statement = connection.prepare_cached(
        "SELECT rowid FROM found WHERE found MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rowid DESC LIMIT 1000",
    )?;
    let mut having = |expression: &str| -> Result<BTreeSet<i64>, StoreError> {
        let rows = statement.query_map((in_words(expression), oldest, newest), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    let whole = having(&phrases.iter().map(|words| quoted(words)).collect::<Vec<_>>().join(" "))?;
    let together = match phrases.len() {
        1 => whole.clone(),
        _ if whole.is_empty() => BTreeSet::new(),
        _ => having(&quoted(&phrases.concat()))?,
    };
    revs.sort_by_key(|rev| (!together.contains(rev), !whole.contains(rev)));
    Ok(())
}

/// An expression of what entries say.
fn in_words(expression: &str) -> String {
    format!("words : ({expression})")
}

/// The entries of these revs, in their order.
fn hits(connection: &Connection, revs: &[i64]) -> Result<Vec<Hit>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT entry.entry, named FROM entry CROSS JOIN conversation ON conversation.id = entry.conversation
         WHERE entry.rev = ?1",
    )?;
    let mut hits = Vec::with_capacity(revs.len());
    for rev in revs {
        let mut rows = statement.query([rev])?;
        while let Some(row) = rows.next()? {
            hits.push(Hit { entry: parse(&row.get::<_, String>(0)?)?, patient: row.get(1)? });
        }
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

/// All of it from indexes: each search says it.
pub(crate) const COVERS: &str =
    "SELECT count(*), count(*) FILTER (WHERE hi < head), max(since) FILTER (WHERE 1 < lo),
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
