//! Whether the cache can be read, what keeps it, and what became of it.

use bedside_protocol::Time;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How much of what is to be kept here is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct History {
    /// Entries that are here.
    pub held: u32,
    /// Entries of the same conversations on the server.
    pub all: u32,
    /// Why no more of them come for now, unless somebody asks for them.
    pub paused: Option<HistoryPause>,
}

/// Why no more history comes for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum HistoryPause {
    /// What is cached weighs as much as it may.
    Full,
    /// What goes over the network costs something.
    Metered,
    /// The battery is low.
    LowBattery,
}

/// Whether the cache on this computer can be read, and what keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "vault", rename_all = "snake_case")]
#[ts(export)]
pub enum Vault {
    /// It is being opened.
    Opening,
    /// It is open.
    Open {
        /// What keeps its keys while the program doesn't run.
        keeper: Keeper,
        /// What opens it again once it is locked; `null`: nothing, so that it can't be locked.
        opener: Option<Opener>,
        /// After how many minutes without anybody at the window it locks itself; 0: never.
        idle_minutes: u32,
    },
    /// It is locked until somebody opens it.
    Locked {
        /// What locked it.
        by: LockedBy,
        /// What opens it.
        opener: Opener,
        /// Messages that wait to be sent until then, as far as that is known.
        waiting: u32,
    },
    /// The server has not been reached for longer than what is cached may be shown without it. It opens by itself once the
    /// server answers; messages that wait are still sent then.
    Expired {
        /// When it was last reached.
        reached: Time,
    },
    /// It can't be opened; nothing of it is touched.
    Closed {
        /// Why.
        why: ClosedBy,
    },
}

/// What keeps the cache's keys while the program doesn't run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Keeper {
    /// The system's keychain.
    Keychain,
    /// A passphrase alone.
    Passphrase,
    /// Nothing: there is no keychain, and what is cached ends with the program unless a passphrase is chosen.
    Nothing,
    /// Nothing, by policy.
    NothingByPolicy,
}

/// What opens a locked cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Opener {
    /// Its passphrase.
    Passphrase,
    /// The system, once it knows that it is its user who asks; the keychain has the keys.
    System,
}

/// What locked the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum LockedBy {
    /// A person.
    Person,
    /// Nobody was at the window.
    Idle,
    /// The computer slept.
    Sleep,
    /// The user's session on the computer was locked.
    Session,
    /// Another user's session came to the screen.
    Switch,
    /// It was locked when the program started.
    Start,
}

/// Why the cache can't be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ClosedBy {
    /// The keychain has its keys, and can't be asked.
    Keychain,
    /// A newer version of the program wrote it.
    Newer,
    /// The disk is full, or can't be read or written.
    Disk,
}

/// What had to be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Repaired {
    /// What.
    pub what: Repair,
    /// When.
    pub at: Time,
}

/// What was found to be damaged, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Repair {
    /// The cache: conversations come from the server again; drafts and waiting messages are as they were.
    Rebuilt,
    /// The cache and its copy: drafts or messages that waited may be missing.
    Salvaged,
    /// The cache had lost its newest changes; they came from the copy.
    CaughtUp,
    /// The copy, which was made anew.
    Copied,
    /// Neither file opens with its key: the copy is set aside, and everything begins anew.
    SetAside,
}
