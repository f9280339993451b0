//! A part of a log that somebody jumped to and that isn't kept here. It is fetched to be looked at, around the entry that was
//! jumped to, and never stored: what the cache holds of a conversation stays one range, and nothing comes back that was let go.
//!
//! What is missing is arithmetic, as in [`crate::catchup`]: the part that is looked at, without what the cache holds and what has
//! come.

use crate::Range;
use crate::catchup::{ANSWER_TIMEOUT_MS, Nonsense, clamp_retry, in_order};
use bedside_protocol::{
    ClientFrame, Code, ConversationId, Entries, EntriesAnswer, MAX_ENTRIES_PAGE, Rejected, Retry, Seq, Time,
};

/// The wait after a refusal that names none.
const RETRY_MS: u64 = 2_000;

/// A part of a conversation's log that somebody looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whose log.
    pub conversation: ConversationId,
    /// The entry that was jumped to.
    pub at: Seq,
    /// The oldest entry that is wanted.
    pub from: Seq,
    /// The newest.
    pub to: Seq,
}

/// What the cache knows of the conversation that is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cached {
    pub(crate) known: bool,
    pub(crate) head: Seq,
    pub(crate) held: Option<Range>,
}

#[derive(Debug)]
struct Open {
    look: Look,
    /// What has come.
    here: Option<Range>,
    /// How long the log is, as an answer has it.
    head: Option<Seq>,
    asked: Option<(Range, Time)>,
    /// How much the server answers at once.
    page: u64,
    not_before: Option<Time>,
    refused: Option<Code>,
}

#[derive(Debug, Default)]
pub(crate) struct Passage(Option<Open>);

impl Passage {
    /// Looks at something else, at more of the same, or at nothing. What has come of the same stays.
    pub(crate) fn look(&mut self, look: Option<Look>) {
        let same = |open: &Open, look: &Look| {
            let near = open.here.is_none_or(|here| here.contains(look.at));
            open.look.conversation == look.conversation && near
        };
        self.0 = match (self.0.take(), look) {
            (Some(open), Some(look)) if same(&open, &look) => Some(Open { look, refused: None, ..open }),
            (_, look) => look.map(|look| Open {
                look,
                here: None,
                head: None,
                asked: None,
                page: MAX_ENTRIES_PAGE,
                not_before: None,
                refused: None,
            }),
        };
    }

    /// What is looked at.
    pub(crate) fn looked_at(&self) -> Option<&Look> {
        self.0.as_ref().map(|open| &open.look)
    }

    /// What has come of it.
    pub(crate) fn here(&self) -> Option<Range> {
        self.0.as_ref()?.here
    }

    /// Why the server won't give the rest.
    pub(crate) fn refused(&self) -> Option<Code> {
        self.0.as_ref()?.refused
    }

    /// What to ask for now. Only while live.
    pub(crate) fn request(&mut self, now: Time, cached: Cached) -> Option<ClientFrame> {
        let open = self.0.as_mut()?;
        let may_ask = open.not_before.is_none_or(|time| time <= now);
        if open.asked.is_some() || open.refused.is_some() || !may_ask {
            return None;
        }
        let range = open.missing(cached)?;
        open.asked = Some((range, now.plus(ANSWER_TIMEOUT_MS)));
        let (conversation, from, to) = (open.look.conversation.clone(), range.lo, range.hi);
        Some(ClientFrame::Entries(Entries { conversation, from, to, summary: !cached.known }))
    }

    /// An answer, if it is one to what was asked for and joins what has come.
    pub(crate) fn entries(&mut self, answer: &EntriesAnswer) -> Result<bool, Nonsense> {
        let Some(open) = self.0.as_mut().filter(|open| open.is_asked(answer)) else { return Ok(false) };
        let Some((range, _)) = open.asked.take() else { return Ok(false) };
        open.head = Some(answer.head);
        let got = in_order(range, answer)?;
        let all = Range::new(range.lo, range.hi.min(answer.head)).map_or(0, Range::len);
        if all < got || (got == 0 && all > 0) {
            return Err(Nonsense);
        }
        if got == 0 {
            open.refused = Some(Code::NotFound);
            return Ok(false);
        }
        let came = range.oldest(got);
        let joined = match open.here {
            None => Some(came).filter(|came| came.contains(open.look.at)),
            Some(here) => here.join(came),
        };
        match joined {
            Some(joined) => open.here = Some(joined),
            // A smaller one will.
            None => open.page = got,
        }
        Ok(joined.is_some())
    }

    pub(crate) fn rejected(&mut self, now: Time, rejected: &Rejected) {
        let Some(open) = self.0.as_mut().filter(|open| open.asked.is_some()) else { return };
        if rejected.of != "entries" || rejected.conversation.as_ref() != Some(&open.look.conversation) {
            return;
        }
        open.asked = None;
        match rejected.code.retry() {
            Retry::Later => {
                let wait = clamp_retry(rejected.retry_after_ms.unwrap_or(RETRY_MS));
                open.not_before = Some(now.plus(wait));
            }
            Retry::Never | Retry::AfterReading => open.refused = Some(rejected.code),
        }
    }

    pub(crate) fn disconnected(&mut self) {
        if let Some(open) = &mut self.0 {
            (open.asked, open.not_before, open.refused) = (None, None, None);
        }
    }

    pub(crate) fn overdue(&self, now: Time) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }

    pub(crate) fn next_timer(&self, now: Time) -> Option<Time> {
        let not_before = self.0.as_ref().and_then(|open| open.not_before).filter(|time| now < *time);
        self.deadline().into_iter().chain(not_before).min()
    }

    fn deadline(&self) -> Option<Time> {
        Some(self.0.as_ref()?.asked?.1)
    }
}

impl Open {
    /// The next page to ask for: around the entry first, then before, then after what has come.
    fn missing(&self, cached: Cached) -> Option<Range> {
        let Look { at, from, to, .. } = self.look;
        let head = match (self.head, cached.known) {
            (None, false) => Seq::MAX,
            (head, _) => head.unwrap_or_default().max(cached.head).max(at),
        };
        let wanted = Range::new(from.max(Seq::new(1)).min(at), to.max(at).min(head))?;
        let free = match cached.held {
            // What is kept here grows by itself.
            Some(held) if held.contains(at) => return None,
            Some(held) if at < held.lo => Range::new(wanted.lo, wanted.hi.min(held.lo.minus(1)))?,
            Some(held) => Range::new(wanted.lo.max(held.hi.next()), wanted.hi)?,
            None => wanted,
        };
        match self.here {
            None => {
                Range::new(free.lo.max(at.minus(self.page / 2)), free.hi).map(|range| range.oldest(self.page))
            }
            Some(here) if free.lo < here.lo => {
                Range::new(free.lo, here.lo.minus(1)).map(|range| range.newest(self.page))
            }
            Some(here) => Range::new(here.hi.next(), free.hi).map(|range| range.oldest(self.page)),
        }
    }

    fn is_asked(&self, answer: &EntriesAnswer) -> bool {
        let range = Range { lo: answer.from, hi: answer.to };
        self.look.conversation == answer.conversation && self.asked.is_some_and(|(asked, _)| asked == range)
    }
}
