//! What stays here: older pages come in the background while nothing else is missing, and what has been closed for long
//! enough goes, in small steps.

use super::{CatchUp, Known};
use crate::{Change, Range};
use bedside_protocol::{ConversationId, MAX_ENTRIES_PAGE, Seq, Time};

/// What of the log this computer keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Whether older pages are fetched without anybody asking for them.
    pub history: bool,
    /// For how long a closed conversation stays; none: for ever.
    pub closed_ms: Option<u64>,
    /// Of conversations that one hasn't taken oneself, the newest entries alone.
    pub own_only: bool,
}

/// How much of what the server has is here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Entries that are here.
    pub held: u64,
    /// Entries of the same conversations on the server.
    pub all: u64,
}

/// One page of history in this time: a thousand entries a second, and the line is free four fifths of the time.
const HISTORY_EVERY_MS: u64 = 200;
/// How often to look for what has been closed for long enough.
const SWEEP_EVERY_MS: u64 = 60 * 60 * 1000;
/// Between two steps, so that whatever else waits for the disk gets between them.
const STEP_EVERY_MS: u64 = 100;
/// Of a conversation that isn't to be kept so many entries stay. More gather before they go, so that not each message
/// takes one away.
const NEWEST: u64 = super::TAIL_PAGE;
const GATHERED: u64 = 2 * NEWEST;
/// Entries that go in one step: some milliseconds of the disk's time.
const STEP: u64 = 500;

/// When to do what next.
#[derive(Debug, Default)]
pub(super) struct Plan {
    keep: Keep,
    /// Whole conversations go, or went.
    lets_go: bool,
    /// There is no room for more.
    full: bool,
    /// No older page is missing; cleared when something changes.
    complete: bool,
    history_at: Time,
    sweep_at: Time,
}

impl Plan {
    pub(super) fn new(keep: Keep) -> Self {
        Self { keep, lets_go: keep.closed_ms.is_some(), ..Self::default() }
    }

    pub(super) fn changed(&mut self) {
        self.complete = false;
    }
}

impl CatchUp {
    /// Whether a conversation that was closed then has been so for long enough.
    pub(super) fn is_over(&self, closed: Option<Time>, now: Time) -> bool {
        let (Some(closed), Some(keep)) = (closed, self.plan.keep.closed_ms) else { return false };
        closed.plus(keep) <= now
    }

    /// Whether all of a conversation is to be here.
    fn is_kept(&self, known: &Known, now: Time) -> bool {
        let own = known.own || !self.plan.keep.own_only;
        own && !self.is_over(known.closed, now)
    }

    /// The page of history to ask for now: of the conversation that changed last.
    pub(super) fn history_page(&mut self, now: Time) -> Option<(ConversationId, Range)> {
        let plan = &self.plan;
        if !plan.keep.history || plan.full || plan.complete || now < plan.history_at {
            return None;
        }
        let may_ask = |known: &Known| known.not_before.is_none_or(|time| time <= now);
        let open = self.conversations.iter().filter(|(_, known)| may_ask(known));
        let open = open.filter(|(_, known)| self.is_kept(known, now));
        let next = open.filter_map(|(id, known)| Some((id, known.older(MAX_ENTRIES_PAGE)?, known.rev)));
        let next = next.max_by_key(|(_, _, rev)| *rev).map(|(id, range, _)| (id.clone(), range));
        self.plan.history_at = now.plus(HISTORY_EVERY_MS);
        self.plan.complete = next.is_none();
        next
    }

    /// When the next page of history may be asked for.
    pub(super) fn next_history(&self, now: Time) -> Option<Time> {
        let plan = &self.plan;
        let goes_on = plan.keep.history && !plan.full && !plan.complete && self.asked.is_empty();
        (goes_on && now < plan.history_at).then_some(plan.history_at)
    }

