//! Search: the index that follows the log, and what it finds.
//!
//! ```text
//! entry ──commit──> said, not indexed ──while nothing is written──> said, indexed
//!                     ▲                                               │
//!                     └────────corrected or taken back (amended)──────┘
//! ```
//!
//! An amended entry is out of every search from its amendment's commit on; the index forgets it later.

use super::rows::{first, number, record, role_word, signed};
use super::write::Stop;
use crate::log::{Fault, Found, Hit, Record};
use bedside_protocol::{Amend, Body, ClinicId, Conversation, Search};
use rusqlite::{Connection, Transaction, TransactionBehavior, params, params_from_iter, types::Value};

/// Entries of one step: 5 ms, and at times some tens when FTS5 merges its pieces, for which a commit may wait. Measured with
/// 400,000 entries.
const STEP: u32 = 100;

/// Notes what search is to find of an entry, and what it isn't to find any more.
pub fn note(tx: &Transaction<'_>, clinic: &ClinicId, record: &Record) -> Result<(), Stop> {
    let entry = &record.entry;
    if let Body::Amend(Amend { target, .. }) = &entry.body {
        // Its target, and the corrections before this one.
        tx.prepare_cached(
            "UPDATE said SET amended = 1, indexed = 0 FROM (
               SELECT conversation, seq FROM entries WHERE clinic = ?1 AND id = ?3
               UNION ALL
               SELECT conversation, seq FROM entries
               WHERE clinic = ?1 AND body ->> 'kind' = 'amend' AND body ->> 'target' = ?3
             ) AS old
             WHERE said.clinic = ?1 AND said.conversation = ?2 AND old.conversation = ?2 AND said.seq = old.seq
               AND NOT amended",
        )?
        .execute(params![clinic.as_str(), entry.conversation.as_str(), target.to_string()])?;
    }
    if entry.body.words().is_some() {
        tx.prepare_cached(
            "INSERT INTO said (clinic, conversation, seq, role, at, file, amended, indexed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0)",
        )?
        .execute(params![
            clinic.as_str(),
            entry.conversation.as_str(),
            signed(entry.seq.get()),
            role_word(entry.author.role),
            signed(entry.at.millis()),
            matches!(entry.body, Body::File(_))
        ])?;
    }
    Ok(())
}

/// Lets search know a patient by the name that is in `conversation`.
pub fn name(tx: &Transaction<'_>, clinic: &ClinicId, conversation: &Conversation) -> Result<(), Stop> {
    let number = tx
        .prepare_cached(
            "INSERT INTO named (clinic, conversation) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET conversation = excluded.conversation RETURNING number",
        )?
        .query_row([clinic.as_str(), conversation.id.as_str()], |row| number(row, "number"))?;
    tx.prepare_cached("DELETE FROM names_found WHERE rowid = ?1")?.execute([signed(number)])?;
    tx.prepare_cached("INSERT INTO names_found (rowid, clinic, words) VALUES (?1, ?2, ?3)")?
        .execute(params![signed(number), fence(clinic), conversation.patient.name])?;
    Ok(())
}

/// Brings the index closer to the log; says by how many entries.
pub fn step(connection: &mut Connection) -> Result<usize, Fault> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok((
            row.get::<_, i64>("place")?,
            row.get::<_, String>("clinic")?,
            row.get::<_, String>("body")?,
            row.get::<_, bool>("amended")?,
        ))
    };
    let mut rows: Vec<_> = tx
        .prepare_cached(
            "SELECT place, said.clinic, body, amended
             FROM said INDEXED BY said_unindexed CROSS JOIN entries USING (clinic, conversation, seq)
             WHERE NOT indexed ORDER BY place DESC LIMIT ?1",
        )?
        .query_map([STEP], read)?
        .collect::<Result<_, _>>()?;
    // FTS5 begins a new piece of its index with each row that isn't above the one before.
    rows.reverse();
    for (place, clinic, body, amended) in &rows {
        tx.prepare_cached("DELETE FROM words_found WHERE rowid = ?1")?.execute([place])?;
        // What can't be read has no words, and holds up nothing else.
        let body: Option<Body> = serde_json::from_str(body).ok();
        if let Some(words) = body.as_ref().and_then(Body::words).filter(|_| !amended) {
            tx.prepare_cached("INSERT INTO words_found (rowid, clinic, words) VALUES (?1, ?2, ?3)")?
                .execute(params![place, fence_of(clinic), words])?;
        }
        tx.prepare_cached("UPDATE said SET indexed = 1 WHERE place = ?1")?.execute([place])?;
    }
    tx.commit()?;
    Ok(rows.len())
}

