//! A session from `welcome` to its end: the frames of one socket, one after the other.
//!
//! ```text
//! accepted ── patient? ── conversation made or found ──┐
//!     └──── provider ──────────────────────────────────┴─> welcome ──> frames in their order ──> ended
//! ```
//!
//! Writes are handed to the writing thread without waiting for their commit; what reads the log afterwards waits for
//! the socket's last write first, and so sees it. Searches alone go beside, since they may take long.

use crate::asker::Asker;
use crate::door::{Incoming, Subject};
use crate::hub::revoked_frame;
use crate::log::{Answer, Fault, Found, Hit, Reader, Summary, Write};
use crate::session::{End, Ending, Frame, Session, Sink};
use crate::shared::Shared;
use crate::token::{Claims, TokenRole};
use crate::view;
use crate::writer::unavailable;
use bedside_protocol::{
    Author, Changes, ChangesAnswer, ClientFrame, Code, ConversationId, Entries, EntriesAnswer, Extra,
    FoundEntry, FoundFrame, MAX_CHANGES_PAGE, MAX_ENTRIES_PAGE, MAX_HITS, Me, Patient, Refusal, Rev, Role,
    Search, ServerFrame, Time, UserId, Welcome, Who,
};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// How long others show somebody as writing unless told again.
const TYPING_MS: u64 = 6_000;
/// Longest sleep until a token's end, so that a clock that is set forward shows soon.
const EXPIRY_CHECK: Duration = Duration::from_secs(60);

/// Searches of one socket at once: each key that is pressed may begin one before the one before is answered.
const SEARCHES: usize = 4;
/// When a socket with more may come again.
const SEARCHES_AGAIN_MS: u64 = 200;

/// Runs a session to its end.
pub async fn run(
    shared: &Arc<Shared>,
    claims: Claims,
    ending: Arc<Ending>,
    mut queue: mpsc::Receiver<Incoming>,
    sink: Box<dyn Sink>,
) -> End {
    let session = match open(shared, &claims, ending.clone(), sink).await {
        Ok(session) => Arc::new(session),
        Err(end) => return end,
    };
    let welcome = |rev| welcome(shared, &session, rev);
    if let Err(revocation) = shared.hub.join(&session, claims.made(), welcome) {
        session.emit(&revoked_frame(revocation));
        return End::Revoked;
    }
    let mut served = Served {
        shared: shared.clone(),
        session: session.clone(),
        searches: Arc::new(Semaphore::new(SEARCHES)),
        last_write: None,
    };
    let work = async {
        while let Some(incoming) = queue.recv().await {
            served.handle(incoming).await;
        }
        End::Gone
    };
    let end = tokio::select! {
        end = ending.ended() => end,
        end = expiry(shared, claims.expires()) => end,
        end = work => end,
    };
    // Whatever else is published meanwhile, this socket gets no more of it.
    ending.end(end);
    shared.hub.leave(&session);
    end
}

/// The session of whoever `claims` says, with a patient's conversation.
async fn open(
    shared: &Shared,
    claims: &Claims,
    ending: Arc<Ending>,
    sink: Box<dyn Sink>,
) -> Result<Session, End> {
    let role = match claims.role {
        TokenRole::Provider => Role::Provider,
        TokenRole::Patient => Role::Patient,
        TokenRole::Admin | TokenRole::Service => return Err(End::Unserved),
    };
    let mut session = Session {
        number: shared.numbers.fetch_add(1, Ordering::Relaxed),
        who: Who { id: claims.sub.clone(), role, name: claims.name.clone() },
        clinic: claims.clinic.clone(),
        conversation: None,
        ending,
        sink,
    };
    if role == Role::Patient {
        match shared.admit(claims).await {
            Ok(id) => session.conversation = Some(id),
            Err(refusal) => {
                let subject = Subject { of: "connect".into(), ..Subject::default() };
                session.emit(&Frame::new(&ServerFrame::Rejected(subject.rejected(refusal))));
                return Err(End::Unserved);
            }
        }
    }
    Ok(session)
}

impl Shared {
    /// Makes or finds a patient's conversation.
    pub async fn admit(&self, claims: &Claims) -> Result<ConversationId, Refusal> {
        let patient = Patient {
            id: claims.sub.clone(),
            name: claims.name.clone(),
            born: claims.born.clone(),
            extra: Extra::new(),
        };
        let clinic = claims.clinic.clone();
        match self.writer.write(Write::Admit { clinic, patient }).await?.answer {
            Answer::Summary(summary) => Ok(summary.conversation.id.clone()),
            _ => Err(unavailable("a conversation is missing")),
        }
    }
}

