//! The log: the one place where something becomes true.
//!
//! A [`Log`] takes a batch of writes and commits them in one transaction. Each write is checked inside that transaction
//! before anything of it is inserted: a refused write leaves nothing behind, and the others of its batch go on. A fault
//! of the disk fails the whole batch. What a commit made of a write is a [`Committed`], which nothing else can make: so
//! nothing can be published that isn't on the disk.
//!
//! Everything here is synchronous and takes the time as an argument.

#[cfg(test)]
pub(crate) mod conformance;
mod sqlite;
mod wait;

pub use sqlite::SqliteLog;

use bedside_protocol::{
    Author, ClinicId, Code, Conversation, ConversationId, Entry, Epoch, Last, Patient, Read, Refusal, Rev,
    Role, Search, Send, Seq, Suggestion, Time, UserId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Something to commit, on behalf of somebody whose identity has been checked.
#[derive(Clone, Debug)]
pub enum Write {
    /// An entry.
    Send {
        /// The clinic of the author.
        clinic: ClinicId,
        /// Who writes.
        author: Author,
        /// What.
        send: Box<Send>,
        /// The background tasks that it asks for, if it is new.
        tasks: Vec<&'static str>,
    },
    /// A read mark. The greatest wins.
    Read {
        /// The clinic of the reader.
        clinic: ClinicId,
        /// Who has read.
        reader: UserId,
        /// As what.
        role: Role,
        /// How far.
        read: Read,
    },
    /// A patient, who thereby has a conversation.
    Admit {
        /// The patient's clinic.
        clinic: ClinicId,
        /// Name and birth as the patient's token tells them.
        patient: Patient,
    },
    /// The end of somebody's access: of all tokens made until now.
    Revoke {
        /// The clinic.
        clinic: ClinicId,
        /// Whose.
        user: UserId,
        /// Whether devices destroy what they keep.
        wipe: bool,
    },
    /// Bytes that somebody uploaded: they lie on the disk. Refused as `rate_limited` once [`MAX_UNSENT`] others of the
    /// uploader's wait to be named by an entry.
    Upload(Upload),
    /// The end of an upload that was made before a time and that no entry names; of any other it isn't.
    Forget {
        /// Which.
        upload: Upload,
        /// Made before.
        before: Time,
    },
    /// Another try of a background task. Refused as `conflict` once the task has ended.
    Try {
        /// Which.
        job: Job,
    },
    /// The end of a background task. Refused as `conflict` once the task has ended.
    End {
        /// Which.
        job: Job,
        /// What it found; none if it failed.
        result: Option<Box<Suggestion>>,
    },
}

/// A background task's work on one message of a conversation: a row of the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Job {
    /// The clinic.
    pub clinic: ClinicId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The kind of task.
    pub task: String,
    /// The message that asks for it.
    pub basis: Seq,
}

/// Uploads of one person that no entry names, at most: as many photos as anybody sends at once.
pub const MAX_UNSENT: u64 = 20;

/// When somebody with too many of them may come again: sending one makes room at once, so that this is a guess.
const CROWDED_MS: u64 = 60_000;

/// The refusal of one upload more.
pub fn crowded() -> Refusal {
    Refusal::later(Code::RateLimited, "too many files wait to be sent", CROWDED_MS)
}

/// That somebody uploaded the bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Upload {
    /// The clinic.
    pub clinic: ClinicId,
    /// The bytes' SHA-256, as the wire has it.
    pub sha256: String,
    /// Who.
    pub uploader: UserId,
    /// As what.
    pub role: Role,
    /// How many they are.
    pub bytes: u64,
}

/// A conversation's summary, with what a patient's view of it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// As providers see it.
    pub conversation: Conversation,
    /// The newest entry that the patient sees.
    pub public_last: Option<Last>,
}

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// As providers see it.
    pub entry: Entry,
    /// Whether the patient sees it.
    pub public: bool,
    /// The `seq` of the public entry before it, 0 before the first.
    pub prev: Seq,
}

/// One committed change.
#[derive(Clone, Debug)]
pub enum Change {
    /// An entry, and its conversation's summary after it.
    Entry(Arc<Record>, Arc<Summary>),
    /// A summary without an entry.
    Summary(Arc<Summary>),
    /// A read mark, and the summary after it.
    Read {
        /// Who has read.
        reader: UserId,
        /// As what.
        role: Role,
        /// The summary after it.
        summary: Arc<Summary>,
    },
    /// Somebody's access has ended.
    Revoked {
        /// Whose.
        user: UserId,
        /// From when on.
        revocation: Revocation,
    },
}

/// Changes of one clinic that are on the disk, in their order. Only a [`Log`]'s commit makes one.
#[derive(Debug)]
pub struct Committed {
    clinic: ClinicId,
    changes: Vec<Change>,
    jobs: Vec<Job>,
}

impl Committed {
    /// Whose changes they are.
    pub fn clinic(&self) -> &ClinicId {
        &self.clinic
    }

    /// The changes, none if everything had been committed before.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The background tasks that they ask for.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }
}

