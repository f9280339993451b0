//! The wait-time message: whether one is due, and what it says.

use bedside_protocol::{Body, Time, Wait};

/// Nobody is told to wait in a conversation that a provider has answered this recently.
const ANSWERED_WINDOW_MS: u64 = 4 * 60 * 60_000;
/// At most one message in this time, lest it reads as a machine's chatter.
const QUIET_MS: u64 = 15 * 60_000;
/// How far back answers are counted: long enough to be steady, short enough to follow the day.
pub const RATE_WINDOW_MS: u64 = 2 * 60 * 60_000;
/// Fewer answers than this say nothing about the pace.
const MIN_ANSWERS: u64 = 3;
/// What is said while the pace is unknown.
const DEFAULT_MINUTES: u32 = 10;
/// Above it the number would only frighten; the clinic has to act then, not the estimate.
const MAX_MINUTES: u32 = 120;

/// Whether a patient who has just written is to be told how long an answer takes.
pub fn due(now: Time, answered_at: Option<Time>, told_at: Option<Time>) -> bool {
    let within = |at: Option<Time>, window| at.is_some_and(|at| now.since(at) < window);
    !within(answered_at, ANSWERED_WINDOW_MS) && !within(told_at, QUIET_MS)
}

/// Minutes until an answer, by Little's law: those who wait, over the answers a minute of [`RATE_WINDOW_MS`].
pub fn minutes(waiting: u64, answers: u64) -> u32 {
    if answers < MIN_ANSWERS {
        return DEFAULT_MINUTES;
    }
    let window = RATE_WINDOW_MS / 60_000;
    let exact = waiting.saturating_mul(window).div_ceil(answers);
    match u32::try_from(exact).unwrap_or(u32::MAX) {
        0 | 1 => 1,
        n @ 2..=3 => n,
        n => n.min(MAX_MINUTES).next_multiple_of(5),
    }
}

/// The message.
pub fn body(minutes: u32) -> Body {
    let about = if minutes == 1 { "a minute".into() } else { format!("{minutes} minutes") };
    Body::Wait(Wait {
        minutes,
        text: format!(
            "Thank you. A member of the team usually answers within about {about}. \
             If it is an emergency, call your local emergency number."
        ),
        extra: Default::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_follow_the_queue_and_the_pace() {
        // (waiting, answers in two hours, minutes)
        let table = [
            (0, 0, 10),
            (50, 2, 10),
            (0, 3, 1),
            (1, 120, 1),
            (1, 60, 2),
            (1, 40, 3),
            (1, 30, 5),
            (1, 24, 5),
            (1, 20, 10),
            (3, 36, 10),
            (4, 40, 15),
            (5, 40, 15),
            (10, 40, 30),
            (29, 30, 120),
            (1_000, 3, 120),
            (u64::MAX, 3, 120),
        ];
        for (waiting, answers, expected) in table {
            assert_eq!(minutes(waiting, answers), expected, "{waiting} waiting, {answers} answers");
        }
    }

    #[test]
    fn due_when_nobody_answered_and_nobody_was_told() {
        let now = Time::new(100 * 60 * 60_000);
        let ago = |minutes: u64| Some(now.minus(minutes * 60_000));
        // (answered, told, due)
        let table = [
            (None, None, true),
            (ago(0), None, false),
            (ago(239), None, false),
            (ago(240), None, true),
            (None, ago(14), false),
            (None, ago(15), true),
            (ago(240), ago(14), false),
            (ago(239), ago(15), false),
        ];
        for (answered, told, expected) in table {
            assert_eq!(due(now, answered, told), expected, "{answered:?} {told:?}");
        }
    }

    #[test]
    fn one_minute_reads_well() {
        let Body::Wait(wait) = body(1) else { panic!() };
        assert!(wait.text.contains("about a minute."));
        let Body::Wait(wait) = body(15) else { panic!() };
        assert!(wait.text.contains("about 15 minutes."));
    }
}
