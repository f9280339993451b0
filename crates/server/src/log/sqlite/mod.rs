//! The log in one SQLite file.

mod jobs;
mod migrate;
mod read;
mod rows;
mod search;
mod send;
mod uploads;
mod write;

use super::{Fault, Log, Outcome, Reader, Write};
use bedside_protocol::{EntryId, Epoch, Refusal, Time};
use migrate::{VERSION, migrate};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;
use write::Stop;

/// The writer waits for nobody but a checkpoint, and a reader for nobody but a restart's recovery.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the last checkpoint may wait for readers.
const CLOSING_TIMEOUT: Duration = Duration::from_millis(500);

/// Statements kept prepared: all there are.
const STATEMENTS: usize = 64;

/// Random bytes for the ids of the server's own entries.
pub type Random = Box<dyn FnMut() -> Result<[u8; 10], Fault> + std::marker::Send>;

/// The log in one SQLite file, with its write-ahead log beside it.
pub struct SqliteLog {
    connection: Connection,
    path: PathBuf,
    random: Random,
    epoch: Epoch,
}

impl SqliteLog {
    /// Opens the log at `path`, makes it if there is none, and migrates it if it is older than this program.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        Self::open_with(
            path,
            Box::new(|| {
                let mut bytes = [0; 10];
                getrandom::fill(&mut bytes).map_err(|error| Fault::new(error.to_string()))?;
                Ok(bytes)
            }),
        )
    }

    /// As [`SqliteLog::open`], with other randomness.
    pub fn open_with(path: &Path, mut random: Random) -> Result<Self, Fault> {
        make_private(path)?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // FULL: what was committed survives the loss of power.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA trusted_schema = OFF;",
        )?;
        migrate(&mut connection)?;
        let epoch = begin_epoch(&mut connection, random()?)?;
        Ok(Self { connection, path: path.to_owned(), random, epoch })
    }

    /// Lets the file grow to `pages` at most, as a full disk would.
    #[cfg(test)]
    pub(super) fn limit_pages(&mut self, pages: u32) {
        self.connection.pragma_update(None, "max_page_count", pages).unwrap();
    }
}

impl Drop for SqliteLog {
    /// Leaves one file: SQLite does so by itself only if no reader is left, and whoever copies the log looks for one.
    fn drop(&mut self) {
        // A reader that is still at work mustn't hold the end up.
        let checkpoint = self
            .connection
            .busy_timeout(CLOSING_TIMEOUT)
            .and_then(|()| self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"));
        if let Err(error) = checkpoint {
            tracing::warn!(fault = %Fault::from(error), "the log's last changes stay in its -wal file");
        }
    }
}

/// The log is its server's alone; SQLite gives its other files the database's own mode.
fn make_private(path: &Path) -> Result<(), Fault> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| Fault::new(error.to_string()))
}

/// Notes a new life of the log, and where the one before it ended.
fn begin_epoch(connection: &mut Connection, random: [u8; 10]) -> Result<Epoch, Fault> {
    let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let epoch = Epoch::new(name).map_err(|error| Fault::new(error.to_string()))?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("INSERT INTO epochs (id) VALUES (?1)", [epoch.as_str()])?;
    transaction.execute(
        "INSERT INTO epoch_starts (epoch, clinic, rev) SELECT last_insert_rowid(), clinic, rev FROM clinics",
        [],
    )?;
    transaction.commit()?;
    Ok(epoch)
}

