//! The cache's files, and connections to them.
//!
//! `cache.db` is the cache. `kept.db` is a copy of what of it only this computer knows ([`crate::kept`]). Both are encrypted.

use crate::{Key, Keys, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Only a checkpoint makes anybody wait, for milliseconds.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the cache is, and what it is encrypted with.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
    keys: Keys,
}

impl Files {
    /// The cache in this folder, which is made when it is first written.
    pub fn new(folder: impl Into<PathBuf>, keys: Keys) -> Self {
        Self { folder: folder.into(), keys }
    }

    /// The cache's database file.
    pub fn database(&self) -> PathBuf {
        database(&self.folder)
    }

    /// The file of what only this computer knows.
    pub fn kept(&self) -> PathBuf {
        self.folder.join("kept.db")
    }

    /// What the files are encrypted with.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn cache_key(&self) -> &Key {
        &self.keys.cache
    }

    pub(crate) fn kept_key(&self) -> &Key {
        &self.keys.kept
    }

    /// A connection that can't write.
    pub(crate) fn readable(&self) -> Result<Connection, StoreError> {
        let connection = open(&self.database(), self.cache_key())?;
        // Not opened read-only: a reader of a WAL must be able to map its index. A page that it keeps, in KiB, isn't decrypted
        // again; the inner pages of a million entries' indexes fit.
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -8192")?;
        Ok(connection)
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join("cache.db")
}

/// The cache is this program's alone as long as this lives.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held open")] File);

/// Takes the cache in `folder` for this program alone: two would undo each other's work.
pub fn lock(folder: &Path) -> Result<Lock, StoreError> {
    let path = folder.join("lock");
    make_private(&path)?;
    let file = File::options().write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Whether there is a cache in `folder`.
pub fn is_there(folder: &Path) -> bool {
    let held = |name: &str| fs::metadata(folder.join(name)).is_ok_and(|file| 0 < file.len());
    held("cache.db") || held("kept.db")
}

/// Deletes what is in `folder`, log and index files and what was set aside included. Nobody may have it open, and the keys
/// should be gone already.
pub fn delete(folder: &Path) -> Result<(), StoreError> {
    for name in ["kept.db", "kept.db.unreadable", "cache.db"] {
        remove(&folder.join(name))?;
    }
    Ok(())
}

/// Removes a database with its log and index files. Its own file goes last: without it, they would be another's.
pub(crate) fn remove(database: &Path) -> Result<(), StoreError> {
    for suffix in ["-wal", "-shm", ""] {
        match fs::remove_file(beside(database, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// A file beside a database.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Opens a connection. Its key comes before anything else is read.
pub(crate) fn open(path: &Path, key: &Key) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "key", key.raw().as_str())?;
    // It writes to the standard error; what is wrong comes back as an error anyway.
    connection.pragma_update(None, "cipher_log_level", "NONE")?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // No plan depends on a value here. Without this, SQLite makes some statements' plans anew at each execution.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Writes a file that is its user's alone: all of it or nothing, onto the disk.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    use std::io::Write;
    let new = beside(path, ".new");
    make_private(&new)?;
    let mut file = File::options().write(true).truncate(true).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(new, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Brings what a folder lists onto the disk: names that came, changed or went.
pub fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    // Windows has no such call, and needs none.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Folder and file are the user's alone; SQLite gives its log and index files the database's own mode.
pub(crate) fn make_private(file: &Path) -> Result<(), StoreError> {
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
    if let Some(folder) = file.parent() {
        builder.create(folder)?;
    }
    options.open(file)?;
    Ok(())
}
