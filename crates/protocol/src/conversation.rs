//! A conversation's summary: what an inbox row needs, and the cursor of its log.

use crate::{Author, ConversationId, Extra, Phase, Rev, Seq, Time, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// The patient of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Patient {
    /// The patient's id.
    pub id: UserId,
    /// The name to show.
    pub name: String,
    /// Date of birth, `YYYY-MM-DD`, where the clinic knows it.
    pub born: Option<String>,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// How soon somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum UrgencyLevel {
    /// In its turn.
    Routine,
    /// Before the others.
    Soon,
    /// Now.
    Urgent,
}

/// What triage found, and in which entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Urgency {
    /// How soon somebody should look.
    pub level: UrgencyLevel,
    /// Why, in words for the provider.
    pub reason: String,
    /// The newest entry that was read for it.
    pub basis: Seq,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// The newest entry that a person wrote, for the inbox row; in a patient's frames the newest public entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Last {
    /// Its place.
    pub seq: Seq,
    /// When it was committed.
    pub at: Time,
    /// Who wrote it.
    pub author: Author,
    /// What it says in one plain line.
    pub preview: String,
    /// Fields of later versions.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// The state of a conversation at `rev`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Conversation {
    /// The conversation's id.
    pub id: ConversationId,
    /// The clinic's change counter at this conversation's latest change.
    pub rev: Rev,
    /// The newest entry's `seq`, 0 without any.
    pub head: Seq,
    /// Whose conversation it is.
    pub patient: Patient,
    /// Open, snoozed or closed.
    pub state: Phase,
    /// Until when it is snoozed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<Time>,
    /// When it was closed, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub closed_at: Option<Time>,
    /// The provider who has taken it.
    pub assigned: Option<UserId>,
    /// What triage found.
    pub urgency: Option<Urgency>,
    /// Since when the patient has been waiting for an answer; `null` when nobody waits.
    pub waiting_since: Option<Time>,
    /// The newest entry that a person wrote; in a patient's frames the newest public one.
    pub last: Option<Last>,
    /// How far each person has read.
    pub read: BTreeMap<UserId, Seq>,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

impl Conversation {
    /// A conversation as it opens: nothing has been said.
    pub fn new(id: ConversationId, rev: Rev, patient: Patient) -> Self {
        Self {
            id,
            rev,
            head: Seq::ZERO,
            patient,
            state: Phase::Open,
            until: None,
            closed_at: None,
            assigned: None,
            urgency: None,
            waiting_since: None,
            last: None,
            read: BTreeMap::new(),
            extra: Extra::new(),
        }
    }

    /// Since when it has been closed, if it is. Servers from before `closed_at` tell when somebody last wrote.
    pub fn closed_since(&self) -> Option<Time> {
        let closed = (self.state == Phase::Closed).then_some(self.closed_at);
        closed?.or(self.last.as_ref().map(|last| last.at))
    }
}
