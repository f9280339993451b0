//! What a computer tells the console, over a real bus: it locks before a sleep and with the session, and history waits while
//! the line costs something or the battery is low.

use bedside_client::api::{Command, HistoryPause, Item, Link, LockedBy, Opener, Reply, Vault};
use bedside_client::{Client, Keychain, NoKeychain, Setup, SystemMachine};
use bedside_protocol::{ConversationId, Seq};
use bedside_tests::cast::{AMARA, MARTHA};
use bedside_tests::chat::SignIn;
use bedside_tests::client::{connection, shown, start};
use bedside_tests::computer::{Computer, Started};
use bedside_tests::keychain::{FileKeychain, setup};
use bedside_tests::log::Log;
use bedside_tests::program::eventually;
use bedside_tests::server::Server;
use bedside_tests::trust;
use bedside_tests::wire::Wire;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::watch;
use zeroize::Zeroizing;

const PASSPHRASE: &str = "correct horse";

/// A console on a computer, and a patient.
struct Scene {
    computer: Computer,
    server: Server,
    client: Client,
    patient: Wire,
    conversation: ConversationId,
    folder: TempDir,
}

impl Scene {
    async fn set(started: Started) -> Self {
        let server = Server::start_with(&["--sends-per-s", "1000"]).await;
        let patient = Wire::sign_in(&SignIn::patient(&server.url(), MARTHA)).await;
        let conversation = patient.conversation.clone().unwrap();
        let computer = Computer::start(started).await;
        let folder = tempfile::tempdir().unwrap();
        let client = start(|| on(&computer, folder.path())).await;
        Self { computer, server, client, patient, conversation, folder }
    }

    async fn sign_in(&self) {
        let (server, name) = (self.server.url(), AMARA.to_owned());
        done(&self.client, Command::SignInDemo { server, name }).await;
        connection(&self.client, "it is online", |connection| matches!(connection.link, Link::Live { .. }))
            .await;
    }

    async fn unlock(&self) {
        done(&self.client, Command::Unlock { passphrase: PASSPHRASE.to_owned() }).await;
        connection(&self.client, "it is open", |connection| matches!(connection.vault, Vault::Open { .. }))
            .await;
    }

    /// Waits until so many entries of history are here, and the rest waits for this.
    async fn history(&self, held: u32, paused: Option<HistoryPause>) {
        let what = format!("{held} entries are here, paused: {paused:?}");
        connection(&self.client, &what, |connection| {
            connection.history.is_some_and(|history| (history.held, history.paused) == (held, paused))
        })
        .await;
    }

    async fn says(&mut self, text: &str) {
        self.patient.say(&self.conversation, text).await;
    }

    async fn shows(&self, text: &str) {
        let item = |item: &Item| matches!(item, Item::Entry { entry } if entry.preview == text);
        shown(&self.client, &self.conversation, |items, _| items.iter().any(item).then_some(())).await;
    }
}

async fn done(client: &Client, command: Command) {
    assert_eq!(client.call(command).await, Ok(Reply::Done));
}

async fn choose_passphrase(client: &Client) {
    done(client, Command::SetPassphrase { current: None, new: PASSPHRASE.to_owned() }).await;
}

async fn locked(client: &Client, by: LockedBy) {
    let locked = Vault::Locked { by, opener: Opener::Passphrase, waiting: 0 };
    connection(client, "it is locked", |connection| connection.vault == locked).await;
}

fn on(computer: &Computer, folder: &Path) -> Setup {
    Setup { machine: Arc::new(computer.machine()), ..setup(folder, trust()) }
}

