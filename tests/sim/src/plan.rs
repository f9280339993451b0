//! What happens to whom and when: made from a seed, and cut down to what matters when a run fails.

use fastrand::Rng;

/// Consoles: the first two are one provider's.
pub const DEVICES: usize = 3;
/// Conversations, one a patient.
pub const CONVERSATIONS: usize = 4;
/// For how long things go wrong, in milliseconds of the virtual clock.
pub const TROUBLE_MS: u64 = 60_000;

#[allow(missing_docs, reason = "the fields are what their names say")]
/// One thing that a person, the network or a machine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A provider writes. `seen`: whether with all in view that the device holds, or only half of it.
    /// `hold_ms`: how long it can be taken back. `empty`: the server will never take it.
    Write { device: usize, conversation: usize, seen: bool, hold_ms: u64, empty: bool },
    /// A provider types, and doesn't send.
    Type { device: usize, conversation: usize },
    /// Colleagues write more than a console fetches one after the other, and nobody is told.
    Flood { conversation: usize },
    /// A patient writes.
    Ask { patient: usize },
    /// A provider reads all that the device holds.
    Read { device: usize, conversation: usize },
    /// A provider opens a conversation.
    Open { device: usize, conversation: usize },
    /// A provider scrolls up.
    Older { device: usize, conversation: usize },
    /// A provider does something about an unsent message: sends it now or again, throws it away, takes it back.
    Decide { device: usize, row: usize, how: usize },
    /// A console dies and starts again. `kept`: whether what was being written reached the disk.
    Crash { device: usize, kept: bool, down_ms: u64 },
    /// The server dies and starts again. `kept`: whether what was being written reached the disk.
    Outage { kept: bool, down_ms: u64 },
    /// A connection breaks.
    Cut { device: usize },
    /// A connection swallows all, and nobody is told.
    BlackHole { device: usize },
    /// Nothing is read from a connection for a while.
    Stall { device: usize, ms: u64 },
    /// From now on so many frames of a hundred are lost, doubled, overtaken; and each takes up to so long.
    Weather { lost: u64, doubled: u64, overtaken: u64, delay_ms: u64 },
    /// A console's next write to its disk fails.
    DiskFault { device: usize },
    /// The server's next commit fails.
    LogFault,
    /// A computer sleeps: its clock jumps.
    Sleep { device: usize, ms: u64 },
    /// A provider works offline.
    Pause { device: usize },
    /// A provider wants to connect now.
    Reconnect { device: usize },
    /// A provider's access is taken away; it is given back at the end.
    Revoke { device: usize },
}

/// Actions and their moments, in order.
pub type Plan = Vec<(u64, Action)>;

/// The plan of a seed. Some seeds are quiet, some stormy, some full of work.
pub fn plan(seed: u64) -> Plan {
    let mut rng = Rng::with_seed(seed);
    let (work, trouble) = (rng.usize(20..160), rng.usize(0..40));
    let mut plan: Plan = (0..work).map(|_| (rng.u64(0..TROUBLE_MS), work_of(&mut rng))).collect();
    plan.extend((0..trouble).map(|_| (rng.u64(0..TROUBLE_MS), trouble_of(&mut rng))).collect::<Vec<_>>());
    // Costly, so seldom.
    if rng.u8(0..25) == 0 {
        plan.push((rng.u64(0..TROUBLE_MS), Action::Flood { conversation: rng.usize(0..CONVERSATIONS) }));
    }
    plan.sort_by_key(|(at, _)| *at);
    plan
}

fn work_of(rng: &mut Rng) -> Action {
    let (device, conversation) = (rng.usize(0..DEVICES), rng.usize(0..CONVERSATIONS));
    match rng.u8(0..20) {
        0..7 => {
            let hold_ms = if rng.u8(0..4) == 0 { rng.u64(1..6_000) } else { 0 };
            Action::Write { device, conversation, seen: rng.u8(0..8) > 0, hold_ms, empty: rng.u8(0..20) == 0 }
        }
        7 => Action::Type { device, conversation },
        8..13 => Action::Ask { patient: conversation },
        13..15 => Action::Read { device, conversation },
        15 => Action::Open { device, conversation },
        16 => Action::Older { device, conversation },
        _ => Action::Decide { device, row: rng.usize(0..4), how: rng.usize(0..4) },
    }
}

fn trouble_of(rng: &mut Rng) -> Action {
    let device = rng.usize(0..DEVICES);
    match rng.u8(0..20) {
        0..4 => Action::Crash { device, kept: rng.bool(), down_ms: rng.u64(1..4_000) },
        4..6 => Action::Outage { kept: rng.bool(), down_ms: rng.u64(1..8_000) },
        6..9 => Action::Cut { device },
        9 => Action::BlackHole { device },
        10 => Action::Stall { device, ms: rng.u64(100..8_000) },
        11..14 => {
            let mut percent = |most| if rng.bool() { rng.u64(0..most) } else { 0 };
            let (lost, doubled, overtaken) = (percent(15), percent(15), percent(15));
            Action::Weather { lost, doubled, overtaken, delay_ms: [2, 20, 200, 2_000][rng.usize(0..4)] }
        }
        14 => Action::DiskFault { device },
        15 => Action::LogFault,
        16 => Action::Sleep { device, ms: rng.u64(1_000..7_200_000) },
        17 => Action::Pause { device },
        18 => Action::Reconnect { device },
        _ => Action::Revoke { device },
    }
}

/// The shortest plan found that still fails: whole stretches go first, then single actions.
pub fn shortest(plan: &Plan, fails: impl Fn(&Plan) -> bool) -> Plan {
    let mut best = plan.clone();
    let mut stretch = best.len().div_ceil(2);
    while stretch > 0 {
        let mut at = 0;
        while at < best.len() {
            let mut less = best.clone();
            less.drain(at..(at + stretch).min(best.len()));
            if fails(&less) {
                best = less;
            } else {
                at += stretch;
            }
        }
        stretch /= 2;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_cut_down_to_what_fails() {
        let wanted = [(1, Action::LogFault), (2, Action::Cut { device: 1 })];
        let mut long: Plan = (0..100).map(|n| (n, Action::Ask { patient: 0 })).collect();
        long.insert(20, wanted[0]);
        long.insert(70, wanted[1]);
        let found = shortest(&long, |plan| wanted.iter().all(|one| plan.contains(one)));
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_seed_is_a_plan() {
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }
}
