//! Which entries a search is for: the newest of them, by their revs.
//!
//! The index of words leads. It also knows each entry's conversation and whether it is a file, so that it passes over
//! what a filter leaves out. What else a filter asks for is looked up in `entry_by_rev`, entry by entry.

use super::index::{FILE, facet};
use super::{Search, expression, in_words};
use crate::StoreError;
use crate::apply::SPAN;
use rusqlite::{Connection, OptionalExtension, params_from_iter, types::Value};

/// Up to so many conversations are named to the index. Of more, each entry is looked at.
const FEW: usize = 128;

/// Conditions, and what stands in their places.
#[derive(Default)]
struct Conditions {
    sql: Vec<&'static str>,
    values: Vec<Value>,
}

impl Conditions {
    fn of(&mut self, sql: &'static str, value: impl Into<Value>) {
        self.sql.push(sql);
        self.values.push(value.into());
    }
}

/// At most `limit`, the newest first.
pub(super) fn revs(connection: &Connection, search: &Search, limit: usize) -> Result<Vec<i64>, StoreError> {
    let Some((sql, values)) = statement(connection, search, limit)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(&sql)?;
    let revs = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    Ok(revs.collect::<Result<_, _>>()?)
}

/// What finds them; none if there can't be any.
pub(crate) fn statement(
    connection: &Connection,
    search: &Search,
    limit: usize,
) -> Result<Option<(String, Vec<Value>)>, StoreError> {
    let few = few(connection, search)?;
    if few.as_ref().is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let mut conditions = Conditions::default();
    let words = !search.phrases.is_empty();
    if words {
        let mut sought = in_words(&expression(&search.phrases));
        if let Some(numbers) = &few {
            let any = numbers.iter().map(|number| facet(*number)).collect::<Vec<_>>().join(" OR ");
            sought.push_str(&format!(" AND facets : ({any})"));
        }
        if search.has_file {
            sought.push_str(&format!(" AND facets : {FILE}"));
        }
        conditions.of("found MATCH ?", sought);
    } else if search.has_file {
        conditions.sql.push("entry.entry ->> '$.body.kind' = 'file'");
    }
    if !(search.patient.is_empty() || (words && few.is_some())) {
        let sql = match few {
            Some(_) => {
                "entry.conversation IN (SELECT id FROM conversation WHERE number IN
                     (SELECT rowid FROM patient_found WHERE patient_found MATCH ?))"
            }
            // +: the newest entries lead, not the conversations.
            None => {
                "+entry.conversation IN (SELECT id FROM conversation WHERE number IN
                     (SELECT rowid FROM patient_found WHERE patient_found MATCH ?))"
            }
        };
        conditions.of(sql, by_name(search));
    }
    if !look_at_each(connection, search, few.is_some(), &mut conditions)? || conditions.sql.is_empty() {
        return Ok(None);
    }
    // CROSS: what stands first leads, in its own order.
    let (newest, from) = match (words, search.unread) {
        (false, false) => ("entry.rev", "entry"),
        (false, true) => {
            ("entry.rev", "conversation CROSS JOIN entry ON entry.conversation = conversation.id")
        }
        (true, false) if conditions.sql.len() == 1 => ("found.rowid", "found"),
        (true, false) => ("found.rowid", "found CROSS JOIN entry ON entry.rev = found.rowid"),
        (true, true) => (
            "found.rowid",
            "found CROSS JOIN entry ON entry.rev = found.rowid
             CROSS JOIN conversation ON conversation.id = entry.conversation",
        ),
    };
    let Conditions { sql, mut values } = conditions;
    let sql =
        format!("SELECT {newest} FROM {from} WHERE {} ORDER BY {newest} DESC LIMIT ?", sql.join(" AND "));
    values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    Ok(Some((sql, values)))
}

/// Where in the log what is unread begins: mostly near its end, so that a search for it needs to go no further back.
fn first_unread(connection: &Connection) -> Result<Option<i64>, StoreError> {
    let mut first = connection.prepare_cached(
        "SELECT min(entry.rev) FROM conversation
         CROSS JOIN entry ON entry.conversation = conversation.id AND entry.seq = max(counted_from + 1, lo)
         WHERE conversation.unread > 0",
    )?;
    Ok(first.query_row([], |row| row.get(0))?)
}

/// What is asked of each entry; says whether there can be any.
fn look_at_each(
    connection: &Connection,
    search: &Search,
    are_few: bool,
    conditions: &mut Conditions,
) -> Result<bool, StoreError> {
    match search.by_patient {
        Some(true) => conditions.sql.push("entry.by_patient"),
        Some(false) => {
            conditions.sql.push("NOT entry.by_patient AND entry.entry ->> '$.author.role' = 'provider'");
        }
        None => {}
    }
    if search.unread {
        conditions.sql.push("conversation.unread > 0 AND entry.by_patient AND entry.seq > counted_from");
        if are_few && !search.phrases.is_empty() {
            let Some(first) = first_unread(connection)? else { return Ok(false) };
            conditions.of("found.rowid >= ?", first);
        }
    }
    if let Some(before) = search.before {
        let before = i64::try_from(before.millis()).unwrap_or(i64::MAX);
        let last = connection
            .prepare_cached("SELECT span FROM span WHERE oldest < ?1 ORDER BY span DESC LIMIT 1")?
            .query_row([before], |row| row.get::<_, i64>(0))
            .optional()?;
        let Some(last) = last.map(|span| span * SPAN + SPAN - 1) else { return Ok(false) };
        conditions.of("entry.entry ->> 'at' < ?", before);
        conditions.of(if search.phrases.is_empty() { "entry.rev <= ?" } else { "found.rowid <= ?" }, last);
    }
    Ok(true)
}

fn by_name(search: &Search) -> String {
    expression(&search.patient.iter().map(|word| vec![word.clone()]).collect::<Vec<_>>())
}

/// The numbers of the conversations that the filters leave, if they are few.
fn few(connection: &Connection, search: &Search) -> Result<Option<Vec<i64>>, StoreError> {
    let sql = match (search.patient.is_empty(), search.unread) {
        (true, false) => return Ok(None),
        (false, false) => "SELECT rowid FROM patient_found WHERE patient_found MATCH ?1 LIMIT ?2",
        (true, true) => "SELECT number FROM conversation WHERE unread > 0 AND ?1 = '' LIMIT ?2",
        (false, true) => {
            "SELECT number FROM conversation WHERE unread > 0 AND number IN
                 (SELECT rowid FROM patient_found WHERE patient_found MATCH ?1) LIMIT ?2"
        }
    };
    let mut statement = connection.prepare_cached(sql)?;
    let limit = i64::try_from(FEW + 1).unwrap_or(i64::MAX);
    let numbers = statement.query_map((by_name(search), limit), |row| row.get(0))?;
    let numbers: Vec<i64> = numbers.collect::<Result<_, _>>()?;
    Ok(Some(numbers).filter(|numbers| numbers.len() <= FEW))
}
