//! What a search found, here and on the server, and what it can have found.

use bedside_protocol::{Code, Conversation, Entry, Time};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Found {
    /// Patients whose names match.
    pub patients: Vec<Conversation>,
    /// Entries that are kept on this computer, the newest first.
    pub hits: Vec<Hit>,
    /// Whether there are more of these.
    pub more: bool,
    /// The beginnings of words that were looked for, in lower case: what to mark.
    pub words: Vec<String>,
    /// Parts of the text that look like filters and are none.
    pub ignored: Vec<String>,
    /// What was searched here.
    pub covers: Covers,
    /// What the server adds.
    pub beyond: Beyond,
}

/// An entry that a search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Hit {
    /// The entry.
    pub entry: Entry,
    /// What it was found by: all of a message, or a file's name.
    pub text: String,
    /// Its conversation's patient.
    pub patient: String,
}

/// What a search can have found here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Covers {
    /// Conversations that are known.
    pub conversations: u32,
    /// Since when their entries are here, in each of them; `null`: from their beginning.
    pub since: Option<Time>,
    /// Conversations whose newest entries are still to come.
    pub behind: u32,
    /// Entries that are here and can't be found yet.
    pub unindexed: u32,
}

/// What the server adds to a search.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Beyond {
    /// Entries that aren't kept on this computer, the newest first.
    pub hits: Vec<Hit>,
    /// How far its search is.
    pub reach: Reach,
}

/// How far the server's search is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "reach", rename_all = "snake_case")]
#[ts(export)]
pub enum Reach {
    /// Nobody has asked it.
    #[default]
    Unasked,
    /// All that it has is here.
    Needless,
    /// It doesn't know what one hasn't read, which was looked for.
    Unread,
    /// It is asked just now.
    Asking,
    /// It is too busy, and is asked again soon.
    Busy,
    /// It is asked once it can be reached.
    Offline,
    /// It didn't answer.
    Silent,
    /// It refused.
    Refused {
        /// Why.
        code: Code,
    },
    /// It has answered.
    Answered {
        /// There is more from before this time, which wasn't looked through; `null`: it was looked through to its beginning.
        back_to: Option<Time>,
        /// Entries that can't be found there yet.
        unindexed: u32,
    },
}
