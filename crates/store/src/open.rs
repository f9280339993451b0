//! Opening the cache for writing, whatever has become of its files.
//!
//! ```text
//!             kept.db reads well          kept.db damaged or gone
//!   cache.db ┌──────────────────────────┬─────────────────────────────────┐
//!   well     │ the newer of the two     │ kept.db is made anew from it    │
//!            ├──────────────────────────┼─────────────────────────────────┤
//!   damaged  │ made anew: kept.db has   │ what can be read of it goes     │
//!   or gone  │ what nobody else knows   │ into new files; kept.db is set  │
//!            │                          │ aside if it was there           │
//!            └──────────────────────────┴─────────────────────────────────┘
//! ```
//!
//! A full disk, a folder that can't be written or a newer program's file is none of these: it is an error, and nothing is touched.

use crate::connection::{beside, make_private, open, remove};
use crate::kept::{self, Newer, Zeroed};
use crate::migrate::{CACHE, KEPT, migrate};
use crate::{Files, StoreError};
use rusqlite::Connection;
use std::path::Path;

/// What had to be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// The cache was damaged. Conversations come from the server again; the rest is as it was.
    Rebuilt,
    /// The cache was damaged, and its copy too: drafts or messages that waited may be missing.
    Salvaged,
    /// The cache had lost its newest changes: they came from the copy.
    CaughtUp,
    /// The copy was damaged, and is made anew.
    Copied,
    /// Neither file opens with its key. The copy is set aside, and everything begins anew.
    SetAside,
}

/// What a file turned out to be.
enum Found {
    Well(Connection),
    New(Connection),
    Damaged,
}

/// Opens both files. A `distrusted` cache counts as damaged, however well it opens.
pub(crate) fn open_both(files: &Files, distrusted: bool) -> Result<(Connection, Option<Repair>), StoreError> {
    encrypt_plain(files)?;
    let copy = match look(&files.kept(), || open_kept(files))? {
        // Made, and never filled: whoever began to heal was stopped.
        Found::Well(connection) if kept::is_empty(&connection)? => Found::New(connection),
        copy => copy,
    };
    let opened = match (look(&files.database(), || open_cache(files))?, copy) {
        (Found::New(connection), copy @ Found::New(_)) => with_copy(connection, copy, files),
        (Found::Well(connection), copy) if !distrusted => with_copy(connection, copy, files),
        (cache, copy) => anew(cache, copy, files),
    };
    match opened {
        Ok((connection, repair)) => {
            kept::follow(&connection)?;
            Ok((connection, repair))
        }
        // It opened well, and what it holds can't be read.
        Err(error) if error.is_damage() && !distrusted => open_both(files, true),
        Err(error) => Err(error),
    }
}

/// A cache that is well, and its copy made so.
fn with_copy(
    connection: Connection,
    copy: Found,
    files: &Files,
) -> Result<(Connection, Option<Repair>), StoreError> {
    let mut repair = None;
    if matches!(copy, Found::Damaged) {
        set_aside(files)?;
        drop(open_kept(files)?);
        repair = Some(Repair::Copied);
    }
    attach(&connection, files)?;
    match kept::newer(&connection)? {
        Newer::Same => match kept::zeroed(&connection)? {
            Zeroed::Neither => {}
            Zeroed::Cache => return Err(StoreError::Corrupt),
            Zeroed::Copy => {
                kept::save(&connection)?;
                repair = Some(Repair::Copied);
            }
        },
        Newer::Cache => kept::save(&connection)?,
        Newer::Copy => {
            kept::restore(&connection)?;
            repair = Some(Repair::CaughtUp);
        }
    }
    Ok((connection, repair))
}

/// A new cache in the place of one that isn't well, with what the copy has, or what can still be read.
fn anew(cache: Found, copy: Found, files: &Files) -> Result<(Connection, Option<Repair>), StoreError> {
    let repair = match copy {
        Found::Well(_) => Repair::Rebuilt,
        copy => salvage(cache, copy, files)?,
    };
    remove(&files.database())?;
    let connection = open_cache(files)?;
    attach(&connection, files)?;
    kept::restore(&connection)?;
    Ok((connection, Some(repair)))
}