fn welcome(shared: &Shared, session: &Session, rev: Rev) -> Frame {
    Frame::new(&ServerFrame::Welcome(Welcome {
        me: Me {
            id: session.who.id.clone(),
            name: session.who.name.clone(),
            role: session.who.role,
            clinic: session.clinic.clone(),
        },
        rev,
        epoch: shared.epoch.clone(),
        heartbeat_ms: shared.config.heartbeat_ms,
        now: shared.config.clock.now(),
        limits: shared.config.limits,
        policy: Extra::new(),
    }))
}

async fn expiry(shared: &Shared, expires: Time) -> End {
    loop {
        let left = Duration::from_millis(expires.since(shared.config.clock.now()));
        if left.is_zero() {
            return End::Expired;
        }
        tokio::time::sleep(left.min(EXPIRY_CHECK)).await;
    }
}

struct Served {
    shared: Arc<Shared>,
    session: Arc<Session>,
    /// Searches that this socket may have at once.
    searches: Arc<Semaphore>,
    /// Resolves when the last write of this socket was published.
    last_write: Option<oneshot::Receiver<()>>,
}

impl Served {
    async fn handle(&mut self, incoming: Incoming) {
        let Incoming { subject, data, ack } = incoming;
        let event = subject.of.clone();
        let asker = Asker { shared: self.shared.clone(), session: self.session.clone(), subject, ack };
        if self.shared.draining.is_cancelled() {
            return asker.reject(unavailable("the server is stopping"));
        }
        let frame = match decode(&event, &data) {
            Ok(frame) => frame,
            Err(refusal) => return asker.reject(refusal),
        };
        match frame {
            ClientFrame::Send(send) => match send.check(&self.shared.config.limits) {
                Err(refusal) => asker.reject(refusal),
                Ok(()) => {
                    let Who { id, role, name } = self.session.who.clone();
                    let author = Author { id, role, name, extra: Extra::new() };
                    let clinic = self.session.clinic.clone();
                    let tasks = self.shared.config.tasks.wanted(author.role, &send.body);
                    let send = Box::new(send);
                    self.write(Write::Send { clinic, author, send, tasks }, asker).await;
                }
            },
            ClientFrame::Read(read) => {
                let write = Write::Read {
                    clinic: self.session.clinic.clone(),
                    reader: self.session.who.id.clone(),
                    role: self.session.who.role,
                    read,
                };
                self.write(write, asker).await;
            }
            ClientFrame::Changes(changes) => asker.settle(self.changes(changes).await),
            ClientFrame::Entries(entries) => asker.settle(self.entries(entries).await),
            ClientFrame::Search(search) => self.search(search, asker),
            ClientFrame::Typing(typing) => match self.patient_of(&typing.conversation).await {
                Ok(patient) => {
                    let until = self.shared.config.clock.now().plus(TYPING_MS);
                    self.shared.hub.typing(&self.session, typing.conversation, &patient, until);
                    asker.acknowledge(RawValue::NULL);
                }
                Err(refusal) => asker.reject(refusal),
            },
            ClientFrame::Viewing(viewing) => match self.viewing(viewing.conversation).await {
                Ok(()) => asker.acknowledge(RawValue::NULL),
                Err(refusal) => asker.reject(refusal),
            },
        }
    }

    async fn write(&mut self, write: Write, asker: Asker) {
        let (done, last_write) = oneshot::channel();
        self.last_write = Some(last_write);
        let reply = Box::new(move |result| {
            asker.written(result);
            // Nobody may be waiting for it.
            let _ = done.send(());
        });
        self.shared.writer.submit(write, reply).await;
    }

    async fn settled(&mut self) {
        if let Some(last_write) = self.last_write.take() {
            // It resolves when the reply was made, or dropped with the writer.
            let _ = last_write.await;
        }
    }

    async fn changes(&mut self, asked: Changes) -> Result<ServerFrame, Refusal> {
        self.settled().await;
        let Changes { since, limit, epoch, newest } = asked;
        if let Some(epoch) = epoch {
            let (clinic, newest) = (self.session.clinic.clone(), newest.unwrap_or_default().max(since));
            if !self.read(move |reader| reader.agrees(&clinic, &epoch, newest)).await? {
                return Err(Refusal::new(Code::Diverged, "the log isn't the one that the copy is of"));
            }
        }
        let limit = limit.unwrap_or(MAX_CHANGES_PAGE).clamp(1, MAX_CHANGES_PAGE);
        let clinic = self.session.clinic.clone();
        let patient = (!self.session.is_provider()).then(|| self.session.who.id.clone());
        let private = patient.is_some();
        let page = self.read(move |reader| reader.changes(&clinic, patient.as_ref(), since, limit)).await?;
        let conversations = page.summaries.iter().map(|summary| view::summary(summary, private));
        Ok(ServerFrame::Changes(ChangesAnswer {
            since,
            rev: page.rev,
            more: page.more,
            conversations: conversations.collect(),
        }))
    }

