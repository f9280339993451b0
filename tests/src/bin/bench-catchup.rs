//! What catching up costs a console: one that missed ten messages in each of five long conversations, beside loading them
//! all into an empty cache; and one that missed a hundred messages in each of a thousand, until its inbox is there, and
//! until all is.
//!
//! Bytes are what the server sends, on the wire; times are until it is in the cache, on the disk.

use bedside_client::Client;
use bedside_client::api::{Command, Reply};
use bedside_engine::Cached;
use bedside_protocol::{
    Author, Body, ClinicId, ConversationId, Extra, Patient, Rev, Role, Send, Seq, Time, UserId,
};
use bedside_server::log::{Answer, Log, SqliteLog, Write};
use bedside_store::Reader;
use bedside_tests::cast::AMARA;
use bedside_tests::chat::new_id;
use bedside_tests::keychain::{files, setup};
use bedside_tests::proxy::Proxy;
use bedside_tests::results::{Figure, keep};
use bedside_tests::server::Server;
use bedside_tests::trust;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// A message of a patient, as long as they are.
const TEXT: &str =
    "I have had this headache since the day before yesterday, and the tablets don't help any more.";
/// Writes of one transaction of the log.
const BATCH: usize = 128;
/// How often the cache is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const TOO_LONG: Duration = Duration::from_secs(600);

type Heads = BTreeMap<ConversationId, Seq>;

fn clinic() -> ClinicId {
    ClinicId::new("riverside").expect("an id")
}

/// Writes `each` messages into the log for each of `patients`, without a server; says where each conversation ends then.
fn fill(log: &Path, patients: usize, each: usize) -> Heads {
    let mut log = SqliteLog::open(log).expect("the log of a server that has ended");
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    let now = Time::new(u64::try_from(since.as_millis()).expect("a date"));
    let ids: Vec<UserId> =
        (0..patients).map(|n| UserId::new(format!("patient-{n}")).expect("an id")).collect();
    let admit = |id: &UserId| Write::Admit {
        clinic: clinic(),
        patient: Patient { id: id.clone(), name: id.to_string(), born: None, extra: Extra::new() },
    };
    let admits: Vec<Write> = ids.iter().map(admit).collect();
    let admitted = log.commit(now, &admits).expect("the log");
    let conversations: Vec<ConversationId> = admitted
        .into_iter()
        .map(|outcome| match outcome.expect("a patient").answer {
            Answer::Summary(summary) => summary.conversation.id.clone(),
            other => panic!("no conversation: {other:?}"),
        })
        .collect();
    let sends: Vec<Write> = (0..each)
        .flat_map(|_| ids.iter().zip(&conversations))
        .map(|(id, conversation)| Write::Send {
            clinic: clinic(),
            author: Author { id: id.clone(), role: Role::Patient, name: id.to_string(), extra: Extra::new() },
            send: Box::new(Send {
                id: new_id(),
                conversation: conversation.clone(),
                seen: Seq::ZERO,
                body: Body::text(TEXT),
                from: None,
                force: false,
            }),
            tasks: Vec::new(),
        })
        .collect();
    for batch in sends.chunks(BATCH) {
        let outcomes = log.commit(now, batch).expect("the log");
        assert!(outcomes.iter().all(Result::is_ok));
    }
    let page =
        log.reader().expect("a reader").changes(&clinic(), None, Rev::ZERO, u32::MAX).expect("the log");
    let heads =
        page.summaries.into_iter().map(|summary| (summary.conversation.id, summary.conversation.head));
    heads.collect()
}

/// A server behind a proxy that counts, and a console that is signed in there.
struct Rig {
    server: Server,
    proxy: Proxy,
    client: Client,
    folder: TempDir,
}

/// What it took.
struct Cost {
    bytes: u64,
    spent: Duration,
}

impl Rig {
    async fn new(patients: usize, each: usize) -> (Self, Heads) {
        let mut server = Server::start().await;
        server.stop();
        let heads = fill(&server.log(), patients, each);
        server.start_again().await;
        let proxy = Proxy::start(&server.url()).await;
        let folder = tempfile::tempdir().expect("a folder");
        let client = Client::start(setup(folder.path(), trust()), &tokio::runtime::Handle::current());
        (Self { server, proxy, client: client.expect("a new cache"), folder }, heads)
    }

    async fn call(&self, command: Command) {
        assert_eq!(self.client.call(command).await, Ok(Reply::Done));
    }

