//! What makes a live connection doubtful, long before its silence shows: the computer slept, or its network changed.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

/// How often to look: soon enough for somebody who opens the lid, seldom enough to cost nothing.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A wall clock that is ahead of the monotonic one by this much more than before: the computer slept, or the clock was
/// set. Less is the clock being slewed.
const JUMP: Duration = Duration::from_secs(5);

/// The last look.
#[derive(Debug)]
pub(crate) struct Surroundings {
    monotonic: Instant,
    wall: SystemTime,
    addresses: BTreeSet<IpAddr>,
}

/// What happened since the last look.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// How far the wall clock went ahead of the monotonic one, which stands still while the computer sleeps.
    pub(crate) slept: Duration,
}

impl Surroundings {
    pub(crate) fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now(), addresses: addresses() }
    }

    /// Looks again. `None`: nothing that a connection would notice.
    pub(crate) fn look(&mut self) -> Option<Doubt> {
        let now = Self::now();
        let doubt = doubt(self, &now);
        *self = now;
        doubt
    }
}

fn doubt(before: &Surroundings, now: &Surroundings) -> Option<Doubt> {
    let awake = now.monotonic.saturating_duration_since(before.monotonic);
    let passed = now.wall.duration_since(before.wall).unwrap_or_default();
    let slept = Some(passed.saturating_sub(awake)).filter(|slept| JUMP <= *slept).unwrap_or_default();
    (!slept.is_zero() || now.addresses != before.addresses).then_some(Doubt { slept })
}

/// The computer's addresses but those that are its alone. Where the system doesn't say, there are none, always.
fn addresses() -> BTreeSet<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.iter().filter(|interface| !interface.is_loopback()).map(|interface| interface.ip()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_and_another_network_are_doubtful_and_nothing_else() {
        let (monotonic, wall) = (Instant::now(), SystemTime::now());
        let seen = |awake, passed: i64, address: &str| {
            let step = Duration::from_secs(passed.unsigned_abs());
            let wall = if passed < 0 { wall - step } else { wall + step };
            let addresses = [address.parse().unwrap()].into();
            Surroundings { monotonic: monotonic + Duration::from_secs(awake), wall, addresses }
        };
        let before = seen(0, 0, "10.0.0.2");
        let slept = |seconds| Some(Doubt { slept: Duration::from_secs(seconds) });
        for (awake, passed, address, expected) in [
            (2, 2, "10.0.0.2", None),
            (2, 6, "10.0.0.2", None),
            (2, 7, "10.0.0.2", slept(5)),
            (2, 3600, "10.0.0.2", slept(3598)),
            // A clock that is set back is nothing to a connection.
            (2, -60, "10.0.0.2", None),
            (2, 2, "192.168.1.7", slept(0)),
            (2, 60, "192.168.1.7", slept(58)),
        ] {
            assert_eq!(doubt(&before, &seen(awake, passed, address)), expected, "{awake} {passed} {address}");
        }
    }
}
