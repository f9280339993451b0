//! A console without a passphrase, and a polkit of the test's own on a bus of the test's own.
#![cfg(target_os = "linux")]

use bedside_client::api::{
    Command, Connection, Failure, Keeper, LockedBy, Opener, Patch, Query, Reply, SetBy, Setting, Update,
    Vault,
};
use bedside_client::{
    Client, Doorkeeper, Ear, Machine, NoDoorkeeper, NotLetIn, Policy, Polkit, Said, Setup, Stay, Watcher,
};
use bedside_tests::bus::PrivateBus;
use bedside_tests::keychain::setup;
use bedside_tests::program::SOON;
use bedside_tests::trust;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use zbus::zvariant::OwnedValue;

const ACTION: &str = "health.bedside.console.unlock";

/// What the authority answers: authorised, somebody else would have to ask, and remarks.
type Answer = (bool, bool, HashMap<String, String>);

fn allowed() -> Answer {
    (true, false, HashMap::new())
}

fn refused() -> Answer {
    (false, false, HashMap::new())
}

fn dismissed() -> Answer {
    (false, false, [("polkit.dismissed".to_owned(), "true".to_owned())].into())
}

fn nothing_that_asks() -> Answer {
    (false, true, HashMap::new())
}

/// polkit, as far as a console asks it. Each question waits for the test's answer.
struct Authority {
    actions: Vec<&'static str>,
    questions: mpsc::UnboundedSender<Question>,
}

/// What was asked about whom, and where the answer goes.
struct Question {
    kind: String,
    who: String,
    asker: String,
    action: String,
    flags: u32,
    answer: oneshot::Sender<Answer>,
}

#[zbus::interface(name = "org.freedesktop.PolicyKit1.Authority")]
impl Authority {
    async fn check_authorization(
        &self,
        #[zbus(header)] header: zbus::message::Header<'_>,
        subject: (String, HashMap<String, OwnedValue>),
        action: String,
        _remarks: HashMap<String, String>,
        flags: u32,
        _cancellation: String,
    ) -> (Answer,) {
        if flags == 0 {
            return ((false, self.actions.contains(&action.as_str()), HashMap::new()),);
        }
        let (answer, answered) = oneshot::channel();
        let who = subject.1.get("name").and_then(|name| <&str>::try_from(name).ok()).unwrap_or_default();
        let asker = header.sender().map(ToString::to_string).unwrap_or_default();
        let question = Question { kind: subject.0, who: who.to_owned(), asker, action, flags, answer };
        let _gone = self.questions.send(question);
        (answered.await.unwrap_or_else(|_| refused()),)
    }
}

