//! Background tasks: whatever needs a model. A message never waits for one.
//!
//! ```text
//!                        after its commit          permit of its lane       result, in one transaction
//! message + task's row ──────────────────> queued ──────────────────> try ──────────────────────────────> entry
//!                          or at the start   ^                         │ fault, time-out
//!                                            └──────── back-off ───────┘
//! ```
//!
//! The row is the truth (log/sqlite/jobs.rs); what is here is only who works on it now. A newer message of the conversation
//! ends what was computed for the one before; a server that starts goes on with the rows that have no end.
//!
//! A kind of task is a file here, and its line in [`KINDS`]. What works without a service is another [`Task`] of the same
//! name, to be given to [`Kinds::new`] before the one that asks a service.

mod draft;
mod lane;
mod reply;
mod run;

pub use draft::Draft;
pub use lane::Lane;
pub use run::{Hint, Runner, hints};

use crate::clock::Clock;
use crate::services::breaker::State;
use crate::services::{Service, Settings, SettingsError};
use bedside_protocol::{Body, ConversationId, Entry, Patient, Role, SuggestionItem};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What a task found.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// Best first.
    pub items: Vec<SuggestionItem>,
    /// The model that made it.
    pub model: String,
    /// The model's or prompt's version.
    pub version: String,
    /// Why there is nothing to say.
    pub abstained: Option<String>,
}

/// Why a try came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Another try may do better, not before this long.
    Later(Option<Duration>),
    /// No other try will.
    Never,
}

/// How often a task is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// Tries at most, over all lives of the server: one that brings it down must not do so for ever.
    pub most: u64,
    /// The wait before the second, doubled with each further one.
    pub backoff: Duration,
}

/// What a try reads.
pub struct Reading {
    /// The conversation's patient.
    pub patient: Patient,
    /// The conversation.
    pub conversation: ConversationId,
    /// Its newest entries up to the one that asked, oldest first.
    pub entries: Vec<Entry>,
    /// Shows providers what is being written.
    pub draft: Draft,
}

/// What a try came to.
pub type Attempt<'a> = Pin<Box<dyn Future<Output = Result<Advice, Trouble>> + Send + 'a>>;

/// A kind of background task.
pub trait Task: Send + Sync + 'static {
    /// Its name on the wire: a suggestion's `task`.
    fn name(&self) -> &'static str;

    /// Whom it may keep waiting.
    fn lane(&self) -> Lane;

    /// Whether an entry of an author in this role asks for it.
    fn wanted(&self, role: Role, body: &Body) -> bool;

    /// How long one try may take.
    fn timeout(&self) -> Duration;

    /// How often it is tried.
    fn tries(&self) -> Tries {
        Tries { most: 4, backoff: Duration::from_secs(1) }
    }

    /// The service that it asks, if it asks one: its name, and where its breaker stands.
    fn service(&self) -> Option<(&str, State)> {
        None
    }

    /// One try. Dropped when it takes too long or isn't wanted any more.
    fn attempt<'a>(&'a self, reading: &'a Reading) -> Attempt<'a>;
}

/// The kinds that ask a service, by name, and how each is made.
const KINDS: [(&str, fn(Arc<Service>) -> Arc<dyn Task>); 1] = [(reply::NAME, reply::task)];

/// The kinds that a server knows, by name.
#[derive(Clone, Default)]
pub struct Kinds(BTreeMap<&'static str, Arc<dyn Task>>);

impl Kinds {
    /// These kinds. Of two with one name the later counts.
    pub fn new(kinds: impl IntoIterator<Item = Arc<dyn Task>>) -> Self {
        Self(kinds.into_iter().map(|kind| (kind.name(), kind)).collect())
    }

    /// The kinds that settings connect with services.
    pub fn with_services(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Self, SettingsError> {
        let services = settings.open(clock)?;
        let kind = |(name, service): (&String, &String)| {
            let known = KINDS.iter().find(|(known, _)| known == name);
            let (_, make) = known.ok_or_else(|| SettingsError::NoTask(name.clone()))?;
            let found = services.get(service);
            let no_service = || SettingsError::NoService(name.clone(), service.clone());
            Ok(make(found.ok_or_else(no_service)?.clone()))
        };
        Ok(Self::new(settings.tasks.iter().map(kind).collect::<Result<Vec<_>, _>>()?))
    }

    /// The services that they ask, and where each one's breaker stands.
    pub fn services(&self) -> BTreeMap<&str, State> {
        self.0.values().filter_map(|kind| kind.service()).collect()
    }

    /// The names of those whose service is left alone for now.
    pub fn paused(&self) -> BTreeSet<&'static str> {
        let paused = |kind: &&Arc<dyn Task>| kind.service().is_some_and(|(_, state)| state != State::Closed);
        self.0.values().filter(paused).map(|kind| kind.name()).collect()
    }

    /// The names of those that an entry asks for.
    pub fn wanted(&self, role: Role, body: &Body) -> Vec<&'static str> {
        self.0.values().filter(|kind| kind.wanted(role, body)).map(|kind| kind.name()).collect()
    }

    fn get(&self, name: &str) -> Option<&Arc<dyn Task>> {
        self.0.get(name)
    }
}
