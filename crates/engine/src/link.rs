//! The connection's life.
//!
//! ```text
//!             now                 welcome
//!   Idle ──────────▶ Connecting ─────────▶ Live ◀─┐ heard, doubt
//!                    ▲ ▲  │  │             │  │ ──┘
//!        timer, now, │ └──┘  │ refused     │  │ refused (revoked)
//!              doubt │ doubt └──▶ Refused ◀┼──┘
//!                    │  │ ended, timer     │ ended, timer (silence)
//!                    │  ▼                  ▼
//!                    └──────── Offline ◀───┘
//! ```
//!
//! From `Connecting`, `Live` and `Offline` a person can `pause`. `now` leads from `Paused` and `Refused` to `Connecting`
//! too: a person goes on, or signed in anew. Each arrow into `Connecting` is a new attempt with a new number.
//!
//! `doubt`: the computer woke up, or its network changed. A live connection must prove itself soon; without one there is
//! no reason to wait any longer.

use crate::rng::Rng;
use crate::{Attempt, Effect};
use bedside_protocol::{ConnectRefusal, Time};

/// An attempt without a welcome is given up: a round trip of a bad satellite link, TLS included, is under 5 s.
const WELCOME_TIMEOUT_MS: u64 = 10_000;
/// Back-off after the first failure, doubled with each further one.
const BACKOFF_BASE_MS: u64 = 500;
/// Longest back-off: nobody waits longer than this for a server that is back.
const BACKOFF_MAX_MS: u64 = 30_000;
/// No two attempts are closer than this, whatever the jitter says.
const BACKOFF_MIN_MS: u64 = 200;
/// A connection that lasted this long was a good one: the back-off begins anew.
const STABLE_MS: u64 = 30_000;
/// A connection in doubt must bring something within this: a round trip of a bad link.
const PROOF_MS: u64 = 4_000;
/// A silent server is dead after this many tenths of its heartbeat (2.5 heartbeats: one may be late, one lost).
const SILENCE_TENTHS: u64 = 25;
/// A server may not make its clients deaf or frantic.
const HEARTBEAT_MS: std::ops::RangeInclusive<u64> = 100..=120_000;

/// How the connection does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not begun.
    Idle,
    /// An attempt is under way. `lost`: since when there has been no connection, if there ever was one.
    Connecting {
        /// Since when there has been no connection.
        lost: Option<Time>,
    },
    /// The welcome came, and frames come in time.
    Live {
        /// Since when.
        since: Time,
    },
    /// No connection; the next attempt starts at `next_try`.
    Offline {
        /// Since when there has been no connection.
        since: Time,
        /// When the next attempt starts.
        next_try: Time,
        /// What ended the last one.
        trouble: Trouble,
    },
    /// A person wants no connection: no attempt starts by itself.
    Paused {
        /// Since when there has been no connection.
        since: Time,
    },
    /// The server refused the account: no attempt starts by itself.
    Refused(ConnectRefusal),
}

/// What ended a connection or an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No server answered.
    Unreachable,
    /// The connection broke or was closed.
    Closed,
    /// Nothing came for longer than the heartbeat allows, or no answer to a question.
    Silent,
    /// The server sent what this version can't read.
    Unreadable,
    /// The server's log is shorter than what the cache holds of it: it was restored from an old copy, or is another.
    RolledBack,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// Connect without waiting.
    Now,
    Pause,
    /// The computer woke up, or its network changed.
    Doubt,
    Timer,
    Welcome {
        heartbeat_ms: u32,
    },
    Heard,
    Refused(ConnectRefusal),
    Ended(Trouble),
}

#[derive(Debug)]
pub(crate) struct Machine {
    link: Link,
    attempt: Attempt,
    /// Failures since the last stable connection.
    failures: u32,
    /// When the attempt or the silence has lasted too long.
    deadline: Time,
    silence_ms: u64,
    rng: Rng,
}