/// Takes what can be read of a cache that isn't well into a new copy, since there is none that is.
fn salvage(cache: Found, copy: Found, files: &Files) -> Result<Repair, StoreError> {
    let readable = match cache {
        Found::Well(connection) => Some(connection),
        Found::New(_) => None,
        Found::Damaged => open(&files.database(), files.cache_key()).ok().filter(key_fits),
    };
    if matches!(copy, Found::Damaged) {
        set_aside(files)?;
    }
    drop(copy);
    drop(open_kept(files)?);
    let Some(connection) = readable else { return Ok(Repair::SetAside) };
    attach(&connection, files)?;
    kept::rescue(&connection)?;
    Ok(Repair::Salvaged)
}

/// Moves a copy out of the way that can't be read: perhaps somebody else can.
fn set_aside(files: &Files) -> Result<(), StoreError> {
    for suffix in ["-wal", ""] {
        let from = beside(&files.kept(), suffix);
        match std::fs::rename(from, beside(&files.kept(), &format!(".unreadable{suffix}"))) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    remove(&files.kept())
}

/// Opens a file, and tells damage from what is no fault of the file's.
fn look(path: &Path, open: impl FnOnce() -> Result<Connection, StoreError>) -> Result<Found, StoreError> {
    let new = !std::fs::metadata(path).is_ok_and(|file| 0 < file.len());
    match open() {
        Ok(connection) if new => Ok(Found::New(connection)),
        Ok(connection) => Ok(Found::Well(connection)),
        Err(error) if error.is_damage() => Ok(Found::Damaged),
        Err(error) => Err(error),
    }
}

fn open_cache(files: &Files) -> Result<Connection, StoreError> {
    make_private(&files.database())?;
    let mut connection = open(&files.database(), files.cache_key())?;
    give_back(&connection)?;
    migrate(&mut connection, CACHE)?;
    // Entries could be fetched again after a power cut, but what was shown as kept in the outbox must be on the
    // disk: hence FULL. What is deleted is overwritten.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
         SELECT count(*) FROM device",
    )?;
    Ok(connection)
}

/// Lets a new file become smaller again, in steps.
fn give_back(connection: &Connection) -> Result<(), StoreError> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 {
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    Ok(())
}

/// The copy is small: all of it is looked at.
fn open_kept(files: &Files) -> Result<Connection, StoreError> {
    make_private(&files.kept())?;
    let mut connection = open(&files.kept(), files.kept_key())?;
    give_back(&connection)?;
    migrate(&mut connection, KEPT)?;
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(connection) } else { Err(StoreError::Corrupt) }
}

/// Whether the file is one, and of this key.
fn key_fits(connection: &Connection) -> bool {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).is_ok()
}

fn attach(connection: &Connection, files: &Files) -> Result<(), StoreError> {
    let path = files.kept();
    let path = path.to_str().ok_or(StoreError::Path)?;
    connection.execute("ATTACH ?1 AS kept KEY ?2", [path, files.kept_key().raw().as_str()])?;
    connection.execute_batch(
        "PRAGMA kept.journal_mode = WAL; PRAGMA kept.synchronous = FULL; PRAGMA kept.secure_delete = ON",
    )?;
    Ok(())
}

/// The first bytes of a file that isn't encrypted.
const PLAIN: &[u8] = b"SQLite format 3\0";

/// Encrypts a cache of a program from before 0.1, which kept it as it was.
fn encrypt_plain(files: &Files) -> Result<(), StoreError> {
    use std::io::Read;
    let database = files.database();
    let mut head = Vec::new();
    match std::fs::File::open(&database) {
        Ok(file) => file.take(16).read_to_end(&mut head)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if head != PLAIN {
        return Ok(());
    }
    let sealed = beside(&database, ".sealed");
    remove(&sealed)?;
    make_private(&sealed)?;
    let path = sealed.to_str().ok_or(StoreError::Path)?;
    let mut plain = Connection::open(&database)?;
    migrate(&mut plain, CACHE)?;
    plain.execute("ATTACH ?1 AS sealed KEY ?2", [path, files.cache_key().raw().as_str()])?;
    plain.execute_batch("SELECT sqlcipher_export('sealed')")?;
    let version: u32 = plain.pragma_query_value(None, "user_version", |row| row.get(0))?;
    plain.pragma_update(Some("sealed"), "user_version", version)?;
    plain.execute_batch("DETACH sealed; PRAGMA wal_checkpoint(TRUNCATE)")?;
    drop(plain);
    // The new file is whole and on the disk before it takes the old one's place, whose own log went with its last connection.
    std::fs::File::open(&sealed)?.sync_all()?;
    Ok(std::fs::rename(&sealed, &database)?)
}
