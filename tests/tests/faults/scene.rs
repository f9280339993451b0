//! A server, consoles that reach it through a bad network each, and people who write.

use crate::check;
use crate::writing::{self, Told};
use bedside_client::api::Command;
use bedside_protocol::{EntryId, Role, Seq};
use bedside_store::Reader;
use bedside_tests::cast::AMARA;
use bedside_tests::chat::{Chat, SignIn};
use bedside_tests::console::Console;
use bedside_tests::log::Log;
use bedside_tests::program::eventually;
use bedside_tests::proxy::{Proxy, Weather};
use bedside_tests::server::Server;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// No run takes longer, on whatever machine.
const LIMIT: Duration = Duration::from_secs(1_800);
/// How often somebody presses "connect now" who doesn't want to wait.
const PRESS_EVERY: Duration = Duration::from_millis(100);

/// Who writes how much.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// All the same provider's.
    pub consoles: usize,
    /// Conversations of each console in which the provider writes and the patient is quiet.
    pub quiet: usize,
    /// Conversations of each console in which both write.
    pub busy: usize,
    /// Of each writer in each conversation.
    pub messages: usize,
    /// Of the server: short ones show a dead connection soon.
    pub heartbeat_ms: u32,
}

impl Plan {
    /// A few dozen messages, or more by hand.
    pub fn new() -> Self {
        Self { consoles: 1, quiet: 2, busy: 2, messages: 6 * factors().1, heartbeat_ms: 500 }
    }

    /// How many messages are written in all.
    pub fn total(&self) -> usize {
        self.consoles * (self.quiet + 2 * self.busy) * self.messages
    }
}

/// By how much a run by hand multiplies misfortune and messages.
pub fn factors() -> (usize, usize) {
    let Ok(text) = std::env::var("BEDSIDE_FAULTS") else { return (1, 1) };
    let number = |text: &str| text.parse().expect("BEDSIDE_FAULTS is N or N,M");
    match text.split_once(',') {
        Some((faults, messages)) => (number(faults), number(messages)),
        None => (number(&text), number(&text)),
    }
}

/// A scene in which people write.
pub struct Scene {
    pub consoles: Vec<Arc<Console>>,
    /// Each console's network.
    pub proxies: Vec<Proxy>,
    pub server: Server,
    pub plan: Plan,
    pub told: Arc<Told>,
    writers: JoinSet<()>,
    impatient: JoinSet<()>,
    began: Instant,
}

impl Scene {
    pub async fn set(plan: Plan) -> Self {
        Self::set_on(plan, &std::env::temp_dir()).await
    }

    /// With the consoles' caches on the disk of this folder.
    pub async fn set_on(plan: Plan, disk: &Path) -> Self {
        let heartbeat = plan.heartbeat_ms.to_string();
        let server = Server::start_with(&["--heartbeat-ms", &heartbeat, "--sends-per-s", "1000"]).await;
        let told = Arc::new(Told::default());
        let (writers, impatient) = (JoinSet::new(), JoinSet::new());
        let (consoles, proxies, began) = (Vec::new(), Vec::new(), Instant::now());
        let mut scene = Self { consoles, proxies, server, plan, told, writers, impatient, began };
        for number in 0..plan.consoles {
            let proxy = Proxy::start(&scene.server.url()).await;
            let console = Arc::new(Console::start_in(disk, env!("CARGO_BIN_EXE_console"), &[]));
            console.sign_in(&proxy.url(), AMARA).await;
            scene.people(number, &console).await;
            scene.consoles.push(console);
            scene.proxies.push(proxy);
        }
        scene
    }

    /// Those who write to and from a console. They wait for their turns.
    async fn people(&mut self, number: usize, console: &Arc<Console>) {
        let Plan { quiet, busy, messages, .. } = self.plan;
        for index in 0..quiet + busy {
            let who = SignIn::patient(&self.server.url(), &format!("Patient {index} of console {number}"));
            let conversation = who.ask().await.expect("a demonstration server").conversation;
            let conversation = conversation.expect("a patient has a conversation");
            let (console, told) = (Arc::clone(console), Arc::clone(&self.told));
            let here = conversation.clone();
            if index < quiet {
                self.writers.spawn(async move { writing::provider(&console, here, messages, &told).await });
                continue;
            }
            self.writers.spawn(async move { writing::replier(&console, here, messages, &told).await });
            let told = Arc::clone(&self.told);
            self.writers.spawn(async move {
                let (chat, _heard) = Chat::open(who);
                writing::patient(chat, conversation, messages, &told).await;
            });
        }
    }