/// What a write that wasn't refused answers to whom it came from.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The entry of a `send`, be it this one's or the first one's.
    Entry(Arc<Record>, Arc<Summary>),
    /// The conversation of a read mark or a patient.
    Summary(Arc<Summary>),
    /// The access has ended.
    Revoked,
    /// How often the background task was tried, this time included.
    Tries(u64),
    /// The background task has ended.
    Ended,
    /// The upload is known.
    Uploaded,
    /// Whether the upload is forgotten.
    Forgotten(bool),
}

/// What became of a write that wasn't refused.
#[derive(Debug)]
pub struct Outcome {
    /// For everyone.
    pub committed: Committed,
    /// For the asker.
    pub answer: Answer,
}

/// Since when somebody's tokens are worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Tokens made up to here.
    pub at: Time,
    /// Whether devices destroy what they keep.
    pub wipe: bool,
}

/// The disk, or what is on it, can't be worked with. Nothing of the batch was committed.
#[derive(Debug, thiserror::Error)]
#[error("the log can't be written or read: {0}")]
pub struct Fault(String);

impl Fault {
    /// A fault with its cause in words, which never quote what an entry says.
    pub fn new(cause: impl Into<String>) -> Self {
        Self(cause.into())
    }
}

/// The writing side. There is one, and one thread owns it.
pub trait Log: std::marker::Send + 'static {
    /// The log's present life, which began when it was opened.
    fn epoch(&self) -> &Epoch;

    /// Commits `writes` in one transaction and says for each what became of it, in their order. After a [`Fault`]
    /// nothing of them is committed, and the log goes on with the next batch.
    fn commit(&mut self, now: Time, writes: &[Write]) -> Result<Vec<Result<Outcome, Refusal>>, Fault>;

    /// Lets search know of some of the newest entries that it doesn't; says of how many, 0 once it knows all.
    fn index(&mut self) -> Result<usize, Fault>;

    /// Writes something that changes nothing, to see whether the disk takes it.
    fn probe(&mut self) -> Result<(), Fault>;

    /// Another reading side.
    fn reader(&self) -> Result<Box<dyn Reader>, Fault>;
}

/// A page of a clinic's changed conversations.
#[derive(Debug)]
pub struct Page {
    /// The cursor to go on with.
    pub rev: Rev,
    /// Whether there are more.
    pub more: bool,
    /// Oldest change first.
    pub summaries: Vec<Summary>,
}

/// An entry that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// As providers see it.
    pub entry: Entry,
    /// The name of its conversation's patient.
    pub patient: String,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The newest first.
    pub hits: Vec<Hit>,
    /// Whether there are more than was asked for.
    pub more: bool,
    /// Entries of the clinic that can't be found yet.
    pub unindexed: u64,
}

/// A reading side. Each call sees one state of the log.
pub trait Reader: std::marker::Send {
    /// The clinics and their change counters.
    fn revs(&mut self) -> Result<BTreeMap<ClinicId, Rev>, Fault>;

    /// At most `limit` of the clinic's conversations that changed after `since`; of `patient` alone, if given.
    fn changes(
        &mut self,
        clinic: &ClinicId,
        patient: Option<&UserId>,
        since: Rev,
        limit: u32,
    ) -> Result<Page, Fault>;

    /// The summary of a conversation, if the clinic has it.
    fn conversation(&mut self, clinic: &ClinicId, id: &ConversationId) -> Result<Option<Summary>, Fault>;

    /// The summary of a conversation and its entries `from..=to`, if the clinic has it.
    fn entries(
        &mut self,
        clinic: &ClinicId,
        id: &ConversationId,
        from: Seq,
        to: Seq,
    ) -> Result<Option<(Summary, Vec<Record>)>, Fault>;

    /// The newest `limit` entries of the clinic that `search` is for. What was corrected is found by its newest
    /// correction, and what was taken back not at all.
    fn search(&mut self, clinic: &ClinicId, search: &Search) -> Result<Found, Fault>;

    /// Whether a copy of the clinic's log, made in the life `epoch` and holding changes up to `newest`, is a copy of
    /// this log: not if it went back to an older copy of itself since, or is another.
    fn agrees(&mut self, clinic: &ClinicId, epoch: &Epoch, newest: Rev) -> Result<bool, Fault>;

    /// Everybody whose access has ended.
    fn revocations(&mut self) -> Result<BTreeMap<(ClinicId, UserId), Revocation>, Fault>;

    /// How many bytes the clinic has under `sha256`; to `patient`, if given, only what stands in a file of the own
    /// conversation and wasn't taken back, and what the patient uploaded.
    fn blob(
        &mut self,
        clinic: &ClinicId,
        sha256: &str,
        patient: Option<&UserId>,
    ) -> Result<Option<u64>, Fault>;

    /// All bytes that were uploaded, by clinic and SHA-256.
    fn blobs(&mut self) -> Result<BTreeSet<(ClinicId, String)>, Fault>;

    /// How many uploads of a person no entry names, `sha256` aside.
    fn unsent(&mut self, clinic: &ClinicId, who: &UserId, role: Role, sha256: &str) -> Result<u64, Fault>;

    /// At most `limit` uploads that were made before `before` and that no entry names, the oldest first.
    fn stale(&mut self, before: Time, limit: u32) -> Result<Vec<Upload>, Fault>;

    /// The background tasks that have not ended, the oldest message's first.
    fn jobs(&mut self) -> Result<Vec<Job>, Fault>;
}