impl Machine {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            link: Link::Idle,
            attempt: 0,
            failures: 0,
            deadline: Time::ZERO,
            silence_ms: 0,
            rng: Rng::new(seed),
        }
    }

    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Whether it still matters what this attempt's socket says.
    pub(crate) fn hears(&self, attempt: Attempt) -> bool {
        attempt == self.attempt && matches!(self.link, Link::Connecting { .. } | Link::Live { .. })
    }

    pub(crate) fn next_timer(&self) -> Option<Time> {
        match self.link {
            Link::Idle | Link::Paused { .. } | Link::Refused(_) => None,
            Link::Connecting { .. } | Link::Live { .. } => Some(self.deadline),
            Link::Offline { next_try, .. } => Some(next_try),
        }
    }

    pub(crate) fn on(&mut self, now: Time, event: Event) -> Option<Effect> {
        match (&self.link, event) {
            (Link::Idle | Link::Refused(_), Event::Now) => Some(self.connect(now, None)),
            (&(Link::Offline { since, .. } | Link::Paused { since }), Event::Now) => {
                Some(self.connect(now, Some(since)))
            }
            (&Link::Offline { since, .. }, Event::Doubt) => Some(self.connect(now, Some(since))),
            (&Link::Connecting { lost }, Event::Doubt) => Some(self.connect(now, lost)),
            (Link::Live { .. }, Event::Doubt) => {
                // Also later than before: over a sleep the clock has jumped, and nothing could have come.
                self.deadline = now.plus(PROOF_MS);
                None
            }
            (&Link::Offline { since, .. }, Event::Pause) => Some(self.pause(since)),
            (&Link::Connecting { lost }, Event::Pause) => Some(self.pause(lost.unwrap_or(now))),
            (Link::Live { .. }, Event::Pause) => Some(self.pause(now)),
            (&Link::Offline { since, next_try, .. }, Event::Timer) if next_try <= now => {
                Some(self.connect(now, Some(since)))
            }
            (Link::Connecting { .. }, Event::Welcome { heartbeat_ms }) => {
                let heartbeat = u64::from(heartbeat_ms).clamp(*HEARTBEAT_MS.start(), *HEARTBEAT_MS.end());
                self.silence_ms = heartbeat * SILENCE_TENTHS / 10;
                self.deadline = now.plus(self.silence_ms);
                self.link = Link::Live { since: now };
                None
            }
            (Link::Live { .. }, Event::Heard) => {
                self.deadline = now.plus(self.silence_ms);
                None
            }
            (Link::Connecting { .. } | Link::Live { .. }, Event::Refused(code)) => {
                self.link = Link::Refused(code);
                Some(Effect::Disconnect)
            }
            (&Link::Connecting { lost }, Event::Ended(trouble)) => Some(self.back_off(now, lost, trouble)),
            (&Link::Connecting { lost }, Event::Timer) if self.deadline <= now => {
                Some(self.back_off(now, lost, Trouble::Unreachable))
            }
            (&Link::Live { since }, Event::Ended(trouble)) => Some(self.lost(now, since, trouble)),
            (&Link::Live { since }, Event::Timer) if self.deadline <= now => {
                Some(self.lost(now, since, Trouble::Silent))
            }
            _ => None,
        }
    }

    fn connect(&mut self, now: Time, lost: Option<Time>) -> Effect {
        self.attempt += 1;
        self.deadline = now.plus(WELCOME_TIMEOUT_MS);
        self.link = Link::Connecting { lost };
        Effect::Connect(self.attempt)
    }

    fn pause(&mut self, since: Time) -> Effect {
        self.link = Link::Paused { since };
        Effect::Disconnect
    }

    fn lost(&mut self, now: Time, live_since: Time, trouble: Trouble) -> Effect {
        if now.since(live_since) >= STABLE_MS {
            self.failures = 0;
        }
        self.back_off(now, None, trouble)
    }

    /// Full jitter: anywhere between now and the back-off, so that a thousand consoles don't come back at once.
    fn back_off(&mut self, now: Time, lost: Option<Time>, trouble: Trouble) -> Effect {
        let most = BACKOFF_BASE_MS.saturating_mul(1 << self.failures.min(16)).min(BACKOFF_MAX_MS);
        self.failures = self.failures.saturating_add(1);
        let wait = self.rng.up_to(most).max(BACKOFF_MIN_MS);
        self.link = Link::Offline { since: lost.unwrap_or(now), next_try: now.plus(wait), trouble };
        Effect::Disconnect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Time = Time::new(1_000_000);

    fn machine_in(state: &str) -> Machine {
        let mut machine = Machine::new(7);
        let walk: &[Event] = match state {
            "idle" => &[],
            "connecting" => &[Event::Now],
            "live" => &[Event::Now, Event::Welcome { heartbeat_ms: 1000 }],
            "offline" => &[Event::Now, Event::Ended(Trouble::Unreachable)],
            "paused" => &[Event::Now, Event::Pause],
            _ => &[Event::Now, Event::Refused(ConnectRefusal::Expired)],
        };
        for event in walk {
            machine.on(T0, *event);
        }
        machine
    }

    fn name(link: &Link) -> &'static str {
        match link {
            Link::Idle => "idle",
            Link::Connecting { .. } => "connecting",
            Link::Live { .. } => "live",
            Link::Offline { .. } => "offline",
            Link::Paused { .. } => "paused",
            Link::Refused(_) => "refused",
        }
    }

    /// Every arrow of the diagram, and that nothing else moves.
    #[test]
    fn arrows() {
        let late = 1_000_000;
        let refused = Event::Refused(ConnectRefusal::Expired);
        let ended = Event::Ended(Trouble::Closed);
        let welcome = Event::Welcome { heartbeat_ms: 1000 };
        #[rustfmt::skip]
        let table = [
            // from, event, after ms, to
            ("idle", Event::Now, 0, "connecting"),
            ("idle", Event::Timer, late, "idle"),
            ("idle", ended, 0, "idle"),
            ("connecting", welcome, 0, "live"),
            ("connecting", refused, 0, "refused"),
            ("connecting", ended, 0, "offline"),
            ("connecting", Event::Timer, WELCOME_TIMEOUT_MS - 1, "connecting"),
            ("connecting", Event::Timer, WELCOME_TIMEOUT_MS, "offline"),
            ("connecting", Event::Now, 0, "connecting"),
            ("connecting", Event::Heard, 0, "connecting"),
            ("live", Event::Heard, 0, "live"),
            ("live", welcome, 0, "live"),
            ("live", Event::Timer, 2_499, "live"),
            ("live", Event::Timer, 2_500, "offline"),
            ("live", ended, 0, "offline"),
            ("live", refused, 0, "refused"),
            ("live", Event::Now, 0, "live"),
            ("offline", Event::Timer, 0, "offline"),
            ("offline", Event::Timer, late, "connecting"),
            ("offline", Event::Now, 0, "connecting"),
            ("offline", welcome, 0, "offline"),
            ("offline", ended, 0, "offline"),
            ("idle", Event::Pause, 0, "idle"),
            ("idle", Event::Doubt, 0, "idle"),
            ("connecting", Event::Pause, 0, "paused"),
            ("live", Event::Pause, 0, "paused"),
            ("offline", Event::Pause, 0, "paused"),
            ("paused", Event::Timer, late, "paused"),
            ("paused", Event::Doubt, late, "paused"),
            ("paused", ended, 0, "paused"),
            ("paused", welcome, 0, "paused"),
            ("paused", Event::Now, 0, "connecting"),
            ("connecting", Event::Doubt, 0, "connecting"),
            ("live", Event::Doubt, 0, "live"),
            ("offline", Event::Doubt, 0, "connecting"),
            ("refused", Event::Pause, 0, "refused"),
            ("refused", Event::Doubt, 0, "refused"),
            ("refused", Event::Timer, late, "refused"),
            ("refused", Event::Now, 0, "connecting"),
            ("refused", welcome, 0, "refused"),
        ];
        for (from, event, after, to) in table {
            let mut machine = machine_in(from);
            assert_eq!(name(machine.link()), from);
            let before = machine.attempt;
            let effect = machine.on(T0.plus(after), event);
            assert_eq!(name(machine.link()), to, "{from} {event:?}");
            let expected = match (from, to) {
                // What was under way before the computer slept is tried anew.
                ("connecting", "connecting") if matches!(event, Event::Doubt) => {
                    Some(Effect::Connect(before + 1))
                }
                (a, b) if a == b => None,
                (_, "connecting") => Some(Effect::Connect(before + 1)),
                (_, "offline" | "paused" | "refused") => Some(Effect::Disconnect),
                _ => None,
            };
            assert_eq!(effect, expected, "{from} {event:?}");
        }
    }

    #[test]
    fn a_connection_in_doubt_must_prove_itself() {
        let mut machine = Machine::new(7);
        machine.on(T0, Event::Now);
        machine.on(T0, Event::Welcome { heartbeat_ms: 60_000 });
        machine.on(T0, Event::Doubt);
        assert_eq!(machine.next_timer(), Some(T0.plus(PROOF_MS)));
        machine.on(T0.plus(10), Event::Heard);
        assert_eq!(machine.next_timer(), Some(T0.plus(10 + 150_000)));
        machine.on(T0.plus(20), Event::Doubt);
        machine.on(T0.plus(20 + PROOF_MS), Event::Timer);
        assert!(matches!(machine.link(), Link::Offline { trouble: Trouble::Silent, .. }));
    }

    #[test]
    fn back_off_grows_to_its_bound_and_begins_anew_after_a_stable_connection() {
        let mut machine = machine_in("idle");
        let mut now = T0;
        let mut longest = 0;
        for _ in 0..200 {
            machine.on(now, Event::Now);
            machine.on(now, Event::Ended(Trouble::Unreachable));
            let wait = machine.next_timer().unwrap().since(now);
            assert!((BACKOFF_MIN_MS..=BACKOFF_MAX_MS).contains(&wait));
            longest = longest.max(wait);
            now = now.plus(wait);
        }
        assert!(longest > BACKOFF_MAX_MS / 2, "{longest}");
        machine.on(now, Event::Now);
        machine.on(now, Event::Welcome { heartbeat_ms: 1000 });
        now = now.plus(STABLE_MS);
        machine.on(now, Event::Ended(Trouble::Closed));
        assert!(machine.next_timer().unwrap().since(now) <= BACKOFF_BASE_MS);
    }

    #[test]
    fn offline_counts_from_the_loss_not_from_the_last_attempt() {
        let mut machine = machine_in("live");
        machine.on(T0.plus(10), Event::Ended(Trouble::Closed));
        for later in [60_000, 120_000] {
            machine.on(T0.plus(later), Event::Now);
            machine.on(T0.plus(later), Event::Ended(Trouble::Unreachable));
        }
        assert!(matches!(machine.link(), Link::Offline { since, .. } if *since == T0.plus(10)));
    }
}
