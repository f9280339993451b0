//! The bytes of files: on the disk beside the log, each clinic's in a folder of its own, each file under its SHA-256.
//!
//! ```text
//! upload ──> DIGEST.xxxxxx ──the digest is right──> DIGEST ──> row of the log ──> answered
//!               └──────anything else──────> gone      └──────no row──────> gone
//! ```
//!
//! The row is the truth: a file without one is left over from a crash, or the log is older than it; it goes after a month. What no
//! entry names goes after a day (sweep.rs).

pub mod allowance;
pub mod receive;
pub mod sweep;

use crate::log::Fault;
use bedside_protocol::{ClinicId, Time, is_sha256};
use std::collections::BTreeSet;
use std::fs::{DirBuilder, Permissions, ReadDir};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::{Builder, NamedTempFile, TempPath};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The folder within the data directory.
const FOLDER: &str = "blobs";

/// A file that the log doesn't know has this behind its name, from the start on that found it so; it gets its name back from a
/// log that knows it.
const UNKNOWN: &str = "unknown";
/// For so long it stays: a log that was put back from a backup doesn't know the newest files, another or an empty one none, and the
/// right one may be found yet.
const UNKNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// So much of the disk is left to the log: without room for it, no message of any clinic is taken.
const LEFT_TO_THE_LOG: u64 = 1 << 30;

/// Where the bytes are.
pub struct Blobs {
    root: PathBuf,
    /// Shared from putting a file to committing its row; alone from looking for a row to removing its file.
    hold: RwLock<()>,
}

/// What lay in the folder at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Files that have rows.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Pieces of uploads, and files that had no row for [`UNKNOWN_FOR`]: they are gone.
    pub removed: u64,
    /// Other files without a row. Perhaps the log is older than they are, or another, and the right one is put back.
    pub strangers: u64,
    /// Rows that have no file.
    pub missing: u64,
}

impl Blobs {
    /// Opens the folder in `data`, and removes what is left over by `rows`.
    pub fn open(data: &Path, rows: &BTreeSet<(ClinicId, String)>, now: Time) -> io::Result<(Self, Found)> {
        let blobs = Self { root: data.join(FOLDER), hold: RwLock::new(()) };
        make_private(&blobs.root)?;
        let known: BTreeSet<PathBuf> =
            rows.iter().map(|(clinic, sha256)| blobs.path(clinic, sha256)).collect();
        let mut found = Found::default();
        for folder in entries(std::fs::read_dir(&blobs.root)?) {
            let folder = folder?;
            if !folder.is_dir() {
                continue;
            }
            for path in entries(std::fs::read_dir(folder)?) {
                let path = path?;
                match settle(&path, &known, now)? {
                    Left::Ours => {
                        found.files += 1;
                        found.bytes += path.with_extension("").metadata()?.len();
                    }
                    Left::Strange => found.strangers += 1,
                    Left::Gone => found.removed += 1,
                }
            }
        }
        found.missing = (known.len() as u64).saturating_sub(found.files);
        Ok((blobs, found))
    }

    /// A clinic's folder. An id may be `..`, and the prefix makes a plain name of it.
    fn folder(&self, clinic: &ClinicId) -> PathBuf {
        self.root.join(format!("at-{clinic}"))
    }

    fn path(&self, clinic: &ClinicId, sha256: &str) -> PathBuf {
        debug_assert!(is_sha256(sha256));
        self.folder(clinic).join(sha256)
    }

    /// Whether the disk has room for a file of so many bytes. Where the system doesn't say, it has.
    pub fn has_room(&self, bytes: u64) -> bool {
        #[cfg(unix)]
        if let Ok(disk) = rustix::fs::statvfs(&self.root) {
            return leaves_room(disk.f_bavail.saturating_mul(disk.f_frsize), bytes);
        }
        true
    }

    /// Whether the file is there.
    pub async fn has(&self, clinic: &ClinicId, sha256: &str) -> bool {
        tokio::fs::try_exists(self.path(clinic, sha256)).await.unwrap_or(false)
    }

    /// Opens a file for reading.
    pub async fn read(&self, clinic: &ClinicId, sha256: &str) -> io::Result<tokio::fs::File> {
        tokio::fs::File::open(self.path(clinic, sha256)).await
    }

