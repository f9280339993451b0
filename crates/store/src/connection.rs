//! The cache's files, and connections to them.

use crate::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Each migration brings the schema from its index to its index + 1.
const MIGRATIONS: [&str; 3] = [
    include_str!("../migrations/001_cache.sql"),
    include_str!("../migrations/002_epoch_hold_unread.sql"),
    include_str!("../migrations/003_search.sql"),
];
/// Only a checkpoint makes anybody wait, for milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the cache is.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// The cache in this folder, which is made when it is first written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.folder.join("cache.db")
    }

    /// Takes the cache for this program alone, as long as the answer lives: two would undo each other's work.
    pub(crate) fn lock(&self) -> Result<File, StoreError> {
        make_private(&self.folder, &self.folder.join("lock"))?;
        let file = File::options().write(true).open(self.folder.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Deletes the cache, log and index files included. Nobody may have it open.
    pub fn delete(&self) -> Result<(), StoreError> {
        for suffix in ["", "-wal", "-shm"] {
            let mut path = self.database().into_os_string();
            path.push(suffix);
            match fs::remove_file(PathBuf::from(path)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// The only connection that writes. Makes the file, brings its schema up to date; refuses a newer one untouched.
    pub(crate) fn writable(&self) -> Result<Connection, StoreError> {
        make_private(&self.folder, &self.database())?;
        let mut connection = open(&self.database(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        migrate(&mut connection)?;
        // Entries could be fetched again after a power cut, but what was shown as kept in the outbox must be on the
        // disk: hence FULL.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
        )?;
        Ok(connection)
    }

    /// A connection that can't write.
    pub(crate) fn readable(&self) -> Result<Connection, StoreError> {
        let connection = open(&self.database(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Not opened read-only: a reader of a WAL must be able to map its index.
        connection.execute_batch("PRAGMA query_only = ON")?;
        Ok(connection)
    }
}

/// Opens a connection. The key's place: an encrypted file takes it here, before anything else is read.
fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // No plan depends on a value here. Without this, SQLite makes some statements' plans anew at each execution.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(pending) = MIGRATIONS.get(done..) else {
        return Err(StoreError::Newer(version));
    };
    for (sql, next) in pending.iter().zip(version + 1..) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", next)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Folder and file are the user's alone; SQLite gives its log and index files the database's own mode.
fn make_private(folder: &Path, file: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        builder.mode(0o700);
        options.mode(0o600);
    }
    builder.create(folder)?;
    options.open(file)?;
    Ok(())
}