    /// How much of what is to be here is.
    pub(crate) fn history(&self, now: Time) -> History {
        let kept = self.conversations.values().filter(|known| self.is_kept(known, now));
        kept.fold(History::default(), |sum, known| History {
            held: sum.held + known.range.map_or(0, Range::len),
            all: sum.all + known.head.get(),
        })
    }

    /// Whether the server can have nothing that isn't here: nothing is ever let go, and all has come.
    pub(crate) fn holds_all(&self) -> bool {
        let whole = |known: &Known| Range::new(Seq::new(1), known.head) == known.range;
        !self.plan.lets_go && self.conversations.values().all(whole)
    }

    /// Whether there is room for history.
    pub(crate) fn set_full(&mut self, full: bool) {
        self.plan.full = full;
    }

    /// When to sweep next.
    pub(crate) fn next_sweep(&self) -> Option<Time> {
        let keep = self.plan.keep;
        (keep.closed_ms.is_some() || keep.own_only).then_some(self.plan.sweep_at)
    }

    /// A step towards letting go of what isn't to be kept nor spared.
    pub(crate) fn sweep(&mut self, now: Time, spare: impl Fn(&ConversationId) -> bool) -> Option<Change> {
        if now < self.next_sweep()? {
            return None;
        }
        let over = |(id, known): (&ConversationId, &Known)| {
            if self.asked.contains_key(id) || spare(id) {
                return None;
            }
            let over = self.is_over(known.closed, now);
            let long = known.range.is_some_and(|range| GATHERED < range.len());
            let rest = if over { 0 } else { NEWEST };
            (over || (long && !self.is_kept(known, now))).then(|| (id.clone(), rest))
        };
        let Some((id, rest)) = self.conversations.iter().find_map(over) else {
            self.plan.sweep_at = now.plus(SWEEP_EVERY_MS);
            return None;
        };
        self.plan.sweep_at = now.plus(STEP_EVERY_MS);
        self.let_go(&id, rest)
    }

    /// A step towards less: what was closed longest ago, or the oldest entries of what was quiet longest.
    pub(crate) fn shrink(&mut self, spare: impl Fn(&ConversationId) -> bool) -> Option<Change> {
        let free = |id: &ConversationId| !self.asked.contains_key(id) && !spare(id);
        let closed = self.conversations.iter().filter(|(id, _)| free(id));
        let closed = closed.filter_map(|(id, known)| Some((known.closed?, id))).min();
        if let Some(id) = closed.map(|(_, id)| id.clone()) {
            return self.let_go(&id, 0);
        }
        let long = |known: &Known| known.range.is_some_and(|range| NEWEST < range.len());
        let quiet = self.conversations.iter().filter(|(id, known)| free(id) && long(known));
        let quiet = quiet.min_by_key(|(_, known)| known.rev).map(|(id, _)| id.clone())?;
        self.let_go(&quiet, NEWEST)
    }

    /// Lets go of the oldest entries of a conversation, of at most [`STEP`], and keeps `rest`; with the last entry the
    /// conversation goes.
    fn let_go(&mut self, id: &ConversationId, rest: u64) -> Option<Change> {
        let known = self.conversations.get_mut(id)?;
        if let Some(range) = known.range {
            let lo = range.lo.plus(STEP.min(range.len().saturating_sub(rest)));
            if let Some(range) = Range::new(lo, range.hi) {
                known.range = Some(range);
                known.older_wanted = false;
                self.want(id);
                return Some(Change::Trim(id.clone(), lo));
            }
        }
        self.plan.lets_go = true;
        self.conversations.remove(id);
        self.wanting.remove(id);
        Some(Change::Purge(id.clone()))
    }
}

impl Known {
    /// The page before what is here.
    pub(super) fn older(&self, page: u64) -> Option<Range> {
        let range = self.range.filter(|range| self.head <= range.hi)?;
        let older = Range::new(Seq::new(1), range.lo.minus(1))?;
        Some(older.newest(self.older_page.unwrap_or(page)))
    }
}
