//! People who write through whatever happens, and remember what was accepted.

use bedside_client::api::{Command, Failure, Reply};
use bedside_engine::OutboxState;
use bedside_protocol::{Body, Code, ConversationId, EntryId, Role, Seq};
use bedside_store::Reader;
use bedside_tests::chat::Chat;
use bedside_tests::console::{Console, Killed};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How soon a person looks again, or tries again.
const AGAIN: Duration = Duration::from_millis(20);
/// More than a conversation gets between a crash and a look at it.
const RECENT: u32 = 200;
/// No run takes longer to get on, on whatever machine.
const LIMIT: Duration = Duration::from_secs(1_800);

/// A message that its writer was told is safe: the console's are on its disk then, the patients' in the log.
#[derive(Clone, Debug)]
pub struct Said {
    pub id: EntryId,
    pub conversation: ConversationId,
    pub role: Role,
    /// Says where it belongs; no two are the same.
    pub text: String,
}

/// All that was said, each writer's messages in their order.
#[derive(Debug, Default)]
pub struct Told {
    said: Mutex<Vec<Said>>,
    count: watch::Sender<usize>,
    /// So many messages may each writer write so far.
    turns: watch::Sender<usize>,
    failures: AtomicUsize,
}

impl Told {
    fn add(&self, id: EntryId, conversation: &ConversationId, role: Role, text: String) {
        let said = Said { id, conversation: conversation.clone(), role, text };
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push(said);
        self.count.send_modify(|count| *count += 1);
    }

    pub fn said(&self) -> Vec<Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often a console said that it couldn't keep a message.
    pub fn storage_failures(&self) -> usize {
        self.failures.load(Ordering::Relaxed)
    }

    /// Lets each writer write up to so many messages.
    pub fn allow(&self, turns: usize) {
        self.turns.send_replace(turns);
    }

    async fn turn(&self, turn: usize) {
        let mut turns = self.turns.subscribe();
        turns.wait_for(|&turns| turn < turns).await.expect("the sender is here");
    }

    /// Waits until so many messages were accepted.
    pub async fn reached(&self, count: usize) {
        let mut counts = self.count.subscribe();
        let reached = timeout(LIMIT, counts.wait_for(|&so_far| count <= so_far)).await;
        reached.expect("people go on writing").expect("the sender is here");
    }
}

/// A patient writes, each message when the one before it is in the log.
pub async fn patient(chat: Chat, conversation: ConversationId, messages: usize, told: &Told) {
    for turn in 0..messages {
        told.turn(turn).await;
        let text = format!("{conversation}: the patient's message {turn}");
        let answer = chat.write(conversation.clone(), Seq::ZERO, Body::text(text.clone())).await;
        let entry = answer.expect("the chat is open").expect("a good message");
        told.add(entry.id, &conversation, Role::Patient, text);
    }
}

/// A provider writes where the patient is quiet, as fast as the console takes it.
pub async fn provider(console: &Console, conversation: ConversationId, messages: usize, told: &Told) {
    for turn in 0..messages {
        told.turn(turn).await;
        let text = format!("{conversation}: the provider's message {turn}");
        let id = write(console, &conversation, &text, told).await;
        told.add(id, &conversation, Role::Provider, text);
    }
}

/// A provider answers while the patient writes: what is refused as `behind` is sent again knowingly, and nothing else is
/// written there before that has arrived.
pub async fn replier(console: &Console, conversation: ConversationId, messages: usize, told: &Told) {
    for turn in 0..messages {
        told.turn(turn).await;
        let text = format!("{conversation}: the provider's reply {turn}");
        let id = write(console, &conversation, &text, told).await;
        told.add(id, &conversation, Role::Provider, text);
        arrived(console, &conversation, id).await;
    }
}

/// Writes a message until the console has accepted it, once, whatever becomes of the console meanwhile.
async fn write(console: &Console, conversation: &ConversationId, text: &str, told: &Told) -> EntryId {
    loop {
        let seen = newest(console, conversation);
        let command = Command::Send {
            conversation: conversation.clone(),
            text: text.to_owned(),
            files: vec![],
            seen,
            hold_ms: 0,
        };
        match console.call(&command).await {
            Ok(Ok(Reply::Accepted { id })) => return id,
            // The disk is full or can't be written. The same text again: were the console wrong, it would be there twice.
            Ok(Err(Failure::Storage)) => {
                told.failures.fetch_add(1, Ordering::Relaxed);
                sleep(AGAIN).await;
            }
            Ok(other) => panic!("a message isn't accepted: {other:?}"),
            // Whether it was accepted before the end only the disk knows.
            Err(Killed) => {
                if let Some(id) = find(console, conversation, text) {
                    return id;
                }
            }
        }
    }
}

/// Waits until the log has the message, as a person who looks at the screen.
async fn arrived(console: &Console, conversation: &ConversationId, id: EntryId) {
    loop {
        let rows = reader(console).outbox().expect("the cache");
        match rows.iter().find(|row| row.send.id == id).map(|row| row.state) {
            None => return,
            Some(OutboxState::Refused(Code::Behind)) => {
                let seen = newest(console, conversation);
                // Killed, or its disk full: it is still refused, and this comes round again.
                drop(console.call(&Command::SendAgain { id, seen }).await);
            }
            Some(OutboxState::Refused(code)) => panic!("a good message is refused: {code:?}"),
            Some(OutboxState::Waiting | OutboxState::Uploading | OutboxState::Sending) => {}
        }
        sleep(AGAIN).await;
    }
}

/// What one sees of a conversation.
fn newest(console: &Console, conversation: &ConversationId) -> Seq {
    let cached = reader(console).conversation(conversation, 0, None).expect("the cache");
    cached.and_then(|cached| cached.range).map_or(Seq::ZERO, |range| range.hi)
}

/// The message that says `text`, if the cache has it: on its way, or arrived.
fn find(console: &Console, conversation: &ConversationId, text: &str) -> Option<EntryId> {
    let reader = reader(console);
    // The outbox first: what leaves it meanwhile is an entry then.
    let outbox = reader.outbox().expect("the cache");
    let says = |body: &Body| matches!(body, Body::Text(body) if body.text == text);
    let waiting = outbox.iter().find(|row| says(&row.send.body)).map(|row| row.send.id);
    waiting.or_else(|| {
        let cached = reader.conversation(conversation, RECENT, None).expect("the cache")?;
        cached.entries.iter().find(|entry| says(&entry.body)).map(|entry| entry.id)
    })
}

fn reader(console: &Console) -> Reader {
    Reader::open(&console.files()).expect("the cache")
}