/// An authority that knows these actions, and what it is asked.
async fn authority(
    bus: &PrivateBus,
    actions: &[&'static str],
) -> (zbus::Connection, mpsc::UnboundedReceiver<Question>) {
    let (questions, asked) = mpsc::unbounded_channel();
    let authority = Authority { actions: actions.to_vec(), questions };
    let builder = zbus::connection::Builder::address(bus.address()).unwrap();
    let builder = builder.serve_at("/org/freedesktop/PolicyKit1/Authority", authority).unwrap();
    (builder.name("org.freedesktop.PolicyKit1").unwrap().build().await.unwrap(), asked)
}

struct Scene {
    folder: TempDir,
    client: Option<Client>,
    watcher: Option<Watcher>,
    updates: mpsc::Receiver<Update>,
    connection: Option<Connection>,
}

impl Scene {
    fn set(setup_of: impl FnOnce(Setup) -> Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (_, updates) = mpsc::channel(1);
        let mut scene = Self { folder, client: None, watcher: None, updates, connection: None };
        scene.start(setup_of);
        scene
    }

    fn start(&mut self, setup_of: impl FnOnce(Setup) -> Setup) {
        let setup = setup_of(setup(self.folder.path(), trust()));
        let client = Client::start(setup, &tokio::runtime::Handle::current()).expect("a console");
        let (watcher, updates) = client.watch();
        watcher.set([Query::Connection]);
        (self.client, self.watcher, self.updates, self.connection) =
            (Some(client), Some(watcher), updates, None);
    }

    /// Ends the program and starts it again, once its folder is free.
    async fn start_again(&mut self, doorkeeper: impl Doorkeeper + 'static) {
        (self.client, self.watcher) = (None, None);
        let doorkeeper: Arc<dyn Doorkeeper> = Arc::new(doorkeeper);
        let folder = self.folder.path().to_owned();
        let free = async {
            while bedside_store::lock(&folder).is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(SOON, free).await.expect("the program ends");
        self.start(|setup| Setup { doorkeeper, ..setup });
    }

    async fn call(&self, command: Command) -> Result<Reply, Failure> {
        timeout(SOON, self.client.as_ref().unwrap().call(command)).await.expect("it answers")
    }

    fn vault(&self) -> Option<Vault> {
        self.connection.as_ref().map(|connection| connection.vault)
    }

    async fn until(&mut self, wanted: impl Fn(Vault) -> bool) {
        while !self.vault().is_some_and(&wanted) {
            let update = timeout(SOON, self.updates.recv()).await;
            let update = update.unwrap_or_else(|_| panic!("it never came to be: {:?}", self.vault()));
            if let Patch::Connection { connection } = update.expect("updates").patch {
                self.connection = Some(connection);
            }
        }
    }

    /// Asks for it to be opened, and gives the authority's answer.
    async fn unlock(
        &self,
        questions: &mut mpsc::UnboundedReceiver<Question>,
        answer: Answer,
    ) -> Result<Reply, Failure> {
        let asks = self.call(Command::UnlockBySystem);
        let says = async {
            let question = timeout(SOON, questions.recv()).await.expect("it is asked").expect("a question");
            assert_eq!((question.kind.as_str(), question.action.as_str()), ("system-bus-name", ACTION));
            assert_eq!(question.who, question.asker, "about nobody but itself");
            assert_eq!(question.flags, 1, "the person may be asked");
            question.answer.send(answer).unwrap();
        };
        tokio::join!(asks, says).0
    }
}

fn opened_by(opener: Option<Opener>) -> impl Fn(Vault) -> bool {
    move |vault| matches!(vault, Vault::Open { opener: now, .. } if now == opener)
}

const LOCKED: Vault = Vault::Locked { by: LockedBy::Person, opener: Opener::System, waiting: 0 };

fn with(polkit: Polkit) -> impl FnOnce(Setup) -> Setup {
    move |setup| Setup { doorkeeper: Arc::new(polkit), ..setup }
}

#[tokio::test]
async fn whoever_the_system_knows_opens_it_and_nobody_else() {
    let bus = PrivateBus::start();
    let (_authority, mut questions) = authority(&bus, &["org.example.other", ACTION]).await;
    let mut scene = Scene::set(with(Polkit::at(bus.address().to_owned())));
    scene.until(opened_by(Some(Opener::System))).await;
    assert_eq!(scene.call(Command::Lock).await, Ok(Reply::Done));
    scene.until(|vault| vault == LOCKED).await;
    assert_eq!(scene.call(Command::SystemUnlock).await, Ok(Reply::SystemUnlock { there: true }));
    assert_eq!(scene.unlock(&mut questions, refused()).await, Err(Failure::NotRecognised));
    assert_eq!(scene.unlock(&mut questions, dismissed()).await, Err(Failure::Dismissed));
    assert_eq!(scene.unlock(&mut questions, nothing_that_asks()).await, Err(Failure::NoSystemUnlock));
    let passphrase = "no such thing".to_owned();
    assert_eq!(scene.call(Command::Unlock { passphrase }).await, Err(Failure::NoPassphrase));
    scene.until(|vault| vault == LOCKED).await;
    assert_eq!(scene.unlock(&mut questions, allowed()).await, Ok(Reply::Done));
    scene.until(opened_by(Some(Opener::System))).await;
    assert!(questions.try_recv().is_err(), "it asks when somebody wants in, and not before");
    // What was opened and not locked again opens by itself.
    scene.start_again(NoDoorkeeper).await;
    scene.until(opened_by(None)).await;
}

#[tokio::test]
async fn a_person_who_takes_their_time_holds_up_nothing() {
    let bus = PrivateBus::start();
    let (_authority, mut questions) = authority(&bus, &[ACTION]).await;
    let mut scene = Scene::set(with(Polkit::at(bus.address().to_owned())));
    scene.until(opened_by(Some(Opener::System))).await;
    scene.call(Command::Lock).await.unwrap();
    let client = scene.client.clone().unwrap();
    let waits = tokio::spawn(async move { client.call(Command::UnlockBySystem).await });
    let question = timeout(SOON, questions.recv()).await.expect("it is asked").expect("a question");
    assert_eq!(scene.call(Command::UnlockBySystem).await, Err(Failure::Locked), "one question at a time");
    // Somebody signs out instead: what the answer is for is gone.
    assert_eq!(scene.call(Command::SignOut { discard_waiting: true }).await, Ok(Reply::Done));
    question.answer.send(allowed()).unwrap();
    assert_eq!(timeout(SOON, waits).await.expect("it answers").unwrap(), Err(Failure::Locked));
    scene.until(opened_by(Some(Opener::System))).await;
}

#[tokio::test]
async fn it_stays_locked_over_a_restart_also_where_nobody_can_be_asked() {
    let bus = PrivateBus::start();
    let (authority_gone, _) = authority(&bus, &[ACTION]).await;
    let mut scene = Scene::set(with(Polkit::at(bus.address().to_owned())));
    scene.until(opened_by(Some(Opener::System))).await;
    scene.call(Command::Lock).await.unwrap();
    let at_start = Vault::Locked { by: LockedBy::Start, opener: Opener::System, waiting: 0 };
    scene.start_again(NoDoorkeeper).await;
    scene.until(|vault| vault == at_start).await;
    assert_eq!(scene.call(Command::UnlockBySystem).await, Err(Failure::NoSystemUnlock));
    assert_eq!(scene.call(Command::OpenCache).await, Err(Failure::Locked));
    // polkit isn't there at first, and is installed then.
    authority_gone.close().await.unwrap();
    scene.start_again(Polkit::at(bus.address().to_owned())).await;
    scene.until(|vault| vault == at_start).await;
    assert_eq!(scene.call(Command::SystemUnlock).await, Ok(Reply::SystemUnlock { there: false }));
    let (_authority, mut questions) = authority(&bus, &[ACTION]).await;
    assert_eq!(scene.call(Command::SystemUnlock).await, Ok(Reply::SystemUnlock { there: true }));
    assert_eq!(scene.unlock(&mut questions, allowed()).await, Ok(Reply::Done));
    scene.until(opened_by(Some(Opener::System))).await;
}

#[tokio::test]
async fn without_polkit_its_action_or_leave_it_does_not_lock() {
    let bus = PrivateBus::start();
    assert!(!is_there(&bus).await);
    let (_authority, _questions) = authority(&bus, &["org.example.other"]).await;
    assert!(!is_there(&bus).await, "it doesn't know the action");
    let nowhere = Polkit::at("unix:path=/nowhere/at/all".to_owned());
    assert_eq!(tokio::task::spawn_blocking(move || nowhere.ask()).await.unwrap(), Err(NotLetIn::Absent));
    let other = PrivateBus::start();
    let (_other_authority, _) = authority(&other, &[ACTION]).await;
    let policy = Policy { system_unlock: Some(false), ..Policy::default() };
    let polkit = Polkit::at(other.address().to_owned());
    let mut scene = Scene::set(|setup| Setup { doorkeeper: Arc::new(polkit), policy, ..setup });
    scene.until(opened_by(None)).await;
    assert_eq!(scene.call(Command::SystemUnlock).await, Ok(Reply::SystemUnlock { there: true }));
    assert_eq!(scene.call(Command::Lock).await, Err(Failure::NoPassphrase));
    let on = Command::Set { setting: Setting::SystemUnlock { on: true } };
    assert_eq!(scene.call(on).await, Err(Failure::SetByPolicy));
}

#[tokio::test]
async fn what_is_set_holds_at_once_and_a_locked_console_takes_no_wishes() {
    let bus = PrivateBus::start();
    let (_authority, _questions) = authority(&bus, &[ACTION]).await;
    let mut scene = Scene::set(with(Polkit::at(bus.address().to_owned())));
    scene.until(opened_by(Some(Opener::System))).await;
    let set = |setting| Command::Set { setting };
    let Ok(Reply::Settings { settings }) = scene.call(set(Setting::IdleLock { minutes: 3 })).await else {
        panic!("it is set");
    };
    assert_eq!((settings.idle_lock_minutes, settings.system_unlock.set_by), (3, SetBy::User));
    let shorter = |vault| matches!(vault, Vault::Open { keeper: Keeper::Keychain, idle_minutes: 3, .. });
    scene.until(shorter).await;
    scene.call(set(Setting::SystemUnlock { on: false })).await.unwrap();
    scene.until(opened_by(None)).await;
    assert_eq!(scene.call(Command::Lock).await, Err(Failure::NoPassphrase));
    scene.call(set(Setting::SystemUnlock { on: true })).await.unwrap();
    scene.call(Command::Lock).await.unwrap();
    scene.until(|vault| vault == LOCKED).await;
    assert_eq!(scene.call(set(Setting::Notifications { on: false })).await, Err(Failure::Locked));
    assert_eq!(scene.call(Command::Settings).await, Err(Failure::Locked));
    scene.start_again(NoDoorkeeper).await;
    assert!(scene.client.as_ref().unwrap().shown().borrow().notifications);
}

/// Asked as the core does, beside everything else.
async fn is_there(bus: &PrivateBus) -> bool {
    let polkit = Polkit::at(bus.address().to_owned());
    tokio::task::spawn_blocking(move || polkit.is_there()).await.unwrap()
}

/// Lets everybody in, and counts them.
#[derive(Debug, Default)]
struct Counting(AtomicU32);

impl Doorkeeper for Counting {
    fn is_there(&self) -> bool {
        true
    }

    fn ask(&self) -> Result<(), NotLetIn> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test]
async fn where_there_is_a_passphrase_the_system_is_not_asked() {
    let doorkeeper = Arc::new(Counting::default());
    let asked = Arc::clone(&doorkeeper);
    let mut scene = Scene::set(|setup| Setup { doorkeeper, ..setup });
    scene.until(opened_by(Some(Opener::System))).await;
    let new = "correct horse".to_owned();
    scene.call(Command::SetPassphrase { current: None, new: new.clone() }).await.unwrap();
    scene.until(opened_by(Some(Opener::Passphrase))).await;
    scene.call(Command::Lock).await.unwrap();
    scene.until(|vault| matches!(vault, Vault::Locked { opener: Opener::Passphrase, .. })).await;
    assert_eq!(scene.call(Command::UnlockBySystem).await, Err(Failure::Locked));
    assert_eq!(asked.0.load(Ordering::Relaxed), 0);
    assert_eq!(scene.call(Command::Unlock { passphrase: new }).await, Ok(Reply::Done));
    scene.start_again(NoDoorkeeper).await;
    scene.until(opened_by(Some(Opener::Passphrase))).await;
}

/// Somebody who can't be asked before the screen's lock was told of; who tells of it, when the console starts.
#[derive(Debug, Default)]
struct LockedAtStart(Arc<(Mutex<bool>, Condvar)>);

impl Machine for LockedAtStart {
    fn speak(&self, ear: Ear) -> BoxFuture<'static, ()> {
        let told = Arc::clone(&self.0);
        Box::pin(async move {
            ear.send(Said::Locked).expect("a console");
            *told.0.lock().unwrap() = true;
            told.1.notify_all();
        })
    }
}

impl Doorkeeper for LockedAtStart {
    fn is_there(&self) -> bool {
        let told = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(told, |told| !*told).unwrap());
        true
    }

    fn ask(&self) -> Result<(), NotLetIn> {
        Ok(())
    }
}

