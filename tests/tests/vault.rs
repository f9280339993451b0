//! The cache as a person has it: locked, unlocked, expired, damaged, destroyed; against a real server.

use bedside_client::api::{
    Command, Failure, InboxRow, Keeper, Link, LockedBy, Opener, Patch, Query, Repair, Reply, Update, Vault,
};
use bedside_client::{Client, NoneAtAll, Setup, Watcher};
use bedside_protocol::{ConversationId, Seq};
use bedside_store::{Files, StoreError};
use bedside_tests::cast::{AMARA, MARTHA};
use bedside_tests::chat::SignIn;
use bedside_tests::keychain::{connection, files, setup};
use bedside_tests::log::Log;
use bedside_tests::program::{SOON, eventually};
use bedside_tests::server::Server;
use bedside_tests::trust;
use bedside_tests::wire::Wire;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::timeout;

const PASSPHRASE: &str = "correct horse";

/// A console, as a window has it.
struct Handle {
    client: Client,
    _watcher: Watcher,
    updates: mpsc::Receiver<Update>,
}

impl Handle {
    fn open(setup: Setup) -> Result<Self, StoreError> {
        let client = Client::start(setup, &tokio::runtime::Handle::current())?;
        let (watcher, updates) = client.watch();
        watcher.set(vec![Query::Connection, Query::Inbox]);
        Ok(Self { client, _watcher: watcher, updates })
    }
}

/// A console, a patient, and the server between them.
struct Scene {
    server: Server,
    folder: TempDir,
    handle: Option<Handle>,
    connection: Option<bedside_client::api::Connection>,
    inbox: Vec<InboxRow>,
    patient: Wire,
    conversation: ConversationId,
}

impl Scene {
    async fn set() -> Self {
        let server = Server::start().await;
        let folder = tempfile::tempdir().unwrap();
        let handle = Handle::open(setup(folder.path(), trust())).expect("a console");
        let name = AMARA.to_owned();
        let signed_in = handle.client.call(Command::SignInDemo { server: server.url(), name }).await;
        assert_eq!(signed_in, Ok(Reply::Done));
        let patient = Wire::sign_in(&SignIn::patient(&server.url(), MARTHA)).await;
        let conversation = patient.conversation.clone().unwrap();
        let mut scene = Self {
            server,
            folder,
            handle: Some(handle),
            connection: None,
            inbox: Vec::new(),
            patient,
            conversation,
        };
        scene.says("a first message").await;
        scene
    }

    /// The patient writes, and the console shows it.
    async fn says(&mut self, text: &str) {
        self.patient.say(&self.conversation, text).await;
        self.until(text, |scene| scene.shows(text)).await;
    }

    fn shows(&self, text: &str) -> bool {
        self.inbox.iter().any(|row| row.conversation.last.as_ref().is_some_and(|last| last.preview == text))
    }

    fn vault(&self) -> Option<Vault> {
        self.connection.as_ref().map(|connection| connection.vault)
    }

    fn is_open(&self) -> bool {
        matches!(self.vault(), Some(Vault::Open { .. }))
    }

    async fn call(&self, command: Command) -> Result<Reply, Failure> {
        timeout(SOON, self.handle.as_ref().unwrap().client.call(command)).await.expect("it answers")
    }

    async fn unlock(&self, passphrase: &str) -> Result<Reply, Failure> {
        self.call(Command::Unlock { passphrase: passphrase.to_owned() }).await
    }

    async fn choose_passphrase(&self) {
        let command = Command::SetPassphrase { current: None, new: PASSPHRASE.to_owned() };
        assert_eq!(self.call(command).await, Ok(Reply::Done));
    }

    async fn reply(&self, text: &str, hold_ms: u32) {
        let (conversation, text) = (self.conversation.clone(), text.to_owned());
        let reply =
            self.call(Command::Send { conversation, text, files: vec![], seen: Seq::new(2), hold_ms }).await;
        assert!(matches!(reply, Ok(Reply::Accepted { .. })), "{reply:?}");
    }