/// The cache's files that this process has open.
fn open_files(folder: &Path) -> Vec<String> {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let open = open.filter_map(|open| std::fs::read_link(open.unwrap().path()).ok());
    let ours = open.filter_map(|path| Some(path.strip_prefix(folder).ok()?.to_str()?.to_owned()));
    ours.filter(|name| name.contains(".db")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_computer_sleeps_once_the_keys_have_left_the_memory() {
    let mut scene = Scene::set(Started::InSession).await;
    scene.sign_in().await;
    choose_passphrase(&scene.client).await;
    scene.says("a first message").await;
    scene.shows("a first message").await;
    for held in ["held back for an hour", "held back again"] {
        let stay = scene.computer.stay().await;
        let is_online = |link: &Link| matches!(link, Link::Live { .. });
        connection(&scene.client, "it is online", |connection| is_online(&connection.link)).await;
        let send = Command::Send {
            conversation: scene.conversation.clone(),
            text: held.to_owned(),
            files: vec![],
            seen: Seq::new(1),
            hold_ms: 3_600_000,
        };
        assert!(matches!(scene.client.call(send).await, Ok(Reply::Accepted { .. })));
        assert!(!open_files(scene.folder.path()).is_empty());
        scene.computer.sleeps(true).await;
        stay.ended().await;
        assert_eq!(open_files(scene.folder.path()), [""; 0], "whoever has its files open has its keys");
        assert!(Log::of_server(&scene.server).0.iter().any(|entry| entry.preview == held));
        locked(&scene.client, LockedBy::Sleep).await;
        scene.computer.sleeps(false).await;
        scene.unlock().await;
    }
    // Awake again, it wants to be asked again.
    scene.computer.stay().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_locks_lets_the_computer_sleep_and_stays_open() {
    let mut scene = Scene::set(Started::InSession).await;
    scene.sign_in().await;
    let stay = scene.computer.stay().await;
    scene.computer.sleeps(true).await;
    stay.ended().await;
    scene.computer.session_is_heard().await;
    scene.computer.lock_session().await;
    scene.says("nobody locks it").await;
    scene.shows("nobody locks it").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_locks_with_the_session_and_when_another_user_comes() {
    let scene = Scene::set(Started::InSession).await;
    choose_passphrase(&scene.client).await;
    scene.computer.session_is_heard().await;
    scene.computer.lock_session().await;
    locked(&scene.client, LockedBy::Session).await;
    scene.unlock().await;
    scene.computer.session_is("Active", false).await;
    locked(&scene.client, LockedBy::Switch).await;
    scene.unlock().await;
    scene.computer.session_is("LockedHint", true).await;
    locked(&scene.client, LockedBy::Session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_no_session_locks_with_its_users_one() {
    let scene = Scene::set(Started::ByUser).await;
    choose_passphrase(&scene.client).await;
    scene.computer.session_is_heard().await;
    scene.computer.lock_session().await;
    locked(&scene.client, LockedBy::Session).await;
}

/// A keychain that somebody must open first.
#[derive(Debug)]
struct Gate {
    behind: FileKeychain,
    open: watch::Sender<bool>,
    waiting: AtomicBool,
}

impl Gate {
    fn closed(folder: &Path) -> Arc<Self> {
        let (open, waiting) = (watch::Sender::new(false), AtomicBool::new(false));
        Arc::new(Self { behind: FileKeychain::of(folder), open, waiting })
    }

    fn set(&self, open: bool) {
        self.open.send_replace(open);
    }

    /// Until somebody waits for it.
    async fn waits(&self) {
        eventually("the keychain is asked", async || self.waiting.swap(false, Ordering::SeqCst)).await;
    }

    fn pass(&self) -> &FileKeychain {
        let mut open = self.open.subscribe();
        if !*open.borrow() {
            self.waiting.store(true, Ordering::SeqCst);
            Handle::current().block_on(open.wait_for(|open| *open)).unwrap();
        }
        &self.behind
    }
}

impl Keychain for Gate {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, NoKeychain> {
        self.pass().get(name)
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), NoKeychain> {
        self.pass().set(name, secret)
    }

    fn delete(&self, name: &str) -> Result<(), NoKeychain> {
        self.pass().delete(name)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleep_that_comes_while_the_cache_opens_locks_it_then() {
    let mut computer = Computer::start(Started::InSession).await;
    let folder = tempfile::tempdir().unwrap();
    let first = start(|| on(&computer, folder.path())).await;
    choose_passphrase(&first).await;
    drop((first, computer.stay().await));
    let gate = Gate::closed(folder.path());
    let client = start(|| Setup { keychain: gate.clone(), ..on(&computer, folder.path()) }).await;
    gate.waits().await;
    let stay = computer.stay().await;
    computer.sleeps(true).await;
    gate.set(true);
    stay.ended().await;
    locked(&client, LockedBy::Sleep).await;
    assert_eq!(open_files(folder.path()), [""; 0]);
    // And one that comes while a passphrase opens it.
    computer.sleeps(false).await;
    let stay = computer.stay().await;
    gate.set(false);
    let unlock = client.call(Command::Unlock { passphrase: PASSPHRASE.to_owned() });
    let sleep = async {
        gate.waits().await;
        computer.sleeps(true).await;
        gate.set(true);
    };
    assert_eq!(tokio::join!(unlock, sleep).0, Ok(Reply::Done));
    stay.ended().await;
    locked(&client, LockedBy::Sleep).await;
    assert_eq!(open_files(folder.path()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_waits_while_the_line_is_metered_and_nothing_else_does() {
    let mut scene = Scene::set(Started::InSession).await;
    scene.computer.metered(3).await;
    for n in 1..=700 {
        scene.says(&format!("message {n}")).await;
    }
    scene.sign_in().await;
    scene.history(50, Some(HistoryPause::Metered)).await;
    scene.says("written meanwhile").await;
    scene.shows("written meanwhile").await;
    done(&scene.client, Command::LoadOlder { conversation: scene.conversation.clone() }).await;
    scene.history(151, Some(HistoryPause::Metered)).await;
    scene.computer.metered(4).await;
    // With the server's word on how long an answer takes.
    scene.history(702, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_says_any_more_holds_nothing_up() {
    let mut scene = Scene::set(Started::InSession).await;
    scene.computer.metered(1).await;
    scene.computer.battery(5).await;
    for n in 1..=60 {
        scene.says(&format!("message {n}")).await;
    }
    scene.sign_in().await;
    scene.history(50, Some(HistoryPause::Metered)).await;
    scene.computer.loses_network_manager().await;
    scene.history(50, Some(HistoryPause::LowBattery)).await;
    scene.computer.loses_bus();
    scene.history(61, None).await;
    scene.says("without a bus").await;
    scene.shows("without a bus").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_without_a_bus_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:path={}", folder.path().join("none").display());
    let machine = Arc::new(SystemMachine::at(&address));
    let client = start(|| Setup { machine: machine.clone(), ..setup(folder.path(), trust()) }).await;
    connection(&client, "it is open", |connection| matches!(connection.vault, Vault::Open { .. })).await;
}
