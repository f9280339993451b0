//! What the core does about what the computer says.

use super::Said;
use crate::api::LockedBy;
use crate::core::Core;

/// How long what is on its way may go out before a sleep. logind waits five seconds at most, unless it is told otherwise.
pub(crate) const LEAVE_TO_SLEEP_MS: u64 = 2_000;

/// What history must not add to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Strain {
    /// What goes over the network costs something.
    pub(crate) metered: bool,
    /// The battery is low.
    pub(crate) low_battery: bool,
}

impl Core {
    pub(crate) fn hear(&mut self, said: Said) {
        match said {
            Said::Sleeps(stay) => {
                self.stay = Some(stay);
                self.lock_if_possible(LockedBy::Sleep);
                let latest = self.clock.now().plus(LEAVE_TO_SLEEP_MS);
                self.leaving = self.leaving.map(|until| until.min(latest));
            }
            Said::Woke => self.look_around(),
            Said::Locked => self.lock_if_possible(LockedBy::Session),
            Said::Left => self.lock_if_possible(LockedBy::Switch),
            Said::Metered(metered) => {
                self.strain.metered = metered;
                self.look_at_room();
            }
            Said::LowBattery(low_battery) => {
                self.strain.low_battery = low_battery;
                self.look_at_room();
            }
        }
    }

    /// Lets the computer sleep once the keys have left the memory, or if they needn't.
    pub(crate) fn let_sleep(&mut self) {
        if self.leaving.is_none() && !self.will_lock() {
            self.stay = None;
        }
    }
}
