//! One patient, from the first turn that the log doesn't hold to the last.

use super::PATIENCE;
use super::script::{Pace, Script, When};
use crate::chat::{Chat, Heard, SignIn, SignedIn};
use bedside_protocol::{Body, Code, ConversationId, Entry, Role, Seq, Text};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

/// How fast a thumb types.
const CHARS_PER_S: f64 = 8.0;
/// Longer texts are thought over before they are typed.
const TYPING_MAX: Duration = Duration::from_secs(12);
/// How often a typing client says so, and the least that is worth saying.
const TYPING_EVERY: Duration = Duration::from_secs(3);

/// What becomes of a script. It carries no message's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The patient.
    pub patient: String,
    /// Which turn, from 1.
    pub turn: usize,
    /// Of how many.
    pub turns: usize,
    /// What became of it.
    pub written: Written,
}

/// What became of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is in the log, at this place.
    Committed(Seq),
    /// The server said no; the patient goes on with the next.
    Refused(Code),
    /// The server signs no such patient in; the patient gives up.
    NotSignedIn,
}

/// Where the patient is in the script.
struct Story {
    next: usize,
    seen: Seq,
    /// The patient's own newest message.
    written: Seq,
    /// The providers' newest message.
    replied: Seq,
}

impl Story {
    /// `turns` are told from the beginning in the log's order, whatever else was written between them.
    fn recall(&mut self, entry: &Entry, script: &Script) {
        self.hear(entry);
        let next = script.turns.get(self.next);
        if let (Role::Patient, Body::Text(Text { text, .. }), Some(turn)) =
            (entry.author.role, &entry.body, next)
            && *text == turn.text
        {
            self.next += 1;
        }
    }

    fn hear(&mut self, entry: &Entry) {
        self.seen = entry.seq;
        match entry.author.role {
            Role::Patient => self.written = entry.seq,
            Role::Provider if entry.body.is_message() => self.replied = entry.seq,
            Role::Provider | Role::System => {}
        }
    }
}

pub(super) async fn play(server: String, script: Script, pace: Pace, start: Instant, report: impl Fn(Event)) {
    let tell = |turn: usize, written| {
        report(Event { patient: script.name.clone(), turn: turn + 1, turns: script.turns.len(), written });
    };
    if let Some(turn) = script.turns.first()
        && let When::At(at) = turn.when
    {
        // Nobody is there before the first word.
        sleep_until(start + pace.scale(at.saturating_sub(typing_time(&turn.text)))).await;
    }
    let who = SignIn::patient(&server, &script.name);
    let conversation = match who.insist().await {
        Ok(SignedIn { conversation: Some(conversation), .. }) => conversation,
        Ok(_) | Err(_) => return tell(0, Written::NotSignedIn),
    };
    let (chat, mut heard) = Chat::open(who);
    let mut story = Story { next: 0, seen: Seq::ZERO, written: Seq::ZERO, replied: Seq::ZERO };
    while let Some(Heard::Entry(entry)) = heard.recv().await {
        story.recall(&entry, &script);
    }
    let mut since = Instant::now();
    while let Some(turn) = script.turns.get(story.next) {
        let due = match turn.when {
            When::At(at) => start + pace.scale(at),
            When::After(after) => since + pace.scale(after),
            When::AfterReply(after) => {
                let impatient = sleep(pace.scale(PATIENCE));
                tokio::select! {
                    () = impatient => {}
                    () = replied(&mut heard, &mut story) => {}
                }
                Instant::now() + pace.scale(after)
            }
        };
        type_until(due, pace.scale(typing_time(&turn.text)), &chat, &conversation).await;
        while let Ok(heard) = heard.try_recv() {
            if let Heard::Entry(entry) = heard {
                story.hear(&entry);
            }
        }
        let body = Body::text(turn.text.clone());
        match chat.write(conversation.clone(), story.seen, body).await {
            Ok(Ok(entry)) => {
                story.written = story.written.max(entry.seq);
                tell(story.next, Written::Committed(entry.seq));
            }
            Ok(Err(rejected)) => tell(story.next, Written::Refused(rejected.code)),
            Err(crate::chat::Closed) => return,
        }
        story.next += 1;
        since = Instant::now();
    }
}

/// Returns when a provider has answered the patient's newest message.
async fn replied(heard: &mut mpsc::UnboundedReceiver<Heard>, story: &mut Story) {
    while story.replied <= story.written {
        match heard.recv().await {
            Some(Heard::Entry(entry)) => story.hear(&entry),
            Some(Heard::CaughtUp) => {}
            // The chat is over: `write` says so.
            None => return,
        }
    }
}

fn typing_time(text: &str) -> Duration {
    let characters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    Duration::from_secs_f64(f64::from(characters) / CHARS_PER_S).min(TYPING_MAX)
}

/// Is seen typing for the last part of the time.
async fn type_until(due: Instant, typing: Duration, chat: &Chat, conversation: &ConversationId) {
    sleep_until(due.checked_sub(typing).unwrap_or(due)).await;
    let worth_saying = typing.min(due.saturating_duration_since(Instant::now())) > TYPING_EVERY / 3;
    while worth_saying && due > Instant::now() {
        chat.typing(conversation.clone());
        sleep_until(due.min(Instant::now() + TYPING_EVERY)).await;
    }
    sleep_until(due).await;
}
