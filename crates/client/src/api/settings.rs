//! What a person sets on this computer, and what the policy leaves to set.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// All settings, as they hold now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Settings {
    /// A notification says that messages came: their number, and nothing of them.
    pub notifications: Switch,
    /// The window is kept out of screenshots, recordings and shared screens.
    pub content_protection: Switch,
    /// Without a passphrase, the cache locks too, and the system's sign-in opens it.
    pub system_unlock: Switch,
    /// After how many minutes without anybody at the window the cache locks itself; 0: never.
    pub idle_lock_minutes: u32,
    /// The most minutes that may be chosen; 0: never is a choice too.
    pub idle_lock_most: u32,
    /// They couldn't be read when the program started: the file was set aside, and these are the defaults.
    pub set_aside: bool,
}

/// What is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Switch {
    /// Whether it is on.
    pub on: bool,
    /// Who can change that.
    pub set_by: SetBy,
}

/// Who says whether something is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SetBy {
    /// The user.
    User,
    /// The machine's policy, which the user can't change.
    Policy,
    /// Nobody: this computer hasn't got what it takes.
    Missing,
}

/// One setting as a person wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "setting", rename_all = "snake_case")]
#[ts(export)]
pub enum Setting {
    /// [`Settings::notifications`].
    Notifications {
        /// On or off.
        on: bool,
    },
    /// [`Settings::content_protection`].
    ContentProtection {
        /// On or off.
        on: bool,
    },
    /// [`Settings::system_unlock`].
    SystemUnlock {
        /// On or off.
        on: bool,
    },
    /// [`Settings::idle_lock_minutes`].
    IdleLock {
        /// How many; 0: as long as may be.
        minutes: u32,
    },
}
