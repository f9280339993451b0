//! One connection to a chat server: frames in, frames out. All that knows `rust_socketio` is here, because of what
//! can't be left to it (docs/adr/0001): every attempt is a fresh client in a tokio runtime and thread of its own,
//! which is dropped whole; its reconnect is off; no acknowledgements; its handlers only put frames into a bounded
//! channel.
//!
//! A [`Socket`] never says that it is connected: the server's `welcome` frame does. It ends by closing its channel.

use crate::trust::Trust;
use bedside_protocol::{ClientFrame, Connect, ConnectRefusal, ServerFrame, Unreadable};
use futures_util::FutureExt;
use rust_socketio::asynchronous::{Client, ClientBuilder};
use rust_socketio::{Event, Payload, TransportType};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

/// Frames that may wait for the core. Beyond it the core is stuck, and catching up is cheaper than a backlog.
const INBOUND: usize = 1024;
/// Frames that may wait for the network.
const OUTBOUND: usize = 256;
/// `connect()` answers within a round trip or hangs for good.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// An emit that takes longer sits on a dead connection's lock.
const EMIT_TIMEOUT: Duration = Duration::from_secs(10);
/// Saying goodbye is a courtesy to the server; a dead connection can't.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(300);
/// How often to look whether the reader task still lives: it can die without a word.
const READER_CHECK: Duration = Duration::from_secs(1);

/// Where to connect, and as whom.
#[derive(Clone, Debug)]
pub struct Target {
    /// `http://` or `https://`, host and port.
    pub url: String,
    /// `/provider` or `/patient`.
    pub namespace: &'static str,
    /// CONNECT's payload.
    pub connect: Connect,
    /// Which servers are believed.
    pub trust: Trust,
}

/// What comes from the socket. The channel's end means that the connection is gone.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all events are frames, and each is moved once")]
pub enum SocketEvent {
    /// The server's frame.
    Frame(ServerFrame),
    /// The server refused the connection; the channel's end follows.
    Refused(ConnectRefusal),
    /// No server answered; the channel's end follows.
    Unreachable,
    /// The server sent what this version can't read; the channel's end follows.
    Unreadable,
}

/// One connection, from the attempt to its end. Dropping it ends it.
#[derive(Debug)]
pub struct Socket {
    outbound: mpsc::Sender<ClientFrame>,
}

impl Socket {
    /// Starts an attempt; what becomes of it comes through the channel. Fails when no thread can be made.
    pub fn open(target: Target) -> std::io::Result<(Self, mpsc::Receiver<SocketEvent>)> {
        let (outbound, frames) = mpsc::channel(OUTBOUND);
        let (events, inbound) = mpsc::channel(INBOUND);
        std::thread::Builder::new().name("bedside-socket".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(session(target, frames, events));
                // Not a plain drop: tasks of a dead connection may be stuck for good.
                runtime.shutdown_background();
            }
        })?;
        Ok((Self { outbound }, inbound))
    }

    /// Hands a frame to the network. `false`: the connection is gone or stuck, and the frame with it.
    #[must_use]
    pub fn emit(&self, frame: ClientFrame) -> bool {
        self.outbound.try_send(frame).is_ok()
    }
}

/// Where the handlers put what they hear. The first overflow or unreadable frame ends the session.
struct Ear {
    events: mpsc::Sender<SocketEvent>,
    end: Notify,
}

impl Ear {
    fn hear(&self, event: SocketEvent) {
        let last = !matches!(event, SocketEvent::Frame(_));
        if self.events.try_send(event).is_err() || last {
            self.end.notify_one();
        }
    }

    fn hear_frame(&self, event: &Event, payload: Payload) {
        let name = match event {
            Event::Custom(name) => name.as_str(),
            _ => return,
        };
        let Payload::Text(arguments) = payload else {
            return self.hear(SocketEvent::Unreadable);
        };
        let argument = arguments.into_iter().next().unwrap_or_default();
        match ServerFrame::decode(name, argument) {
            Ok(frame) => self.hear(SocketEvent::Frame(frame)),
            Err(Unreadable::UnknownEvent) => tracing::debug!("ignored an event of a later protocol"),
            Err(Unreadable::Malformed) => self.hear(SocketEvent::Unreadable),
        }
    }

    /// CONNECT_ERROR and transport errors come as the same event; the first carry the code as JSON text.
    fn hear_error(&self, payload: &Payload) {
        let text = match payload {
            Payload::Text(values) => values.iter().map(ToString::to_string).collect::<String>(),
            _ => String::new(),
        };
        let refusal = ConnectRefusal::ALL
            .into_iter()
            .find(|refusal| text.contains("ConnectError") && text.contains(refusal.as_str()));
        match refusal {
            Some(refusal) => self.hear(SocketEvent::Refused(refusal)),
            None => self.end.notify_one(),
        }
    }
}

async fn session(target: Target, mut frames: mpsc::Receiver<ClientFrame>, events: mpsc::Sender<SocketEvent>) {
    let ear = Arc::new(Ear { events, end: Notify::new() });
    let client = tokio::select! {
        client = timeout(CONNECT_TIMEOUT, dial(target, Arc::clone(&ear))) => client,
        // The core gave the attempt up.
        () = abandoned(&mut frames) => return,
    };
    let Ok(Some(client)) = client else {
        return ear.hear(SocketEvent::Unreachable);
    };
    let mut check = tokio::time::interval(READER_CHECK);
    loop {
        tokio::select! {
            () = ear.end.notified() => break,
            _ = check.tick() => {
                if tokio::runtime::Handle::current().metrics().num_alive_tasks() < 1 {
                    break;
                }
            }
            frame = frames.recv() => {
                let Some(frame) = frame else { break };
                let (event, argument) = frame.encode();
                if !matches!(timeout(EMIT_TIMEOUT, client.emit(event, argument)).await, Ok(Ok(()))) {
                    break;
                }
            }
        }
    }
    let _goodbye = timeout(GOODBYE_TIMEOUT, client.disconnect()).await;
}

async fn abandoned(frames: &mut mpsc::Receiver<ClientFrame>) {
    // Nothing is emitted before the welcome: what comes here early is dropped with the attempt.
    while frames.recv().await.is_some() {}
}

async fn dial(target: Target, ear: Arc<Ear>) -> Option<Client> {
    let auth = serde_json::to_value(&target.connect).ok()?;
    let (on_any, on_error, on_close, on_connect) =
        (Arc::clone(&ear), Arc::clone(&ear), Arc::clone(&ear), ear);
    let mut connects = 0_u32;
    ClientBuilder::new(target.url)
        .namespace(target.namespace)
        .transport_type(TransportType::Websocket)
        .auth(auth)
        .tls_config(target.trust.connector())
        .reconnect(false)
        .reconnect_on_disconnect(false)
        .on_any(move |event, payload, _| {
            on_any.hear_frame(&event, payload);
            std::future::ready(()).boxed()
        })
        .on(Event::Error, move |payload, _| {
            on_error.hear_error(&payload);
            std::future::ready(()).boxed()
        })
        .on(Event::Close, move |_, _| {
            on_close.end.notify_one();
            std::future::ready(()).boxed()
        })
        .on(Event::Connect, move |_, _| {
            // A second one is the library's own reconnect, after a close that it told nobody of.
            connects += 1;
            if connects > 1 {
                on_connect.end.notify_one();
            }
            std::future::ready(()).boxed()
        })
        .connect()
        .await
        .ok()
}