#[tokio::test]
async fn a_screens_lock_that_comes_before_it_is_known_what_opens_it_locks_it_then() {
    let started = LockedAtStart::default();
    let doorkeeper = Arc::new(LockedAtStart(Arc::clone(&started.0)));
    let mut scene = Scene::set(|setup| Setup { doorkeeper, machine: Arc::new(started), ..setup });
    let locked = Vault::Locked { by: LockedBy::Session, opener: Opener::System, waiting: 0 };
    scene.until(|vault| vault == locked).await;
    assert_eq!(scene.call(Command::UnlockBySystem).await, Ok(Reply::Done));
}

/// Isn't there when the console opens, nor when it is looked for once more.
#[derive(Debug, Default)]
struct Late(AtomicU32);

impl Doorkeeper for Late {
    fn is_there(&self) -> bool {
        2 <= self.0.fetch_add(1, Ordering::SeqCst)
    }

    fn ask(&self) -> Result<(), NotLetIn> {
        Ok(())
    }
}

/// Says what the test says.
#[derive(Debug)]
struct Told(Mutex<Option<mpsc::UnboundedReceiver<Said>>>);

impl Machine for Told {
    fn speak(&self, ear: Ear) -> BoxFuture<'static, ()> {
        let mut says = self.0.lock().unwrap().take().expect("it speaks once");
        Box::pin(async move {
            while let Some(said) = says.recv().await {
                let _gone = ear.send(said);
            }
        })
    }
}