    /// Follows what the window would show until it is as wanted.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Scene) -> bool) {
        while !wanted(self) {
            let updates = &mut self.handle.as_mut().unwrap().updates;
            let update = timeout(SOON, updates.recv()).await;
            let update = update.unwrap_or_else(|_| {
                panic!("it never came to be: {what}; {:?}, {} rows", self.connection, self.inbox.len())
            });
            let Update { revision, patch, .. } = update.expect("the core runs");
            match patch {
                Patch::Connection { connection } => self.connection = Some(connection),
                Patch::Inbox { rows } => {
                    if revision == 1 {
                        self.inbox.clear();
                    }
                    let at = rows.at as usize;
                    self.inbox.splice(at..at + rows.remove as usize, rows.insert);
                }
                _ => {}
            }
        }
    }

    /// Ends the console and starts another in its folder.
    async fn restart(&mut self, setup: impl Fn() -> Setup) {
        // The core ends a moment after its last handle, and until then the cache is its own.
        self.handle = None;
        eventually("the cache is free", async || match Handle::open(setup()) {
            Ok(handle) => {
                self.handle = Some(handle);
                true
            }
            Err(StoreError::InUse) => false,
            Err(error) => panic!("{error}"),
        })
        .await;
        (self.connection, self.inbox) = (None, Vec::new());
    }

    /// What the server has of the console's messages.
    async fn server_has(&self, text: &str) {
        eventually(text, async || Log::of_server(&self.server).0.iter().any(|entry| entry.preview == text))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_console_shows_nothing_sends_what_was_held_and_catches_up() {
    let mut scene = Scene::set().await;
    assert_eq!(scene.call(Command::Lock).await, Err(Failure::NoPassphrase));
    let short = Command::SetPassphrase { current: None, new: "1234567".into() };
    assert_eq!(scene.call(short).await, Err(Failure::ShortPassphrase { characters: 8 }));
    scene.choose_passphrase().await;
    scene
        .until("it can lock", |scene| {
            matches!(scene.vault(), Some(Vault::Open { opener: Some(Opener::Passphrase), .. }))
        })
        .await;
    scene.reply("held back for an hour", 3_600_000).await;
    assert_eq!(scene.call(Command::Lock).await, Ok(Reply::Done));
    scene.until("it is locked", |scene| matches!(scene.vault(), Some(Vault::Locked { .. }))).await;
    scene.until("nothing is shown", |scene| scene.inbox.is_empty()).await;
    assert!(scene.connection.as_ref().unwrap().account.is_none());
    scene.server_has("held back for an hour").await;
    scene.patient.say(&scene.conversation, "while it was locked").await;
    assert_eq!(
        scene.call(Command::MarkRead { conversation: scene.conversation.clone(), upto: Seq::new(1) }).await,
        Err(Failure::Locked)
    );
    assert_eq!(scene.unlock("another horse").await, Err(Failure::WrongPassphrase));
    let locked = Some(Vault::Locked { by: LockedBy::Person, opener: Opener::Passphrase, waiting: 0 });
    scene.until("it stays locked", |scene| scene.vault() == locked && scene.inbox.is_empty()).await;
    assert_eq!(scene.unlock(PASSPHRASE).await, Ok(Reply::Done));
    scene.until("it catches up", |scene| scene.is_open() && scene.shows("while it was locked")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_locked_stays_locked_over_a_restart_and_keeps_what_waits() {
    let mut scene = Scene::set().await;
    scene.choose_passphrase().await;
    scene.server.kill();
    scene
        .until("it is offline", |scene| !matches!(scene.connection.as_ref().unwrap().link, Link::Live { .. }))
        .await;
    scene.reply("written offline", 0).await;
    assert_eq!(scene.call(Command::Lock).await, Ok(Reply::Done));
    let waits = Some(Vault::Locked { by: LockedBy::Person, opener: Opener::Passphrase, waiting: 1 });
    scene.until("it says what waits", |scene| scene.vault() == waits).await;
    let folder = scene.folder.path().to_owned();
    scene.restart(|| setup(&folder, trust())).await;
    let locked = Some(Vault::Locked { by: LockedBy::Start, opener: Opener::Passphrase, waiting: 0 });
    scene.until("it is locked", |scene| scene.vault() == locked).await;
    scene.server.start_again().await;
    assert_eq!(scene.unlock(PASSPHRASE).await, Ok(Reply::Done));
    scene.server_has("written offline").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keychain_nothing_outlives_the_program_until_a_passphrase_is_chosen() {
    let mut scene = Scene::set().await;
    let folder = tempfile::tempdir().unwrap();
    let bare = || Setup { keychain: Arc::new(NoneAtAll), ..setup(folder.path(), trust()) };
    scene.restart(bare).await;
    let sign_in = || Command::SignInDemo { server: scene.server.url(), name: AMARA.to_owned() };
    assert_eq!(scene.call(sign_in()).await, Ok(Reply::Done));
    scene
        .until("it is open", |scene| {
            matches!(scene.vault(), Some(Vault::Open { keeper: Keeper::Nothing, .. }))
                && scene.shows("a first message")
        })
        .await;
    scene.restart(bare).await;
    scene
        .until("nothing is left", |scene| {
            scene.is_open() && scene.connection.as_ref().unwrap().account.is_none()
        })
        .await;
    let sign_in = Command::SignInDemo { server: scene.server.url(), name: AMARA.to_owned() };
    assert_eq!(scene.call(sign_in).await, Ok(Reply::Done));
    scene.choose_passphrase().await;
    scene
        .until("the passphrase keeps it", |scene| {
            matches!(scene.vault(), Some(Vault::Open { keeper: Keeper::Passphrase, opener: Some(_), .. }))
        })
        .await;
    scene.restart(bare).await;
    scene.until("it is locked", |scene| matches!(scene.vault(), Some(Vault::Locked { .. }))).await;
    assert_eq!(scene.unlock(PASSPHRASE).await, Ok(Reply::Done));
    scene.until("it is as it was", |scene| scene.shows("a first message")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_over_shows_nothing_until_the_server_is_reached() {
    let mut scene = Scene::set().await;
    scene.server.kill();
    let folder = scene.folder.path().to_owned();
    scene.handle = None;
    // As if the last time had been fifteen days ago. Free once the core has ended.
    eventually("the cache is free", async || {
        connection(&files(&folder)).execute("UPDATE device SET reached = reached - 15 * 86400000", []).is_ok()
    })
    .await;
    scene.restart(|| setup(&folder, trust())).await;
    scene.until("it has expired", |scene| matches!(scene.vault(), Some(Vault::Expired { .. }))).await;
    scene.until("nothing is shown", |scene| scene.inbox.is_empty()).await;
    let read = Command::MarkRead { conversation: scene.conversation.clone(), upto: Seq::new(1) };
    assert_eq!(scene.call(read).await, Err(Failure::Locked));
    scene.server.start_again().await;
    assert_eq!(scene.call(Command::Reconnect).await, Ok(Reply::Done));
    scene.until("the server opens it", |scene| scene.is_open() && scene.shows("a first message")).await;
}

/// Damage of nearly everything, and of one table that is read only after the cache has been opened well.
#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_is_damaged_heals_and_what_waited_goes_out() {
    heals(|cache| {
        let size = std::fs::metadata(cache.database()).unwrap().len();
        4096..size
    })
    .await;
    heals(|cache| {
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'conversation'";
        let page: u32 = connection(cache).query_row(root, [], |row| row.get(0)).unwrap();
        u64::from(page - 1) * 4096..u64::from(page) * 4096
    })
    .await;
}

async fn heals(damaged: impl Fn(&Files) -> std::ops::Range<u64>) {
    let mut scene = Scene::set().await;
    scene.server.kill();
    scene.reply("waits", 0).await;
    let conversation = scene.conversation.clone();
    let draft = Command::SaveDraft { conversation, text: "half a sentence".into(), cursor: 4 };
    assert_eq!(scene.call(draft).await, Ok(Reply::Done));
    let cache = files(scene.folder.path());
    connection(&cache).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let damaged = damaged(&cache);
    let mut file = std::fs::File::options().write(true).open(cache.database()).unwrap();
    file.seek(SeekFrom::Start(damaged.start)).unwrap();
    file.write_all(&vec![0x5a; usize::try_from(damaged.end - damaged.start).unwrap()]).unwrap();
    drop(file);
    let folder = scene.folder.path().to_owned();
    scene.restart(|| setup(&folder, trust())).await;
    scene
        .until("it says what was mended", |scene| {
            scene.connection.as_ref().is_some_and(|connection| {
                connection.repaired.is_some_and(|repaired| repaired.what == Repair::Rebuilt)
            })
        })
        .await;
    scene.server.start_again().await;
    scene.server_has("waits").await;
    scene.until("all is back", |scene| scene.inbox.iter().any(|row| row.draft)).await;
    let noted = std::fs::read_to_string(folder.join("repairs.log")).unwrap();
    assert!(noted.trim_end().ends_with("Rebuilt"), "{noted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_destroys_the_keys_and_then_the_files() {
    let mut scene = Scene::set().await;
    let before = files(scene.folder.path());
    let copy = tempfile::tempdir().unwrap();
    let stolen = copy.path().join("cache.db");
    connection(&before).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    std::fs::copy(before.database(), &stolen).unwrap();
    assert_eq!(scene.call(Command::SignOut { discard_waiting: false }).await, Ok(Reply::Done));
    let signed_out = |scene: &Scene| {
        scene.is_open() && scene.inbox.is_empty() && scene.connection.as_ref().unwrap().account.is_none()
    };
    scene.until("nobody is signed in", signed_out).await;
    let after = files(scene.folder.path());
    assert_ne!(after.keys().cache, before.keys().cache);
    assert_ne!(after.keys().kept, before.keys().kept);
    let log = std::fs::read(scene.folder.path().join("keychain.json")).unwrap();
    let old = format!("{:?}", before.keys().cache.bytes()).replace(' ', "");
    assert!(!String::from_utf8(log).unwrap().contains(&old), "the old key is gone");
    // What was copied before opens with no key that is left.
    let copied = Files::new(copy.path(), after.keys().clone());
    assert!(connection(&copied).query_row("SELECT count(*) FROM entry", [], |_| Ok(())).is_err());
    let copied = Files::new(copy.path(), before.keys().clone());
    connection(&copied).query_row("SELECT count(*) FROM entry", [], |_| Ok(())).unwrap();
}

#[tokio::test]
async fn what_comes_while_nobody_looks_is_told_until_it_is_read_or_somebody_does() {
    let mut scene = Scene::set().await;
    let client = scene.handle.as_ref().unwrap().client.clone();
    let mut news = client.news();
    client.attended(true);
    scene.says("somebody looks").await;
    client.attended(false);
    assert_eq!(*news.borrow_and_update(), 0);
    scene.says("nobody looks").await;
    let told = async |news: &mut tokio::sync::watch::Receiver<u32>, wanted: u32| {
        timeout(SOON, news.wait_for(|count| *count == wanted)).await.expect("it is told").unwrap();
    };
    told(&mut news, 1).await;
    scene.reply("one's own", 0).await;
    scene.says("nobody looks yet").await;
    told(&mut news, 2).await;
    let read = |upto| Command::MarkRead { conversation: scene.conversation.clone(), upto: Seq::new(upto) };
    let head = scene.inbox.iter().map(|row| row.conversation.head.get()).max().unwrap();
    assert_eq!(scene.call(read(head - 1)).await, Ok(Reply::Done));
    told(&mut news, 1).await;
    client.attended(true);
    told(&mut news, 0).await;
}
