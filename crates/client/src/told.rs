//! What the server tells and nobody keeps: who types, what a search found, and the part of a log that somebody looks at.

use crate::core::Core;
use crate::watch::Dirty;
use bedside_protocol::{Entry, ServerFrame, Time};

/// How long a person is shown as typing after the last sign of it; the server's own clock may differ from ours.
const TYPING_MS: u64 = 6_000;
impl Core {
    /// Shows what was told.
    pub(crate) fn tell(&self, now: Time, frame: ServerFrame) {
        match frame {
            ServerFrame::Typing(mut typing) => {
                typing.until = now.plus(TYPING_MS);
                let id = typing.conversation.clone();
                self.shared.with_live(|live| live.typing.insert(id.clone(), typing));
                self.shared.publish(&Dirty::conversation(id));
            }
            // Published with what the engine says of it.
            ServerFrame::Found(answer) => self.shared.with_live(|live| live.beyond.found(answer)),
            ServerFrame::Entries(answer) => self.shared.with_live(|live| live.beyond.page(answer)),
            _ => {}
        }
    }

    /// Whoever wrote an entry isn't typing any more.
    pub(crate) fn ended_typing(&self, entry: &Entry) {
        let (id, author) = (&entry.conversation, &entry.author.id);
        let ended = self.shared.with_live(|live| {
            let typing = live.typing.get(id).is_some_and(|typing| typing.who.id == *author);
            typing.then(|| live.typing.remove(id)).is_some()
        });
        if ended {
            self.shared.publish(&Dirty::conversation(id.clone()));
        }
    }
}
