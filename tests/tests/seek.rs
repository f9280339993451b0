//! What a console doesn't keep is found on its server, shown where it stands, and kept no more than before; without a network it
//! says so, and shows it once there is one.

use bedside_client::api::{Command, ConversationHead, Failure, Found, Item, Missing, Patch, Query, Reach};
use bedside_client::{Client, Policy, Setup};
use bedside_engine::Cached;
use bedside_protocol::{Body, ClientFrame, ConversationId, Entry, Phase, Send, Seq, State};
use bedside_store::Reader;
use bedside_tests::cast::{AMARA, ANDRE, MARTHA};
use bedside_tests::chat::{SignIn, new_id};
use bedside_tests::keychain::{files, setup};
use bedside_tests::program::{SOON, eventually};
use bedside_tests::server::Server;
use bedside_tests::wire::Wire;
use bedside_tests::{client, trust};
use std::path::Path;
use tokio::time::timeout;

/// Amara's, which keeps the newest messages of each conversation alone.
async fn amara(folder: &Path, server: &Server) -> Client {
    let policy = Policy { own_conversations_only: true, ..Policy::default() };
    let client = client::start(|| Setup { policy: policy.clone(), ..setup(folder, trust()) }).await;
    let sign_in = Command::SignInDemo { server: server.url(), name: AMARA.to_owned() };
    let answer = client.call(sign_in).await;
    assert!(answer.is_ok() || answer == Err(Failure::SignedIn), "{answer:?}");
    client
}

async fn patient(server: &Server, name: &str) -> (Wire, ConversationId) {
    let wire = Wire::sign_in(&SignIn::patient(&server.url(), name)).await;
    let conversation = wire.conversation.clone().expect("a patient has a conversation");
    (wire, conversation)
}

/// Closes a conversation as if long ago.
async fn close(server: &mut Server, conversation: &ConversationId) {
    let mut amara = Wire::sign_in(&SignIn::provider(&server.url(), AMARA)).await;
    let id = new_id();
    let body = Body::State(State { state: Phase::Closed, until: None, extra: Default::default() });
    let (conversation, seen) = (conversation.clone(), Seq::MAX);
    amara.emit(ClientFrame::Send(Send { id, conversation, seen, body, from: None, force: false }));
    amara.answer(id).await.expect("closed");
    server.kill();
    let log = rusqlite::Connection::open(server.log()).expect("the server's log");
    let closed = log.execute("UPDATE conversations SET closed_at = 1000 WHERE closed_at IS NOT NULL", []);
    assert_eq!(closed, Ok(1));
    drop(log);
    server.start_again().await;
}

/// Waits until a search, as a window has it, is as wanted.
async fn found(client: &Client, text: &str, wanted: impl Fn(&Found) -> bool) -> Found {
    let (watcher, mut updates) = client.watch();
    watcher.set(vec![Query::Search { text: text.to_owned() }]);
    let found = async {
        loop {
            let update = updates.recv().await.expect("the core runs");
            if let Patch::Search { found } = update.patch
                && wanted(&found)
            {
                return found;
            }
        }
    };
    timeout(SOON, found).await.expect("it comes to be found")
}

fn is_answered(found: &Found) -> bool {
    matches!(found.beyond.reach, Reach::Answered { .. })
}

/// Searches here and on the server, whose index knows all by then.
async fn search(client: &Client, text: &str) -> Found {
    loop {
        client.call(Command::Search { text: text.to_owned() }).await.expect("a search");
        let found = found(client, text, is_answered).await;
        if found.covers.unindexed == 0
            && found.beyond.reach == (Reach::Answered { back_to: None, unindexed: 0 })
        {
            return found;
        }
    }
}

/// Jumps to an entry, and looks at so many around it.
async fn jump(client: &Client, entry: &Entry, around: u64) -> Query {
    let (conversation, at) = (entry.conversation.clone(), entry.seq);
    let (from, to) = (at.minus(around), Some(at.plus(around)));
    client.call(Command::Open { conversation: Some(conversation.clone()) }).await.expect("open");
    client.call(Command::Look { conversation: conversation.clone(), at, from, to }).await.expect("looking");
    Query::Passage { id: conversation, at, from, to }
}

type Passage = (Option<ConversationHead>, Vec<u64>, Option<Missing>);

/// Waits until a part of a conversation is as wanted.
async fn passage(client: &Client, query: Query, wanted: impl Fn(&Passage) -> bool) -> Passage {
    let (watcher, mut updates) = client.watch();
    watcher.set(vec![query]);
    let (mut shown, mut all): (Passage, Vec<Item>) = Default::default();
    let looked = async {
        loop {
            let update = updates.recv().await.expect("the core runs");
            if let Patch::Passage { head, items, missing, .. } = update.patch {
                if update.revision == 1 {
                    (shown.0, all) = Default::default();
                }
                let at = items.at as usize;
                all.splice(at..at + items.remove as usize, items.insert);
                let seqs = all.iter().filter_map(|item| match item {
                    Item::Entry { entry } => Some(entry.seq.get()),
                    Item::Outgoing { .. } => None,
                });
                shown = (head.or(shown.0.take()), seqs.collect(), missing);
                if wanted(&shown) {
                    return shown;
                }
            }
        }
    };
    timeout(SOON, looked).await.expect("it comes to be shown")
}

