//! What the machine's administrator sets, and its user can't change.

use serde::{Deserialize, Serialize};

/// A machine's policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Nothing that is cached outlives the program.
    pub keep_nothing: bool,
    /// After how many minutes without anybody at the window the cache locks itself; 0: never.
    pub idle_lock_minutes: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { keep_nothing: false, idle_lock_minutes: 10 }
    }
}
