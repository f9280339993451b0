//! Bringing a log's schema up to date. `schema/` holds what each version makes of an empty file; a test keeps it so.

use super::Fault;
use rusqlite::{Connection, TransactionBehavior};

/// The migrations, in their order: `PRAGMA user_version` counts those that were made.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/001_log.sql"),
    include_str!("../migrations/002_epochs.sql"),
    include_str!("../migrations/003_tasks.sql"),
    include_str!("../migrations/004_closed_at.sql"),
    include_str!("../migrations/005_uploads.sql"),
    include_str!("../migrations/006_search.sql"),
];

/// The version that this program writes.
pub const VERSION: isize = MIGRATIONS.len() as isize;

/// Makes the migrations that are missing, in one transaction.
pub fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    migrate_by(connection, MIGRATIONS)
}

fn migrate_by(connection: &mut Connection, migrations: &[&str]) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let made: isize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let made = usize::try_from(made).unwrap_or(usize::MAX);
    let Some(missing) = migrations.get(made..) else {
        return Err(Fault::new("it was written by a newer version of this program"));
    };
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", migrations.len() as isize)?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::conformance::{Desk, amara, hana, note};
    use crate::log::{Log, SqliteLog};
    use std::path::Path;

    /// What a file's schema is, as text to compare; the tables of an index are its own affair.
    fn schema(connection: &Connection) -> String {
        let mut rows = connection
            .prepare(
                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT GLOB '*_found_*'
                 ORDER BY type DESC, name",
            )
            .unwrap();
        let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(|sql| sql.unwrap() + ";\n").collect()
    }

    /// Where a version's page is missing, the test writes it, and fails.
    #[test]
    fn each_version_is_as_it_was_written_down() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
        let mut connection = Connection::open_in_memory().unwrap();
        for version in 1..=MIGRATIONS.len() {
            migrate_by(&mut connection, &MIGRATIONS[..version]).unwrap();
            let page = folder.join(format!("log-{version}.sql"));
            if !page.exists() {
                std::fs::write(&page, schema(&connection)).unwrap();
                panic!("{page:?} was missing and is written now: read it, and keep it");
            }
            assert_eq!(std::fs::read_to_string(&page).unwrap(), schema(&connection), "{page:?}");
        }
    }

    /// A log that was filled by this program, with what each later version added taken away.
    #[test]
    fn a_log_of_each_version_is_brought_up_to_date_and_keeps_what_it_holds() {
        for version in 1..=MIGRATIONS.len() {
            let dir = tempfile::tempdir().unwrap();
            let (filled, old) = (dir.path().join("filled"), dir.path().join("old"));
            let mut desk = Desk::new(SqliteLog::open(&filled).unwrap());
            let of = desk.admit("hana");
            desk.text(&hana(), &of, "question");
            desk.send(&amara(), &of, note("between us")).unwrap();
            let before = desk.all(&of);
            drop(desk);
            let mut connection = Connection::open(&old).unwrap();
            migrate_by(&mut connection, &MIGRATIONS[..version]).unwrap();
            connection.execute("ATTACH ?1 AS filled", [filled.to_str().unwrap()]).unwrap();
            for table in ["clinics", "conversations", "entries"] {
                let columns: String = connection
                    .query_row(
                        "SELECT group_concat(name) FROM pragma_table_info(?1, 'main')",
                        [table],
                        |row| row.get(0),
                    )
                    .unwrap();
                let copy =
                    format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM filled.{table}");
                connection.execute(&copy, []).unwrap();
            }
            drop(connection);
            let log = SqliteLog::open(&old).unwrap();
            let mut reader = log.reader().unwrap();
            let id = crate::log::conformance::clinic("riverside");
            let after = reader.entries(&id, &of, Default::default(), bedside_protocol::Seq::MAX).unwrap();
            assert_eq!(after, Some(before), "{version}");
        }
    }
}