/// What the cache holds of a conversation.
fn cached(folder: &Path, conversation: &ConversationId) -> Option<Cached> {
    let reader = Reader::open(&files(folder)).expect("the cache");
    reader.snapshot().expect("the cache").conversations.remove(conversation)
}

fn ids(hits: &[bedside_client::api::Hit]) -> Vec<String> {
    hits.iter().map(|hit| hit.entry.id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_is_found_on_the_server_and_shown_where_it_stands() {
    let mut server = Server::start_with(&["--sends-per-s", "1000"]).await;
    let (mut martha, of_martha) = patient(&server, MARTHA).await;
    let mut said = Vec::new();
    for n in 0..260 {
        let text = if [30, 250].contains(&n) { "My inhaler is empty" } else { "Nothing new" };
        said.push(martha.say(&of_martha, text).await);
    }
    let (mut andre, of_andre) = patient(&server, ANDRE).await;
    let closed = andre.say(&of_andre, "The blue inhaler makes my hands shake").await;
    drop((martha, andre));
    close(&mut server, &of_andre).await;

    let folder = tempfile::tempdir().expect("a folder");
    let client = amara(folder.path(), &server).await;
    let held = || cached(folder.path(), &of_martha).and_then(|cached| cached.range);
    eventually("the newest are here", async || held().is_some_and(|held| held.len() >= 50)).await;
    let before = held();
    assert_eq!(cached(folder.path(), &of_andre), None, "what was closed long ago doesn't come");

    let (early, late) = (&said[30], &said[250]);
    let hits = search(&client, "inhal").await;
    assert_eq!(ids(&hits.hits), [late.id.to_string()]);
    assert_eq!(ids(&hits.beyond.hits), [closed.id.to_string(), early.id.to_string()]);
    assert_eq!(hits.beyond.hits[0].patient, ANDRE);
    let filtered = search(&client, "inhal patient:martha from:patient").await;
    assert_eq!(ids(&filtered.beyond.hits), [early.id.to_string()]);
    client.call(Command::Search { text: "inhal is:unread".into() }).await.expect("a search");
    found(&client, "inhal is:unread", |found| found.beyond.reach == Reach::Unread).await;

    let query = jump(&client, early, 10).await;
    let (head, seqs, _) = passage(&client, query, |(_, _, missing)| missing.is_none()).await;
    let around = |at: Seq, n: u64| (at.minus(n).get()..=at.plus(n).get()).collect::<Vec<_>>();
    assert_eq!(seqs, around(early.seq, 10));
    let head = head.expect("Martha's conversation is kept");
    assert_eq!((head.kept, head.older, head.newer), (true, true, true));
    assert_eq!(held(), before, "and nothing more than before is");

    let query = jump(&client, &closed, 10).await;
    let (head, seqs, _) =
        passage(&client, query, |(head, _, missing)| head.is_some() && missing.is_none()).await;
    let head = head.expect("it came with its summary");
    assert_eq!((head.kept, head.conversation.patient.name.as_str()), (false, ANDRE));
    assert!(seqs.contains(&closed.seq.get()) && !head.newer, "{seqs:?}");
    assert_eq!(cached(folder.path(), &of_andre), None);

    // Without the server nothing is silently less, and with it all comes.
    server.kill();
    let query = jump(&client, &said[90], 5).await;
    let (_, seqs, _) =
        passage(&client, query.clone(), |(_, _, missing)| *missing == Some(Missing::Offline)).await;
    assert_eq!(seqs, [] as [u64; 0]);
    client.call(Command::Search { text: "nothing".into() }).await.expect("a search");
    let kept = found(&client, "nothing", |found| found.beyond.reach == Reach::Offline).await;
    assert!(!kept.hits.is_empty() && kept.beyond.hits.is_empty());
    server.start_again().await;
    let (_, seqs, _) = passage(&client, query, |(_, _, missing)| missing.is_none()).await;
    assert_eq!(seqs, around(said[90].seq, 5));
    let all = found(&client, "nothing", is_answered).await;
    assert!(!all.beyond.hits.is_empty());

    // Nothing of it is to be had from a locked console.
    let passphrase = Command::SetPassphrase { current: None, new: "four green apples".into() };
    client.call(passphrase).await.expect("a passphrase");
    client.call(Command::Lock).await.expect("locked");
    let locked = found(&client, "nothing", |_| true).await;
    assert_eq!((locked.hits.len(), locked.beyond.hits.len()), (0, 0));
}
