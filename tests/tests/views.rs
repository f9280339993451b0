//! What a window has folded together from numbered differences equals a fresh look at the cache, whatever happened in
//! between: messages either way, read marks, drafts, a server killed, a console started anew.

use bedside_client::api::{
    Command, Connection, ConversationHead, Found, InboxRow, Item, Link, Outgoing, Patch, Query,
};
use bedside_client::api::{Splice, Update};
use bedside_client::{Client, Watcher};
use bedside_protocol::{ConversationId, Seq};
use bedside_tests::cast;
use bedside_tests::chat::SignIn;
use bedside_tests::client::amara;
use bedside_tests::server::Server;
use bedside_tests::wire::Wire;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(60);

/// What a window holds of one query.
#[derive(Clone, Debug, Default, PartialEq)]
struct Screen {
    connection: Option<Connection>,
    inbox: Vec<InboxRow>,
    head: Option<ConversationHead>,
    items: Vec<Item>,
    outbox: Vec<Outgoing>,
    found: Option<Found>,
}

impl Screen {
    fn fold(&mut self, patch: Patch) {
        match patch {
            Patch::Connection { connection } => self.connection = Some(connection),
            Patch::Inbox { rows } => splice(&mut self.inbox, rows),
            Patch::Conversation { head, items } => {
                self.head = head.or(self.head.take());
                splice(&mut self.items, items);
            }
            Patch::Passage { head, items, .. } => {
                self.head = head.or(self.head.take());
                splice(&mut self.items, items);
            }
            Patch::Outbox { rows } => splice(&mut self.outbox, rows),
            Patch::Search { found } => self.found = Some(found),
        }
    }
}

fn splice<T>(rows: &mut Vec<T>, splice: Splice<T>) {
    let at = splice.at as usize;
    rows.splice(at..at + splice.remove as usize, splice.insert);
}

/// A window.
struct Window {
    _watcher: Watcher,
    updates: mpsc::Receiver<Update>,
    revisions: BTreeMap<Query, u32>,
    screens: BTreeMap<Query, Screen>,
}

impl Window {
    fn open(client: &Client, queries: &[Query]) -> Self {
        let (watcher, updates) = client.watch();
        watcher.set(queries.to_vec());
        Self { _watcher: watcher, updates, revisions: BTreeMap::new(), screens: BTreeMap::new() }
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(&BTreeMap<Query, Screen>) -> bool) {
        while !wanted(&self.screens) {
            let update = timeout(SOON, self.updates.recv()).await;
            self.take(update.unwrap_or_else(|_| panic!("never: {what}")).expect("the core runs"));
        }
    }

    fn take(&mut self, update: Update) {
        let known = self.revisions.entry(update.query.clone()).or_default();
        if update.revision == 1 {
            self.screens.remove(&update.query);
        } else {
            assert_eq!(update.revision, *known + 1, "revisions have no gap");
        }
        *known = update.revision;
        self.screens.entry(update.query).or_default().fold(update.patch);
    }
}

/// Fewer than the conversation will have.
const NEWEST: u32 = 5;

fn queries(conversation: &ConversationId, newest: u32) -> [Query; 4] {
    let id = conversation.clone();
    [Query::Connection, Query::Inbox, Query::Conversation { id, newest }, Query::Outbox]
}

/// Online, all fetched, all sent, and the newest entry is on the screen.
fn settled(screens: &BTreeMap<Query, Screen>, head: u64) -> bool {
    let connection = screens.get(&Query::Connection).and_then(|screen| screen.connection.as_ref());
    let quiet = connection.is_some_and(|connection| {
        matches!(connection.link, Link::Live { .. }) && connection.catching_up == 0 && connection.waiting == 0
    });
    let shown = screens.values().find_map(|screen| screen.head.as_ref());
    let outbox = screens.get(&Query::Outbox).is_some_and(|screen| screen.outbox.is_empty());
    quiet && outbox && shown.is_some_and(|shown| shown.loaded_upto == Seq::new(head))
}

