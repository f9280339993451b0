//! Catching up: which conversations changed (`changes`), and which ranges of their logs are missing (`entries`).
//!
//! Live frames are only a hint. What decides is arithmetic: the clinic's `rev` against the cursor, a conversation's
//! `head` against the range that the cache holds. A lost frame shows as a difference, and the difference is asked for.
//!
//! A conversation, by what of its log is here:
//!
//! ```text
//!             learned of          the page that ends at its head
//!   (unknown) ───────────▶ Behind ───────────────────────────────▶ Level ◀─┐ the next live entry
//!                           ▲  ▲ ◀─ an earlier page ─┘               │ │ ──┘
//!                           │  └─────── its head grew, or a live entry leaves a gap
//!                           └────── a page too far from what is held: that goes, the page stays
//!   Level ── somebody scrolls up ──▶ Older ── a page of older entries ──▶ Level
//! ```
//!
//! A connection counts for nothing until its first answer to `changes`: only that says that the server's log is the one
//! that the cache is a copy of.

mod keep;

pub use keep::{History, Keep};

use crate::{Cached, Change, Range, Snapshot, passage};
use bedside_protocol::{
    Changes, ChangesAnswer, ClientFrame, Conversation, ConversationId, Entries, EntriesAnswer, Entry,
    EntryFrame, Epoch, MAX_ENTRIES_PAGE, Rejected, Retry, Rev, Seq, Time, UserId,
};
use keep::Plan;
use std::collections::{BTreeMap, BTreeSet};

/// The first page of a conversation that the cache knows nothing of: what two screens show.
const TAIL_PAGE: u64 = 50;
/// A page of older entries.
const OLDER_PAGE: u64 = 100;
/// Behind by more than this, the newest page is fetched instead of all in between: somebody wants to read the end.
const FAR: u64 = 1_000;
/// Pages asked for at once: enough to fill a round trip, few enough that live frames get through between them.
const IN_FLIGHT: usize = 4;
/// A server that speaks but doesn't answer within this is asked again over a fresh connection.
pub(crate) const ANSWER_TIMEOUT_MS: u64 = 20_000;
/// The wait after a refusal that names none, and the range that one may name: a server can't make its clients spin or
/// sleep for good.
const RETRY_MS: u64 = 2_000;
const RETRY_RANGE_MS: std::ops::RangeInclusive<u64> = 200..=600_000;

/// A wait that a server named, within reason.
pub(crate) fn clamp_retry(wait_ms: u64) -> u64 {
    wait_ms.clamp(*RETRY_RANGE_MS.start(), *RETRY_RANGE_MS.end())
}

/// The server's answer isn't what was asked for.
#[derive(Debug)]
pub(crate) struct Nonsense;

/// How many entries an answer has, which must be those of `asked` from its old end on, without a gap.
pub(crate) fn in_order(asked: Range, answer: &EntriesAnswer) -> Result<u64, Nonsense> {
    let dense = (asked.lo.get()..=asked.hi.get()).map(Seq::new);
    let mut entries = answer.entries.iter().zip(dense);
    let in_order = entries.all(|(entry, seq)| entry.seq == seq && entry.conversation == answer.conversation);
    let got = u64::try_from(answer.entries.len()).unwrap_or(u64::MAX);
    if in_order && got <= asked.len() { Ok(got) } else { Err(Nonsense) }
}

#[derive(Debug, Default)]
struct Known {
    rev: Rev,
    head: Seq,
    range: Option<Range>,
    older_wanted: bool,
    /// How much a server answered that gives less than is asked for.
    older_page: Option<u64>,
    not_before: Option<Time>,
    /// Since when it has been closed, if it is.
    closed: Option<Time>,
    /// One has taken it oneself.
    own: bool,
}

