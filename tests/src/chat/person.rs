//! The person's connection: attempts, back-off, and what goes over it.

use super::ear::Ear;
use super::pending::Pending;
use super::{Heard, Request, SignIn, SignedIn};
use crate::trust;
use bedside_client::socket::{Socket, SocketEvent, Target};
use bedside_protocol::{
    ClientFrame, Connect, ConversationId, PROTOCOL_VERSION, ServerFrame, Typing, Welcome,
};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

/// The first wait after a failure; it doubles with each.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// A restarted server is found again within this.
const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// Connecting and the welcome take milliseconds on this machine.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(10);
/// The protocol's 2.5 heartbeats, in halves.
const SILENCE_HALVES: u32 = 5;

/// Lives until nobody asks any more.
pub(super) async fn live(
    who: SignIn,
    mut asked: mpsc::UnboundedReceiver<Request>,
    tell: mpsc::UnboundedSender<Heard>,
) {
    let mut pending = Pending::default();
    let mut ear = Ear::new(tell);
    let device = Uuid::new_v4().to_string();
    let mut backoff = BACKOFF_MIN;
    loop {
        let line = tokio::select! {
            line = timeout(WELCOME_TIMEOUT, dial(&who, &device)) => line.ok().flatten(),
            () = collect(&mut asked, &mut pending) => return,
        };
        if let Some(line) = line {
            backoff = BACKOFF_MIN;
            if let End::Closed = talk(line, &mut asked, &mut pending, &mut ear).await {
                return;
            }
        }
        tokio::select! {
            () = sleep(jitter(backoff)) => backoff = (backoff * 2).min(BACKOFF_MAX),
            () = collect(&mut asked, &mut pending) => return,
        }
    }
}

/// A connection that the server has welcomed.
struct Line {
    socket: Socket,
    events: mpsc::Receiver<SocketEvent>,
    /// A patient's own.
    conversation: Option<ConversationId>,
    /// It is dead when nothing came for so long.
    silence: Duration,
}

enum End {
    /// The connection is gone: try again.
    Lost,
    /// Nobody asks any more.
    Closed,
}

/// Takes requests while there is no connection. It ends when nobody asks any more.
async fn collect(asked: &mut mpsc::UnboundedReceiver<Request>, pending: &mut Pending) {
    while let Some(request) = asked.recv().await {
        if let Request::Write(send, answer) = request {
            pending.add(send, answer);
        }
    }
}

/// One attempt, with a token of its own, up to the welcome.
async fn dial(who: &SignIn, device: &str) -> Option<Line> {
    let SignedIn { token, conversation, .. } = who.ask().await.ok()?;
    let target = Target {
        url: who.server.clone(),
        namespace: who.namespace(),
        connect: Connect {
            token,
            device: device.to_owned(),
            protocol: PROTOCOL_VERSION,
            client: concat!("bedside-patients/", env!("CARGO_PKG_VERSION")).to_owned(),
        },
        trust: trust(),
    };
    let (socket, mut events) = Socket::open(target).ok()?;
    loop {
        match events.recv().await? {
            SocketEvent::Frame(ServerFrame::Welcome(Welcome { heartbeat_ms, .. })) => {
                let silence = Duration::from_millis(heartbeat_ms.into()) * SILENCE_HALVES / 2;
                return Some(Line { socket, events, conversation, silence });
            }
            // Nothing else counts before the welcome.
            SocketEvent::Frame(_) => {}
            SocketEvent::Refused(_) | SocketEvent::Unreachable | SocketEvent::Unreadable => return None,
        }
    }
}

async fn talk(
    mut line: Line,
    asked: &mut mpsc::UnboundedReceiver<Request>,
    pending: &mut Pending,
    ear: &mut Ear,
) -> End {
    let mut outbox: Vec<ClientFrame> = line.conversation.iter().map(|own| ear.missing(own)).collect();
    pending.start_over();
    let mut deadline = Instant::now() + line.silence;
    loop {
        outbox.extend(pending.take_due());
        if !outbox.drain(..).all(|frame| line.socket.emit(frame)) {
            return End::Lost;
        }
        let wake = pending.due().map_or(deadline, |due| due.min(deadline));
        tokio::select! {
            event = line.events.recv() => {
                let Some(SocketEvent::Frame(frame)) = event else { return End::Lost };
                deadline = Instant::now() + line.silence;
                if line.conversation.is_some() {
                    outbox.extend(ear.hear(&frame));
                }
                match frame {
                    ServerFrame::Entry(frame) => pending.committed(&frame.entry),
                    ServerFrame::Entries(page) => page.entries.iter().for_each(|entry| pending.committed(entry)),
                    ServerFrame::Rejected(rejected) => pending.rejected(rejected),
                    _ => {}
                }
            }
            request = asked.recv() => match request {
                Some(Request::Write(send, answer)) => pending.add(send, answer),
                Some(Request::Typing(conversation)) => outbox.push(ClientFrame::Typing(Typing { conversation })),
                None => return End::Closed,
            },
            () = sleep_until(wake) => {
                if Instant::now() >= deadline {
                    return End::Lost;
                }
            }
        }
    }
}

/// Somewhere between half the time and all of it, so that not all come back at once.
fn jitter(backoff: Duration) -> Duration {
    let [random, ..] = Uuid::new_v4().into_bytes();
    backoff.mul_f64(0.5 + f64::from(random) / 510.0)
}
