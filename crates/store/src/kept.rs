//! What only this computer knows: the outbox, drafts, the files of both, read marks and whose they are. Everything else can be fetched again.
//!
//! The cache holds it, where one transaction writes it together with entries. A copy lies in `kept.db`, a small file with a key of
//! its own. Triggers write it along in the same transaction. That commits one file after the other, so both count: the
//! higher generation is the newer, and at most one commit ahead that nobody has been told of.

use crate::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

/// The tables, and what identifies a row.
const TABLES: [(&str, &str); 5] = [
    ("account", "one"),
    ("outbox", "id"),
    ("draft", "conversation"),
    ("own_file", "sha256"),
    ("own_read", "conversation"),
];

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

/// Whether a copy holds nothing yet.
pub(crate) fn is_empty(copy: &Connection) -> Result<bool, StoreError> {
    Ok(!copy.query_row("SELECT EXISTS (SELECT 1 FROM kept_device)", [], |row| row.get::<_, bool>(0))?)
}

/// Counts the changes of what only this computer knows.
pub(crate) fn generation(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.prepare_cached("SELECT generation FROM main.device")?.query_row([], |row| row.get(0))?)
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

/// Which of the two has zeros where the other has what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zeroed {
    Neither,
    Cache,
    Copy,
}

/// Compares what both hold. SQLCipher takes a page of zeros for one that was never written, so damage can put zeros into a long
/// value, and no check of the file sees it. Nothing is less than zeros: of two values that differ, the greater was written.
pub(crate) fn zeroed(connection: &Connection) -> Result<Zeroed, StoreError> {
    let mut zeroed = Zeroed::Neither;
    for (table, key) in TABLES {
        let columns = columns(connection, table)?;
        let any = |sign: &str| {
            let each = columns.iter().map(|column| format!("cache.{column} {sign} copy.{column}"));
            format!("coalesce(max({}), 0)", each.collect::<Vec<_>>().join(" OR "))
        };
        let sql = format!(
            "SELECT {}, {} FROM main.{table} AS cache JOIN kept.kept_{table} AS copy ON copy.{key} = cache.{key}",
            any("<"),
            any(">")
        );
        let (less, more) =
            connection.query_row(&sql, [], |row| Ok((row.get::<_, bool>(0)?, row.get::<_, bool>(1)?)))?;
        match (less, more) {
            (true, _) => return Ok(Zeroed::Cache),
            (false, true) => zeroed = Zeroed::Copy,
            (false, false) => {}
        }
    }
    Ok(zeroed)
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
    // Read before the transaction: within it, nothing could be read any more after the first damaged page.
    let tables = std::iter::once("device").chain(TABLES.iter().map(|(table, _)| *table));
    let tables = tables.map(|table| {
        let columns = columns(connection, &format!("kept_{table}"))?.join(", ");
        let mut rows = Vec::new();
        read(connection, &format!("SELECT {columns} FROM main.{table}"), &mut rows).or_else(unreadable)?;
        Ok((table, columns, rows))
    });
    let tables = tables.collect::<Result<Vec<_>, StoreError>>()?;
    let transaction = connection.unchecked_transaction()?;
    for (table, columns, rows) in tables {
        transaction.execute(&format!("DELETE FROM kept.kept_{table}"), [])?;
        let marks = vec!["?"; columns.split(',').count()].join(", ");
        let mut add =
            transaction.prepare(&format!("INSERT INTO kept.kept_{table} ({columns}) VALUES ({marks})"))?;
        for row in rows {
            add.execute(params_from_iter(row))?;
        }
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

/// Takes rows up to the first that can't be read.
fn read(connection: &Connection, sql: &str, taken: &mut Vec<Vec<Value>>) -> Result<(), StoreError> {
    let mut rows = connection.prepare(sql)?;
    let columns = rows.column_count();
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        taken.push((0..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?);
    }
    Ok(())
}
