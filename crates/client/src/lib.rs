//! The console's core: drives the engine, the cache and the socket. A window talks to it by [`Client::call`] and
//! [`Client::watch`], and nothing else.

mod address;
pub mod api;
mod attach;
mod beyond;
mod clock;
mod command;
mod core;
mod doubt;
mod entry;
mod live;
mod machine;
mod news;
mod passage;
mod policy;
mod room;
mod safe;
mod search;
mod settings;
mod sign_in;
pub mod socket;
mod splice;
mod told;
mod transfer;
mod trust;
mod vault;
mod view;
mod watch;

use api::{Command, Failure, Query, Reply, Update};
pub use attach::{Attachment, Content, Place};
use bedside_protocol::Seq;
pub use bedside_protocol::{ConversationId, File};
use bedside_store::{Reader, StoreError};
use core::Ask;
use live::Live;
pub use machine::{Ear, Machine, NoMachine, Said, SharedMachine, Stay, SystemMachine};
use news::News;
pub use policy::Policy;
use settings::Settings;
pub use settings::Shown;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};
pub use trust::{BadCertificate, Trust};
#[cfg(target_os = "linux")]
pub use vault::Polkit;
pub use vault::{Doorkeeper, NoDoorkeeper, NotLetIn, SharedDoorkeeper, system_doorkeeper};
pub use vault::{Keychain, NoKeychain, NoneAtAll, SharedKeychain, SystemKeychain};
use view::View;
use watch::Dirty;
pub use watch::Watcher;

/// What a core needs.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The cache's folder.
    pub folder: PathBuf,
    /// Where its keys are kept.
    pub keychain: SharedKeychain,
    /// What the machine's administrator has set.
    pub policy: Policy,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// Who opens a locked cache without a passphrase.
    pub doorkeeper: SharedDoorkeeper,
    /// The computer, which says when it sleeps and what it can spare.
    pub machine: SharedMachine,
}

/// The core's handle. It lives on as long as one of its clones does.
#[derive(Clone, Debug)]
pub struct Client {
    asks: mpsc::Sender<Ask>,
    shared: Arc<Shared>,
    runtime: tokio::runtime::Handle,
}

/// What may wait for the core.
const ASKS: usize = 64;

impl Client {
    /// Opens the cache and, if somebody is signed in there, begins to connect. Fails when another program has it;
    /// whatever else is wrong with it, [`Query::Connection`] says.
    pub fn start(setup: Setup, runtime: &tokio::runtime::Handle) -> Result<Self, StoreError> {
        let Setup { folder, keychain, policy, trust, doorkeeper, machine } = setup;
        let (asks, inbox) = mpsc::channel(ASKS);
        let (ear, said) = mpsc::unbounded_channel();
        // It makes the folder, for this program alone.
        let vault = vault::Vault::new(folder.clone(), keychain, policy.keep_nothing)?;
        let shared = Arc::new(Shared::new(Settings::read(&folder, policy.clone())));
        let core = core::Core::new(vault, doorkeeper, policy, trust, said, Arc::clone(&shared));
        let speaking = core::Running(runtime.spawn(machine.speak(ear)).abort_handle());
        runtime.spawn(async move {
            core.run(inbox).await;
            drop(speaking);
        });
        Ok(Self { asks, shared, runtime: runtime.clone() })
    }

    /// Does what a person wants, or says why not.
    pub async fn call(&self, command: Command) -> Result<Reply, Failure> {
        self.ask(|answer| Ask::Command(command, answer)).await
    }

    /// Attaches a file to a conversation's draft: once this is done, it is kept with it.
    pub async fn attach(&self, attachment: Attachment) -> Result<Reply, Failure> {
        // A large file takes a while to read.
        let read = self.runtime.spawn_blocking(move || (attachment.file(), attachment));
        let (file, Attachment { conversation, bytes, .. }) = read.await.map_err(|_| Failure::Storage)?;
        self.ask(|answer| Ask::Attach(conversation, file, bytes.into(), answer)).await
    }