    async fn entries(&mut self, asked: Entries) -> Result<ServerFrame, Refusal> {
        self.settled().await;
        let Entries { conversation, from, to } = asked;
        if from > to || to.get() - from.get() >= MAX_ENTRIES_PAGE {
            let message = format!("a range has 1 to {MAX_ENTRIES_PAGE} entries");
            return Err(Refusal::new(Code::Invalid, message));
        }
        self.own(&conversation)?;
        let (clinic, id) = (self.session.clinic.clone(), conversation.clone());
        let found = self.read(move |reader| reader.entries(&clinic, &id, from, to)).await?;
        let (summary, records) = found.ok_or_else(not_found)?;
        let (head, entries) = if self.session.is_provider() {
            let entries = records.into_iter().map(|record| record.entry).collect();
            (summary.conversation.head, entries)
        } else {
            (view::head(&summary), records.iter().filter_map(view::entry).collect())
        };
        Ok(ServerFrame::Entries(EntriesAnswer { conversation, from, to, head, entries }))
    }

    /// Searches beside the socket's other frames: no message waits for it.
    fn search(&self, asked: Search, asker: Asker) {
        if !self.session.is_provider() {
            return asker.reject(Refusal::new(Code::Forbidden, "only a provider searches"));
        }
        if let Err(refusal) = asked.check() {
            return asker.reject(refusal);
        }
        let Ok(place) = self.searches.clone().try_acquire_owned() else {
            let message = "more searches at once than the limit allows";
            return asker.reject(Refusal::later(Code::RateLimited, message, SEARCHES_AGAIN_MS));
        };
        let (shared, clinic) = (self.shared.clone(), self.session.clinic.clone());
        tokio::spawn(async move {
            let asked = Search { limit: asked.limit.clamp(1, MAX_HITS), ..asked };
            let of = asked.of.clone();
            // It is never closed; without a place it would be the reading sides' turn to bound it.
            let _reader = shared.searches.acquire().await;
            let found = read(&shared, move |reader| reader.search(&clinic, &asked)).await;
            let frame = found.map(|Found { hits, more, unindexed }| {
                let hits = hits.into_iter().map(|Hit { entry, patient }| FoundEntry { entry, patient });
                ServerFrame::Found(FoundFrame { of, hits: hits.collect(), more, unindexed })
            });
            asker.settle(frame);
            drop(place);
        });
    }

    async fn viewing(&self, conversation: Option<ConversationId>) -> Result<(), Refusal> {
        if let Some(id) = &conversation {
            self.patient_of(id).await?;
        }
        // A patient looks at nothing else, and nobody is told.
        if self.session.is_provider() {
            self.shared.hub.viewing(&self.session, conversation);
        }
        Ok(())
    }

    /// The patient of a conversation that this session may know of.
    async fn patient_of(&self, conversation: &ConversationId) -> Result<UserId, Refusal> {
        self.own(conversation)?;
        if !self.session.is_provider() {
            return Ok(self.session.who.id.clone());
        }
        let (clinic, id) = (self.session.clinic.clone(), conversation.clone());
        let found: Option<Summary> = self.read(move |reader| reader.conversation(&clinic, &id)).await?;
        Ok(found.ok_or_else(not_found)?.conversation.patient.id)
    }

    /// A patient knows of one conversation.
    fn own(&self, conversation: &ConversationId) -> Result<(), Refusal> {
        let own = self.session.conversation.as_ref();
        if self.session.is_provider() || own == Some(conversation) { Ok(()) } else { Err(not_found()) }
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Reader) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Refusal> {
        self::read(&self.shared, read).await
    }
}

async fn read<T: Send + 'static>(
    shared: &Shared,
    read: impl FnOnce(&mut dyn Reader) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Refusal> {
    shared.readers.read(read).await.map_err(|fault| {
        tracing::error!(%fault, "nothing was read");
        unavailable("the log can't be read")
    })
}

fn decode(event: &str, data: &RawValue) -> Result<ClientFrame, Refusal> {
    let data = serde_json::from_str(data.get())
        .map_err(|_| Refusal::new(Code::Invalid, "the argument is no JSON that can be read"))?;
    ClientFrame::decode(event, data)
}

fn not_found() -> Refusal {
    Refusal::new(Code::NotFound, "no such conversation")
}
