//! Entries: the durable events of a conversation.

use crate::{Body, ConversationId, EntryId, Extra, Rev, Seq, Time, UserId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Who somebody is to a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A clinician or other staff of the clinic.
    Provider,
    /// The patient whose conversation it is.
    Patient,
    /// The server itself, and its background tasks.
    System,
}

/// Who wrote an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Author {
    /// The person's id.
    pub id: UserId,
    /// The person's role when it was written.
    pub role: Role,
    /// The name to show.
    pub name: String,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// Where a text came from, when it came from a suggestion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Origin {
    /// The suggestion's entry.
    pub suggestion: EntryId,
    /// Whether the writer changed it.
    pub edited: bool,
    /// Fields of later versions.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// One durable event of a conversation, as the server committed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Entry {
    /// The conversation that it belongs to.
    pub conversation: ConversationId,
    /// Its place in the conversation: dense, from 1.
    pub seq: Seq,
    /// The clinic's change counter when it was committed.
    pub rev: Rev,
    /// Made by its writer; unique within the clinic.
    pub id: EntryId,
    /// When the server committed it.
    pub at: Time,
    /// Who wrote it.
    pub author: Author,
    /// What it says.
    pub body: Body,
    /// What it says in one plain line, for those who don't know the body's kind.
    pub preview: String,
    /// The suggestion that the text came from; providers alone see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<Origin>,
    /// To patients only: the `seq` of the public entry before this one, 0 at the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub prev: Option<Seq>,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}