    async fn sign_in(&self) {
        self.call(Command::SignInDemo { server: self.proxy.url(), name: AMARA.to_owned() }).await;
    }

    /// While the console is offline, the patients write.
    async fn miss(&mut self, patients: usize, each: usize) -> Heads {
        self.call(Command::Pause).await;
        self.server.stop();
        let heads = fill(&self.server.log(), patients, each);
        self.server.start_again().await;
        heads
    }

    fn reader(&self) -> Reader {
        Reader::open(&files(self.folder.path())).expect("a cache")
    }

    /// Waits until each conversation is as `there` wants it, given its end in the log.
    async fn until(&self, heads: &Heads, there: impl Fn(&Cached, Seq) -> bool) {
        let reader = self.reader();
        let start = Instant::now();
        loop {
            let cached = reader.snapshot().expect("the cache").conversations;
            if heads.iter().all(|(id, head)| cached.get(id).is_some_and(|cached| there(cached, *head))) {
                return;
            }
            assert!(start.elapsed() < TOO_LONG, "it doesn't catch up");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What it takes from `begin` until `end`.
    async fn cost(&self, begin: Command, heads: &Heads, there: impl Fn(&Cached, Seq) -> bool) -> Cost {
        let (bytes, start) = (self.proxy.to_client(), Instant::now());
        self.call(begin).await;
        self.until(heads, there).await;
        Cost { bytes: self.proxy.to_client() - bytes, spent: start.elapsed() }
    }
}

fn level(cached: &Cached, head: Seq) -> bool {
    cached.range.is_some_and(|range| range.hi == head)
}

fn in_inbox(cached: &Cached, head: Seq) -> bool {
    cached.head == head
}

#[tokio::main]
async fn main() {
    let mut figures = few_in_long_ones().await;
    figures.extend(many_in_many().await);
    keep(&figures);
}

async fn few_in_long_ones() -> Vec<Figure> {
    let (patients, long, missed) = (5, 10_000, 10);
    let (mut rig, heads) = Rig::new(patients, long).await;
    let (bytes, start) = (rig.proxy.to_client(), Instant::now());
    rig.sign_in().await;
    rig.until(&heads, level).await;
    for id in heads.keys() {
        // To the beginning, a page after the other.
        loop {
            let lo =
                rig.reader().snapshot().expect("the cache").conversations[id].range.map(|range| range.lo);
            if lo == Some(Seq::new(1)) {
                break;
            }
            rig.call(Command::LoadOlder { conversation: id.clone() }).await;
            rig.until(&[(id.clone(), Seq::ZERO)].into(), |cached, _| {
                cached.range.map(|range| range.lo) != lo
            })
            .await;
        }
    }
    let reload = Cost { bytes: rig.proxy.to_client() - bytes, spent: start.elapsed() };
    let stored = rig.reader().log().expect("the cache").len();

    let heads = rig.miss(patients, missed).await;
    let caught = rig.cost(Command::Reconnect, &heads, level).await;
    let more = rig.reader().log().expect("the cache").len() - stored;
    println!(
        "{stored} entries at first, {more} more after {missed} messages in each of {patients} conversations"
    );
    // Messages, and what the server told each patient of the wait.
    assert!(more <= patients * (missed + 1), "more was stored than was missed");
    let name = format!("catching up with {missed} messages in each of {patients} conversations of {long}");
    let peer = "loading all of them";
    vec![
        Figure::new(&name, caught.bytes as f64 / 1e3, "kB", peer, reload.bytes as f64 / 1e3),
        Figure::new(
            &format!("{name}, time"),
            caught.spent.as_secs_f64() * 1e3,
            "ms",
            peer,
            reload.spent.as_secs_f64() * 1e3,
        ),
    ]
}

async fn many_in_many() -> Vec<Figure> {
    let (patients, missed) = (1_000, 100);
    let (mut rig, heads) = Rig::new(patients, 1).await;
    rig.sign_in().await;
    rig.until(&heads, level).await;
    let heads = rig.miss(patients, missed).await;
    let inbox = rig.cost(Command::Reconnect, &heads, in_inbox).await;
    let start = Instant::now();
    rig.until(&heads, level).await;
    let all = inbox.spent + start.elapsed();
    let name =
        format!("until the inbox is there, after {missed} messages in each of {patients} conversations");
    vec![Figure::new(&name, inbox.spent.as_secs_f64() * 1e3, "ms", "until all is", all.as_secs_f64() * 1e3)]
}