impl Known {
    /// The next page to ask for: the newest entries first, then the older ones that somebody wants.
    fn missing(&self) -> Option<Range> {
        match self.range {
            None => Range::new(Seq::new(1), self.head).map(|all| all.newest(TAIL_PAGE)),
            Some(range) if range.hi < self.head => {
                let tail = Range::new(range.hi.next(), self.head)?;
                let far = tail.len() > FAR;
                Some(if far { tail.newest(MAX_ENTRIES_PAGE) } else { tail.oldest(MAX_ENTRIES_PAGE) })
            }
            Some(_) if self.older_wanted => self.older(OLDER_PAGE),
            Some(_) => None,
        }
    }

    fn is_behind(&self) -> bool {
        self.range.map_or(Seq::ZERO, |range| range.hi) < self.head
    }
}

#[derive(Debug)]
struct Asked {
    range: Range,
    deadline: Time,
}

#[derive(Debug)]
pub(crate) struct CatchUp {
    me: UserId,
    /// All changes up to here are known.
    cursor: Rev,
    /// The life of the server's log that the cache is a copy of.
    epoch: Option<Epoch>,
    /// The life that the welcome named, until the first answer to `changes` says that the cache is a copy of that log.
    unverified: Option<Epoch>,
    /// The newest change that the server spoke of.
    told: Rev,
    /// Ask once more, whatever was told.
    again: bool,
    conversations: BTreeMap<ConversationId, Known>,
    /// Those of which a page is missing.
    wanting: BTreeSet<ConversationId>,
    changes_asked: Option<Time>,
    changes_not_before: Option<Time>,
    asked: BTreeMap<ConversationId, Asked>,
    plan: Plan,
}

impl CatchUp {
    pub(crate) fn new(me: UserId, snapshot: &Snapshot, keep: Keep) -> Self {
        let conversations: BTreeMap<_, _> = snapshot
            .conversations
            .iter()
            .map(|(id, cached)| {
                let Cached { rev, head, range, closed, .. } = *cached;
                let own = cached.assigned.as_ref() == Some(&me);
                (id.clone(), Known { rev, head, range, closed, own, ..Known::default() })
            })
            .collect();
        let wanting =
            conversations.iter().filter(|(_, known)| known.is_behind()).map(|(id, _)| id.clone()).collect();
        Self {
            me,
            cursor: snapshot.cursor,
            epoch: snapshot.epoch.clone(),
            unverified: None,
            told: snapshot.cursor,
            again: false,
            conversations,
            wanting,
            changes_asked: None,
            changes_not_before: None,
            asked: BTreeMap::new(),
            plan: Plan::new(keep),
        }
    }

    pub(crate) fn cursor(&self) -> Rev {
        self.cursor
    }

    pub(crate) fn behind(&self) -> usize {
        self.wanting.iter().filter(|id| self.is_behind(id)).count()
    }

    /// Whether nothing is missing of what the server spoke of, since it was asked.
    pub(crate) fn is_level(&self) -> bool {
        self.is_verified() && !self.again && self.told <= self.cursor && self.behind() == 0
    }

    pub(crate) fn is_behind(&self, conversation: &ConversationId) -> bool {
        self.conversations.get(conversation).is_some_and(Known::is_behind)
    }

    /// The newest entry that is held.
    pub(crate) fn held(&self, conversation: &ConversationId) -> Seq {
        let range = self.conversations.get(conversation).and_then(|known| known.range);
        range.map_or(Seq::ZERO, |range| range.hi)
    }

    pub(crate) fn knows(&self, conversation: &ConversationId) -> bool {
        self.conversations.contains_key(conversation)
    }

    /// What the cache has of a conversation that somebody looks at.
    pub(crate) fn cached(&self, conversation: &ConversationId) -> passage::Cached {
        self.conversations.get(conversation).map_or_else(passage::Cached::default, |known| passage::Cached {
            known: true,
            head: known.head,
            held: known.range,
        })
    }

    pub(crate) fn holds(&self, entry: &Entry) -> bool {
        let known = self.conversations.get(&entry.conversation);
        known.and_then(|known| known.range).is_some_and(|range| range.contains(entry.seq))
    }