    /// A new file for its owner's eyes only, beside the place of `sha256`; it vanishes unless it is put there.
    pub async fn begin(&self, clinic: &ClinicId, sha256: &str) -> io::Result<(tokio::fs::File, TempPath)> {
        let (root, folder, prefix) = (self.root.clone(), self.folder(clinic), format!("{sha256}."));
        let file = blocking(move || {
            if !folder.exists() {
                make_private(&folder)?;
                sync(&root)?;
            }
            #[cfg(unix)]
            let mode: Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            Builder::new().prefix(&prefix).permissions(mode).tempfile_in(folder)
        });
        let (file, path) = NamedTempFile::into_parts(file.await?);
        Ok((tokio::fs::File::from_std(file), path))
    }

    /// Keeps files where they are until their row is committed.
    pub async fn holding(&self) -> RwLockReadGuard<'_, ()> {
        self.hold.read().await
    }

    /// Keeps others from putting files until those that are to go are gone.
    pub async fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.hold.write().await
    }

    /// Puts a file that is on the disk to its place, durably. False if it was there already.
    pub async fn put(&self, path: TempPath, clinic: &ClinicId, sha256: &str) -> io::Result<bool> {
        let (folder, place) = (self.folder(clinic), self.path(clinic, sha256));
        blocking(move || match path.persist_noclobber(place) {
            Ok(()) => sync(&folder).map(|()| true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        })
        .await
    }

    /// Removes a file; says how large it was.
    pub async fn remove(
        &self,
        _alone: &RwLockWriteGuard<'_, ()>,
        clinic: &ClinicId,
        sha256: &str,
    ) -> io::Result<u64> {
        let path = self.path(clinic, sha256);
        let bytes = tokio::fs::metadata(&path).await?.len();
        tokio::fs::remove_file(path).await?;
        Ok(bytes)
    }
}

/// What a file turned out to be.
enum Left {
    /// It has a row.
    Ours,
    /// It has none, and stays for now.
    Strange,
    /// Nobody would have come for it.
    Gone,
}

/// Gives a file of an earlier life the name that it should have, or removes it.
fn settle(path: &Path, known: &BTreeSet<PathBuf>, now: Time) -> io::Result<Left> {
    let place = path.with_extension("");
    let unknown = path.extension().is_some_and(|extension| extension == UNKNOWN);
    match path.extension() {
        None if known.contains(path) => Ok(Left::Ours),
        None => {
            // The month begins when it is first seen so.
            std::fs::File::options().append(true).open(path)?.set_modified(moment(now))?;
            std::fs::rename(path, path.with_extension(UNKNOWN))?;
            Ok(Left::Strange)
        }
        Some(_) if unknown && known.contains(&place) && !place.exists() => {
            std::fs::rename(path, place)?;
            Ok(Left::Ours)
        }
        Some(_) if unknown && !known.contains(&place) && !is_older(path, now)? => Ok(Left::Strange),
        Some(_) => {
            std::fs::remove_file(path)?;
            Ok(Left::Gone)
        }
    }
}

/// Whether it has been unknown for so long that no log will come for it any more.
fn is_older(path: &Path, now: Time) -> io::Result<bool> {
    let since = moment(now).duration_since(path.metadata()?.modified()?).unwrap_or_default();
    Ok(since > UNKNOWN_FOR)
}

fn moment(time: Time) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(time.millis())
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn sync(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

fn entries(folder: ReadDir) -> impl Iterator<Item = io::Result<PathBuf>> {
    folder.map(|entry| entry.map(|entry| entry.path()))
}

fn leaves_room(free: u64, bytes: u64) -> bool {
    free.saturating_sub(bytes) >= LEFT_TO_THE_LOG
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// A fault of the disk, without the path.
pub fn fault(error: &io::Error) -> Fault {
    Fault::new(error.kind().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_leave_room_to_the_log() {
        assert!(leaves_room(LEFT_TO_THE_LOG + 20, 20));
        assert!(!leaves_room(LEFT_TO_THE_LOG + 20, 21));
        assert!(!leaves_room(5, 20));
    }
}
