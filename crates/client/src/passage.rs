//! The view of a part of a conversation: what the cache has of it, and what came from the server to be looked at. Both are shown as
//! one only where no entry is missing between them.

use crate::api::{ConversationHead, Item, Missing, Patch, Splice};
use crate::live::Live;
use crate::view::{head, outgoing_items};
use bedside_engine::Range;
use bedside_protocol::{ConversationId, Entry, EntryId, Seq};
use bedside_store::{CachedConversation, Reader, StoreError};
use std::collections::BTreeSet;

/// What of a conversation is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) id: &'a ConversationId,
    /// What was jumped to.
    pub(crate) at: Seq,
    pub(crate) from: Seq,
    pub(crate) to: Seq,
}

/// What is shown of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Passage {
    pub(crate) head: Option<ConversationHead>,
    pub(crate) items: Vec<Item>,
    taken_back: Vec<EntryId>,
    missing: Option<Missing>,
}

impl Passage {
    /// What says so, with this head and these changes of the items.
    pub(crate) fn patch(&self, head: Option<ConversationHead>, items: Splice<Item>) -> Patch {
        Patch::Passage { head, items, taken_back: self.taken_back.clone(), missing: self.missing }
    }
}

/// What is shown of a part of a conversation, and why that isn't all.
pub(crate) fn shown(reader: Option<&Reader>, live: &Live, part: Part<'_>) -> Result<Passage, StoreError> {
    let Some(reader) = reader else { return Ok(Passage::default()) };
    let cached = reader.part(part.id, part.from, part.to)?;
    let held = cached.as_ref().and_then(|cached| cached.range);
    let beyond = live.beyond.passage(part.id);
    let came = beyond.and_then(|passage| passage.range);
    let run = around(part.at, held, came);
    let summary = beyond.and_then(|passage| passage.summary.clone());
    let kept = cached.is_some();
    let cached = cached.or_else(|| summary.map(CachedConversation::unkept));
    let log_end = cached.as_ref().map_or(part.at, |cached| cached.conversation.head.max(part.at));
    let wanted = Range::new(part.from.max(Seq::new(1)).min(part.at), part.to.max(part.at).min(log_end));
    let whole = wanted.is_none_or(|wanted| run.is_some_and(|run| run.lo <= wanted.lo && wanted.hi <= run.hi));
    let missing = (!whole).then(|| match beyond.and_then(|passage| passage.refused) {
        Some(code) => Missing::Refused { code, retry: code.retry() },
        None if live.beyond.is_online() => Missing::Fetching,
        None => Missing::Offline,
    });
    let Some(mut cached) = cached else {
        return Ok(Passage { missing, ..Passage::default() });
    };
    let is_shown = |entry: &Entry| {
        let wanted = part.from <= entry.seq && entry.seq <= part.to;
        wanted && run.is_some_and(|run| run.contains(entry.seq))
    };
    let mut entries = std::mem::take(&mut cached.entries);
    let fetched = beyond.map(|passage| passage.entries.iter()).unwrap_or_default();
    entries.extend(fetched.filter(|entry| !held.is_some_and(|held| held.contains(entry.seq))).cloned());
    entries.retain(is_shown);
    entries.sort_by_key(|entry| entry.seq);
    let newest = entries.last().map_or(Seq::ZERO, |entry| entry.seq);
    // Whoever looks as far as the log goes stands at its end, also while the newest of it is still to come.
    let reaches = |held: Range| held.hi <= newest && run.is_some_and(|run| run.contains(held.hi));
    let at_end = part.to == Seq::MAX && held.is_some_and(reaches);
    let newer = newest < cached.conversation.head && !at_end;
    let mut mine = if newer { Vec::new() } else { outgoing_items(&cached, part.id, live) };
    // What came to be looked at may be further than the cache, which still waits to hear that it was sent.
    let here: BTreeSet<EntryId> = entries.iter().map(|entry| entry.id).collect();
    mine.retain(|item| !matches!(item, Item::Outgoing { outgoing } if here.contains(&outgoing.id)));
    let older = entries.first().is_some_and(|entry| Seq::new(1) < entry.seq);
    let head = head(cached, live);
    let catching_up = kept && head.catching_up;
    let head = ConversationHead { older, newer, kept, catching_up, ..head };
    let mut taken_back = Vec::new();
    for entry in &entries {
        if reader.is_taken_back(entry.id)? {
            taken_back.push(entry.id);
        }
    }
    let entries = entries.into_iter().map(|entry| Item::Entry { entry });
    Ok(Passage { head: Some(head), items: entries.chain(mine).collect(), taken_back, missing })
}

/// The entries around `at` that are here without a gap.
fn around(at: Seq, held: Option<Range>, came: Option<Range>) -> Option<Range> {
    let joined = held.and_then(|held| held.join(came?));
    [joined, held, came].into_iter().flatten().find(|range| range.contains(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(lo: u64, hi: u64) -> Option<Range> {
        Range::new(Seq::new(lo), Seq::new(hi))
    }

    #[test]
    fn what_is_kept_and_what_came_are_one_only_without_a_gap() {
        let at = |at, held, came| around(Seq::new(at), held, came);
        assert_eq!(at(5, range(10, 20), range(1, 9)), range(1, 20));
        assert_eq!(at(5, range(10, 20), range(1, 8)), range(1, 8));
        assert_eq!(at(15, range(10, 20), range(1, 8)), range(10, 20));
        assert_eq!(at(5, range(10, 20), None), None);
        assert_eq!(at(5, None, range(1, 8)), range(1, 8));
        assert_eq!(at(9, range(10, 20), range(1, 8)), None);
    }
}
