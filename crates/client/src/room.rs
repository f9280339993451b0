//! Whether there is room for history: by the policy's limit, and by what the computer can spare.

use crate::api::HistoryPause;
use crate::core::Core;
use crate::machine::Strain;
use crate::policy::Policy;
use bedside_engine::Input;

/// Steps of letting go in one look, some milliseconds of the disk's time each.
const STEPS: usize = 4;

/// Whether there is room for history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// There is.
    Free,
    /// For no more of it.
    Paused(HistoryPause),
    /// What there is weighs more than it may.
    TooMuch,
}

impl Room {
    /// As it is now. `weight` says what the cache weighs, in bytes.
    fn now(policy: &Policy, strain: Strain, weight: impl FnOnce() -> Option<u64>) -> Self {
        let limit = u64::from(policy.cache_megabytes) * 1_000_000;
        let weight = if limit == 0 { None } else { weight() };
        match weight {
            Some(weight) if limit < weight => Room::TooMuch,
            // What goes makes room that must not be filled at once.
            Some(weight) if limit / 10 * 9 < weight => Room::Paused(HistoryPause::Full),
            _ if strain.metered => Room::Paused(HistoryPause::Metered),
            _ if strain.low_battery => Room::Paused(HistoryPause::LowBattery),
            _ => Room::Free,
        }
    }

    fn pause(self) -> Option<HistoryPause> {
        match self {
            Room::Free => None,
            Room::Paused(why) => Some(why),
            Room::TooMuch => Some(HistoryPause::Full),
        }
    }
}

impl Core {
    /// Lets history come, or not.
    pub(crate) fn heed_room(&mut self) {
        let room = Room::now(&self.policy, self.strain, || self.shared.weight());
        self.shared.with_live(|live| live.paused = room.pause());
        if self.room != room {
            self.room = room;
            self.handle(Input::Full(room != Room::Free), None);
        }
    }

    /// Whether there is room for history; too much of it goes.
    pub(crate) fn look_at_room(&mut self) {
        self.heed_room();
        let too_much = self.room == Room::TooMuch;
        if !self.shrink_files(too_much) && too_much {
            (0..STEPS).for_each(|_| self.handle(Input::Shrink, None));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METERED: Strain = Strain { metered: true, low_battery: false };

    #[test]
    fn a_limit_leaves_a_tenth_for_what_is_new_and_the_computer_has_its_say() {
        let full = Room::Paused(HistoryPause::Full);
        let (costly, low) = (Room::Paused(HistoryPause::Metered), Room::Paused(HistoryPause::LowBattery));
        let policy = |cache_megabytes| Policy { cache_megabytes, ..Policy::default() };
        for (limit, weight, strain, room) in [
            (0, 9_000_000_000, Strain::default(), Room::Free),
            (100, 90_000_000, Strain::default(), Room::Free),
            (100, 90_000_001, Strain::default(), full),
            (100, 90_000_001, METERED, full),
            (100, 100_000_001, METERED, Room::TooMuch),
            (100, 90_000_000, METERED, costly),
            (0, 9_000_000_000, Strain { metered: false, low_battery: true }, low),
        ] {
            assert_eq!(
                Room::now(&policy(limit), strain, || Some(weight)),
                room,
                "{limit} {weight} {strain:?}"
            );
        }
    }
}
