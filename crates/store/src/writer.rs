//! Writing: the only connection that writes, and the thread that has it and takes what has gathered meanwhile into one
//! transaction.

use crate::apply::Batch;
use crate::connection::BUSY_TIMEOUT;
use crate::kept;
use crate::open::{Repair, open_both};
use crate::search::index_step;
use crate::{Files, StoreError, Write};
use bedside_protocol::ConversationId;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Commits that may wait for the disk; beyond it the caller waits, which is what slows a flood down.
const QUEUE: usize = 256;
/// Without a commit for this long, nobody is in a hurry: a burst's commits follow each other faster.
const QUIET: Duration = Duration::from_millis(20);
/// Most commits in one transaction, so that none waits long for the others.
const BATCH: usize = 64;

/// Free pages that a file may keep, 1 MiB of 4 KiB each: it is about to grow again anyway.
const LOOSE: i64 = 256;
/// Pages that are given back at once: some milliseconds, for which a commit may wait.
const STEP: i64 = 256;
/// What `PRAGMA auto_vacuum` says of a file that gives pages back in steps. One of before version 5 doesn't.
const INCREMENTAL: i64 = 2;

/// What a commit touched: what readers may now see anew.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// The account.
    Account,
    /// One conversation: its summary, entries, draft or messages on their way.
    Conversation(ConversationId),
    /// The outbox.
    Outbox,
}

/// Proof that changes are on the disk, and the only thing that may be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// What changed.
    pub topics: BTreeSet<Topic>,
}

/// The only connection that writes. A program has it in a [`Writer`]'s thread; a simulation calls it itself.
#[derive(Debug)]
pub struct Cache {
    connection: Connection,
    repair: Option<Repair>,
    /// Something was deleted: the log still has it.
    leftovers: bool,
    /// The copy lacks what the last commit wrote.
    copy_is_behind: bool,
}

impl Cache {
    /// Opens the cache for writing, and mends what is damaged. `new_device` becomes the device's id if the file is new.
    pub fn open(files: &Files, new_device: &str) -> Result<Self, StoreError> {
        Self::begin(open_both(files, false)?, new_device)
    }

    /// As [`Cache::open`], of a cache that was found to be damaged: it is made anew.
    pub fn rebuild(files: &Files, new_device: &str) -> Result<Self, StoreError> {
        Self::begin(open_both(files, true)?, new_device)
    }

    fn begin(
        (connection, repair): (Connection, Option<Repair>),
        new_device: &str,
    ) -> Result<Self, StoreError> {
        connection
            .execute("INSERT OR IGNORE INTO device (one, id, cursor) VALUES (1, ?1, 0)", [new_device])?;
        connection
            .execute("INSERT OR REPLACE INTO kept_device SELECT one, id, generation FROM device", [])?;
        Ok(Self { connection, repair, leftovers: false, copy_is_behind: false })
    }

    /// What had to be mended to open it.
    pub fn repair(&self) -> Option<Repair> {
        self.repair
    }

    /// Lets search know of the newest entries that it doesn't; says of how many, 0 once it knows all.
    pub fn index(&mut self) -> Result<usize, StoreError> {
        index_step(&mut self.connection)
    }