    pub(crate) fn has_older(&self, conversation: &ConversationId) -> bool {
        let range = self.conversations.get(conversation).and_then(|known| known.range);
        range.is_some_and(|range| Seq::new(1) < range.lo)
    }

    /// Whether the server's log ends before what is known of it here.
    pub(crate) fn rolled_back(&self, rev: Rev) -> bool {
        rev < self.cursor
    }

    /// A new connection, to a log in this life.
    pub(crate) fn connected(&mut self, epoch: Epoch) {
        self.unverified = Some(epoch);
        self.told = self.cursor;
        self.ask_again();
    }

    /// Whether the cache is a copy of the log that this connection speaks of.
    pub(crate) fn is_verified(&self) -> bool {
        self.unverified.is_none()
    }

    /// Whatever was told, ask once for what changed.
    pub(crate) fn ask_again(&mut self) {
        self.again = true;
    }

    pub(crate) fn disconnected(&mut self) {
        self.unverified = None;
        self.changes_asked = None;
        self.changes_not_before = None;
        self.asked.clear();
        self.conversations.values_mut().for_each(|known| known.not_before = None);
    }

    pub(crate) fn told_of(&mut self, rev: Rev) {
        self.told = self.told.max(rev);
    }

    pub(crate) fn want_older(&mut self, conversation: &ConversationId) {
        if !self.has_older(conversation) {
            return;
        }
        if let Some(known) = self.conversations.get_mut(conversation) {
            known.older_wanted = true;
            self.wanting.insert(conversation.clone());
        }
    }

    /// Somebody looks back to `from`, from an entry that is held.
    pub(crate) fn want_back_to(&mut self, conversation: &ConversationId, at: Seq, from: Seq) {
        let range = self.conversations.get(conversation).and_then(|known| known.range);
        if range.is_some_and(|range| range.contains(at) && from < range.lo) {
            self.want_older(conversation);
        }
    }

    /// A live entry.
    pub(crate) fn live(&mut self, now: Time, frame: EntryFrame) -> Vec<Change> {
        let EntryFrame { entry, conversation } = frame;
        let (id, rev, seq) = (entry.conversation.clone(), entry.rev, entry.seq);
        if conversation.id != id {
            return Vec::new();
        }
        if !self.is_verified() {
            self.told_of(rev);
            return Vec::new();
        }
        let mut changes = self.learn(now, conversation);
        let Some(known) = self.conversations.get_mut(&id) else {
            // Closed for so long that it isn't kept.
            return self.advance(rev).into_iter().collect();
        };
        known.head = known.head.max(seq);
        let range = known.range;
        let held = range.map_or(Seq::ZERO, |range| range.hi);
        if seq == held.next() {
            let stored = Range::new(seq, seq).and_then(|one| self.store(&id, one, vec![entry]).ok());
            changes.extend(stored.into_iter().flatten());
        }
        self.want(&id);
        changes.extend(self.advance(rev));
        changes
    }

    /// A summary that changed without an entry.
    pub(crate) fn summary(&mut self, now: Time, conversation: Conversation) -> Vec<Change> {
        let rev = conversation.rev;
        if !self.is_verified() {
            self.told_of(rev);
            return Vec::new();
        }
        let mut changes = self.learn(now, conversation);
        changes.extend(self.advance(rev));
        changes
    }

    /// The answer to `changes`. The cursor moves in the transaction that holds what it stands for.
    pub(crate) fn changes(&mut self, now: Time, answer: ChangesAnswer) -> Result<Vec<Change>, Nonsense> {
        self.changes_asked = None;
        if answer.more && answer.rev <= answer.since {
            // More, but none of it: asking again would never end.
            return Err(Nonsense);
        }
        let mut changes: Vec<_> = answer.conversations.into_iter().flat_map(|c| self.learn(now, c)).collect();
        if self.cursor < answer.rev {
            self.cursor = answer.rev;
            changes.push(Change::Cursor(answer.rev));
        }
        if let Some(epoch) = self.unverified.take().filter(|epoch| self.epoch.as_ref() != Some(epoch)) {
            self.epoch = Some(epoch.clone());
            changes.push(Change::Epoch(epoch));
        }
        // Without `more`, this was all; a heartbeat that tells of more asks again.
        self.again = answer.more;
        Ok(changes)
    }

