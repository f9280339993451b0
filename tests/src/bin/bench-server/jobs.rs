//! How long simple messages take while others need a model: patients send when they like, whatever comes back, and one
//! message in five starts a job of a second. Our background tasks beside Flask-SocketIO's, and beside the design in which
//! each message goes through a FIFO queue and a job runs in the queue's consumer.

use crate::ours::JOB_MARK;
use crate::servers::Server;
use crate::{MARK, Person, message, wire};
use bedside_tests::results::Figure;
use std::fmt::{Display, Formatter};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Messages of one round.
const MESSAGES: usize = 200;
/// Patients, who send in turn.
const PATIENTS: usize = 10;
/// One message in so many needs a model.
const JOB_EVERY: usize = 5;
/// Of when who sends what, the same for all that are measured.
const SEED: u64 = 7;
/// How long further copies are counted after the last message has come.
const MORE: Duration = Duration::from_secs(4);

/// What is sent in one round, at random times: as many people do who know nothing of each other.
#[derive(Clone, Copy)]
pub struct Load {
    /// Messages a second, on average.
    pub rate: u32,
    /// Whether one in five of them needs a model.
    pub jobs: bool,
}

/// Those that are measured.
pub const LOADS: [Load; 3] =
    [Load { rate: 20, jobs: false }, Load { rate: 5, jobs: true }, Load { rate: 20, jobs: true }];

impl Load {
    /// When each message is sent after the first, and whether it needs a model.
    fn plan(self) -> Vec<(Duration, bool)> {
        let mut random = fastrand::Rng::with_seed(SEED);
        let mut at = 0.0;
        let mut next = || {
            at -= (1.0 - random.f64()).ln() / f64::from(self.rate);
            (Duration::from_secs_f64(at), random.usize(..JOB_EVERY) == 0)
        };
        (0..MESSAGES).map(|_| next()).collect()
    }
}

/// How a round's messages came to the provider.
pub struct Delivery {
    /// From send to arrival, in milliseconds, of messages that need no model.
    simple: Vec<f64>,
    /// Messages a second, from the first send until the last has arrived.
    rate: f64,
    /// Arrivals of what had arrived before.
    doubled: usize,
}

impl Delivery {
    fn percentile(&self, percent: usize) -> f64 {
        self.simple[(self.simple.len() - 1) * percent / 100]
    }

    /// Beside a peer's under the same load.
    pub fn figures(&self, load: Load, peer: &str, theirs: &Delivery) -> [Figure; 3] {
        let name = |what: &str| format!("{what}, {load}");
        let time = |percent| {
            let name = name(&format!("simple messages, p{percent}"));
            Figure::new(&name, self.percentile(percent), "ms", peer, theirs.percentile(percent))
        };
        [time(50), time(99), Figure::new(&name("delivered"), self.rate, "messages/s", peer, theirs.rate)]
    }
}

impl Display for Load {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let jobs = if self.jobs { "one in five with a job of 1 s" } else { "no jobs" };
        write!(f, "{} messages/s, {jobs}", self.rate)
    }
}

impl Display for Delivery {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let (p50, p99) = (self.percentile(50), self.percentile(99));
        let Self { rate, doubled, .. } = self;
        write!(f, "simple messages p50 {p50:.1} ms, p99 {p99:.1} ms; {rate:.1} messages/s; {doubled} doubled")
    }
}

/// One round.
pub async fn round(server: &Server, load: Load) -> Delivery {
    let plan = load.plan();
    let (mut out, mut ear) = wire::connect(server.url(), "/provider", &server.provider(0).await).await;
    let mut people = Vec::new();
    // Ended with the round.
    let mut clients = JoinSet::new();
    let (tell, mut arrivals) = mpsc::unbounded_channel();
    clients.spawn(async move {
        loop {
            if let Some(n) = number(&ear.event(&mut out).await)
                && tell.send((n, Instant::now())).is_err()
            {
                return;
            }
        }
    });
    for n in 0..PATIENTS {
        let person = server.patient(n).await;
        let (outbox, sends) = mpsc::unbounded_channel();
        clients.spawn(client(server.url().to_owned(), person, sends));
        people.push(outbox);
    }
    let start = Instant::now();
    let (mut sent, mut arrived): (Vec<Instant>, Vec<Option<Instant>>) = (Vec::new(), vec![None; MESSAGES]);
    let (mut missing, mut doubled, mut end) = (MESSAGES, 0, start);
    loop {
        let next = plan.get(sent.len()).map(|(at, _)| *at).unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep_until((start + next).into()), if sent.len() < MESSAGES => {
                let n = sent.len();
                let mark = if load.jobs && plan[n].1 { JOB_MARK } else { "" };
                sent.push(Instant::now());
                people[n % PATIENTS].send(format!("{MARK} #{n}# {mark}")).expect("the client runs");
            }
            Some((n, at)) = arrivals.recv() => if arrived[n].is_some() {
                doubled += 1;
            } else {
                arrived[n] = Some(at);
                missing -= 1;
                end = at + MORE;
            },
            () = tokio::time::sleep_until(end.into()), if missing == 0 => break,
        }
    }
    let arrived: Vec<Instant> = arrived.into_iter().flatten().collect();
    let took = |n: usize| (arrived[n] - sent[n]).as_secs_f64() * 1000.0;
    let mut simple: Vec<f64> = (0..MESSAGES).filter(|n| !plan[*n].1).map(took).collect();
    simple.sort_by(f64::total_cmp);
    let last = arrived.iter().max().copied().unwrap_or(start);
    Delivery { simple, rate: MESSAGES as f64 / (last - start).as_secs_f64(), doubled }
}

/// A patient's client: sends what it is given, and reads what comes back meanwhile.
async fn client(server: String, person: Person, mut sends: mpsc::UnboundedReceiver<String>) {
    let (mut out, mut ear) = wire::connect(&server, "/patient", &person.token).await;
    loop {
        tokio::select! {
            _ = ear.event(&mut out) => {}
            Some(text) = sends.recv() => {
                let (event, argument) = message(&person, text).encode();
                out.event(event, &argument.to_string()).await;
            }
        }
    }
}

/// The number of a patient's message, if the event is one.
fn number(event: &str) -> Option<usize> {
    let is_message = event.starts_with("entry\"") && event.contains("\"kind\":\"text\"");
    let text = event.split(MARK).nth(1).filter(|_| is_message)?;
    text.split('#').nth(1)?.parse().ok()
}
