//! The leanest server of the protocol there is: one provider's socket, prepared frames, as fast as the socket takes
//! them. A real server commits each entry first, and what is measured here would wait for that.

use crate::log::Log;
use bedside_protocol::{ClientFrame, Epoch, Limits, Me, Role, ServerFrame, Time, UserId, Welcome};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

/// What rust_socketio takes for the transport's answer; nobody is pinged, since no round takes that long.
const OPEN: &str =
    r#"0{"sid":"flood","upgrades":[],"pingInterval":600000,"pingTimeout":600000,"maxPayload":1000000}"#;
const NAMESPACE: &str = "/provider";
/// Packets that are handed to the socket before it is flushed.
const AT_ONCE: usize = 64;

/// A running server. It ends with the process.
pub struct Flood {
    /// Where it is.
    pub url: String,
    /// How many entries are published: to those who are there they are emitted, the others have to ask.
    pub published: watch::Sender<usize>,
    /// When the first one was emitted.
    pub begun: Arc<OnceLock<Instant>>,
    /// How many were welcomed.
    pub welcomed: Arc<AtomicU32>,
}

struct Server {
    log: Arc<Log>,
    packets: Vec<Message>,
    published: watch::Receiver<usize>,
    begun: Arc<OnceLock<Instant>>,
    welcomed: Arc<AtomicU32>,
}

impl Flood {
    /// Starts one in a thread of its own.
    pub fn start(log: &Arc<Log>) -> Self {
        let (published, receiver) = watch::channel(0);
        let (begun, welcomed) = (Arc::new(OnceLock::new()), Arc::new(AtomicU32::new(0)));
        let packets = log.frames.iter().map(|frame| packet(&ServerFrame::Entry(frame.clone()))).collect();
        let server = Server {
            log: Arc::clone(log),
            packets,
            published: receiver,
            begun: Arc::clone(&begun),
            welcomed: Arc::clone(&welcomed),
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket that doesn't block");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let thread = std::thread::Builder::new().name("flood".to_owned());
        thread.spawn(move || serve(listener, server)).expect("a thread");
        Self { url, published, begun, welcomed }
    }
}

fn serve(listener: std::net::TcpListener, server: Server) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        let listener = TcpListener::from_std(listener).expect("a listener");
        let server = Arc::new(server);
        // Nobody publishes any more: the round is over.
        let mut over = server.published.clone();
        let over = async { while over.changed().await.is_ok() {} };
        let accept = async {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                tokio::spawn(speak(Arc::clone(&server), stream));
            }
        };
        tokio::select! { () = over => {}, () = accept => {} }
    });
}

/// Reads in one task and writes in another, so that neither waits for the other.
async fn speak(server: Arc<Server>, stream: TcpStream) {
    stream.set_nodelay(true).expect("a TCP socket");
    let Ok(stream) = accept_async(stream).await else { return };
    let (sink, mut ear) = stream.split();
    let (answers, asked) = mpsc::unbounded_channel();
    tokio::spawn(write(Arc::clone(&server), sink, asked));
    answer(&answers, Message::text(OPEN));
    while let Some(Ok(message)) = ear.next().await {
        let Ok(text) = message.to_text() else { continue };
        if text.starts_with("40") {
            answer(&answers, Message::text(format!(r#"40{NAMESPACE},{{"sid":"flood"}}"#)));
            server.welcomed.fetch_add(1, Ordering::Relaxed);
            answer(&answers, packet(&ServerFrame::Welcome(server.welcome())));
        } else if let Some(array) = text.strip_prefix(&format!("42{NAMESPACE},")) {
            let (event, argument): (String, Value) = serde_json::from_str(array).expect("an event");
            let published = *server.published.borrow();
            let frame = match ClientFrame::decode(&event, argument) {
                Ok(ClientFrame::Changes(asked)) => server.log.changes(&asked, published),
                Ok(ClientFrame::Entries(asked)) => server.log.entries(&asked, published),
                _ => continue,
            };
            answer(&answers, packet(&frame));
        }
    }
}

/// The writing task ends with its socket.
fn answer(answers: &mpsc::UnboundedSender<Message>, message: Message) {
    drop(answers.send(message));
}

async fn write(
    server: Arc<Server>,
    mut sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    mut answers: mpsc::UnboundedReceiver<Message>,
) {
    let mut published = server.published.clone();
    let mut next = *published.borrow();
    loop {
        tokio::select! {
            biased;
            answer = answers.recv() => {
                let Some(answer) = answer else { return };
                if sink.send(answer).await.is_err() {
                    return;
                }
            }
            until = beyond(&mut published, next) => {
                let Some(until) = until.map(|until| until.min(next + AT_ONCE)) else { return };
                server.begun.get_or_init(Instant::now);
                for packet in &server.packets[next..until] {
                    if sink.feed(packet.clone()).await.is_err() {
                        return;
                    }
                }
                if sink.flush().await.is_err() {
                    return;
                }
                next = until;
            }
        }
    }
}

/// How many are published, once that is more than `next`. `None`: the round is over.
async fn beyond(published: &mut watch::Receiver<usize>, next: usize) -> Option<usize> {
    published.wait_for(|published| next < *published).await.ok().map(|until| *until)
}

impl Server {
    fn welcome(&self) -> Welcome {
        let me = Me {
            id: UserId::new("pr-amara").expect("a good id"),
            name: "Dr. Amara Osei".to_owned(),
            role: Role::Provider,
            clinic: "riverside".to_owned().try_into().expect("a good id"),
        };
        Welcome {
            me,
            rev: self.log.rev(*self.published.borrow()),
            epoch: Epoch::new("b1c7e05f4c2a4d0f9e61").expect("a good epoch"),
            heartbeat_ms: 120_000,
            now: Time::new(0),
            limits: Limits::default(),
            policy: Default::default(),
        }
    }
}

fn packet(frame: &ServerFrame) -> Message {
    let (event, argument) = frame.encode();
    Message::text(format!("42{NAMESPACE},[\"{event}\",{argument}]"))
}