    /// Whether this answers what was asked last.
    pub(crate) fn is_asked(&self, answer: &EntriesAnswer) -> bool {
        let range = Range { lo: answer.from, hi: answer.to };
        self.asked.get(&answer.conversation).is_some_and(|asked| asked.range == range)
    }

    /// The answer to `entries`.
    pub(crate) fn entries(&mut self, answer: EntriesAnswer) -> Result<Vec<Change>, Nonsense> {
        let id = answer.conversation.clone();
        if !self.is_asked(&answer) {
            // An answer to an earlier question.
            return Ok(Vec::new());
        }
        let asked = self.asked.remove(&id).ok_or(Nonsense)?;
        let got = in_order(asked.range, &answer)?;
        if got == 0 {
            return Err(Nonsense);
        }
        let known = self.conversations.get_mut(&id).ok_or(Nonsense)?;
        if got < asked.range.len() && known.range.is_some_and(|held| asked.range.hi < held.lo) {
            // A page of older entries must reach what is held. A smaller one will.
            known.older_page = Some(got);
            return Ok(Vec::new());
        }
        let changes = self.store(&id, asked.range.oldest(got), answer.entries)?;
        self.want(&id);
        Ok(changes)
    }

    pub(crate) fn rejected(&mut self, now: Time, rejected: &Rejected) {
        let wait = match rejected.code.retry() {
            Retry::Later => clamp_retry(rejected.retry_after_ms.unwrap_or(RETRY_MS)),
            // Not before something changes; a new connection clears it.
            Retry::Never | Retry::AfterReading => u64::MAX,
        };
        let not_before = Some(now.plus(wait));
        match (rejected.of.as_str(), &rejected.conversation) {
            ("changes", _) => {
                self.changes_asked = None;
                self.changes_not_before = not_before;
            }
            ("entries", Some(id)) => {
                self.asked.remove(id);
                if let Some(known) = self.conversations.get_mut(id) {
                    known.not_before = not_before;
                }
            }
            _ => {}
        }
    }

    /// What to ask for now: changes, then missing pages, the open conversation first, then the newest.
    pub(crate) fn requests(&mut self, now: Time, open: Option<&ConversationId>) -> Vec<ClientFrame> {
        let mut frames = Vec::new();
        let deadline = now.plus(ANSWER_TIMEOUT_MS);
        let may_ask = |not_before: Option<Time>| not_before.is_none_or(|time| time <= now);
        if (self.again || self.cursor < self.told)
            && self.changes_asked.is_none()
            && may_ask(self.changes_not_before)
        {
            self.changes_asked = Some(deadline);
            let (epoch, newest) = match (&self.unverified, &self.epoch) {
                (Some(_), Some(epoch)) => (Some(epoch.clone()), Some(self.newest())),
                _ => (None, None),
            };
            frames.push(ClientFrame::Changes(Changes { since: self.cursor, limit: None, epoch, newest }));
        }
        if !self.is_verified() {
            return frames;
        }
        // The inbox first: as long as not all of it is known, only what is on the screen has its entries fetched.
        let inbox_first = self.again || self.cursor < self.told;
        while self.asked.len() < IN_FLIGHT {
            let next = self
                .wanting
                .iter()
                .filter(|id| !self.asked.contains_key(*id) && (!inbox_first || open == Some(*id)))
                .filter_map(|id| {
                    let known = self.conversations.get(id).filter(|known| may_ask(known.not_before))?;
                    Some((id, known.missing()?, known.rev))
                })
                .max_by_key(|(id, _, rev)| (open == Some(*id), *rev));
            let Some((id, range, _)) = next else { break };
            let conversation = id.clone();
            self.asked.insert(conversation.clone(), Asked { range, deadline });
            frames.push(ClientFrame::Entries(Entries {
                conversation,
                from: range.lo,
                to: range.hi,
                summary: false,
            }));
        }
        if !inbox_first
            && self.asked.is_empty()
            && let Some((conversation, range)) = self.history_page(now)
        {
            self.asked.insert(conversation.clone(), Asked { range, deadline });
            frames.push(ClientFrame::Entries(Entries {
                conversation,
                from: range.lo,
                to: range.hi,
                summary: false,
            }));
        }
        frames
    }