impl Log for SqliteLog {
    fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    fn commit(&mut self, now: Time, writes: &[Write]) -> Result<Vec<Result<Outcome, Refusal>>, Fault> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let random = &mut self.random;
        let mut new_id = |at| random().map(|bytes| EntryId::from_parts(at, bytes));
        let mut outcomes = Vec::with_capacity(writes.len());
        for write in writes {
            match write::apply(&transaction, now, &mut new_id, write) {
                Ok(outcome) => outcomes.push(Ok(outcome)),
                Err(Stop::Refused(refusal)) => outcomes.push(Err(refusal)),
                // Dropping the transaction rolls it back, with what the writes before this one did.
                Err(Stop::Fault(fault)) => return Err(fault),
            }
        }
        transaction.commit()?;
        Ok(outcomes)
    }

    fn index(&mut self) -> Result<usize, Fault> {
        search::step(&mut self.connection)
    }

    fn probe(&mut self) -> Result<(), Fault> {
        // Sets what is set already: a page goes to the disk all the same.
        Ok(self.connection.pragma_update(None, "user_version", VERSION)?)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, Fault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "query_only", true)?;
        Ok(Box::new(read::SqliteReader::new(connection)))
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error;
        // Only what SQLite itself says: other errors may quote a row.
        match error {
            Error::SqliteFailure(code, _) => Fault::new(code.to_string()),
            Error::QueryReturnedNoRows => Fault::new("a row is missing"),
            Error::InvalidColumnName(name) => Fault::new(format!("no column {name}")),
            Error::FromSqlConversionFailure(column, ..) | Error::InvalidColumnType(column, ..) => {
                Fault::new(format!("column {column} holds what it shouldn't"))
            }
            _ => Fault::new("a statement failed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_strict_and_durable() {
        let dir = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(&dir.path().join("log")).unwrap();
        let loose: u32 = log
            .connection
            .query_row(
                "SELECT count(*) FROM pragma_table_list
                 WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(loose, 0);
        let pragma = |name: &str| -> String {
            log.connection
                .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
                .map(|value| format!("{value:?}"))
                .unwrap()
        };
        assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
        assert_eq!(pragma("synchronous"), "Integer(2)");
        assert_eq!(pragma("foreign_keys"), "Integer(1)");
    }

    #[test]
    fn a_log_that_was_closed_is_one_file_even_while_it_is_read() {
        use crate::log::conformance::{Desk, amara};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut desk = Desk::new(SqliteLog::open(&path).unwrap());
        let of = desk.admit("hana");
        desk.text(&amara(), &of, "x");
        // Only a reader that has read counts as one.
        let mut reader = desk.log.reader().unwrap();
        reader.revs().unwrap();
        drop(desk);
        let left = std::fs::metadata(dir.path().join("log-wal")).map_or(0, |file| file.len());
        assert_eq!(left, 0);
    }

    #[test]
    fn an_older_program_refuses_a_newer_log() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let log = SqliteLog::open(&path).unwrap();
        log.connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
        drop(log);
        assert!(SqliteLog::open(&path).err().unwrap().to_string().contains("newer version"));
    }

    /// A full disk: nothing of the batch is there, and once there is room the log goes on where it was.
    #[test]
    fn a_full_disk_fails_the_whole_batch() {
        use crate::log::conformance::{Desk, amara, clinic, id, send};
        use bedside_protocol::{Body, Rev, Seq};
        let dir = tempfile::tempdir().unwrap();
        let mut desk = Desk::new(SqliteLog::open(&dir.path().join("log")).unwrap());
        let of = desk.admit("hana");
        let pages: u32 =
            desk.log.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        desk.log.limit_pages(pages);
        let large = "x".repeat(16_000);
        let batch = [(1, "small"), (2, &large), (3, "small")]
            .map(|(n, text)| send("riverside", &amara(), id(n), &of, Seq::ZERO, Body::text(text)));
        let now = desk.now;
        assert!(desk.log.commit(now, &batch).is_err());
        let (summary, records) = desk.all(&of);
        assert_eq!((summary.conversation.head, records.len()), (Seq::ZERO, 0));
        desk.log.limit_pages(pages + 100);
        assert!(desk.log.commit(now, &batch).unwrap().iter().all(Result::is_ok));
        let mut reader = desk.log.reader().unwrap();
        assert_eq!(reader.revs().unwrap().get(&clinic("riverside")), Some(&Rev::new(4)));
    }

    /// A copy that was made while the log was in use, put back after it had gone on.
    #[test]
    fn a_restored_log_knows_the_clients_that_had_seen_more() {
        use crate::log::conformance::{Desk, amara, clinic};
        use bedside_protocol::Rev;
        let dir = tempfile::tempdir().unwrap();
        let (path, copy) = (dir.path().join("log"), dir.path().join("copy"));
        let mut desk = Desk::new(SqliteLog::open(&path).unwrap());
        let of = desk.admit("hana");
        desk.text(&amara(), &of, "in the copy");
        desk.log.connection.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
        desk.text(&amara(), &of, "lost");
        let epoch = desk.log.epoch().clone();
        drop(desk);
        let mut desk = Desk::new(SqliteLog::open(&copy).unwrap());
        desk.next = 20_000;
        for _ in 0..5 {
            desk.text(&amara(), &of, "another history");
        }
        let mut reader = desk.log.reader().unwrap();
        let mut agrees = |rev| reader.agrees(&clinic("riverside"), &epoch, Rev::new(rev)).unwrap();
        assert_eq!([agrees(2), agrees(3)], [true, false]);
    }

    #[test]
    fn readers_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let log = SqliteLog::open(&path).unwrap();
        let _reader = log.reader().unwrap();
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        assert!(connection.execute("DELETE FROM clinics", []).is_err());
    }
}
