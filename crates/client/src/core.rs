//! The core's loop: commands, the socket's events, the disk's word and the engine's timers, one after the other.

use crate::api::{self, Command, Failure, Keeper, Link, LockedBy, Reply};
use crate::attach::{ContentAnswer, Got, Place};
use crate::clock::Clock;
use crate::doubt::{self, Surroundings};
use crate::entry::Question;
use crate::machine::{Said, Stay, Strain};
use crate::policy::Policy;
use crate::room::Room;
use crate::safe::Ready;
use crate::socket::{Socket, SocketEvent, Target};
use crate::trust::Trust;
use crate::vault::{Closed, NotLetIn, SharedDoorkeeper, Vault};
use crate::watch::Dirty;
use crate::{Shared, sign_in};
use bedside_engine::{Attempt, Config, Effect, Engine, Input, Ticket, Trouble};
use bedside_protocol::{ConnectRefusal, ConversationId, EntryId, File, Limits, Refusal, ServerFrame, Time};
use bedside_store::{Account, Committed, Files, Reached, Reader, StoreError, Topic, Write, Writer};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

/// After the disk has failed: how soon to start anew from what it holds.
const RESTART: Duration = Duration::from_secs(2);

/// Most frames that are committed together: a person's command waits for them.
const AT_ONCE: usize = 64;

pub(crate) type Answer = oneshot::Sender<Result<Reply, Failure>>;

/// What a window wants of the core.
pub(crate) enum Ask {
    Command(Command, Answer),
    Attach(ConversationId, File, Arc<[u8]>, Answer),
    Content(Place, ContentAnswer),
}

/// What comes back from the outside of the core's own doing.
pub(crate) enum Event {
    Committed {
        epoch: u64,
        ticket: Option<Ticket>,
        outcome: Result<Committed, StoreError>,
        answer: Option<(Answer, Reply)>,
    },
    /// What was written beside the engine's commits.
    Aside {
        epoch: u64,
        outcome: Result<Committed, StoreError>,
        answer: Option<Answer>,
    },
    SignedIn {
        /// The cache that it was begun for.
        cache: u64,
        outcome: Result<Account, Failure>,
        answer: Answer,
    },
    Restart {
        epoch: u64,
    },
    Opened {
        epoch: u64,
        outcome: Box<Result<Ready, Closed>>,
        answer: Option<Answer>,
    },
    Sealed {
        outcome: Result<Keeper, Closed>,
        answer: Answer,
    },
    Uploaded {
        epoch: u64,
        id: EntryId,
        outcome: Result<(), Refusal>,
    },
    /// Somebody wants to look at a file.
    Content {
        cache: u64,
        place: Place,
        file: File,
        outcome: Result<Got, Failure>,
        answer: ContentAnswer,
    },
    Check {
        epoch: u64,
    },
    Damaged {
        epoch: u64,
        error: StoreError,
    },
    /// Whether the system can be asked who somebody is.
    Doorkeeper {
        there: bool,
        answer: Option<Answer>,
    },
    /// What it said.
    LetIn {
        outcome: Result<(), NotLetIn>,
        answer: Answer,
    },
}

