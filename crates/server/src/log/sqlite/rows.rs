//! Rows to types and back.

use crate::log::{Record, Summary};
use bedside_protocol::{
    Author, ConversationId, Entry, Extra, InvalidId, Last, Patient, Phase, Rev, Role, Seq, Time, UserId,
};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A conversation's summary, with what only the log needs to know of it.
pub struct Thread {
    pub summary: Summary,
    pub answered_at: Option<Time>,
    pub told_at: Option<Time>,
}

/// Selects what [`thread`] reads. `last` and `public_last` are the entries at `said_head` and `public_head`.
macro_rules! select_threads {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.rev, c.head, c.patient, c.name, c.born, c.state, c.until, c.closed_at, c.assigned, c.urgency,
                c.waiting_since, c.answered_at, c.told_at,
                l.seq AS l_seq, l.at AS l_at, l.author AS l_author, l.role AS l_role, l.author_name AS l_name,
                l.preview AS l_preview,
                p.seq AS p_seq, p.at AS p_at, p.author AS p_author, p.role AS p_role, p.author_name AS p_name,
                p.preview AS p_preview,
                (SELECT json_group_object(m.reader, m.upto) FROM read_marks m
                 WHERE m.clinic = c.clinic AND m.conversation = c.id) AS marks
             FROM conversations c
             LEFT JOIN entries l ON l.clinic = c.clinic AND l.conversation = c.id AND l.seq = c.said_head
             LEFT JOIN entries p ON p.clinic = c.clinic AND p.conversation = c.id AND p.seq = c.public_head
             WHERE c.clinic = ?1 ",
            $rest
        )
    };
}
pub(super) use select_threads;

/// Selects what [`record`] reads.
macro_rules! select_records {
    ($rest:literal) => {
        concat!(
            "SELECT conversation, seq, rev, id, at, author, role, author_name, body, preview, origin, public, prev
             FROM entries WHERE clinic = ?1 ",
            $rest
        )
    };
}
pub(super) use select_records;

/// The first row of `sql`, read by `read`.
pub fn first<T>(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn ToSql],
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    connection.prepare_cached(sql)?.query_row(parameters, read).optional()
}

/// All rows of `sql`, read by `read`.
pub fn all<T>(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(parameters, read)?.collect()
}

pub fn thread(row: &Row<'_>) -> rusqlite::Result<Thread> {
    let time =
        |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(|n| Time::new(unsigned(n))));
    let urgency: Option<String> = row.get("urgency")?;
    let conversation = bedside_protocol::Conversation {
        id: id(row, "id")?,
        rev: Rev::new(number(row, "rev")?),
        head: Seq::new(number(row, "head")?),
        patient: Patient {
            id: id(row, "patient")?,
            name: row.get("name")?,
            born: row.get("born")?,
            extra: Extra::new(),
        },
        state: word(row, "state")?,
        until: time("until")?,
        closed_at: time("closed_at")?,
        assigned: row
            .get::<_, Option<String>>("assigned")?
            .map(|text| UserId::new(text).map_err(damaged))
            .transpose()?,
        urgency: urgency.map(|text| json(&text)).transpose()?,
        waiting_since: time("waiting_since")?,
        last: last(row, ["l_seq", "l_at", "l_author", "l_role", "l_name", "l_preview"])?,
        read: json(&row.get::<_, String>("marks")?)?,
        extra: Extra::new(),
    };
    Ok(Thread {
        summary: Summary {
            conversation,
            public_last: last(row, ["p_seq", "p_at", "p_author", "p_role", "p_name", "p_preview"])?,
        },
        answered_at: time("answered_at")?,
        told_at: time("told_at")?,
    })
}

fn last(row: &Row<'_>, [seq, at, author, role, name, preview]: [&str; 6]) -> rusqlite::Result<Option<Last>> {
    if row.get::<_, Option<i64>>(seq)?.is_none() {
        return Ok(None);
    }
    Ok(Some(Last {
        seq: Seq::new(number(row, seq)?),
        at: Time::new(number(row, at)?),
        author: Author {
            id: id(row, author)?,
            role: word(row, role)?,
            name: row.get(name)?,
            extra: Extra::new(),
        },
        preview: row.get(preview)?,
        extra: Extra::new(),
    }))
}

pub fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let conversation: ConversationId = id(row, "conversation")?;
    let origin: Option<String> = row.get("origin")?;
    Ok(Record {
        entry: Entry {
            conversation,
            seq: Seq::new(number(row, "seq")?),
            rev: Rev::new(number(row, "rev")?),
            id: row.get::<_, String>("id")?.parse().map_err(damaged)?,
            at: Time::new(number(row, "at")?),
            author: Author {
                id: id(row, "author")?,
                role: word(row, "role")?,
                name: row.get("author_name")?,
                extra: Extra::new(),
            },
            body: json(&row.get::<_, String>("body")?)?,
            preview: row.get("preview")?,
            from: origin.map(|text| json(&text)).transpose()?,
            prev: None,
            extra: Extra::new(),
        },
        public: row.get("public")?,
        prev: Seq::new(number(row, "prev")?),
    })
}

pub fn id<T: TryFrom<String, Error = InvalidId>>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    T::try_from(row.get::<_, String>(column)?).map_err(damaged)
}

pub fn number(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    Ok(unsigned(row.get(column)?))
}

/// A role or phase, stored as its word on the wire.
pub fn word<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_value(text.into()).map_err(damaged)
}

pub fn json<T: DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(damaged)
}

/// The file holds what this program never wrote.
fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
}

/// No negative number is ever stored.
fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// SQLite's integers are signed; the wire's stay below 2^53.
pub fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub fn role_word(role: Role) -> &'static str {
    match role {
        Role::Provider => "provider",
        Role::Patient => "patient",
        Role::System => "system",
    }
}

pub fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Open => "open",
        Phase::Snoozed => "snoozed",
        Phase::Closed => "closed",
    }
}

/// JSON for a column. Every type that is stored so has text keys, so that it can't fail for another reason than memory.
pub fn to_json<T: Serialize>(value: &T) -> Result<String, super::Fault> {
    serde_json::to_string(value).map_err(|_| super::Fault::new("a value has no JSON"))
}