    /// The only console, or the first.
    pub fn console(&self) -> &Console {
        self.consoles.first().expect("a console")
    }

    /// Its network.
    pub fn proxy(&self) -> &Proxy {
        self.proxies.first().expect("a proxy")
    }

    /// Lets all write this share of their messages, and waits until all is in the log and in the caches.
    pub async fn calm(&self, part: usize, of: usize) {
        let turns = self.plan.messages * part / of;
        self.told.allow(turns);
        self.told.reached(self.plan.total() / self.plan.messages * turns).await;
        self.agree().await;
    }

    /// Lets all write this share of their messages. Whoever waits for an answer may not get that far.
    pub fn allow(&self, part: usize, of: usize) {
        self.told.allow(self.plan.messages * part / of);
    }

    /// Lets all write this share of their messages, and waits until the patients', and the provider's where the
    /// patient is quiet, were accepted: they need no network between console and server.
    pub async fn write_apart(&self, part: usize, of: usize) {
        self.allow(part, of);
        let turns = self.plan.messages * part / of;
        let Plan { consoles, quiet, busy, .. } = self.plan;
        let expected = (consoles * quiet * turns, consoles * busy * turns);
        eventually("those who needn't wait have written", async || {
            let said = self.told.said();
            let quiet = said.iter().filter(|said| said.text.contains("provider's message")).count();
            (quiet, said.iter().filter(|said| said.role == Role::Patient).count()) == expected
        })
        .await;
    }

    /// From now on a person presses "connect now" again and again, instead of waiting for the back-off.
    pub fn press(&mut self) {
        for console in &self.consoles {
            let console = Arc::clone(console);
            self.impatient.spawn(async move {
                loop {
                    // Killed: it starts again, and tries by itself.
                    drop(console.call(&Command::Reconnect).await);
                    sleep(PRESS_EVERY).await;
                }
            });
        }
    }

    /// Panics if a console shows anything as sent that the log doesn't hold just so.
    pub fn assert_no_lies(&self) {
        for console in &self.consoles {
            // First what is claimed: what comes later to the log is no lie.
            let claimed = console.log();
            check::assert_no_lies(&claimed, &Log::of_server(&self.server));
        }
    }

    /// Panics unless messages wait in the console's outbox, which are not shown as sent.
    pub fn assert_waits(&self) {
        let outbox = Reader::open(&self.console().files()).and_then(|reader| reader.outbox());
        let outbox = outbox.expect("the cache");
        assert!(!outbox.is_empty(), "what can't be sent waits");
        let sent: BTreeSet<EntryId> = self.console().log().0.iter().map(|entry| entry.id).collect();
        assert!(outbox.iter().all(|row| !sent.contains(&row.send.id)), "what waits is not shown as sent");
    }

    /// Waits until all has been written and has arrived, in fair weather, and compares what was said with what is there.
    pub async fn end(mut self) {
        self.proxies.iter().for_each(|proxy| proxy.set(Weather::Clear));
        self.told.allow(self.plan.messages);
        timeout(LIMIT, std::mem::take(&mut self.writers).join_all()).await.expect("all is written");
        self.agree().await;
        let log = Log::of_server(&self.server);
        log.assert_dense();
        let said = self.told.said();
        assert_eq!(said.len(), self.plan.total());
        check::assert_told(&log, &said);
        let (messages, entries, seconds) =
            (self.plan.total(), log.0.len(), self.began.elapsed().as_secs_f32());
        println!("{messages} messages of {entries} entries, SHA-256 {}, {seconds:.1} s", log.digest());
    }

    /// Waits until nothing is under way, and each console's cache equals the log.
    async fn agree(&self) {
        for console in &self.consoles {
            eventually("nothing waits to be sent", async || console.outbox() == 0).await;
            // Nobody writes: the log is what it is.
            let log = Log::of_server(&self.server);
            eventually("the console has caught up", async || {
                self.load_older(console).await;
                console.log().0.len() >= log.0.len()
            })
            .await;
            let cache = console.log();
            assert_eq!((cache.0.len(), cache.digest()), (log.0.len(), log.digest()));
        }
    }

    /// Scrolls up where a console that was far behind has begun anew with the newest page.
    async fn load_older(&self, console: &Console) {
        let reader = Reader::open(&console.files()).expect("the cache");
        for (conversation, cached) in reader.snapshot().expect("the cache").conversations {
            if cached.range.is_some_and(|range| Seq::new(1) < range.lo) {
                // Offline, or killed: this comes round again.
                drop(console.call(&Command::LoadOlder { conversation }).await);
            }
        }
    }
}
