//! The bare protocol, frame by frame, for tests that look at what comes and what doesn't.

use crate::chat::{SignIn, SignedIn, new_id};
use crate::program::SOON;
use crate::trust;
use bedside_client::socket::{Socket, SocketEvent, Target};
use bedside_protocol::{
    Body, Changes, ChangesAnswer, ClientFrame, Connect, ConnectRefusal, ConversationId, Entries,
    EntriesAnswer, Entry, EntryId, PROTOCOL_VERSION, Rejected, Rev, Send, Seq, ServerFrame, Welcome,
};
use std::fmt;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// One welcomed connection.
pub struct Wire {
    socket: Socket,
    events: mpsc::Receiver<SocketEvent>,
    /// The server's first frame.
    pub welcome: Welcome,
    /// A patient's own conversation.
    pub conversation: Option<ConversationId>,
}

impl Wire {
    /// Signs in and connects.
    pub async fn sign_in(who: &SignIn) -> Self {
        let SignedIn { token, conversation, .. } = who.ask().await.expect("a demonstration server");
        let wire = Self::connect(&who.server, who.namespace(), connect(&token)).await;
        Self { conversation, ..wire.expect("a fresh token is welcome") }
    }

    /// Connects with any payload.
    pub async fn connect(
        server: &str,
        namespace: &'static str,
        connect: Connect,
    ) -> Result<Self, ConnectRefusal> {
        let url = server.to_owned();
        let (socket, mut events) =
            Socket::open(Target { url, namespace, connect, trust: trust() }).expect("a thread");
        match next(&mut events).await {
            Some(SocketEvent::Frame(ServerFrame::Welcome(welcome))) => {
                Ok(Self { socket, events, welcome, conversation: None })
            }
            Some(SocketEvent::Refused(refusal)) => Err(refusal),
            other => panic!("neither welcome nor refusal: {}", kind(other.as_ref())),
        }
    }

    /// Sends a frame.
    pub fn emit(&self, frame: ClientFrame) {
        assert!(self.socket.emit(frame), "the connection is gone");
    }

    /// The first thing that `pick` picks out of what the server sends; all before it is dropped.
    pub async fn until<T>(&mut self, what: &str, mut pick: impl FnMut(ServerFrame) -> Option<T>) -> T {
        let picked = async {
            loop {
                match self.events.recv().await {
                    Some(SocketEvent::Frame(frame)) => {
                        if let Some(picked) = pick(frame) {
                            return picked;
                        }
                    }
                    other => panic!("{} while waiting for {what}", kind(other.as_ref())),
                }
            }
        };
        timeout(SOON, picked).await.unwrap_or_else(|_| panic!("never came: {what}"))
    }

    /// The answer to the `send` of this id.
    pub async fn answer(&mut self, id: EntryId) -> Result<Entry, Rejected> {
        let (_, answer) = self.answers(|answered| answered == id).await;
        answer
    }

    /// The next answer to a `send` whose id `wanted` knows.
    pub async fn answers(&mut self, wanted: impl Fn(EntryId) -> bool) -> (EntryId, Result<Entry, Rejected>) {
        self.until("the answer to a send", |frame| {
            let (id, answer) = match frame {
                ServerFrame::Entry(frame) => (frame.entry.id, Ok(frame.entry)),
                ServerFrame::Rejected(rejected) => (rejected.id?, Err(rejected)),
                _ => return None,
            };
            wanted(id).then_some((id, answer))
        })
        .await
    }

    /// Writes a message that is good.
    pub async fn say(&mut self, conversation: &ConversationId, text: &str) -> Entry {
        let id = new_id();
        self.emit(ClientFrame::Send(Send {
            id,
            conversation: conversation.clone(),
            seen: Seq::MAX,
            body: Body::text(text),
            from: None,
            force: false,
        }));
        self.answer(id).await.expect("a good message")
    }

    /// The next refusal.
    pub async fn rejection(&mut self) -> Rejected {
        self.until("a refusal", |frame| match frame {
            ServerFrame::Rejected(rejected) => Some(rejected),
            _ => None,
        })
        .await
    }

    /// Asks for the conversations that changed; they must fit into one answer.
    pub async fn changes(&mut self, since: Rev) -> ChangesAnswer {
        self.emit(ClientFrame::Changes(Changes { since, limit: None, epoch: None, newest: None }));
        let answer = self.until("changes", |frame| match frame {
            ServerFrame::Changes(answer) if answer.since == since => Some(answer),
            _ => None,
        });
        let answer = answer.await;
        assert!(!answer.more, "there are more conversations than one answer holds");
        answer
    }

    /// Asks for a range, as a way to see that the connection still works.
    pub async fn entries(&mut self, conversation: &ConversationId, from: Seq, to: Seq) -> EntriesAnswer {
        let conversation = conversation.clone();
        self.emit(ClientFrame::Entries(Entries {
            conversation: conversation.clone(),
            from,
            to,
            summary: false,
        }));
        self.until("entries", |frame| match frame {
            ServerFrame::Entries(answer) if answer.conversation == conversation && answer.from == from => {
                Some(answer)
            }
            _ => None,
        })
        .await
    }

    /// Waits until the server has closed the connection.
    pub async fn closed(&mut self) {
        while next(&mut self.events).await.is_some() {}
    }
}

/// CONNECT's payload of this kit.
pub fn connect(token: &str) -> Connect {
    Connect {
        token: token.to_owned(),
        device: uuid::Uuid::new_v4().to_string(),
        protocol: PROTOCOL_VERSION,
        client: "bedside-tests/0".to_owned(),
    }
}

async fn next(events: &mut mpsc::Receiver<SocketEvent>) -> Option<SocketEvent> {
    timeout(SOON, events.recv()).await.expect("the server says something in time")
}

fn kind(event: Option<&SocketEvent>) -> impl fmt::Display {
    match event {
        None => "the connection ended",
        Some(SocketEvent::Frame(_)) => "another frame came",
        Some(SocketEvent::Refused(_)) => "the server refused",
        Some(SocketEvent::Unreachable) => "no server answered",
        Some(SocketEvent::Unreadable) => "the server sent what can't be read",
    }
}
