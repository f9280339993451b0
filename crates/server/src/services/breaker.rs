//! Whether a service is worth asking.
//!
//! ```text
//!              FAILURES in a row              the pause is over
//! closed ─────────────────────────> open ─────────────────────────> half-open: one try
//!    ^                               ^                                  │       │
//!    │                               └───────────── failure ────────────┘       │
//!    └───────────────────────────────────────────── answer ─────────────────────┘
//! ```
//!
//! A service that asks to be left alone for a while is, also while it is closed.

use bedside_protocol::Time;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Failures in a row that open it: one conversation's tries alone don't.
const FAILURES: u32 = 5;
/// How long it stays open: tasks that wait for it meanwhile still have tries left.
const PAUSE: Duration = Duration::from_secs(30);
/// Longest that a service may ask for; anything further off is a clock that was set.
const LONGEST: Duration = Duration::from_secs(600);

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The service is asked.
    Closed,
    /// It failed again and again, and is left alone.
    Open,
    /// One try will tell.
    HalfOpen,
}

impl State {
    /// All of them.
    pub const ALL: [State; 3] = [State::Closed, State::Open, State::HalfOpen];

    /// As `/metrics` calls it.
    pub const fn word(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::Open => "open",
            State::HalfOpen => "half_open",
        }
    }
}

/// One service's breaker.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// In a row.
    failures: u32,
    /// Nobody asks before.
    until: Time,
    /// Whether the one try of the half-open state is under way.
    trying: bool,
}

impl Inner {
    fn wait(&self, now: Time) -> Duration {
        let wait = Duration::from_millis(self.until.since(now));
        if wait > LONGEST { Duration::ZERO } else { wait }
    }
}

/// The leave to ask once. Whoever drops it without a word has learned nothing.
#[must_use]
#[derive(Debug)]
pub struct Try<'a>(&'a Breaker);

impl Breaker {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it stands.
    pub fn state(&self, now: Time) -> State {
        let inner = self.inner();
        match inner.failures {
            0..FAILURES => State::Closed,
            _ if inner.wait(now).is_zero() => State::HalfOpen,
            _ => State::Open,
        }
    }

    /// The leave to ask, or how long to wait for it.
    pub fn enter(&self, now: Time) -> Result<Try<'_>, Duration> {
        let mut inner = self.inner();
        let wait = inner.wait(now);
        if !wait.is_zero() {
            return Err(wait);
        }
        if inner.failures >= FAILURES {
            if inner.trying {
                return Err(PAUSE);
            }
            inner.trying = true;
        }
        Ok(Try(self))
    }
}

impl Try<'_> {
    /// The service answered.
    pub fn answered(self) {
        *self.0.inner() = Inner::default();
    }

    /// The service failed, and may have said for how long.
    pub fn failed(self, now: Time, asked: Option<Duration>) {
        let mut inner = self.0.inner();
        inner.failures = inner.failures.saturating_add(1);
        let pause = if inner.failures >= FAILURES { PAUSE } else { Duration::ZERO };
        let pause = pause.max(asked.unwrap_or_default()).min(LONGEST);
        // What another was told to wait still counts.
        if inner.wait(now) < pause {
            inner.until = now.plus(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
        }
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        self.0.inner().trying = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time::new(1_800_000_000_000);

    fn after(seconds: u64) -> Time {
        START.plus(seconds * 1000)
    }

    fn opened() -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert_eq!(breaker.state(START), State::Closed);
            breaker.enter(START).unwrap().failed(START, None);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_others_do_not() {
        assert_eq!(opened().state(START), State::Open);
        let breaker = Breaker::default();
        for _ in 0..3 * FAILURES {
            breaker.enter(START).unwrap().failed(START, None);
            breaker.enter(START).unwrap().answered();
        }
        assert_eq!(breaker.state(START), State::Closed);
    }

    #[test]
    fn after_the_pause_one_try_tells() {
        for answers in [true, false] {
            let breaker = opened();
            assert_eq!(breaker.enter(after(29)).unwrap_err(), Duration::from_secs(1));
            assert_eq!(breaker.state(after(30)), State::HalfOpen);
            let one = breaker.enter(after(30)).unwrap();
            assert_eq!(breaker.enter(after(30)).unwrap_err(), PAUSE);
            if answers {
                one.answered();
                assert_eq!(breaker.state(after(30)), State::Closed);
                assert!(breaker.enter(after(30)).is_ok());
            } else {
                one.failed(after(30), None);
                assert_eq!(breaker.state(after(30)), State::Open);
                assert_eq!(breaker.enter(after(59)).unwrap_err(), Duration::from_secs(1));
            }
        }
    }

    #[test]
    fn a_try_that_was_given_up_leaves_it_to_the_next() {
        let breaker = opened();
        drop(breaker.enter(after(30)).unwrap());
        assert!(breaker.enter(after(30)).is_ok());
    }

    #[test]
    fn a_service_is_left_alone_for_as_long_as_it_asks() {
        let breaker = Breaker::default();
        breaker.enter(START).unwrap().failed(START, Some(Duration::from_secs(100)));
        assert_eq!(breaker.state(START), State::Closed);
        assert_eq!(breaker.enter(after(40)).unwrap_err(), Duration::from_secs(60));
        assert!(breaker.enter(after(100)).is_ok());
        breaker.enter(after(100)).unwrap().failed(after(100), Some(Duration::from_secs(86_400)));
        assert!(breaker.enter(after(100 + 600)).is_ok());
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open() {
        let breaker = opened();
        assert_eq!(breaker.state(Time::new(1_700_000_000_000)), State::HalfOpen);
    }
}