pub(crate) struct Core {
    pub(crate) vault: Arc<Vault>,
    pub(crate) policy: Policy,
    /// Held while the cache is opened or destroyed.
    pub(crate) unsealing: Arc<Mutex<()>>,
    /// In which epoch that is awaited, and what is to lock it then.
    pub(crate) opening: Option<u64>,
    pub(crate) lock_once_open: Option<LockedBy>,
    /// With the keys, while the cache is open.
    pub(crate) files: Option<Files>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) clock: Clock,
    pub(crate) trust: Trust,
    pub(crate) events: mpsc::UnboundedSender<Event>,
    inbox: mpsc::UnboundedReceiver<Event>,
    pub(crate) writer: Option<Writer>,
    pub(crate) session: Option<Session>,
    /// Counts the sessions: what an earlier one's commits say is ignored.
    pub(crate) epoch: u64,
    /// Counts the caches that were opened.
    pub(crate) caches: u64,
    /// When somebody was last seen at the window.
    pub(crate) active: Time,
    /// Locked, and by when the keys must have left the memory.
    pub(crate) leaving: Option<Time>,
    /// What keeps the keys of the open cache, and whether there is a passphrase.
    pub(crate) kept_by: (Keeper, bool),
    pub(crate) doorkeeper: SharedDoorkeeper,
    /// Whether it could be asked when that was last looked at.
    pub(crate) doorkeeper_there: bool,
    /// That is being looked at.
    pub(crate) doorkeeper_sought: bool,
    pub(crate) question: Question,
    /// When the server was last reached.
    pub(crate) reached: Reached,
    said: mpsc::UnboundedReceiver<Said>,
    /// While it is here, the computer doesn't sleep.
    pub(crate) stay: Option<Stay>,
    surroundings: Surroundings,
    pub(crate) strain: Strain,
    /// Whether there is room for history.
    pub(crate) room: Room,
    /// Fetched files may have become more than they may be.
    pub(crate) files_grew: bool,
    /// When a damaged cache was last made anew.
    pub(crate) rebuilt: Option<Time>,
}

/// While somebody is signed in.
pub(crate) struct Session {
    pub(crate) account: Account,
    device: String,
    pub(crate) engine: Engine,
    attempt: Attempt,
    socket: Option<Socket>,
    frames: Option<mpsc::Receiver<SocketEvent>>,
    /// Files on their way to the server; they end with the connection, and with what they are for.
    pub(crate) uploads: BTreeMap<EntryId, Running>,
}

