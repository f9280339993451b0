//! Everything that knows socketioxide: namespaces, who may connect, and the way from a packet to a session's queue.

use crate::door::{self, Ack, Door, Incoming};
use crate::log::Revocation;
use crate::net::{Connection, Unread};
use crate::serve;
use crate::session::{End, Ending, Frame, Sink, Undelivered};
use crate::shared::Shared;
use crate::token::{Claims, TokenRole};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bedside_protocol::{Connect, ConnectRefusal, Limits, Role};
use serde_json::value::RawValue;
use socketioxide::adapter::{Adapter, LocalAdapter};
use socketioxide::extract::{AckSender, SocketRef};
use socketioxide::handler::{ConnectHandler, FromConnectParts, FromMessageParts};
use socketioxide::layer::SocketIoLayer;
use socketioxide::socket::Socket;
use socketioxide::{SendError, SocketError, SocketIo};
use socketioxide_core::Value;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Largest websocket message: a text of 10 MB still gets its refusal instead of a closed connection.
const MAX_MESSAGE_BYTES: usize = 16 << 20;
/// Packets that wait in a socket until its peer has taken the ones before: some seconds of a busy clinic, some
/// megabytes. A socket whose queue is full is closed, and its client catches up.
const MAX_BUFFER: usize = 2048;
/// Bytes that may wait so, over all frames: room for four of the largest pages of entries, 6.6 MB each, since our console
/// asks for four at once. 2048 such packets would be gigabytes.
const MAX_UNREAD_BYTES: usize = 32 << 20;
/// How often Engine.IO asks a client whether it is there, and how long the answer may take: presence follows within
/// half a minute.
const PING_INTERVAL: Duration = Duration::from_secs(15);
const PING_TIMEOUT: Duration = Duration::from_secs(15);
/// Largest payload of CONNECT: a token and three short texts.
const MAX_AUTH_BYTES: usize = 16 * 1024;
/// Longest `device` and `client`, which are the client's own words.
const MAX_WORD_BYTES: usize = 200;
/// How long a closed socket's last packets may take to leave before its connection is cut.
const FLUSH_GRACE: Duration = Duration::from_secs(1);
/// How often, and how many times, a full socket is told to close: until Engine.IO's own ping has closed it.
const CLOSE_AGAIN: (Duration, u32) = (Duration::from_millis(500), 60);

/// The Socket.IO server, without its namespaces.
pub fn layer(limits: &Limits) -> (SocketIoLayer, SocketIo) {
    SocketIo::builder()
        .req_path("/socket.io")
        .max_buffer_size(MAX_BUFFER)
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .ws_max_message_size(MAX_MESSAGE_BYTES)
        .ws_max_frame_size(MAX_MESSAGE_BYTES)
        // A polling client's requests: a frame of the largest size, with room for others.
        .max_payload(u64::from(limits.frame_bytes) * 2)
        .build_layer()
}

/// Adds the namespaces.
pub fn namespaces(io: &SocketIo, shared: &Arc<Shared>) {
    for (path, role) in [("/provider", Role::Provider), ("/patient", Role::Patient)] {
        let (admit, shared) = (shared.clone(), shared.clone());
        let admit = move |socket: SocketRef, Auth(auth): Auth| {
            let result = arrive(&admit, role, &socket, auth).map_err(|refusal| {
                admit.metrics.refused(refusal);
                tracing::info!(code = refusal.as_str(), "refused a connection");
                refusal.as_str()
            });
            async move { result }
        };
        let serve = move |socket: SocketRef| {
            if let Some(arrival) = socket.extensions.get::<Arc<Arrival>>() {
                shared.sessions.spawn(serve_socket(shared.clone(), socket, arrival));
            }
            async {}
        };
        io.ns(path, serve.with(admit));
    }
}

/// A socket between its CONNECT and its session.
struct Arrival {
    claims: Claims,
    ending: Arc<Ending>,
    unread: Unread,
    queue: Mutex<Option<mpsc::Receiver<Incoming>>>,
}

/// Checks who connects. The door is put up here, before the socket can receive anything.
fn arrive(
    shared: &Shared,
    role: Role,
    socket: &SocketRef,
    auth: Option<serde_json::Value>,
) -> Result<(), ConnectRefusal> {
    let connect = Connect::decode(auth.ok_or(ConnectRefusal::Unauthenticated)?)?;
    if connect.device.len() > MAX_WORD_BYTES || connect.client.len() > MAX_WORD_BYTES {
        return Err(ConnectRefusal::Unauthenticated);
    }
    let (claims, revoked) = shared.identify(&connect.token)?;
    if !matches!(
        (role, claims.role),
        (Role::Provider, TokenRole::Provider) | (Role::Patient, TokenRole::Patient)
    ) {
        return Err(ConnectRefusal::Unauthenticated);
    }
    match revoked {
        // A refusal can't say that the device is to destroy its cache: the session does, and ends.
        Some(Revocation { wipe: true, .. }) if role == Role::Provider => {}
        Some(_) => return Err(ConnectRefusal::Revoked),
        None => {}
    }
    tracing::info!(?role, client = connect.client.escape_debug().to_string(), "connected");
    let ending = Arc::new(Ending::default());
    let (sender, queue) = door::queue(&shared.config.limits);
    let door = Arc::new(Door::new(
        sender,
        shared.config.limits,
        ending.clone(),
        shared.metrics.clone(),
        Instant::now(),
    ));
    let unread = shared.unread.of(&socket.id.to_string());
    if let Some(ConnectInfo(connection)) = socket.req_parts().extensions.get::<ConnectInfo<Connection>>() {
        connection.carry(unread.clone());
    }
    let counted = unread.clone();
    // The door must not hold the socket, which holds the door.
    socket.on_fallback(move |socket: SocketRef, Packet { value, ack }: Packet| {
        let unread = counted.clone();
        let ack = ack.map(|ack| -> Ack {
            let unread = unread.clone();
            Box::new(move |data: &RawValue| within_bounds(&unread, data).and_then(|()| ack(data)))
        });
        let (text, binary) = match &value {
            Value::Str(text, parts) => (text.as_str(), parts.is_some()),
            Value::Bytes(_) => ("", true),
        };
        door.take(text, binary, ack, Instant::now(), &SocketSink { socket, unread });
        async {}
    });
    let (gone, counts) = (ending.clone(), shared.unread.clone());
    socket.on_disconnect(move |socket: SocketRef| {
        counts.forget(&socket.id.to_string());
        gone.end(End::Gone);
        async {}
    });
    socket.extensions.insert(Arc::new(Arrival { claims, ending, unread, queue: Mutex::new(Some(queue)) }));
    Ok(())
}