    pub(crate) fn overdue(&self, now: Time) -> bool {
        self.deadlines().any(|deadline| deadline <= now)
    }

    pub(crate) fn next_timer(&self, now: Time) -> Option<Time> {
        let pages = self.wanting.iter().filter_map(|id| self.conversations.get(id)?.not_before);
        // What may be asked for already waits for an answer to something else, not for the clock.
        let waits = pages.chain(self.changes_not_before).filter(|not_before| now < *not_before);
        self.deadlines().chain(waits).chain(self.next_history(now)).min()
    }

    fn deadlines(&self) -> impl Iterator<Item = Time> {
        self.changes_asked.into_iter().chain(self.asked.values().map(|asked| asked.deadline))
    }

    fn learn(&mut self, now: Time, conversation: Conversation) -> Vec<Change> {
        let closed = conversation.closed_since();
        if self.is_over(closed, now) && !self.conversations.contains_key(&conversation.id) {
            return Vec::new();
        }
        self.plan.changed();
        let known = self.conversations.entry(conversation.id.clone()).or_default();
        if conversation.rev <= known.rev {
            return Vec::new();
        }
        known.rev = conversation.rev;
        known.closed = closed;
        known.own = conversation.assigned.as_ref() == Some(&self.me);
        known.head = known.head.max(conversation.head);
        self.want(&conversation.id);
        vec![Change::Summary(conversation)]
    }

    /// `rev` follows the cursor at once, or something between them was missed.
    fn advance(&mut self, rev: Rev) -> Option<Change> {
        if rev == self.cursor.next() {
            self.cursor = rev;
            return Some(Change::Cursor(rev));
        }
        self.told_of(rev);
        None
    }

    /// The newest change of which anything is held.
    fn newest(&self) -> Rev {
        self.conversations.values().map(|known| known.rev).fold(self.cursor, Rev::max)
    }

    fn store(
        &mut self,
        id: &ConversationId,
        got: Range,
        entries: Vec<Entry>,
    ) -> Result<Vec<Change>, Nonsense> {
        let known = self.conversations.get_mut(id).ok_or(Nonsense)?;
        let mut changes = Vec::new();
        let range = match known.range {
            None => got,
            Some(held) => match held.join(got) {
                Some(range) => range,
                None if held.hi < got.lo => {
                    changes.push(Change::Forget(id.clone()));
                    got
                }
                None => return Err(Nonsense),
            },
        };
        if known.range.is_some_and(|held| range.lo < held.lo) {
            known.older_wanted = false;
        }
        known.range = Some(range);
        self.plan.changed();
        changes.push(Change::Entries { conversation: id.clone(), range, entries });
        Ok(changes)
    }

    fn want(&mut self, id: &ConversationId) {
        let missing = self.conversations.get(id).is_some_and(|known| known.missing().is_some());
        if missing {
            self.wanting.insert(id.clone());
        } else {
            self.wanting.remove(id);
        }
    }

    #[cfg(test)]
    pub(crate) fn range(&self, id: &ConversationId) -> Option<Range> {
        self.conversations.get(id)?.range
    }
}
