//! A console's core in the test's own process.

use crate::cast::AMARA;
use crate::keychain::setup;
use crate::program::{SOON, eventually};
use crate::trust;
use bedside_client::api::{Command, Connection, Failure, Item, Patch, Query};
use bedside_client::{Client, Setup};
use bedside_protocol::{ConversationId, File};
use bedside_store::StoreError;
use std::path::Path;
use tokio::time::timeout;

/// Starts one. A core that was dropped ends a moment later, and until then the cache is its own.
pub async fn start(setup: impl Fn() -> Setup) -> Client {
    let mut started = None;
    eventually("the cache is free", async || {
        started = match Client::start(setup(), &tokio::runtime::Handle::current()) {
            Err(StoreError::InUse) => None,
            client => Some(client.expect("a cache")),
        };
        started.is_some()
    })
    .await;
    started.expect("a console")
}

/// Starts Amara's, signed in at a demonstration server.
pub async fn amara(folder: &Path, server: &str) -> Client {
    let client = start(|| setup(folder, trust())).await;
    let sign_in = Command::SignInDemo { server: server.to_owned(), name: AMARA.to_owned() };
    let answer = client.call(sign_in).await;
    assert!(answer.is_ok() || answer == Err(Failure::SignedIn), "{answer:?}");
    client
}

/// Waits until the connection, as a window has it, is as wanted.
pub async fn connection(
    client: &Client,
    what: &str,
    mut wanted: impl FnMut(&Connection) -> bool,
) -> Connection {
    let (watcher, mut updates) = client.watch();
    watcher.set(vec![Query::Connection]);
    let mut last = None;
    let found = async {
        while let Patch::Connection { connection } = updates.recv().await.expect("the core runs").patch {
            if wanted(&connection) {
                return connection;
            }
            last = Some(connection);
        }
        panic!("another query's update");
    };
    match timeout(SOON, found).await {
        Ok(connection) => connection,
        Err(_) => panic!("it never came to be: {what}; {last:?}"),
    }
}

/// Waits until a conversation, as a window has it, is as wanted: its newest items, and what is attached to its draft.
pub async fn shown<T>(
    client: &Client,
    id: &ConversationId,
    mut wanted: impl FnMut(&[Item], &[File]) -> Option<T>,
) -> T {
    let (watcher, mut updates) = client.watch();
    watcher.set(vec![Query::Conversation { id: id.clone(), newest: 50 }]);
    let (mut items, mut files) = (Vec::new(), Vec::new());
    let found = async {
        loop {
            let update = updates.recv().await.expect("the core runs");
            if let Patch::Conversation { head, items: splice } = update.patch {
                if update.revision == 1 {
                    items.clear();
                }
                files = head.map_or(files, |head| head.files);
                let at = splice.at as usize;
                items.splice(at..at + splice.remove as usize, splice.insert);
                if let Some(found) = wanted(&items, &files) {
                    return found;
                }
            }
        }
    };
    timeout(SOON, found).await.expect("it comes to be shown")
}
