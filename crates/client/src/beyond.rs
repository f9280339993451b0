//! What the server has and this computer doesn't keep, as long as somebody looks at it: what a search found there, and the part
//! of a log that one of its hits stands in. It lies in the memory alone, and goes when the cache locks.

use crate::api::{self, Reach};
use crate::watch::Dirty;
use bedside_engine::{Engine, Link, Look, Range, Searching};
use bedside_protocol::{
    Code, Conversation, ConversationId, EntriesAnswer, Entry, File, FoundEntry, FoundFrame,
};
use bedside_store::{FileOf, Reader, StoreError};
use std::sync::Arc;

/// What somebody looks at that isn't kept here.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Beyond {
    online: bool,
    sought: Option<Sought>,
    passage: Option<Passage>,
    /// A search was begun, or has found more.
    grew: bool,
}

/// What of it changes.
type State = (bool, Option<Searching>, Option<(Look, Option<Range>, Option<Code>)>);

/// A search of the server's log.
#[derive(Clone, Debug, PartialEq)]
struct Sought {
    text: String,
    /// Why the server isn't asked, if it isn't.
    unasked: Option<Reach>,
    searching: Option<Searching>,
    hits: Arc<Vec<FoundEntry>>,
}

/// A part of a log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Passage {
    pub(crate) look: Look,
    /// What has come of it, without a gap.
    pub(crate) range: Option<Range>,
    pub(crate) entries: Arc<Vec<Entry>>,
    /// The conversation, where the cache doesn't know it.
    pub(crate) summary: Option<Conversation>,
    pub(crate) refused: Option<Code>,
}

impl Beyond {
    /// Somebody searches for `text`, of which the server isn't asked if there is a reason.
    pub(crate) fn seek(&mut self, text: String, unasked: Option<Reach>) {
        self.sought = Some(Sought { text, unasked, searching: None, hits: Arc::default() });
        self.grew = true;
    }

    /// What the server has found.
    pub(crate) fn found(&mut self, answer: FoundFrame) {
        if let Some(sought) = &mut self.sought {
            Arc::make_mut(&mut sought.hits).extend(answer.hits);
            self.grew = true;
        }
    }

    /// A page of what somebody looks at.
    pub(crate) fn page(&mut self, answer: EntriesAnswer) {
        let Some(passage) = &mut self.passage else { return };
        let entries = Arc::make_mut(&mut passage.entries);
        entries.extend(answer.entries);
        entries.sort_by_key(|entry| entry.seq);
        entries.dedup_by_key(|entry| entry.seq);
        passage.summary = answer.summary.or(passage.summary.take());
    }

    /// Takes over what the engine says now, and says who is to look anew.
    pub(crate) fn follow(&mut self, engine: &Engine) -> Option<Dirty> {
        let before = self.state();
        self.online = matches!(engine.link(), Link::Live { .. });
        if let Some(sought) = &mut self.sought {
            sought.searching = engine.searching();
        }
        self.passage = engine.looked_at().map(|(look, range, refused)| {
            let same = |passage: &Passage| passage.look.conversation == look.conversation;
            let (mut entries, summary) =
                self.passage.take().filter(same).map(|old| (old.entries, old.summary)).unwrap_or_default();
            let here = |entry: &Entry| range.is_some_and(|range| range.contains(entry.seq));
            if !entries.iter().all(here) {
                Arc::make_mut(&mut entries).retain(here);
            }
            Passage { look: look.clone(), range, entries, summary, refused }
        });
        let now = self.state();
        let looked_at = [&before.2, &now.2].into_iter().flatten().map(|(look, ..)| look.conversation.clone());
        (std::mem::take(&mut self.grew) || before != now).then(|| Dirty::beyond(looked_at))
    }

    /// What there is to compare: entries never change.
    fn state(&self) -> State {
        let passage = self.passage.as_ref();
        let passage = passage.map(|passage| (passage.look.clone(), passage.range, passage.refused));
        (self.online, self.sought.as_ref().and_then(|sought| sought.searching), passage)
    }

    /// What of a conversation somebody looks at.
    pub(crate) fn passage(&self, id: &ConversationId) -> Option<&Passage> {
        self.passage.as_ref().filter(|passage| passage.look.conversation == *id)
    }

    /// A file that stands in what somebody looks at.
    pub(crate) fn file(&self, conversation: &ConversationId, of: &FileOf) -> Option<File> {
        let FileOf::Message(id) = of else { return None };
        let entries = &self.passage(conversation)?.entries;
        entries.iter().find(|entry| entry.id == *id)?.body.file().cloned()
    }

    /// Whether the server can be reached.
    pub(crate) fn is_online(&self) -> bool {
        self.online
    }

    /// What the server adds to the search for `text`, without what has come here meanwhile.
    pub(crate) fn adds(&self, text: &str, reader: &Reader) -> Result<api::Beyond, StoreError> {
        let Some(sought) = self.sought.as_ref().filter(|sought| sought.text == text) else {
            return Ok(api::Beyond::default());
        };
        let mut hits = Vec::new();
        for FoundEntry { entry, patient } in sought.hits.iter() {
            if !reader.holds(entry.id)? && !reader.is_amended(entry.id)? {
                hits.push(api::Hit::new(entry.clone(), patient.clone()));
            }
        }
        Ok(api::Beyond { hits, reach: self.reach(sought) })
    }

    fn reach(&self, sought: &Sought) -> Reach {
        if let Some(reach) = sought.unasked {
            return reach;
        }
        match sought.searching {
            None => Reach::Unasked,
            Some(Searching::Asking | Searching::Busy) if !self.online => Reach::Offline,
            Some(Searching::Asking) => Reach::Asking,
            Some(Searching::Busy) => Reach::Busy,
            Some(Searching::Silent) => Reach::Silent,
            Some(Searching::Refused(code)) => Reach::Refused { code },
            Some(Searching::Answered { back_to, unindexed }) => {
                Reach::Answered { back_to, unindexed: u32::try_from(unindexed).unwrap_or(u32::MAX) }
            }
        }
    }
}
