//! The index follows the entries.

use crate::{StoreError, parse};
use bedside_protocol::Entry;
use rusqlite::{Connection, TransactionBehavior};

/// Entries of one step: some milliseconds, for which a commit may wait.
const STEP: usize = 200;
/// The facet of files.
pub(super) const FILE: &str = "file";

/// The facet of a conversation's entries, by its number.
pub(super) fn facet(number: i64) -> String {
    format!("c{number}")
}

/// Indexes the newest entries that aren't; says how many.
pub(crate) fn index_step(connection: &mut Connection) -> Result<usize, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut done = 0;
    {
        let mut rows = transaction.prepare_cached(
            "SELECT rowid, rev, entry, EXISTS (SELECT 1 FROM entry AS later WHERE later.amends = entry.id
                     OR (later.amends = entry.amends AND entry.seq < later.seq)),
                 coalesce((SELECT number FROM conversation WHERE id = entry.conversation), 0)
             FROM entry WHERE NOT indexed ORDER BY rev DESC LIMIT ?1",
        )?;
        let mut forget = transaction.prepare_cached("DELETE FROM found WHERE rowid = ?1")?;
        let mut learn =
            transaction.prepare_cached("INSERT INTO found (rowid, words, facets) VALUES (?1, ?2, ?3)")?;
        let mut mark = transaction.prepare_cached("UPDATE entry SET indexed = 1 WHERE rowid = ?1")?;
        let rows = rows.query_map([i64::try_from(STEP).unwrap_or(i64::MAX)], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, bool>(3)?,
                row.get::<_, i64>(4)?,
            ))
        })?;
        for row in rows.collect::<Result<Vec<_>, _>>()? {
            let (place, rev, entry, amended, number) = row;
            let entry: Entry = parse(&entry)?;
            forget.execute([rev])?;
            // What was corrected is found by the correction, and what was taken back not at all.
            if let Some(words) = entry.body.words().filter(|_| !amended) {
                let file = entry.body.file().map_or("", |_| FILE);
                learn.execute((rev, words, format!("{} {file}", facet(number))))?;
            }
            mark.execute([place])?;
            done += 1;
        }
    }
    transaction.commit()?;
    Ok(done)
}
