//! Whether there is room for history: by the policy's limit, and by the battery.

use crate::policy::Policy;
use std::path::Path;

/// Below this, a battery that nothing charges is left for messages, in percent: where desktops begin to warn.
const LOW_BATTERY: u32 = 20;
/// Steps of letting go in one look, some milliseconds of the disk's time each.
pub(crate) const STEPS: usize = 4;

/// Whether there is room for history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// There is.
    Free,
    /// For no more of it.
    Full,
    /// What there is weighs more than it may.
    TooMuch,
}

impl Room {
    /// As it is now. `weight` says what the cache weighs, in bytes.
    pub(crate) fn now(policy: &Policy, weight: impl FnOnce() -> Option<u64>) -> Self {
        let limit = u64::from(policy.cache_megabytes) * 1_000_000;
        let weight = if limit == 0 { None } else { weight() };
        match weight {
            Some(weight) if limit < weight => Room::TooMuch,
            // What goes makes room that must not be filled at once.
            Some(weight) if limit / 10 * 9 < weight => Room::Full,
            _ if battery_is_low(Path::new("/sys/class/power_supply")) => Room::Full,
            _ => Room::Free,
        }
    }
}

/// Whether a battery is low and nothing charges it. Linux says so in files; elsewhere nothing is known.
fn battery_is_low(supplies: &Path) -> bool {
    let Ok(supplies) = std::fs::read_dir(supplies) else { return false };
    let mut supplies = supplies.filter_map(Result::ok).map(|supply| supply.path());
    supplies.any(|supply| {
        let says = |file: &str| std::fs::read_to_string(supply.join(file)).unwrap_or_default();
        let capacity = says("capacity").trim().parse::<u32>().unwrap_or(100);
        says("type").trim() == "Battery" && says("status").trim() == "Discharging" && capacity < LOW_BATTERY
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_leaves_a_tenth_for_what_is_new() {
        let policy = |cache_megabytes| Policy { cache_megabytes, ..Policy::default() };
        for (limit, weight, room) in [
            (0, 9_000_000_000, Room::Free),
            (100, 90_000_000, Room::Free),
            (100, 90_000_001, Room::Full),
            (100, 100_000_001, Room::TooMuch),
        ] {
            assert_eq!(Room::now(&policy(limit), || Some(weight)), room, "{limit} {weight}");
        }
    }

    #[test]
    fn a_battery_is_low_when_nothing_charges_it() {
        let supplies = tempfile::tempdir().unwrap();
        let set = |name: &str, kind: &str, status: &str, capacity: &str| {
            let supply = supplies.path().join(name);
            std::fs::create_dir_all(&supply).unwrap();
            for (file, text) in [("type", kind), ("status", status), ("capacity", capacity)] {
                std::fs::write(supply.join(file), format!("{text}\n")).unwrap();
            }
            battery_is_low(supplies.path())
        };
        assert!(!battery_is_low(&supplies.path().join("none")));
        assert!(!set("AC", "Mains", "", ""));
        assert!(!set("BAT0", "Battery", "Discharging", "20"));
        assert!(set("BAT0", "Battery", "Discharging", "19"));
        assert!(!set("BAT0", "Battery", "Charging", "19"));
    }
}