    /// A conversation's file, from here or else from the server.
    pub async fn content(&self, place: Place) -> Result<Content, Failure> {
        self.ask(|answer| Ask::Content(place, answer)).await
    }

    /// What the window and the system around it are to do by the settings, as that changes.
    pub fn shown(&self) -> tokio::sync::watch::Receiver<Shown> {
        self.shared.settings.shown()
    }

    /// How many messages of patients came that nobody has seen, as that changes: what a notification may say.
    pub fn news(&self) -> tokio::sync::watch::Receiver<u32> {
        self.shared.told.subscribe()
    }

    /// Whether somebody looks at the window now.
    pub fn attended(&self, attended: bool) {
        self.shared.with_news(|news| news.attended(attended));
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<T, Failure>>) -> Ask,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(ask(answer)).await.map_err(|_| Failure::Storage)?;
        answered.await.map_err(|_| Failure::Storage)?
    }

    /// Starts a stream of updates; [`Watcher::set`] says of what.
    pub fn watch(&self) -> (Watcher, mpsc::Receiver<Update>) {
        watch::start(Arc::clone(&self.shared), &self.runtime)
    }
}

/// What views are made from, and who wants to know of changes.
#[derive(Debug)]
pub(crate) struct Shared {
    live: Mutex<Live>,
    reader: Mutex<Option<Reader>>,
    watchers: Mutex<Vec<mpsc::UnboundedSender<Dirty>>>,
    pub(crate) settings: Settings,
    news: Mutex<News>,
    told: tokio::sync::watch::Sender<u32>,
}

impl Shared {
    fn new(settings: Settings) -> Self {
        Self {
            live: Mutex::new(Live::signed_out(api::Link::SignedOut)),
            reader: Mutex::new(None),
            watchers: Mutex::new(Vec::new()),
            settings,
            news: Mutex::default(),
            told: tokio::sync::watch::Sender::new(0),
        }
    }

    /// What is to be committed. It is told once it is.
    pub(crate) fn heed(&self, changes: &[bedside_engine::Change]) {
        lock(&self.news).heed(changes);
    }

    pub(crate) fn with_news(&self, with: impl FnOnce(&mut News)) {
        with(&mut lock(&self.news));
        self.tell_news();
    }

    pub(crate) fn tell_news(&self) {
        let count = lock(&self.news).count();
        self.told.send_if_modified(|told| std::mem::replace(told, count) != count);
    }

    pub(crate) fn subscribe(&self) -> mpsc::UnboundedReceiver<Dirty> {
        let (sender, receiver) = mpsc::unbounded_channel();
        lock(&self.watchers).push(sender);
        receiver
    }

    pub(crate) fn publish(&self, dirty: &Dirty) {
        lock(&self.watchers).retain(|watcher| watcher.send(dirty.clone()).is_ok());
    }

    pub(crate) fn set_reader(&self, reader: Option<Reader>) {
        *lock(&self.reader) = reader;
    }

    pub(crate) fn with_live<T>(&self, with: impl FnOnce(&mut Live) -> T) -> T {
        with(&mut lock(&self.live))
    }

    /// Reads something of the cache.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Reader) -> Result<T, StoreError>) -> Result<T, Failure> {
        let reader = lock(&self.reader);
        read(reader.as_ref().ok_or(Failure::Locked)?).map_err(|error| {
            tracing::error!(%error, "the cache can't be read");
            Failure::Storage
        })
    }

    /// What the cache weighs, in bytes, while it is open.
    pub(crate) fn weight(&self) -> Option<u64> {
        lock(&self.reader).as_ref().and_then(|reader| reader.weight().ok())
    }

    /// What a query shows now.
    pub(crate) fn view(&self, query: &Query, first: Option<Seq>) -> Result<View, StoreError> {
        let live = lock(&self.live).clone();
        View::new(query, lock(&self.reader).as_ref(), &live, first)
    }
}

/// A panic elsewhere must not take the rest with it: what these locks guard is replaced as a whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
