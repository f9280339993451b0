//! Lanes: a slow kind of task fills its own alone.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Whom a task may keep waiting: the others of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Who must be looked at now.
    Triage,
    /// What one could answer.
    Reply,
    /// What a long conversation comes to.
    Summary,
}

/// Tries under way at once: a model service on a clinic's own machine serves some requests at a time, and triage must
/// find one free.
const TRIAGE: usize = 4;
const REPLY: usize = 8;
const SUMMARY: usize = 2;

/// The lanes' free places.
pub struct Lanes {
    triage: Semaphore,
    reply: Semaphore,
    summary: Semaphore,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            triage: Semaphore::new(TRIAGE),
            reply: Semaphore::new(REPLY),
            summary: Semaphore::new(SUMMARY),
        }
    }
}

impl Lanes {
    /// Waits for a place; none once the server ends.
    pub async fn enter(&self, lane: Lane) -> Option<SemaphorePermit<'_>> {
        let places = match lane {
            Lane::Triage => &self.triage,
            Lane::Reply => &self.reply,
            Lane::Summary => &self.summary,
        };
        places.acquire().await.ok()
    }
}