/// Runs a socket's session, then closes the socket.
async fn serve_socket(shared: Arc<Shared>, socket: SocketRef, arrival: Arc<Arrival>) {
    let queue = arrival.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(queue) = queue else { return };
    let sink = Box::new(SocketSink { socket: socket.clone(), unread: arrival.unread.clone() });
    let end = serve::run(&shared, arrival.claims.clone(), arrival.ending.clone(), queue, sink).await;
    tracing::info!(?end, "disconnected");
    if end == End::Slow {
        shared.metrics.slow.inc();
    }
    match end {
        // Nothing is left to close, or the server closes all of it.
        End::Gone | End::Shutdown => {}
        _ => drop(tokio::spawn(close(socket, end))),
    }
}

/// Closes a socket. Who may not come back is told so by Socket.IO; to others the connection ends, which is what makes
/// common clients connect again.
async fn close(socket: SocketRef, end: End) {
    if matches!(end, End::Expired | End::Revoked) {
        // A full one is told again below.
        let _ = socket.clone().disconnect();
    }
    if end != End::Slow {
        tokio::time::sleep(FLUSH_GRACE).await;
    }
    let connection = socket.req_parts().extensions.get::<ConnectInfo<Connection>>();
    if let Some(ConnectInfo(connection)) = connection {
        connection.end();
    }
    // A socket that began by polling has its websocket on another connection.
    let (pause, times) = CLOSE_AGAIN;
    for _ in 0..times {
        tokio::time::sleep(pause).await;
        if !socket.connected() || socket.clone().disconnect().is_ok() {
            return;
        }
    }
}

/// A socket as a session's sink.
struct SocketSink {
    socket: SocketRef,
    unread: Unread,
}

/// Counts what is being sent. Too much is as a full queue.
fn within_bounds(unread: &Unread, data: &RawValue) -> Result<(), Undelivered> {
    match unread.add(data.get().len()) {
        0..MAX_UNREAD_BYTES => Ok(()),
        _ => Err(Undelivered::Full),
    }
}

impl Sink for SocketSink {
    fn emit(&self, frame: &Frame) -> Result<(), Undelivered> {
        within_bounds(&self.unread, &frame.data)?;
        self.socket.emit(frame.event, &frame.data).map_err(undelivered)
    }
}

fn undelivered(error: SendError) -> Undelivered {
    match error {
        SendError::Socket(SocketError::Closed) => Undelivered::Gone,
        _ => Undelivered::Full,
    }
}

/// What each peer has still to take, by Engine.IO's session: a polling client comes over many connections.
#[derive(Clone, Debug, Default)]
pub struct UnreadCounts(Arc<Mutex<BTreeMap<String, Unread>>>);

impl UnreadCounts {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Unread>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, session: &str) -> Unread {
        self.all().entry(session.to_owned()).or_default().clone()
    }

    fn forget(&self, session: &str) {
        self.all().remove(session);
    }
}

/// Counts what a request's connection writes for the session that it names.
pub async fn count(State(counts): State<UnreadCounts>, request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let session = query.split('&').find_map(|pair| pair.strip_prefix("sid="));
    if let Some(unread) = session.and_then(|session| counts.all().get(session).cloned())
        && let Some(ConnectInfo(connection)) = request.extensions().get::<ConnectInfo<Connection>>()
    {
        connection.carry(unread);
    }
    next.run(request).await
}

/// The payload of CONNECT, if it is JSON of a sensible size.
struct Auth(Option<serde_json::Value>);

impl<A: Adapter> FromConnectParts<A> for Auth {
    type Error = Infallible;

    fn from_connect_parts(_: &Arc<Socket<A>>, auth: &Option<Value>) -> Result<Self, Infallible> {
        let text = auth.as_ref().and_then(Value::as_str);
        let text = text.filter(|text| text.len() <= MAX_AUTH_BYTES);
        Ok(Self(text.and_then(|text| serde_json::from_str(text).ok())))
    }
}

/// A packet as it came: the library's own extractors would parse it before it can be measured.
struct Packet {
    value: Value,
    ack: Option<Ack>,
}

impl FromMessageParts<LocalAdapter> for Packet {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Socket>,
        value: &mut Value,
        asked: &Option<i64>,
    ) -> Result<Self, Infallible> {
        let ack = asked.is_some().then(|| -> Result<Ack, Infallible> {
            let sender = AckSender::from_message_parts(socket, value, asked)?;
            Ok(Box::new(|data: &RawValue| sender.send(data).map_err(undelivered)))
        });
        Ok(Self {
            // Cheap: the text is shared.
            value: value.clone(),
            ack: ack.transpose()?,
        })
    }
}
