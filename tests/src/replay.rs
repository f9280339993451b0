//! Recorded consultations, both sides of each, at their own times or faster: a turn is written when its time has
//! come and the turn before it is in the log, so that the log's order is the recording's.

use crate::chat::{Chat, Heard, SignIn};
use crate::console::Console;
use crate::log::Log;
use crate::patients::{Consultation, Pace, Speaker};
use bedside_protocol::{Body, ConversationId, Entry, EntryId, Role, Seq, Text};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// No replay of a test takes longer, on whatever machine.
const LIMIT: Duration = Duration::from_secs(600);

/// Who speaks for the provider of a consultation.
#[derive(Clone, Debug)]
pub enum Provider {
    /// The console.
    Console(Arc<Console>),
    /// A colleague.
    Colleague(Chat),
}

/// A replay that has begun.
#[derive(Debug)]
pub struct Replay {
    consultations: JoinSet<()>,
    written: watch::Sender<usize>,
}

impl Replay {
    /// Begins all consultations at once; `provider` says who speaks for the provider of each.
    pub fn begin(
        server: &str,
        consultations: &[Consultation],
        pace: Pace,
        provider: impl Fn(usize) -> Provider,
    ) -> Self {
        let start = Instant::now();
        let written = watch::Sender::new(0);
        let mut set = JoinSet::new();
        for (index, consultation) in consultations.iter().enumerate() {
            let who = SignIn::patient(server, &consultation.patient());
            set.spawn(consult(who, consultation.clone(), provider(index), pace, start, written.clone()));
        }
        Self { consultations: set, written }
    }

    /// Waits until so many turns are in the log.
    pub async fn reached(&self, turns: usize) {
        let mut written = self.written.subscribe();
        let reached = timeout(LIMIT, written.wait_for(|&written| written >= turns)).await;
        reached.expect("the replay goes on").expect("the sender is here");
    }

    /// Waits for the end. A consultation that failed fails the test.
    pub async fn end(self) {
        timeout(LIMIT, self.consultations.join_all()).await.expect("the replay ends");
    }
}

async fn consult(
    who: SignIn,
    consultation: Consultation,
    provider: Provider,
    pace: Pace,
    start: Instant,
    written: watch::Sender<usize>,
) {
    let conversation =
        who.insist().await.expect("a demonstration server").conversation.expect("a conversation");
    let (patient, mut heard) = Chat::open(who);
    let mut seen = Seq::ZERO;
    for turn in &consultation.turns {
        sleep_until(start + pace.scale(turn.start())).await;
        let body = Body::text(turn.text.clone());
        let (conversation, text) = (conversation.clone(), turn.text.as_str());
        seen = match (turn.who, &provider) {
            (Speaker::Patient, _) => commit(&patient, conversation, seen, body).await,
            (Speaker::Provider, Provider::Colleague(colleague)) => {
                commit(colleague, conversation, seen, body).await
            }
            (Speaker::Provider, Provider::Console(console)) => {
                let id = console.write(&conversation, text, seen).await;
                until_heard(&mut heard, id).await
            }
        };
        written.send_modify(|written| *written += 1);
    }
}

async fn commit(chat: &Chat, conversation: ConversationId, seen: Seq, body: Body) -> Seq {
    let answer = chat.write(conversation, seen, body).await;
    answer.expect("the chat is open").expect("a good message").seq
}

/// The patient sees the console's message: it is in the log.
async fn until_heard(heard: &mut mpsc::UnboundedReceiver<Heard>, id: EntryId) -> Seq {
    loop {
        match heard.recv().await.expect("the chat is open") {
            Heard::Entry(entry) if entry.id == id => return entry.seq,
            Heard::Entry(_) | Heard::CaughtUp => {}
        }
    }
}

/// Panics unless the log holds each turn once and in order, and nobody's words but theirs.
pub fn assert_told(log: &Log, consultations: &[Consultation]) {
    let mut told: BTreeMap<&ConversationId, (Option<&str>, Vec<_>)> = BTreeMap::new();
    for entry in log.messages() {
        let (patient, turns) = told.entry(&entry.conversation).or_default();
        let Entry { author, body: Body::Text(Text { text, .. }), .. } = entry else {
            panic!("another message than the recordings hold: {}", entry.seq)
        };
        if author.role == Role::Patient {
            *patient = Some(&author.name);
        }
        turns.push((author.role, text.as_str()));
    }
    let told: BTreeMap<_, _> = told.into_values().collect();
    assert_eq!(told.len(), consultations.len());
    for consultation in consultations {
        let role = |who| {
            if who == Speaker::Patient { Role::Patient } else { Role::Provider }
        };
        let spoken: Vec<_> =
            consultation.turns.iter().map(|turn| (role(turn.who), turn.text.as_str())).collect();
        let name = consultation.patient();
        assert_eq!(told.get(&Some(name.as_str())), Some(&spoken), "{name}");
    }
}
