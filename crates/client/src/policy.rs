//! What the machine's administrator sets, and its user can't change. docs/policy.md describes it, docs/policy.schema.json is
//! its JSON Schema.

use bedside_engine::Keep;
use serde::{Deserialize, Serialize};
use std::path::Path;

pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A machine's policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Nothing that is cached outlives the program.
    pub keep_nothing: bool,
    /// After how many minutes without anybody at the window the cache locks itself; 0: never.
    pub idle_lock_minutes: u32,
    /// Whether a notification says that messages came; unset: as the user likes.
    pub notifications: Option<bool>,
    /// Whether the window is kept out of screenshots and shared screens, where the system can; unset: as the user likes.
    pub content_protection: Option<bool>,
    /// Whether a cache without a passphrase locks, and the system's sign-in opens it; unset: as the user likes.
    pub system_unlock: Option<bool>,
    /// For how many days what is cached may be shown without the server; 0: for ever.
    pub lease_days: u32,
    /// Of conversations that one hasn't taken oneself, only the newest messages are cached.
    pub own_conversations_only: bool,
    /// How many days after it was closed a conversation stays in the cache; 0: for ever.
    pub keep_closed_days: u32,
    /// What the cache may weigh, in megabytes; 0: as much as it likes. What has been closed longest goes first.
    pub cache_megabytes: u32,
    /// What files that were looked at may weigh of that, in megabytes; 0: as much as they like. Those that came first go first.
    pub files_megabytes: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            keep_nothing: false,
            idle_lock_minutes: 10,
            notifications: None,
            content_protection: None,
            system_unlock: None,
            lease_days: 14,
            own_conversations_only: false,
            keep_closed_days: 30,
            cache_megabytes: 0,
            files_megabytes: 500,
        }
    }
}

impl Policy {
    /// The policy of the computer that this runs on. Where there is none, or none that can be read, the defaults hold.
    pub fn of_this_computer() -> Self {
        let Some(path) = path() else { return Self::default() };
        match std::fs::read(&path) {
            Ok(json) => Self::read(&json).unwrap_or_else(|error| {
                // Its line alone: it names no patient, and its reader wrote it.
                tracing::error!(path = %path.display(), line = error.line(), "the policy can't be read");
                Self::default()
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "the policy can't be read");
                Self::default()
            }
        }
    }

    /// What of the log this computer keeps.
    pub(crate) fn keep(&self) -> Keep {
        let closed_ms = u64::from(self.keep_closed_days) * DAY_MS;
        Keep {
            history: true,
            closed_ms: (0 < closed_ms).then_some(closed_ms),
            own_only: self.own_conversations_only,
        }
    }

    /// What fetched files may weigh, in bytes, if that is limited.
    pub(crate) fn attachment_bytes(&self) -> Option<u64> {
        Some(u64::from(self.files_megabytes) * 1_000_000).filter(|most| 0 < *most)
    }

    fn read(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }
}

/// Where only an administrator can write.
fn path() -> Option<std::path::PathBuf> {
    let folder = match () {
        () if cfg!(windows) => Path::new(&std::env::var_os("ProgramData")?).join("Bedside"),
        () if cfg!(target_os = "macos") => "/Library/Application Support/Bedside".into(),
        () => "/etc/bedside".into(),
    };
    Some(folder.join("policy.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn what_a_policy_does_not_say_is_the_default_and_what_is_misspelt_is_refused() {
        let policy = Policy::read(br#"{"$schema": "policy.schema.json", "lease_days": 3}"#);
        assert!(policy.is_err(), "deny_unknown_fields");
        let policy = Policy::read(br#"{"lease_days": 3}"#).unwrap();
        assert_eq!(policy, Policy { lease_days: 3, ..Policy::default() });
        assert!(Policy::read(br#"{"lease_day": 3}"#).is_err());
        assert!(Policy::read(br#"{"lease_days": -1}"#).is_err());
    }

    /// The schema and the page say what the type says.
    #[test]
    fn the_schema_has_each_setting_with_its_default() {
        let schema: Value = serde_json::from_str(include_str!("../../../docs/policy.schema.json")).unwrap();
        let page = include_str!("../../../docs/policy.md");
        let defaults = serde_json::to_value(Policy::default()).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let names = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(properties), names(defaults.as_object().unwrap()));
        for (name, default) in defaults.as_object().unwrap() {
            assert_eq!(properties[name]["default"], *default, "{name}");
            assert!(page.contains(&format!("| `{name}` | {default} |")), "{name} in docs/policy.md");
        }
        assert_eq!(schema["additionalProperties"], false);
    }
}
