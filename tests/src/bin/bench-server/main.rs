//! Entries committed and delivered a second: patients send, the server commits each message to SQLite
//! (`synchronous=FULL`), ten providers receive all of them. Our server beside a Flask-SocketIO and a Node socket.io
//! server that do the same work, one after the other in the same run, with the same clients.
//!
//! A round counts from its first send until the last provider has its last entry. A sender keeps a few messages under
//! way, as a person's client on a slow link does; the server never waits for a client.
//!
//! Then how long simple messages take beside work for a model (jobs.rs).

mod jobs;
mod ours;
mod servers;
mod wire;

use bedside_protocol::{Body, ClientFrame, ConversationId, EntryId, Send, Seq};
use bedside_tests::results::{Figure, keep};
use servers::Server;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

const PROVIDERS: usize = 10;
/// Messages that a sender has under way.
const UNDER_WAY: usize = 8;
/// Messages of one round, over all senders.
const MESSAGES: usize = 4_000;
/// As many of each; the middle one counts.
const ROUNDS: usize = 3;
/// Nothing takes this long unless it has failed.
const TOO_LONG: Duration = Duration::from_secs(240);

#[tokio::main]
async fn main() {
    // It starts itself as one of the servers that are measured.
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(ours::SERVE) {
        return ours::serve(arguments).await;
    }
    let mut figures = beside_jobs().await;
    figures.extend(throughput().await);
    keep(&figures);
}

/// Simple messages while others need a model.
async fn beside_jobs() -> Vec<Figure> {
    let mut figures = Vec::new();
    for load in jobs::LOADS {
        let mut deliveries = Vec::new();
        for server in servers::with_jobs() {
            let running = server.start().await;
            let delivery = tokio::time::timeout(TOO_LONG, jobs::round(&running, load));
            let delivery = delivery.await.unwrap_or_else(|_| panic!("{} never delivers all", server.name));
            println!("{}, {load}: {delivery}", server.name);
            deliveries.push((server.name, delivery));
        }
        let (_, ours) = &deliveries[0];
        figures.extend(deliveries[1..].iter().flat_map(|(peer, theirs)| ours.figures(load, peer, theirs)));
    }
    figures
}

/// Entries a second, with as many under way as the senders allow.
async fn throughput() -> Vec<Figure> {
    let mut figures = Vec::new();
    for senders in [1, 50] {
        let mut rates = Vec::new();
        for server in servers::all() {
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                let running = server.start().await;
                let round = tokio::time::timeout(TOO_LONG, round(&running, senders));
                rounds.push(round.await.unwrap_or_else(|_| panic!("{} never delivers all", server.name)));
            }
            rounds.sort_by(f64::total_cmp);
            println!("{}, {senders} senders: {rounds:.0?} entries/s", server.name);
            rates.push((server.name, rounds[ROUNDS / 2]));
        }
        let (_, ours) = rates[0];
        let name = format!("entries committed and delivered to {PROVIDERS} providers, senders: {senders}");
        figures.extend(
            rates[1..].iter().map(|(peer, theirs)| Figure::new(&name, ours, "entries/s", peer, *theirs)),
        );
    }
    figures
}

/// Entries a second.
async fn round(server: &Server, senders: usize) -> f64 {
    let mut people = Vec::new();
    for n in 0..senders {
        people.push(server.patient(n).await);
    }
    let each = MESSAGES / senders;
    let all = each * senders;
    let mut receivers = Vec::new();
    for n in 0..PROVIDERS {
        let (mut out, mut ear) = wire::connect(server.url(), "/provider", &server.provider(n).await).await;
        // The first provider's entries tell each sender that its message has arrived.
        let arrived: Vec<_> =
            if n == 0 { people.iter().map(|p| Arc::clone(&p.under_way)).collect() } else { Vec::new() };
        let ids: Vec<_> = people.iter().map(|person| format!("\"{}\"", person.conversation)).collect();
        receivers.push(tokio::spawn(async move {
            let mut heard = 0;
            while heard < all {
                let event = ear.event(&mut out).await;
                if event.starts_with("entry\"") && event.contains("\"kind\":\"text\"") && event.contains(MARK)
                {
                    heard += 1;
                    // Cheap, and good enough: the conversation's id stands in the event.
                    let whose = arrived.iter().zip(&ids).find(|(_, id)| event.contains(id.as_str()));
                    if let Some((under_way, _)) = whose {
                        under_way.add_permits(1);
                    }
                }
            }
        }));
    }
    let start = Instant::now();
    // Dropped, and so ended, with the round.
    let mut sending = JoinSet::new();
    for person in people {
        sending.spawn(send(server.url().to_owned(), person, each));
    }
    for receiver in receivers {
        receiver.await.expect("a receiver hears all");
    }
    all as f64 / start.elapsed().as_secs_f64()
}

/// Tells the senders' messages from the server's own.
const MARK: &str = "a message of ordinary length";

/// A sender.
pub struct Person {
    token: String,
    conversation: ConversationId,
    under_way: Arc<Semaphore>,
}

/// Sends all its messages, reading what comes back meanwhile as any client does.
async fn send(server: String, person: Person, messages: usize) {
    let (mut out, mut ear) = wire::connect(&server, "/patient", &person.token).await;
    let mut sent = 0;
    loop {
        tokio::select! {
            _ = ear.event(&mut out) => {}
            permit = person.under_way.acquire(), if sent < messages => {
                permit.expect("never closed").forget();
                sent += 1;
                let text =
                    format!("{MARK}, number {sent}: since Tuesday it gets tight across my chest on the stairs");
                let (event, argument) = message(&person, text).encode();
                out.event(event, &argument.to_string()).await;
            }
        }
    }
}

fn message(person: &Person, text: String) -> ClientFrame {
    ClientFrame::Send(Send {
        id: EntryId::new(Uuid::now_v7()).expect("a UUIDv7"),
        conversation: person.conversation.clone(),
        seen: Seq::ZERO,
        body: Body::text(text),
        from: None,
        force: false,
    })
}
