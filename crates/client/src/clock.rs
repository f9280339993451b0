//! The time that the core goes by.

use bedside_protocol::Time;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The wall clock as it was at the start, advanced monotonically: timers never jump but over a sleep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    wall: Time,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), wall: Time::new(millis(wall)) }
    }

    /// Follows the wall clock after a sleep, in which the monotonic one stood still.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.wall = self.wall.plus(millis(by));
    }

    pub(crate) fn now(&self) -> Time {
        self.wall.plus(millis(self.start.elapsed()))
    }

    /// When a moment of this clock is, for timers.
    pub(crate) fn instant(&self, time: Time) -> tokio::time::Instant {
        (self.start + Duration::from_millis(time.since(self.wall))).into()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