    /// After something was deleted: gives some of what became free back to the disk, and empties the log of it once that is
    /// done. Says whether there is more to do. Pages that became free are overwritten already.
    pub fn scrub(&mut self) -> Result<bool, StoreError> {
        if self.leftovers && self.is_loose()? {
            self.connection.execute_batch(&format!(
                "PRAGMA main.incremental_vacuum({STEP}); PRAGMA kept.incremental_vacuum({STEP})"
            ))?;
            return Ok(true);
        }
        if std::mem::take(&mut self.leftovers) {
            // No message waits for a reader that is at work: then the next one does it.
            let normal = self.connection.busy_timeout(Duration::ZERO);
            let busy = normal.and_then(|()| {
                self.connection.query_row("PRAGMA main.wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            });
            self.connection.busy_timeout(BUSY_TIMEOUT)?;
            self.leftovers = busy?;
        }
        Ok(false)
    }

    /// Whether much of a file is free, and can be given back.
    fn is_loose(&self) -> Result<bool, StoreError> {
        let pragma =
            |name: &str| self.connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
        for file in ["main", "kept"] {
            let can = pragma(&format!("{file}.auto_vacuum"))? == INCREMENTAL;
            if can && LOOSE < pragma(&format!("{file}.freelist_count"))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes all commits in one transaction, or nothing of any; what it returns is on the disk.
    pub fn commit<'a>(
        &mut self,
        commits: impl IntoIterator<Item = &'a [Write]>,
    ) -> Result<Vec<Committed>, StoreError> {
        if self.copy_is_behind {
            kept::save(&self.connection)?;
            self.copy_is_behind = false;
        }
        let before = kept::generation(&self.connection)?;
        let transaction =
            self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let commits: Vec<&[Write]> = commits.into_iter().collect();
        let mut batch = Batch::begin(&transaction, commits.iter().copied().flatten())?;
        let outcomes =
            commits.iter().map(|writes| batch.apply(writes)).collect::<Result<Vec<_>, StoreError>>()?;
        let swept = batch.finish()?;
        if let Err(error) = transaction.commit() {
            // The cache's file is committed before its copy's. If it was, so are the writes, whatever became of the copy.
            if kept::generation(&self.connection)? == before {
                return Err(error.into());
            }
            tracing::warn!("the copy of what only this computer knows is behind");
            self.copy_is_behind = true;
        }
        self.leftovers |= swept || commits.iter().copied().flatten().any(Write::deletes);
        Ok(outcomes.into_iter().map(|topics| Committed { topics }).collect())
    }
}

/// Called with the outcome, on the writing thread.
type Done = Box<dyn FnOnce(Result<Committed, StoreError>) + Send>;

struct Job {
    /// None: nothing else stands on it.
    life: Option<u64>,
    writes: Vec<Write>,
    done: Done,
}

/// The handle of the writing thread. Dropping it finishes what was submitted and closes the file.
#[derive(Debug)]
pub struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Gives the cache to a thread of its own. `indexed` is called there when search knows more than before.
    pub fn start(cache: Cache, indexed: impl Fn() + Send + 'static) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("bedside-store".into())
            .spawn(move || run(cache, &queue, indexed))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Writes all of `writes` in one transaction, or nothing, and says so on the writing thread. Once a commit of a `life`
    /// of the caller's has failed, nothing more of that life or an earlier one is written: it may stand on what failed. What has
    /// no life fails alone.
    pub fn submit(
        &self,
        life: Option<u64>,
        writes: Vec<Write>,
        done: impl FnOnce(Result<Committed, StoreError>) + Send + 'static,
    ) {
        let job = Job { life, writes, done: Box::new(done) };
        let refused = match &self.jobs {
            Some(jobs) => jobs.send(job).err().map(|error| error.0),
            None => Some(job),
        };
        if let Some(job) = refused {
            (job.done)(Err(StoreError::Stopped));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the cache's writer ended badly");
        }
    }
}

/// The next job. Once none has come for a moment, search follows what was written.
fn next(cache: &mut Cache, queue: &Receiver<Job>, behind: &mut bool, indexed: &impl Fn()) -> Option<Job> {
    while *behind {
        match queue.recv_timeout(QUIET) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => match cache.index() {
                Ok(0) => {
                    *behind = cache.scrub().unwrap_or_else(|error| {
                        tracing::warn!(%error, "what was deleted can't be given back");
                        false
                    });
                }
                Ok(_) => indexed(),
                Err(error) => {
                    tracing::error!(%error, "search can't follow");
                    // Until the disk takes something again.
                    *behind = false;
                }
            },
        }
    }
    queue.recv().ok()
}

fn run(mut cache: Cache, queue: &Receiver<Job>, indexed: impl Fn()) {
    // The newest life of which a commit has failed.
    let mut failed: Option<u64> = None;
    let is_over = |life: Option<u64>, failed| life.is_some() && life <= failed;
    let mut behind = true;
    while let Some(first) = next(&mut cache, queue, &mut behind, &indexed) {
        behind = true;
        let jobs = std::iter::once(first).chain(queue.try_iter().take(BATCH - 1));
        let (over, jobs): (Vec<_>, Vec<_>) = jobs.partition(|job| is_over(job.life, failed));
        for job in over {
            (job.done)(Err(StoreError::Stopped));
        }
        match cache.commit(jobs.iter().map(|job| job.writes.as_slice())) {
            Ok(outcomes) => {
                for (job, committed) in jobs.into_iter().zip(outcomes) {
                    (job.done)(Ok(committed));
                }
            }
            // One of them can't be written: each on its own, up to that one.
            Err(_) => {
                for Job { life, writes, done } in jobs {
                    let alone = match is_over(life, failed) {
                        true => Err(StoreError::Stopped),
                        false => cache.commit([writes.as_slice()]),
                    };
                    let outcome =
                        alone.and_then(|outcomes| outcomes.into_iter().next().ok_or(StoreError::Stopped));
                    if outcome.is_err() {
                        failed = failed.max(life);
                    }
                    done(outcome);
                }
            }
        }
    }
}
