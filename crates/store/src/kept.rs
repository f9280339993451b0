//! What only this computer knows: the outbox, drafts, read marks and whose they are. Everything else can be fetched again.
//!
//! The cache holds it, where one transaction writes it together with entries. A copy lies in `kept.db`, a small file with a key of
//! its own. Triggers write it along in the same transaction. That commits one file after the other, so both count: the
//! higher generation is the newer, and at most one commit ahead that nobody has been told of.

use crate::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

/// The tables, and what identifies a row.
const TABLES: [(&str, &str); 4] =
    [("account", "one"), ("outbox", "id"), ("draft", "conversation"), ("own_read", "conversation")];

/// From here on, what is written to the cache is written to its copy, which must be attached.
pub(crate) fn follow(connection: &Connection) -> Result<(), StoreError> {
    for (table, key) in TABLES {
        let columns = columns(connection, table)?;
        let new = columns.iter().map(|column| format!("NEW.{column}")).collect::<Vec<_>>().join(", ");
        let columns = columns.join(", ");
        let count = "UPDATE device SET generation = generation + 1;
                     UPDATE kept_device SET generation = generation + 1;";
        let add = format!("INSERT INTO kept_{table} ({columns}) VALUES ({new});");
        // OR REPLACE runs no trigger for what it replaces; what has the same key goes first.
        connection.execute_batch(&format!(
            "CREATE TEMP TRIGGER keep_new_{table} AFTER INSERT ON main.{table} BEGIN
                 DELETE FROM kept_{table} WHERE {key} = NEW.{key}; {add} {count}
             END;
             CREATE TEMP TRIGGER keep_changed_{table} AFTER UPDATE ON main.{table} BEGIN
                 DELETE FROM kept_{table} WHERE {key} = OLD.{key}; {add} {count}
             END;
             CREATE TEMP TRIGGER keep_gone_{table} AFTER DELETE ON main.{table} BEGIN
                 DELETE FROM kept_{table} WHERE {key} = OLD.{key}; {count}
             END;"
        ))?;
    }
    Ok(())
}

/// Which of the two an open connection should believe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newer {
    Same,
    Cache,
    Copy,
}

/// Compares the cache with its attached copy.
pub(crate) fn newer(connection: &Connection) -> Result<Newer, StoreError> {
    let generation = |of: &str| {
        let sql = format!("SELECT generation FROM {of}");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).optional()
    };
    // Without a row, a file is new.
    Ok(match generation("main.device")?.cmp(&generation("kept.kept_device")?) {
        std::cmp::Ordering::Equal => Newer::Same,
        std::cmp::Ordering::Greater => Newer::Cache,
        std::cmp::Ordering::Less => Newer::Copy,
    })
}

/// Makes the copy what the cache has.
pub(crate) fn save(connection: &Connection) -> Result<(), StoreError> {
    fill(connection, Err)
}

/// Makes the copy what can still be read of a damaged cache.
pub(crate) fn rescue(connection: &Connection) -> Result<(), StoreError> {
    fill(connection, |error| if error.is_damage() { Ok(()) } else { Err(error) })
}

fn fill(
    connection: &Connection,
    unreadable: fn(StoreError) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let transaction = connection.unchecked_transaction()?;
    let tables = TABLES.iter().map(|(table, _)| *table);
    for table in std::iter::once("device").chain(tables) {
        let columns = columns(&transaction, &format!("kept_{table}"))?;
        transaction.execute(&format!("DELETE FROM kept.kept_{table}"), [])?;
        copy(&transaction, table, &columns).or_else(unreadable)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Makes the cache what its copy has.
pub(crate) fn restore(connection: &Connection) -> Result<(), StoreError> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(
        "INSERT INTO main.device (one, id, cursor, generation)
             SELECT one, id, 0, generation FROM kept.kept_device WHERE true
             ON CONFLICT DO UPDATE SET id = excluded.id, generation = excluded.generation",
    )?;
    for (table, _) in TABLES {
        let columns = columns(&transaction, table)?.join(", ");
        transaction.execute_batch(&format!(
            "DELETE FROM main.{table};
             INSERT INTO main.{table} ({columns}) SELECT {columns} FROM kept.kept_{table}"
        ))?;
    }
    transaction.commit()?;
    Ok(())
}

fn columns(connection: &Connection, table: &str) -> Result<Vec<String>, StoreError> {
    let mut names = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names = names.query_map([table], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Copies a table row by row, so that what comes before a damaged row is kept.
fn copy(connection: &Connection, table: &str, columns: &[String]) -> Result<(), StoreError> {
    let (names, marks) = (columns.join(", "), vec!["?"; columns.len()].join(", "));
    let mut rows = connection.prepare(&format!("SELECT {names} FROM main.{table}"))?;
    let mut add = connection.prepare(&format!("INSERT INTO kept.kept_{table} ({names}) VALUES ({marks})"))?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let values = (0..columns.len()).map(|column| row.get::<_, Value>(column));
        add.execute(params_from_iter(values.collect::<Result<Vec<_>, _>>()?))?;
    }
    Ok(())
}
