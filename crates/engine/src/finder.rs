//! Searching the server's log for what isn't kept here. The newest question counts: an earlier one's answer is dropped by its
//! number, and nobody is asked for the half of a word.
//!
//! ```text
//!          somebody types          a pause, and live            found, and enough
//!  (none) ────────────────▶ Due ──────────────────────▶ Asked ────────────────────▶ Answered
//!                          ▲ ▲ ◀── found, go on back ──┘ │ │ refused for good ────▶ Refused ─┐
//!                          │ └──── refused for now ──────┘ │ no answer in time ───▶ Silent ──┤
//!                          └────── the line broke ─────────┴───────────────────────────◀─────┘
//! ```

use crate::catchup::clamp_retry;
use bedside_protocol::{
    ClientFrame, Code, Entry, EntryId, FoundFrame, MAX_HITS, Rejected, Retry, Search, Time,
};
use std::collections::BTreeSet;

/// Nobody who types makes a pause of this length within a word.
const PAUSE_MS: u64 = 200;
/// Who searches looks elsewhere after this.
const ANSWER_MS: u64 = 10_000;
/// The wait after a refusal that names none.
const RETRY_MS: u64 = 2_000;
/// Most of what is found is often here already. With fewer hits than fill a screen one goes on further back, but not for ever.
const SCREEN: usize = 10;
const PAGES: u32 = 8;

/// How far a search of the server's log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Searching {
    /// It is asked, or will be in a moment or once it is reached.
    Asking,
    /// It is too busy, and is asked again soon.
    Busy,
    /// It has answered.
    Answered {
        /// There is more from before this time, which wasn't looked through; none: it was looked through to its beginning.
        back_to: Option<Time>,
        /// Entries that the server's search doesn't know yet.
        unindexed: u64,
    },
    /// It didn't answer in time.
    Silent,
    /// It refused.
    Refused(Code),
}

#[derive(Debug)]
enum State {
    Due { at: Time, busy: bool },
    Asked { of: String, deadline: Time },
    Answered { back_to: Option<Time>, unindexed: u64 },
    Silent,
    Refused(Code),
}

#[derive(Debug)]
struct Question {
    search: Search,
    state: State,
    /// Where the next page begins.
    before: Option<Time>,
    pages: u32,
    /// What was found that isn't here.
    found: BTreeSet<EntryId>,
}

#[derive(Debug, Default)]
pub(crate) struct Finder {
    question: Option<Question>,
    /// Numbers what is asked.
    count: u64,
}

impl Finder {
    /// Searches for something else, or again for the same, or for nothing any more.
    pub(crate) fn ask(&mut self, now: Time, search: Option<Search>) {
        self.question = search.map(|search| Question {
            before: search.before,
            search,
            state: State::Due { at: now.plus(PAUSE_MS), busy: false },
            pages: 0,
            found: BTreeSet::new(),
        });
    }

    pub(crate) fn searching(&self) -> Option<Searching> {
        Some(match self.question.as_ref()?.state {
            State::Due { busy: true, .. } => Searching::Busy,
            State::Due { .. } | State::Asked { .. } => Searching::Asking,
            State::Answered { back_to, unindexed } => Searching::Answered { back_to, unindexed },
            State::Silent => Searching::Silent,
            State::Refused(code) => Searching::Refused(code),
        })
    }

    /// What to ask now. Only while live.
    pub(crate) fn request(&mut self, now: Time) -> Option<ClientFrame> {
        let question = self.question.as_mut()?;
        match &question.state {
            State::Due { at, .. } if *at <= now => {}
            State::Asked { deadline, .. } if *deadline <= now => {
                question.state = State::Silent;
                return None;
            }
            _ => return None,
        }
        self.count += 1;
        question.pages += 1;
        let of = self.count.to_string();
        question.state = State::Asked { of: of.clone(), deadline: now.plus(ANSWER_MS) };
        let (before, limit) = (question.before, MAX_HITS);
        Some(ClientFrame::Search(Search { of, before, limit, ..question.search.clone() }))
    }

    /// An answer, without what `holds` says is here; none, if it is one to an earlier question.
    pub(crate) fn found(
        &mut self,
        now: Time,
        mut answer: FoundFrame,
        holds: impl Fn(&Entry) -> bool,
    ) -> Option<FoundFrame> {
        let question = self.question.as_mut().filter(|question| question.is_called(&answer.of))?;
        let oldest = answer.hits.last().map(|hit| hit.entry.at);
        answer.hits.retain(|hit| !holds(&hit.entry) && question.found.insert(hit.entry.id));
        let (more, unindexed) = (oldest.filter(|_| answer.more), answer.unindexed);
        question.state = match more {
            Some(oldest) if question.found.len() < SCREEN && question.pages < PAGES => {
                // Those of the same moment come again, unless they were all that came.
                let next = oldest.plus(1);
                question.before = Some(if question.before == Some(next) { oldest } else { next });
                State::Due { at: now, busy: false }
            }
            back_to => State::Answered { back_to, unindexed },
        };
        Some(answer)
    }

    pub(crate) fn rejected(&mut self, now: Time, rejected: &Rejected) {
        let Some(question) = self.question.as_mut().filter(|_| rejected.of == "search") else { return };
        // A server of before doesn't name it: then it is the newest, whose answer may still come if it isn't.
        if !rejected.search.as_ref().map_or(question.is_asked(), |of| question.is_called(of)) {
            return;
        }
        question.state = match rejected.code.retry() {
            Retry::Later => {
                let wait = clamp_retry(rejected.retry_after_ms.unwrap_or(RETRY_MS));
                State::Due { at: now.plus(wait), busy: true }
            }
            Retry::Never | Retry::AfterReading => State::Refused(rejected.code),
        };
    }

    /// Whatever has no answer is asked again over the next connection.
    pub(crate) fn disconnected(&mut self, now: Time) {
        if let Some(question) = &mut self.question
            && !matches!(question.state, State::Answered { .. } | State::Due { .. })
        {
            question.state = State::Due { at: now, busy: false };
        }
    }

    pub(crate) fn next_timer(&self, now: Time) -> Option<Time> {
        match self.question.as_ref()?.state {
            State::Due { at, .. } => Some(at).filter(|at| now < *at),
            State::Asked { deadline, .. } => Some(deadline),
            State::Answered { .. } | State::Silent | State::Refused(_) => None,
        }
    }
}

impl Question {
    fn is_asked(&self) -> bool {
        matches!(self.state, State::Asked { .. })
    }

    fn is_called(&self, name: &str) -> bool {
        matches!(&self.state, State::Asked { of, .. } if of == name)
    }
}