/// The clinic as one word that no other clinic has, whatever the index folds: `Lake-Side` and `lake side` would be one.
fn fence(clinic: &ClinicId) -> String {
    fence_of(clinic.as_str())
}

fn fence_of(clinic: &str) -> String {
    let hex: String = clinic.bytes().map(|byte| format!("{byte:02X}")).collect();
    format!("c{hex}")
}

/// An FTS5 expression: of the clinic, each phrase in quotes, its last word a prefix.
fn expression<'a>(clinic: &ClinicId, phrases: impl Iterator<Item = &'a [String]>) -> String {
    // Words hold letters and digits alone, but nothing here relies on that.
    let quoted = |words: &[String]| format!("words : \"{}\" *", words.join(" ").replace('"', "\"\""));
    let fenced = std::iter::once(format!("clinic : \"{}\"", fence(clinic)));
    fenced.chain(phrases.map(quoted)).collect::<Vec<_>>().join(" AND ")
}

pub fn search(connection: &Connection, clinic: &ClinicId, search: &Search) -> Result<Found, Fault> {
    let limit = search.limit as usize;
    let mut hits = hits(connection, clinic, search, limit + 1)?;
    let more = hits.len() > limit;
    hits.truncate(limit);
    let unindexed = first(
        connection,
        "SELECT count(*) AS n FROM said INDEXED BY said_unindexed WHERE clinic = ?1 AND NOT indexed",
        &[&clinic.as_str()],
        |row| number(row, "n"),
    )?;
    Ok(Found { hits, more, unindexed: unindexed.unwrap_or_default() })
}

fn hits(
    connection: &Connection,
    clinic: &ClinicId,
    search: &Search,
    limit: usize,
) -> Result<Vec<Hit>, Fault> {
    let Search { phrases, patient, by_patient, before, has_file, .. } = search;
    let mut conditions = vec!["said.clinic = ? AND NOT said.amended"];
    let mut values: Vec<Value> = vec![clinic.as_str().to_owned().into()];
    // CROSS: what is to be found leads, in its own order.
    let (from, newest) = match phrases.is_empty() {
        true if *has_file => ("said INDEXED BY said_files", "said.place"),
        true => ("said INDEXED BY said_newest", "said.place"),
        false => {
            conditions.push("words_found MATCH ?");
            values.push(expression(clinic, phrases.iter().map(Vec::as_slice)).into());
            ("words_found CROSS JOIN said ON said.place = words_found.rowid", "words_found.rowid")
        }
    };
    if !patient.is_empty() {
        conditions.push(
            "said.conversation IN (SELECT conversation FROM named
             WHERE named.clinic = ? AND number IN (SELECT rowid FROM names_found WHERE names_found MATCH ?))",
        );
        values.push(clinic.as_str().to_owned().into());
        values.push(expression(clinic, patient.iter().map(std::slice::from_ref)).into());
    }
    if let Some(by_patient) = by_patient {
        conditions.push("said.role = ?");
        values.push((if *by_patient { "patient" } else { "provider" }).to_owned().into());
    }
    if let Some(before) = before {
        conditions.push("said.at < ?");
        values.push(signed(before.millis()).into());
    }
    if *has_file {
        conditions.push("said.file");
    }
    if phrases.is_empty() && conditions.len() == 1 {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT e.conversation, e.seq, e.rev, e.id, e.at, e.author, e.role, e.author_name, e.body, e.preview, e.origin,
           e.public, e.prev, c.name
         FROM {from}
         CROSS JOIN entries e ON e.clinic = said.clinic AND e.conversation = said.conversation AND e.seq = said.seq
         CROSS JOIN conversations c ON c.clinic = said.clinic AND c.id = said.conversation
         WHERE {} ORDER BY {newest} DESC LIMIT ?",
        conditions.join(" AND ")
    );
    values.push(signed(limit as u64).into());
    let read = |row: &rusqlite::Row<'_>| Ok(Hit { entry: record(row)?.entry, patient: row.get("name")? });
    Ok(connection
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), read)?
        .collect::<Result<_, _>>()?)
}
