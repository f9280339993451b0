//! The console's sync state machine, sans-IO: [`Engine::handle`] takes what happened and says what to do. Clock,
//! randomness, network and disk are inputs and effects, so that the whole sync path can be simulated.
//!
//! What the engine knows of a conversation is its cursor, not its content: which contiguous range `lo..=hi` of its
//! log the cache holds, and how long the log is (`head`). Everything else follows by arithmetic.

mod catchup;
mod change;
mod finder;
mod link;
mod outbox;
mod passage;
mod range;
mod reads;
mod rng;

pub use catchup::{History, Keep};
pub use change::{Cached, Change, OutboxRow, OutboxState, Snapshot};
pub use finder::Searching;
pub use link::{Link, Trouble};
pub use passage::Look;
pub use range::Range;

use bedside_protocol::{
    ClientFrame, Code, ConnectRefusal, ConversationId, EntryId, File, Refusal, Rev, Search, Send, Seq,
    ServerFrame, Time, Typing, UserId, Viewing,
};
use catchup::CatchUp;
use finder::Finder;
use link::Event as LinkEvent;
use outbox::{HandedOver, Outbox};
use passage::Passage;
use reads::Reads;
use std::collections::BTreeMap;

/// Names one commit, so that what depends on it can wait for it.
pub type Ticket = u64;

/// Numbers the connection attempts: what an earlier one still says is ignored.
pub type Attempt = u64;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "inputs are moved once")]
pub enum Input {
    /// The program runs: begin.
    Start,
    /// The moment that [`Engine::next_timer`] named has come.
    Timer,
    /// A frame of an attempt's socket.
    Frame(Attempt, ServerFrame),
    /// The server refused an attempt.
    Refused(Attempt, ConnectRefusal),
    /// An attempt or its connection is over.
    Closed(Attempt, Trouble),
    /// The changes under this ticket, and all before it, are on the disk.
    Committed(Ticket),
    /// A person wrote messages to one conversation. They aren't handed over before `hold_until`, so that they can be taken
    /// back.
    Send {
        /// The frames, each with its id, in the order in which they go.
        sends: Vec<Send>,
        /// When they were written.
        at: Time,
        /// [`Time::ZERO`]: at once.
        hold_until: Time,
    },
    /// The server has the file of this message, or why not.
    Uploaded(EntryId, Result<(), Refusal>),
    /// A message that waits isn't held back any longer. This connects nobody: somebody may work offline.
    SendNow(EntryId),
    /// A person sends a refused message again, knowing what came meanwhile.
    SendAgain(EntryId, Seq),
    /// A person throws a message away that isn't under way.
    Discard(EntryId),
    /// A person takes a message back that isn't under way, to write on at it: its text becomes the draft.
    Recall(EntryId),
    /// A person has read so far.
    Read(ConversationId, Seq),
    /// A conversation is on the screen, or none.
    Open(Option<ConversationId>),
    /// A person scrolled to the oldest entry of the cache.
    LoadOlder(ConversationId),
    /// A person looks for something, or for nothing any more; the engine names the search itself. What this computer holds is
    /// searched elsewhere.
    Search(Option<Search>),
    /// A person jumped into the open conversation, or goes on from there. Another conversation that is opened ends it.
    Look(Look),
    /// A person is typing.
    Typing(ConversationId),
    /// A person wants to connect now.
    Reconnect,
    /// A person wants no connection for now.
    Pause,
    /// Whether there is no room, no power or no cheap line for history: it pauses, and nothing else does.
    Full(bool),
    /// What is kept here weighs too much: a little of it goes.
    Shrink,
    /// The computer woke up, or its network changed: what looks alive may be dead.
    Doubt,
}

