//! Getting back in by the system's own sign-in: for a cache whose keys are in the keychain, without a passphrase.
//!
//! Whoever asks a person waits for that person, beside the core's loop.

use crate::api::{Failure, Keeper, Opener, Reply, Vault as Safe};
use crate::core::{Answer, Core, Event};
use crate::safe::ready;
use crate::vault::NotLetIn;
use std::sync::Arc;

/// Whether the system is asking who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    None,
    /// A yes opens the lock.
    Asked,
    /// It was asked for a lock of before.
    Stale,
}

impl Core {
    /// A yes to what was asked until now opens nothing any more.
    pub(crate) fn ask_anew(&mut self) {
        if self.question == Question::Asked {
            self.question = Question::Stale;
        }
    }

    /// What would open the cache again, once it is locked.
    pub(crate) fn opener(&self) -> Option<Opener> {
        match self.kept_by {
            (_, true) => Some(Opener::Passphrase),
            (Keeper::Keychain, false) if self.doorkeeper_there && self.shared.settings.system_unlock() => {
                Some(Opener::System)
            }
            _ => None,
        }
    }

    /// Whether the system's sign-in would open it, if it could be asked.
    pub(crate) fn lacks_doorkeeper(&self) -> bool {
        let open =
            self.shared.with_live(|live| matches!(live.vault, Safe::Open { .. } | Safe::Expired { .. }));
        let wanted = self.kept_by == (Keeper::Keychain, false) && self.shared.settings.system_unlock();
        open && wanted && !self.doorkeeper_there
    }

    /// Whether there is nothing yet that would open the cache again, and there may be in a moment.
    pub(crate) fn opener_may_come(&self) -> bool {
        self.doorkeeper_sought && self.opener().is_none()
    }

    /// Finds out whether the system can be asked who somebody is.
    pub(crate) fn look_for_doorkeeper(&mut self, answer: Option<Answer>) {
        self.doorkeeper_sought = true;
        let (doorkeeper, events) = (Arc::clone(&self.doorkeeper), self.events.clone());
        tokio::task::spawn_blocking(move || {
            let _gone = events.send(Event::Doorkeeper { there: doorkeeper.is_there(), answer });
        });
    }

    pub(crate) fn found_doorkeeper(&mut self, there: bool, answer: Option<Answer>) {
        self.doorkeeper_there = there;
        self.doorkeeper_sought = false;
        self.look_at_opener();
        self.lock_at_last();
        if let Some(answer) = answer {
            let _gone = answer.send(Ok(Reply::SystemUnlock { there }));
        }
    }

    /// An open cache says what would open it again, and after how long it locks.
    pub(crate) fn look_at_opener(&self) {
        let open = self.open_safe();
        let known = self.shared.with_live(|live| live.vault);
        if matches!(known, Safe::Open { .. }) && known != open {
            self.set_safe(open);
        }
    }

    /// Has the system ask who is there.
    pub(crate) fn unlock_by_system(&mut self, answer: Answer) {
        let refusal = match self.shared.with_live(|live| live.vault) {
            Safe::Open { .. } => Some(Ok(Reply::Done)),
            // One question at a time.
            Safe::Locked { opener: Opener::System, .. } if self.question == Question::None => None,
            _ => Some(Err(Failure::Locked)),
        };
        if let Some(refusal) = refusal {
            let _gone = answer.send(refusal);
            return;
        }
        self.question = Question::Asked;
        let (doorkeeper, events) = (Arc::clone(&self.doorkeeper), self.events.clone());
        tokio::task::spawn_blocking(move || {
            let _gone = events.send(Event::LetIn { outcome: doorkeeper.ask(), answer });
        });
    }

    pub(crate) fn let_in(&mut self, outcome: Result<(), NotLetIn>, answer: Answer) {
        let question = std::mem::replace(&mut self.question, Question::None);
        let locked = self.shared.with_live(|live| matches!(live.vault, Safe::Locked { .. }));
        let refusal = match outcome {
            // Somebody signed out meanwhile, or left the computer.
            Ok(()) if !locked || question == Question::Stale => Failure::Locked,
            Ok(()) => {
                self.close_cache();
                return self.unseal(Some(answer), |vault| {
                    let ready = ready(vault.unlock_by_system()?, false)?;
                    vault.note_open();
                    Ok(ready)
                });
            }
            Err(NotLetIn::Absent) => Failure::NoSystemUnlock,
            Err(NotLetIn::Refused) => Failure::NotRecognised,
            Err(NotLetIn::Dismissed) => Failure::Dismissed,
        };
        let _gone = answer.send(Err(refusal));
    }
}