/// The window comes to hold what one that is opened now holds. Updates may still be under way to either, so this
/// waits until they agree; if folding went wrong they never do.
async fn agrees(client: &Client, window: &mut Window, conversation: &ConversationId, head: u64) {
    window.until("settled", |screens| settled(screens, head)).await;
    // What came while it was watched was added: a fresh look shows as much only if it asks for it.
    let held = window.screens.values().map(|screen| screen.items.len()).max().unwrap_or_default();
    let mut fresh = Window::open(client, &queries(conversation, u32::try_from(held).expect("a few")));
    fresh.until("settled, freshly opened", |screens| settled(screens, head)).await;
    let agree = async {
        while comparable(&window.screens) != comparable(&fresh.screens) {
            tokio::select! {
                update = window.updates.recv() => window.take(update.expect("the core runs")),
                update = fresh.updates.recv() => fresh.take(update.expect("the core runs")),
            }
        }
    };
    if timeout(SOON, agree).await.is_err() {
        assert_eq!(comparable(&window.screens), comparable(&fresh.screens));
    }
}

/// In the queries' order. Where the line "New" stands is each watch's own.
fn comparable(screens: &BTreeMap<Query, Screen>) -> Vec<Screen> {
    let mut screens: Vec<_> = screens.values().cloned().collect();
    screens.iter_mut().filter_map(|screen| screen.head.as_mut()).for_each(|head| head.read_upto = Seq::ZERO);
    screens
}

#[tokio::test(flavor = "multi_thread")]
async fn folded_differences_equal_a_fresh_look() {
    let mut server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut client = amara(folder.path(), &server.url()).await;
    let patient = SignIn::patient(&server.url(), cast::MARTHA);
    let mut wire = Wire::sign_in(&patient).await;
    let conversation = wire.conversation.clone().expect("a patient has a conversation");
    // The patient's first message brings the wait-time message with it.
    wire.say(&conversation, "a first message").await;
    let mut head = 2;
    let mut window = Window::open(&client, &queries(&conversation, NEWEST));
    agrees(&client, &mut window, &conversation, head).await;
    for round in 1..=6 {
        for n in 0..round {
            wire.say(&conversation, &format!("message {n} of round {round}")).await;
            head += 1;
        }
        window.until("the patient's messages", |screens| settled(screens, head)).await;
        let text = format!("answer to round {round}");
        let draft = Command::SaveDraft { conversation: conversation.clone(), text: text.clone(), cursor: 0 };
        client.call(draft).await.expect("kept");
        agrees(&client, &mut window, &conversation, head).await;
        if round == 3 {
            server.kill();
            let text = "written while the server was away".to_owned();
            let send = Command::Send {
                conversation: conversation.clone(),
                text,
                files: vec![],
                seen: Seq::new(head),
                hold_ms: 0,
            };
            client.call(send).await.expect("kept");
            let waits = |screens: &BTreeMap<Query, Screen>| screens[&Query::Outbox].outbox.len() == 1;
            window.until("the message is seen to wait", waits).await;
            server.start_again().await;
            head += 1;
            window.until("the message is sent", |screens| settled(screens, head)).await;
            wire = Wire::sign_in(&patient).await;
        }
        if round == 5 {
            drop((window, client));
            client = amara(folder.path(), &server.url()).await;
            window = Window::open(&client, &queries(&conversation, NEWEST));
        }
        let send = Command::Send {
            conversation: conversation.clone(),
            text,
            files: vec![],
            seen: Seq::new(head),
            hold_ms: 0,
        };
        client.call(send).await.expect("kept");
        head += 1;
        let mark = Command::MarkRead { conversation: conversation.clone(), upto: Seq::new(head - 1) };
        client.call(mark).await.expect("kept");
        agrees(&client, &mut window, &conversation, head).await;
    }
}