/// What to do, in this order.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "effects are moved once")]
pub enum Effect {
    /// Drop any connection and start this attempt, with a fresh token.
    Connect(Attempt),
    /// Drop the connection.
    Disconnect,
    /// Hand a frame to the connection. If it fails, the connection's end is reported.
    Emit(ClientFrame),
    /// Write all of these in one transaction, alone or with the commits that follow, then say [`Input::Committed`]. If
    /// it fails, start anew from the disk.
    Commit(Ticket, Vec<Change>),
    /// Bring the bytes of a message's file to the server, then say [`Input::Uploaded`]. It may be asked for again while it
    /// is under way.
    Upload(EntryId, File),
    /// Something that isn't kept: typing, presence, a suggestion in the making; what a search found, and the part of a log that
    /// somebody looks at.
    Tell(ServerFrame),
    /// The server took the access away and demands that the cache goes.
    Wipe,
}

/// What the engine must know from the start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whose console it is: whose read marks are one's own.
    pub me: UserId,
    /// Seeds the jitter of the back-off.
    pub seed: u64,
    /// What of the log this computer keeps.
    pub keep: Keep,
}

/// The state machine. It never blocks, fails or panics.
#[derive(Debug)]
pub struct Engine {
    link: link::Machine,
    catchup: CatchUp,
    outbox: Outbox,
    reads: Reads,
    finder: Finder,
    passage: Passage,
    open: Option<ConversationId>,
    next_ticket: Ticket,
    /// Frames that may go out once a commit is on the disk.
    after: BTreeMap<Ticket, Vec<ClientFrame>>,
}

impl Engine {
    /// Starts from what the disk holds.
    pub fn new(config: Config, snapshot: Snapshot) -> Self {
        let reads = Reads::new(config.me.clone(), &snapshot);
        Self {
            link: link::Machine::new(config.seed),
            catchup: CatchUp::new(config.me, &snapshot, config.keep),
            outbox: Outbox::new(snapshot.outbox),
            reads,
            finder: Finder::default(),
            passage: Passage::default(),
            open: None,
            next_ticket: 1,
            after: BTreeMap::new(),
        }
    }

    /// How the connection does.
    pub fn link(&self) -> &Link {
        self.link.link()
    }

    /// Conversations whose newest entries are still missing here.
    pub fn catching_up(&self) -> usize {
        self.catchup.behind()
    }

    /// Up to which `rev` the clinic's changes are here.
    pub fn cursor(&self) -> Rev {
        self.catchup.cursor()
    }

    /// Whether all that changed before this connection, and since, is here.
    pub fn is_level(&self) -> bool {
        self.is_live() && self.catchup.is_level()
    }

    /// A message of one's own that isn't in the log yet.
    pub fn outgoing(&self, id: EntryId) -> Option<&OutboxRow> {
        self.outbox.get(id)
    }

    /// Messages that were handed over and not answered yet, and those whose files are on their way.
    pub fn under_way(&self) -> impl Iterator<Item = &OutboxRow> {
        self.outbox.under_way()
    }

    /// Messages that are held back.
    pub fn held(&self) -> impl Iterator<Item = EntryId> {
        self.outbox.held_back()
    }

    /// How many messages wait, and how many were refused.
    pub fn outbox_counts(&self) -> (usize, usize) {
        self.outbox.counts()
    }

    /// How much of what is to be kept is here.
    pub fn history(&self, now: Time) -> History {
        self.catchup.history(now)
    }

    /// Whether older entries exist on the server, before those here.
    pub fn has_older(&self, conversation: &ConversationId) -> bool {
        self.catchup.has_older(conversation)
    }

    /// Whether the server can have nothing that isn't here.
    pub fn holds_all(&self) -> bool {
        self.catchup.holds_all()
    }

    /// How far the search of the server's log is; none while nothing is searched for.
    pub fn searching(&self) -> Option<Searching> {
        self.finder.searching()
    }

    /// What somebody looks at that isn't kept here, what has come of it, and why the rest won't.
    pub fn looked_at(&self) -> Option<(&Look, Option<Range>, Option<Code>)> {
        Some((self.passage.looked_at()?, self.passage.here(), self.passage.refused()))
    }

