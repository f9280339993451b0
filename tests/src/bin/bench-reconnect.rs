//! What a console's process weighs after thousands of reconnects: each attempt has a thread, a tokio runtime and a
//! `Client` of `rust_socketio` of its own (docs/adr/0001), and nothing of them may stay behind. The whole core is
//! driven: `Client`, with its engine, cache and a watch, against a real server.
//!
//! Nearly all connections end by [`Command::Pause`]. Some end by the server's `kill -9`, which the library hears of in
//! another way, or not at all.
//!
//! `bench-reconnect [RECONNECTS]`. It ends with an error when threads, descriptors or memory have grown.

use bedside_client::Client;
use bedside_client::api::{Command, Connection, Link, Patch, Query, Reply, Update};
use bedside_tests::cast::{AMARA, MARTHA};
use bedside_tests::chat::SignIn;
use bedside_tests::keychain::setup;
use bedside_tests::results::{Figure, keep};
use bedside_tests::server::Server;
use bedside_tests::trust;
use bedside_tests::wire::Wire;
use clap::Parser;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Reconnects a console's core, and weighs its process.
#[derive(Parser)]
struct Arguments {
    /// How often.
    #[arg(default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(20..))]
    reconnects: u32,
}

/// The part of the reconnects after which the first weighing counts: what is made once is made by then, and the
/// allocator has its arenas.
const WARM_UP: u32 = 10;
/// How many weighings there are in between.
const POINTS: u32 = 10;
/// One in so many connections ends with the server's.
const KILL_EVERY: u32 = 500;
/// A socket's goodbye may take 300 ms; a runtime's threads end after it.
const SETTLE: Duration = Duration::from_millis(1_500);
/// Nothing takes this long unless it has failed: the longest back-off is half as long.
const TOO_LONG: Duration = Duration::from_secs(60);

/// What may be more in the end than after the warm-up. tokio's pool of blocking threads breathes by a few; a leak is one
/// a connection.
const MORE_THREADS: u64 = 4;
const MORE_DESCRIPTORS: u64 = 4;
/// The allocator's fragments; a connection has at least two stacks and buffers of some 100 KB.
const MORE_KIB: u64 = 8 << 10;

/// What this process weighs.
#[derive(Clone, Copy)]
struct Weight {
    kib: u64,
    threads: u64,
    descriptors: u64,
}

impl Weight {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").expect("a Linux system");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field of /proc");
            line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
        };
        let descriptors = std::fs::read_dir("/proc/self/fd").expect("a Linux system").count();
        // One is the folder's own, while it is read.
        let descriptors = u64::try_from(descriptors).expect("a few") - 1;
        Self { kib: field("VmRSS:"), threads: field("Threads:"), descriptors }
    }
}

/// The console and what its window is told of the connection.
struct Console {
    client: Client,
    updates: mpsc::Receiver<Update>,
}

impl Console {
    async fn call(&self, command: Command) {
        assert_eq!(self.client.call(command).await, Ok(Reply::Done));
    }

    /// Waits until the connection is live by another welcome than `before`'s, and all is fetched.
    async fn live(&mut self, before: Option<Link>) -> Link {
        let live = async {
            loop {
                let update = self.updates.recv().await.expect("the core runs");
                let Patch::Connection { connection: Connection { link, catching_up, .. } } = update.patch
                else {
                    continue;
                };
                let anew = matches!(link, Link::Live { .. }) && Some(&link) != before.as_ref();
                if anew && catching_up == 0 {
                    return link;
                }
            }
        };
        timeout(TOO_LONG, live).await.expect("it connects again")
    }
}

#[tokio::main]
async fn main() {
    let Arguments { reconnects } = Arguments::parse();
    let mut server = Server::start().await;
    let mut patient = Wire::sign_in(&SignIn::patient(&server.url(), MARTHA)).await;
    let conversation = patient.conversation.clone().expect("a patient has a conversation");
    patient.say(&conversation, "Good morning, this is the first message.").await;
    drop(patient);

    let folder = tempfile::tempdir().expect("a folder");
    let client = Client::start(setup(folder.path(), trust()), &tokio::runtime::Handle::current());
    let client = client.expect("a new cache");
    let (watcher, updates) = client.watch();
    watcher.set([Query::Connection]);
    let mut console = Console { client, updates };
    console.call(Command::SignInDemo { server: server.url(), name: AMARA.to_owned() }).await;
    console.call(Command::Open { conversation: Some(conversation) }).await;
    let mut link = console.live(None).await;

    println!("  reconnects      memory  threads  descriptors");
    weigh(0).await;
    let warm = reconnects.div_ceil(WARM_UP);
    let (mut before, mut last) = (None, None);
    let mut spent = Duration::ZERO;
    for n in 1..=reconnects {
        let start = Instant::now();
        if n % KILL_EVERY == 0 {
            server.kill();
            server.start_again().await;
        } else {
            console.call(Command::Pause).await;
            console.call(Command::Reconnect).await;
        }
        link = console.live(Some(link)).await;
        spent += start.elapsed();
        if n == warm {
            before = Some(weigh(n).await);
        } else if n % reconnects.div_ceil(POINTS) == 0 || n == reconnects {
            last = Some(weigh(n).await);
        }
    }
    let (before, after) = (before.expect("weighed"), last.expect("weighed"));
    println!("{:.1} ms each", spent.as_secs_f64() * 1e3 / f64::from(reconnects));

    let name = |what: &str| format!("{what} of a console's core after {reconnects} reconnects");
    let peer = format!("after {warm}");
    let figure = |what: &str, unit: &str, weight: fn(Weight) -> u64| {
        Figure::new(&name(what), weight(after) as f64, unit, &peer, weight(before) as f64)
    };
    keep(&[
        figure("resident memory", "KiB", |weight| weight.kib),
        figure("threads", "threads", |weight| weight.threads),
        figure("open descriptors", "descriptors", |weight| weight.descriptors),
    ]);
    for (what, before, after, bound) in [
        ("threads", before.threads, after.threads, MORE_THREADS),
        ("descriptors", before.descriptors, after.descriptors, MORE_DESCRIPTORS),
        ("KiB of memory", before.kib, after.kib, MORE_KIB),
    ] {
        assert!(after <= before + bound, "{what} have grown from {before} to {after}, by more than {bound}");
    }
}

/// Weighs once all that ends has ended.
async fn weigh(reconnects: u32) -> Weight {
    tokio::time::sleep(SETTLE).await;
    let weight = Weight::now();
    let Weight { kib, threads, descriptors } = weight;
    println!("{reconnects:>12} {kib:>7} KiB {threads:>8} {descriptors:>12}");
    weight
}