/// A task that ends with this value.
pub(crate) struct Running(pub(crate) AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Core {
    /// Nothing is open yet: [`Core::run`] begins with it.
    pub(crate) fn new(
        vault: Vault,
        doorkeeper: SharedDoorkeeper,
        policy: Policy,
        trust: Trust,
        said: mpsc::UnboundedReceiver<Said>,
        shared: Arc<Shared>,
    ) -> Self {
        let (events, inbox) = mpsc::unbounded_channel();
        let clock = Clock::new();
        let active = clock.now();
        Self {
            vault: Arc::new(vault),
            policy,
            unsealing: Arc::default(),
            opening: None,
            lock_once_open: None,
            files: None,
            shared,
            clock,
            trust,
            events,
            inbox,
            writer: None,
            session: None,
            epoch: 0,
            caches: 0,
            active,
            leaving: None,
            said,
            stay: None,
            surroundings: Surroundings::now(),
            strain: Strain::default(),
            room: Room::Free,
            kept_by: (Keeper::Nothing, false),
            doorkeeper,
            doorkeeper_there: false,
            doorkeeper_sought: false,
            question: Question::None,
            reached: Reached::default(),
            files_grew: true,
            rebuilt: None,
        }
    }

    /// Starts a session from what the disk holds, if somebody is signed in there.
    pub(crate) fn begin(&mut self) -> Result<(), StoreError> {
        self.epoch += 1;
        self.session = None;
        let reader = Reader::open(self.files.as_ref().ok_or(StoreError::Stopped)?)?;
        self.reached = reader.reached()?;
        if let Some(account) = reader.account()? {
            let seed = uuid::Uuid::new_v4().as_u64_pair().0;
            let keep = self.policy.keep();
            let config = Config { me: account.me.id.clone(), seed, keep };
            let snapshot = reader.snapshot()?;
            self.shared.with_news(|news| news.begin(&config.me, &snapshot));
            let engine = Engine::new(config, snapshot);
            let device = reader.device()?;
            let now = self.clock.now();
            self.shared.with_live(|live| {
                live.account = Some(api::Account {
                    me: account.me.clone(),
                    server: account.server.clone(),
                    limits: account.limits,
                });
                // All of it is published below.
                let _moved = live.follow(&engine, now);
                let _changed = live.beyond.follow(&engine);
            });
            let (socket, frames, uploads) = (None, None, BTreeMap::new());
            self.session = Some(Session { account, device, engine, attempt: 0, socket, frames, uploads });
            // A new engine believes so.
            self.room = Room::Free;
            self.heed_room();
        }
        self.shared.publish(&Dirty::everything());
        Ok(())
    }

    pub(crate) async fn run(mut self, mut asks: mpsc::Receiver<Ask>) {
        self.open_cache(None);
        let mut look = tokio::time::interval(doubt::LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let now = self.clock.now();
            let timer = self.session.as_ref().and_then(|session| session.engine.next_timer(now));
            let timer = timer.into_iter().chain(self.safe_timer()).min().map(|time| self.clock.instant(time));
            let frames = self.session.as_mut().and_then(|session| session.frames.as_mut());
            let mut heard = Vec::new();
            // Commands wait until it is known what the cache holds.
            let opening = self.shared.with_live(|live| live.vault == api::Vault::Opening);
            tokio::select! {
                ask = asks.recv(), if !opening => match ask {
                    Some(Ask::Command(command, answer)) => self.command(command, answer),
                    Some(Ask::Attach(id, file, bytes, answer)) => self.attach(id, file, bytes, answer),
                    Some(Ask::Content(place, answer)) => self.content(place, answer),
                    None => return,
                },
                Some(event) = self.inbox.recv() => self.event(event),
                () = gathered(frames, &mut heard) => self.socket_events(heard),
                Some(said) = self.said.recv() => self.hear(said),
                _ = look.tick() => {
                    self.look_around();
                    self.look_at_room();
                },
                () = sleep_until(timer) => self.handle(Input::Timer, None),
            }
            self.look_at_safe();
            self.let_sleep();
        }
    }

    /// Whether the computer slept, or its network changed.
    pub(crate) fn look_around(&mut self) {
        let Some(doubt) = self.surroundings.look() else { return };
        self.clock.advance(doubt.slept);
        if !doubt.slept.is_zero() {
            self.lock_if_possible(LockedBy::Sleep);
        }
        self.handle(Input::Doubt, None);
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Committed { epoch, ticket, outcome, answer } => {
                let answered = match outcome {
                    Ok(committed) => {
                        // What was sent may have had a file, which stays.
                        self.files_grew |= committed.topics.contains(&Topic::Outbox);
                        self.shared.publish(&Dirty::topics(committed.topics));
                        self.shared.tell_news();
                        if let Some(ticket) = ticket
                            && epoch == self.epoch
                        {
                            self.handle(Input::Committed(ticket), None);
                        }
                        Ok(())
                    }
                    Err(error) => {
                        tracing::error!(%error, "the cache can't be written");
                        self.after_trouble(&error, epoch);
                        Err(Failure::Storage)
                    }
                };
                if let Some((answer, reply)) = answer {
                    // Nobody waits any more: the window is gone.
                    let _gone = answer.send(answered.map(|()| reply));
                }
            }
            Event::Aside { epoch, outcome, answer } => self.written_aside(epoch, outcome, answer),
            Event::SignedIn { cache, outcome, answer } => {
                let outcome = match cache == self.caches {
                    true => outcome.and_then(|account| self.keep(account)),
                    // Somebody signed out meanwhile, or it was locked.
                    false => Err(Failure::Locked),
                };
                let _gone = answer.send(outcome.map(|()| Reply::Done));
            }
            Event::Restart { epoch } if epoch == self.epoch => {
                if let Err(error) = self.begin() {
                    tracing::error!(%error, "the cache can't be read");
                    self.after_trouble(&error, self.epoch);
                }
                self.handle(Input::Start, None);
            }
            Event::Restart { .. } => {}
            Event::Opened { epoch, outcome, answer } if epoch == self.epoch => self.opened(*outcome, answer),
            Event::Opened { answer, .. } => {
                if let Some(answer) = answer {
                    let _gone = answer.send(Err(Failure::Locked));
                }
            }
            Event::Sealed { outcome, answer } => self.sealed(outcome, answer),
            Event::Uploaded { epoch, id, outcome } => self.uploaded(epoch, id, outcome),
            Event::Content { cache, place, file, outcome, answer } => {
                self.got(cache, place, file, outcome, answer)
            }
            Event::Check { epoch } => self.check(epoch),
            Event::Damaged { epoch, error } => self.after_trouble(&error, epoch),
            Event::Doorkeeper { there, answer } => self.found_doorkeeper(there, answer),
            Event::LetIn { outcome, answer } => self.let_in(outcome, answer),
        }
    }

    /// The engine is ahead of a disk that didn't follow: drop it, and start anew from what the disk holds.
    pub(crate) fn restart_soon(&mut self, epoch: u64) {
        if epoch != self.epoch {
            return;
        }
        self.session = None;
        self.epoch += 1;
        let (events, epoch) = (self.events.clone(), self.epoch);
        tokio::spawn(async move {
            tokio::time::sleep(RESTART).await;
            // The core is gone, and with it the need.
            let _gone = events.send(Event::Restart { epoch });
        });
    }

    /// What the socket said since the last look; nothing: it has ended.
    fn socket_events(&mut self, heard: Vec<SocketEvent>) {
        let Some(session) = self.session.as_mut() else {
            return;
        };
        let attempt = session.attempt;
        if heard.is_empty() {
            session.frames = None;
            return self.handle(Input::Closed(attempt, Trouble::Closed), None);
        }
        let inputs = heard.into_iter().map(|event| match event {
            SocketEvent::Frame(frame) => Input::Frame(attempt, frame),
            SocketEvent::Refused(code) => Input::Refused(attempt, code),
            SocketEvent::Unreachable => Input::Closed(attempt, Trouble::Unreachable),
            SocketEvent::Unreadable => Input::Closed(attempt, Trouble::Unreadable),
        });
        self.handle_all(inputs, None);
    }

    /// Hands an input to the engine and does what it says. A commit among the effects carries the answer; without
    /// one it is given at once.
    pub(crate) fn handle(&mut self, input: Input, answer: Option<(Answer, Reply)>) {
        self.handle_all([input], answer);
    }

    /// As [`Core::handle`], for inputs that came together: what is to be committed of them is one commit.
    fn handle_all(&mut self, inputs: impl IntoIterator<Item = Input>, answer: Option<(Answer, Reply)>) {
        let now = self.clock.now();
        let (mut last, mut writes) = (None, Vec::new());
        for input in inputs {
            match &input {
                Input::Frame(_, ServerFrame::Entry(live)) => self.ended_typing(&live.entry),
                Input::Frame(_, ServerFrame::Welcome(welcome)) => self.heed(welcome.limits),
                _ => {}
            }
            let Some(session) = self.session.as_mut() else {
                return;
            };
            for effect in session.engine.handle(now, input) {
                match effect {
                    Effect::Connect(attempt) => self.connect(attempt),
                    Effect::Disconnect => self.disconnect(),
                    Effect::Emit(frame) => self.emit(frame),
                    Effect::Commit(ticket, changes) => {
                        last = Some(ticket);
                        self.shared.heed(&changes);
                        writes.extend(changes.into_iter().map(Write::Sync));
                    }
                    Effect::Upload(id, file) => self.upload(id, file),
                    Effect::Tell(frame) => self.tell(now, frame),
                    Effect::Wipe => return self.wipe(),
                }
            }
        }
        if last.is_some() {
            self.write(last, writes, answer);
        } else if let Some((answer, reply)) = answer {
            let _gone = answer.send(Ok(reply));
        }
        self.follow_engine();
    }

    /// What the engine says of the link and of what is under way, for those who watch.
    fn follow_engine(&mut self) {
        let Some(session) = &self.session else { return };
        let now = self.clock.now();
        if session.engine.is_level() {
            let rev = session.engine.cursor();
            self.shared.with_news(|news| news.caught_up(rev));
        }
        let (moved, beyond) = self
            .shared
            .with_live(|live| (live.follow(&session.engine, now), live.beyond.follow(&session.engine)));
        if let Some(dirty) = beyond {
            self.shared.publish(&dirty);
        }
        self.end_uploads();
        if let Some(conversations) = moved {
            self.shared.publish(&Dirty::sending(conversations));
            self.look_at_lease();
        }
    }

    fn connect(&mut self, attempt: Attempt) {
        let Some(session) = self.session.as_mut() else {
            return;
        };
        let target = Target {
            url: session.account.server.clone(),
            namespace: sign_in::NAMESPACE,
            connect: sign_in::connect(&session.account.token, &session.device),
            trust: self.trust.clone(),
        };
        session.attempt = attempt;
        match Socket::open(target) {
            Ok((socket, frames)) => (session.socket, session.frames) = (Some(socket), Some(frames)),
            Err(error) => {
                tracing::error!(%error, "no thread for a connection");
                // An empty channel reports the attempt's end like any other.
                session.frames = Some(mpsc::channel(1).1);
            }
        }
    }

    fn disconnect(&mut self) {
        if let Some(session) = self.session.as_mut() {
            (session.socket, session.frames) = (None, None);
            session.uploads.clear();
            self.shared.with_live(|live| live.uploads.clear());
        }
    }

    fn emit(&mut self, frame: bedside_protocol::ClientFrame) {
        let Some(session) = self.session.as_mut() else {
            return;
        };
        let taken = session.socket.as_ref().is_some_and(|socket| socket.emit(frame));
        if !taken {
            // The connection is gone or stuck; its end is reported through the empty channel.
            session.socket = None;
            session.frames = Some(mpsc::channel(1).1);
        }
    }

    /// The server's limits may have changed since the sign-in.
    fn heed(&mut self, limits: Limits) {
        let Some(session) = self.session.as_mut().filter(|session| session.account.limits != limits) else {
            return;
        };
        session.account.limits = limits;
        let account = session.account.clone();
        self.shared.with_live(|live| {
            if let Some(account) = &mut live.account {
                account.limits = limits;
            }
        });
        self.write_aside(vec![Write::Account(account)], None);
    }

    pub(crate) fn write(
        &mut self,
        ticket: Option<Ticket>,
        writes: Vec<Write>,
        answer: Option<(Answer, Reply)>,
    ) {
        let (events, epoch) = (self.events.clone(), self.epoch);
        let done = move |outcome| {
            let _gone = events.send(Event::Committed { epoch, ticket, outcome, answer });
        };
        match &self.writer {
            Some(writer) => writer.submit(Some(epoch), writes, done),
            None => done(Err(StoreError::Stopped)),
        }
    }

    fn wipe(&mut self) {
        self.forget(Link::Refused { code: ConnectRefusal::Revoked }, None);
    }

    /// Keeps an account that the server has accepted, and begins its session.
    fn keep(&mut self, account: Account) -> Result<(), Failure> {
        // As the disk has it, also while the session waits for that: the cache is somebody's still.
        let files = self.files.as_ref().ok_or(Failure::Locked)?;
        let known = Reader::open(files).and_then(|reader| reader.account()).map_err(|_| Failure::Storage)?;
        if let Some(known) = known {
            let same = known.me.id == account.me.id && known.me.clinic == account.me.clinic;
            if !(same && known.server == account.server) {
                return Err(Failure::SignedIn);
            }
        }
        let (sender, receiver) = std::sync::mpsc::channel();
        let writer = self.writer.as_ref().ok_or(Failure::Storage)?;
        writer.submit(Some(self.epoch), vec![Write::Account(account)], move |outcome| {
            let _gone = sender.send(outcome);
        });
        // A person waits for this one write, and nothing else goes on meanwhile.
        let committed = receiver.recv().map_err(|_| Failure::Storage)?;
        committed.and_then(|_| self.begin()).map_err(|error| {
            tracing::error!(%error, "the account can't be kept");
            // The writer takes nothing more of a life of which something failed.
            self.epoch += 1;
            Failure::Storage
        })?;
        self.handle(Input::Start, None);
        Ok(())
    }
}

/// Waits for what the socket says, and takes all that is there. Nothing: the socket has ended.
async fn gathered(frames: Option<&mut mpsc::Receiver<SocketEvent>>, heard: &mut Vec<SocketEvent>) {
    match frames {
        Some(frames) => frames.recv_many(heard, AT_ONCE).await,
        None => std::future::pending().await,
    };
}

async fn sleep_until(timer: Option<tokio::time::Instant>) {
    match timer {
        Some(timer) => tokio::time::sleep_until(timer).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