    /// When to come back with [`Input::Timer`].
    pub fn next_timer(&self, now: Time) -> Option<Time> {
        let work = [self.catchup.next_timer(now), self.outbox.next_timer(now), self.reads.next_timer()];
        let work = work.into_iter().chain([self.finder.next_timer(now), self.passage.next_timer(now)]);
        let work = work.filter(|_| self.is_live());
        work.chain([self.link.next_timer(), self.catchup.next_sweep()]).flatten().min()
    }

    /// Takes what happened at `now`, says what to do.
    pub fn handle(&mut self, now: Time, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Start | Input::Reconnect => self.link_event(now, LinkEvent::Now, &mut effects),
            Input::Pause => self.link_event(now, LinkEvent::Pause, &mut effects),
            Input::Doubt => {
                self.link_event(now, LinkEvent::Doubt, &mut effects);
                self.catchup.ask_again();
            }
            Input::Timer => {
                if self.catchup.overdue(now) || self.outbox.overdue(now) || self.passage.overdue(now) {
                    // The server speaks but doesn't answer: a fresh connection asks again.
                    self.link_event(now, LinkEvent::Ended(Trouble::Silent), &mut effects);
                }
                self.link_event(now, LinkEvent::Timer, &mut effects);
            }
            Input::Frame(attempt, frame) if self.link.hears(attempt) => self.frame(now, frame, &mut effects),
            Input::Refused(attempt, code) if self.link.hears(attempt) => {
                self.link_event(now, LinkEvent::Refused(code), &mut effects);
            }
            Input::Closed(attempt, trouble) if self.link.hears(attempt) => {
                self.link_event(now, LinkEvent::Ended(trouble), &mut effects);
            }
            Input::Frame(..) | Input::Refused(..) | Input::Closed(..) => {}
            Input::Committed(ticket) => {
                let later = self.after.split_off(&(ticket + 1));
                let now_kept = std::mem::replace(&mut self.after, later);
                effects.extend(now_kept.into_values().flatten().map(Effect::Emit));
            }
            Input::Send { sends, at, hold_until } => {
                let draft = sends.first().map(|send| Change::DraftSent(send.conversation.clone()));
                let messages = sends.into_iter().map(|send| self.outbox.add(send, at, hold_until));
                let changes = messages.chain(draft).collect();
                self.commit(changes, Vec::new(), &mut effects);
            }
            Input::Uploaded(id, outcome) => {
                let change = self.outbox.uploaded(now, id, outcome);
                self.commit(change.into_iter().collect(), Vec::new(), &mut effects);
            }
            Input::SendNow(id) => {
                if let Some(change) = self.outbox.now(id) {
                    self.commit(vec![change], Vec::new(), &mut effects);
                }
            }
            Input::SendAgain(id, seen) => {
                if let Some(change) = self.outbox.again(id, seen) {
                    self.commit(vec![change], Vec::new(), &mut effects);
                }
            }
            Input::Discard(id) => {
                if let Some(change) = self.outbox.discard(id) {
                    self.commit(vec![change], Vec::new(), &mut effects);
                }
            }
            Input::Recall(id) => {
                let changes = self.outbox.recall(id);
                self.commit(changes, Vec::new(), &mut effects);
            }
            Input::Read(conversation, upto) => {
                if let Some(change) = self.reads.mark(&conversation, upto) {
                    self.commit(vec![change], Vec::new(), &mut effects);
                }
            }
            Input::Open(conversation) => {
                // The two may come in any order.
                if self
                    .passage
                    .looked_at()
                    .is_some_and(|look| Some(&look.conversation) != conversation.as_ref())
                {
                    self.passage.look(None);
                }
                self.open = conversation;
                if self.is_live() {
                    effects.push(self.viewing());
                }
            }
            Input::LoadOlder(conversation) => self.catchup.want_older(&conversation),
            Input::Search(search) => self.finder.ask(now, search),
            Input::Look(look) => self.passage.look(Some(look)),
            Input::Typing(conversation) if self.is_live() => {
                effects.push(Effect::Emit(ClientFrame::Typing(Typing { conversation })));
            }
            Input::Typing(_) => {}
            Input::Full(full) => self.catchup.set_full(full),
            Input::Shrink => {
                let (open, outbox) = (&self.open, &self.outbox);
                let change = self.catchup.shrink(|id| open.as_ref() == Some(id) || outbox.is_for(id));
                self.commit(change.into_iter().collect(), Vec::new(), &mut effects);
            }
        }
        let (open, outbox) = (&self.open, &self.outbox);
        let gone = self.catchup.sweep(now, |id| open.as_ref() == Some(id) || outbox.is_for(id));
        self.commit(gone.into_iter().collect(), Vec::new(), &mut effects);
        self.work(now, &mut effects);
        effects
    }

    fn frame(&mut self, now: Time, frame: ServerFrame, effects: &mut Vec<Effect>) {
        match &frame {
            ServerFrame::Welcome(welcome) if self.catchup.rolled_back(welcome.rev) => {
                return self.link_event(now, LinkEvent::Ended(Trouble::RolledBack), effects);
            }
            ServerFrame::Welcome(welcome) => {
                self.link_event(now, LinkEvent::Welcome { heartbeat_ms: welcome.heartbeat_ms }, effects);
                self.catchup.connected(welcome.epoch.clone());
                effects.extend(self.open.is_some().then(|| self.viewing()));
            }
            ServerFrame::Revoked(revoked) => {
                self.link_event(now, LinkEvent::Refused(ConnectRefusal::Revoked), effects);
                if revoked.wipe {
                    effects.push(Effect::Wipe);
                }
                return;
            }
            _ => self.link_event(now, LinkEvent::Heard, effects),
        }
        if !self.is_live() {
            // Before the welcome there is nothing to hear.
            return;
        }
        match frame {
            ServerFrame::Heartbeat(heartbeat) => self.catchup.told_of(heartbeat.rev),
            ServerFrame::Entry(live) => {
                if self.catchup.is_verified() {
                    self.reads.confirm(&live.conversation);
                }
                let (of, seq, id) = (live.entry.conversation.clone(), live.entry.seq, live.entry.id);
                let mut changes = self.catchup.live(now, live);
                self.settle_outbox(&mut changes);
                if self.catchup.is_verified() && (seq <= self.catchup.held(&of) || !self.catchup.knows(&of)) {
                    // Committed, perhaps before all that the cache holds, or where it keeps nothing: it needs no
                    // sending any more.
                    changes.extend(self.outbox.settled(id));
                }
                self.commit(changes, Vec::new(), effects);
            }
            ServerFrame::Conversation(live) => {
                if self.catchup.is_verified() {
                    self.reads.confirm(&live.conversation);
                }
                let changes = self.catchup.summary(now, live.conversation);
                self.commit(changes, Vec::new(), effects);
            }
            ServerFrame::Changes(answer) => {
                answer.conversations.iter().for_each(|conversation| self.reads.confirm(conversation));
                match self.catchup.changes(now, answer) {
                    Ok(changes) => self.commit(changes, Vec::new(), effects),
                    Err(catchup::Nonsense) => {
                        self.link_event(now, LinkEvent::Ended(Trouble::Unreadable), effects)
                    }
                }
            }
            ServerFrame::Entries(answer) if !self.catchup.is_asked(&answer) => {
                match self.passage.entries(&answer) {
                    Ok(true) => effects.push(Effect::Tell(ServerFrame::Entries(answer))),
                    Ok(false) => {}
                    Err(catchup::Nonsense) => {
                        self.link_event(now, LinkEvent::Ended(Trouble::Unreadable), effects)
                    }
                }
            }
            ServerFrame::Entries(answer) => match self.catchup.entries(answer) {
                Ok(mut changes) => {
                    self.settle_outbox(&mut changes);
                    self.commit(changes, Vec::new(), effects);
                }
                Err(catchup::Nonsense) => {
                    self.link_event(now, LinkEvent::Ended(Trouble::Unreadable), effects)
                }
            },
            ServerFrame::Rejected(rejected) if rejected.code == Code::Diverged => {
                self.link_event(now, LinkEvent::Ended(Trouble::RolledBack), effects);
            }
            ServerFrame::Rejected(rejected) => {
                self.catchup.rejected(now, &rejected);
                self.finder.rejected(now, &rejected);
                self.passage.rejected(now, &rejected);
                if let Some(change) = self.outbox.rejected(now, &rejected) {
                    self.commit(vec![change], Vec::new(), effects);
                }
            }
            ServerFrame::Typing(_) | ServerFrame::Presence(_) | ServerFrame::Suggesting(_) => {
                effects.push(Effect::Tell(frame));
            }
            ServerFrame::Found(answer) => {
                let found = self.finder.found(now, answer, |entry| self.catchup.holds(entry));
                effects.extend(found.map(|answer| Effect::Tell(ServerFrame::Found(answer))));
            }
            ServerFrame::Welcome(_) | ServerFrame::Receipt(_) | ServerFrame::Revoked(_) => {}
        }
    }

    /// Entries that are committed settle the outbox rows with their ids, in the same transaction.
    fn settle_outbox(&mut self, changes: &mut Vec<Change>) {
        let ids = changes.iter().flat_map(Change::entry_ids).collect::<Vec<_>>();
        changes.extend(ids.into_iter().filter_map(|id| self.outbox.settled(id)));
    }

    /// While live: asks for what is missing, hands over what waits.
    fn work(&mut self, now: Time, effects: &mut Vec<Effect>) {
        if !self.is_live() {
            return;
        }
        if let Some(look) = self.passage.looked_at() {
            self.catchup.want_back_to(&look.conversation, look.at, look.from);
        }
        effects.extend(self.catchup.requests(now, self.open.as_ref()).into_iter().map(Effect::Emit));
        if !self.catchup.is_verified() {
            // Whether this is the log that the cache is of isn't known yet.
            return;
        }
        effects.extend(self.finder.request(now).map(Effect::Emit));
        let cached = self.passage.looked_at().map(|look| self.catchup.cached(&look.conversation));
        let page = cached.and_then(|cached| self.passage.request(now, cached));
        effects.extend(page.map(Effect::Emit));
        effects.extend(self.reads.unsent(now).into_iter().map(Effect::Emit));
        let HandedOver { changes, frames, uploads } = self.outbox.hand_over(now);
        effects.extend(uploads.into_iter().map(|(id, file)| Effect::Upload(id, file)));
        // The attempt is on the disk before the frame is on the wire.
        self.commit(changes, frames, effects);
    }

    fn link_event(&mut self, now: Time, event: LinkEvent, effects: &mut Vec<Effect>) {
        let was_live = self.is_live();
        effects.extend(self.link.on(now, event));
        if was_live && !self.is_live() {
            self.catchup.disconnected();
            self.outbox.disconnected();
            self.reads.disconnected();
            self.finder.disconnected(now);
            self.passage.disconnected();
            // What waited for a commit would go to the next connection, which hands over anew by itself.
            self.after.clear();
        }
    }

    fn commit(&mut self, changes: Vec<Change>, then: Vec<ClientFrame>, effects: &mut Vec<Effect>) {
        if changes.is_empty() {
            return;
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        if !then.is_empty() {
            self.after.insert(ticket, then);
        }
        effects.push(Effect::Commit(ticket, changes));
    }

    fn viewing(&self) -> Effect {
        Effect::Emit(ClientFrame::Viewing(Viewing { conversation: self.open.clone() }))
    }

    fn is_live(&self) -> bool {
        matches!(self.link.link(), Link::Live { .. })
    }
}

#[cfg(test)]
mod tests;