#[tokio::test]
async fn polkit_that_comes_after_the_console_opens_what_the_screen_locks() {
    let doorkeeper = Arc::new(Late::default());
    let (says, told) = mpsc::unbounded_channel();
    let machine = Arc::new(Told(Mutex::new(Some(told))));
    let mut scene = Scene::set(|setup| Setup { doorkeeper, machine, ..setup });
    scene.until(opened_by(None)).await;
    assert_eq!(scene.call(Command::SystemUnlock).await, Ok(Reply::SystemUnlock { there: false }));
    says.send(Said::Locked).unwrap();
    let locked = Vault::Locked { by: LockedBy::Session, opener: Opener::System, waiting: 0 };
    scene.until(|vault| vault == locked).await;
}

#[tokio::test]
async fn a_yes_to_an_earlier_lock_opens_nothing() {
    let bus = PrivateBus::start();
    let (_authority, mut questions) = authority(&bus, &[ACTION]).await;
    let (says, told) = mpsc::unbounded_channel();
    let doorkeeper = Arc::new(Polkit::at(bus.address().to_owned()));
    let machine = Arc::new(Told(Mutex::new(Some(told))));
    let mut scene = Scene::set(|setup| Setup { doorkeeper, machine, ..setup });
    scene.until(opened_by(Some(Opener::System))).await;
    scene.call(Command::Lock).await.unwrap();
    scene.until(|vault| vault == LOCKED).await;
    let asks = scene.call(Command::UnlockBySystem);
    let leaves = async {
        let question = timeout(SOON, questions.recv()).await.expect("it is asked").expect("a question");
        let (stays, slept) = oneshot::channel::<()>();
        says.send(Said::Sleeps(Stay::new(stays))).unwrap();
        assert!(timeout(SOON, slept).await.expect("it lets the computer sleep").is_err());
        question.answer.send(allowed()).unwrap();
    };
    assert_eq!(tokio::join!(asks, leaves).0, Err(Failure::Locked));
}
