//! What a person sets on this computer: `settings.json` beside the cache, within what the policy leaves open.

use crate::api::{self, Failure, SetBy, Setting, Switch};
use crate::policy::Policy;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

const FILE: &str = "settings.json";

/// `settings.json`. It says what the user wants, also where the policy says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Wanted {
    notifications: bool,
    content_protection: bool,
    system_unlock: bool,
    /// 0: as long as the policy lets it be.
    idle_lock_minutes: u32,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { notifications: true, content_protection: true, system_unlock: true, idle_lock_minutes: 0 }
    }
}

/// What the shell does by the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Notifications say that messages came.
    pub notifications: bool,
    /// The window is kept out of screenshots, where the system can.
    pub content_protection: bool,
}

/// The settings, and where they are kept.
#[derive(Debug)]
pub(crate) struct Settings {
    folder: PathBuf,
    policy: Policy,
    wanted: Mutex<Wanted>,
    set_aside: bool,
    shown: watch::Sender<Shown>,
    /// One writer of the file at a time.
    writing: Mutex<()>,
}

impl Settings {
    /// As they were kept in this folder. A file that can't be read is set aside, and the defaults hold.
    pub(crate) fn read(folder: &Path, policy: Policy) -> Self {
        let (wanted, set_aside) = match std::fs::read(folder.join(FILE)) {
            Ok(json) => match serde_json::from_slice(&json) {
                Ok(wanted) => (wanted, false),
                Err(error) => {
                    tracing::error!(line = error.line(), "the settings can't be read");
                    set_aside(folder);
                    (Wanted::default(), true)
                }
            },
            Err(error) if error.kind() == ErrorKind::NotFound => (Wanted::default(), false),
            Err(error) => {
                tracing::error!(%error, "the settings can't be read");
                (Wanted::default(), false)
            }
        };
        let shown = watch::Sender::new(shown(&policy, wanted));
        let (wanted, writing) = (Mutex::new(wanted), Mutex::new(()));
        Self { folder: folder.to_owned(), policy, wanted, set_aside, shown, writing }
    }

    /// Takes a wish, unless the policy says otherwise. It holds at once; [`Settings::write`] keeps it.
    pub(crate) fn set(&self, setting: Setting) -> Result<(), Failure> {
        let fixed = |by_policy: Option<bool>| match by_policy {
            Some(_) => Err(Failure::SetByPolicy),
            None => Ok(()),
        };
        let mut wanted = self.wanted();
        match setting {
            Setting::Notifications { on } => {
                fixed(self.policy.notifications)?;
                wanted.notifications = on;
            }
            Setting::ContentProtection { on } => {
                fixed(self.policy.content_protection)?;
                wanted.content_protection = on;
            }
            Setting::SystemUnlock { on } => {
                fixed(self.policy.system_unlock)?;
                wanted.system_unlock = on;
            }
            Setting::IdleLock { minutes } => {
                let most = self.policy.idle_lock_minutes;
                if 0 < most && most < minutes {
                    return Err(Failure::SetByPolicy);
                }
                wanted.idle_lock_minutes = minutes;
            }
        }
        self.shown.send_replace(shown(&self.policy, *wanted));
        Ok(())
    }

    /// Keeps them as they are now: all of the file or nothing.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = *self.wanted();
        let written = serde_json::to_vec_pretty(&wanted).map_err(bedside_store::StoreError::from);
        let written = written.and_then(|json| bedside_store::replace_private(&self.folder.join(FILE), &json));
        written.map_err(|error| {
            tracing::error!(%error, "the settings can't be kept");
            Failure::Storage
        })
    }

    /// As a person sees them. `has_system_unlock`: whether the system can be asked who somebody is.
    pub(crate) fn seen(&self, has_system_unlock: bool) -> api::Settings {
        let wanted = *self.wanted();
        let switch = |by_policy: Option<bool>, wanted: bool, here: bool| Switch {
            on: here && by_policy.unwrap_or(wanted),
            set_by: match by_policy {
                _ if !here => SetBy::Missing,
                Some(_) => SetBy::Policy,
                None => SetBy::User,
            },
        };
        let Policy { notifications, content_protection, system_unlock, .. } = self.policy;
        api::Settings {
            notifications: switch(notifications, wanted.notifications, HAS_NOTIFICATIONS),
            content_protection: switch(content_protection, wanted.content_protection, HAS_CONTENT_PROTECTION),
            system_unlock: switch(system_unlock, wanted.system_unlock, has_system_unlock),
            idle_lock_minutes: self.idle_lock_minutes(),
            idle_lock_most: self.policy.idle_lock_minutes,
            set_aside: self.set_aside,
        }
    }

    /// What the shell follows.
    pub(crate) fn shown(&self) -> watch::Receiver<Shown> {
        self.shown.subscribe()
    }

    /// The shorter of the policy's and the user's; 0: never.
    pub(crate) fn idle_lock_minutes(&self) -> u32 {
        let both = [self.policy.idle_lock_minutes, self.wanted().idle_lock_minutes];
        both.into_iter().filter(|minutes| 0 < *minutes).min().unwrap_or(0)
    }

    pub(crate) fn system_unlock(&self) -> bool {
        self.policy.system_unlock.unwrap_or(self.wanted().system_unlock)
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the shell has a way to show notifications.
const HAS_NOTIFICATIONS: bool = cfg!(target_os = "linux");
/// Whether the system keeps windows out of screenshots when it is told to.
const HAS_CONTENT_PROTECTION: bool = cfg!(any(windows, target_os = "macos"));

fn shown(policy: &Policy, wanted: Wanted) -> Shown {
    Shown {
        notifications: policy.notifications.unwrap_or(wanted.notifications),
        content_protection: policy.content_protection.unwrap_or(wanted.content_protection),
    }
}

fn set_aside(folder: &Path) {
    let outcome = std::fs::rename(folder.join(FILE), folder.join(format!("{FILE}.unreadable")));
    if let Err(error) = outcome {
        tracing::error!(%error, "the settings can't be set aside");
    }
}

#[cfg(test)]
mod tests;
