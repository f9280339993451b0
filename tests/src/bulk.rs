//! Many messages, for benchmarks: as many texts as messages, made of what the demonstration's patients say.

use crate::patients::load_dialogues;
use bedside_engine::{Change, Range};
use bedside_protocol::{
    Author, Body, ClinicId, Conversation, ConversationId, Entry, EntryId, Extra, Last, Limits, Me, Patient,
    Rev, Role, Seq, Time, UserId,
};
use bedside_store::{Account, Write};
use fastrand::Rng;
use std::path::Path;

/// Over how many conversations the messages are spread.
pub const CONVERSATIONS: u64 = 2_000;
/// Messages of one transaction.
pub const BATCH: u64 = 500;

/// What the demonstration's patients say, a sentence each.
pub fn sentences() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
    let scripts = load_dialogues(&folder).expect("the demonstration's patients");
    let turns = scripts.into_iter().flat_map(|script| script.turns);
    turns.flat_map(|turn| turn.text.split(". ").map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// A sentence, and a few words of others.
pub fn text(rng: &mut Rng, sentences: &[String]) -> String {
    let more: Vec<_> = (0..rng.usize(3..20)).map(|_| word(rng, sentences)).collect();
    format!("{}. {}", sentences[rng.usize(..sentences.len())], more.join(" "))
}

fn word(rng: &mut Rng, sentences: &[String]) -> String {
    let sentence = &sentences[rng.usize(..sentences.len())];
    let words: Vec<_> =
        sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.get(rng.usize(..words.len().max(1))).map_or("pain", |word| word).to_owned()
}

/// The id of conversation `n`.
pub fn conversation(n: u64) -> ConversationId {
    ConversationId::new(format!("c-{n}")).expect("an id")
}

/// Message `n` of all, the `seq`th of conversation `of`, as the engine commits it.
pub fn message(n: u64, of: u64, seq: u64, text: String) -> [Write; 2] {
    let (conversation, seq, rev) = (conversation(of), Seq::new(seq), Rev::new(n + 1));
    let id = UserId::new(format!("pt-{of}")).expect("an id");
    let patient = Patient { id, name: format!("Patient {of}"), born: None, extra: Extra::new() };
    let author = Author {
        id: patient.id.clone(),
        role: Role::Patient,
        name: patient.name.clone(),
        extra: Extra::new(),
    };
    let (at, body) = (Time::new(1_700_000_000_000 + n * 60_000), Body::text(text));
    let entry = Entry {
        conversation: conversation.clone(),
        seq,
        rev,
        id: EntryId::from_parts(Time::new(1_700_000_000_000 + n), [(n % 251) as u8; 10]),
        at,
        author: author.clone(),
        preview: body.preview(),
        body,
        from: None,
        prev: None,
        extra: Extra::new(),
    };
    let last = Last { seq, at, author, preview: entry.preview.clone(), extra: Extra::new() };
    let new = Conversation::new(conversation.clone(), rev, patient);
    let summary = Conversation { head: seq, last: Some(last), ..new };
    let range = Range::new(Seq::new(1), seq).expect("a range");
    let entries = Change::Entries { conversation, range, entries: vec![entry] };
    [Write::Sync(Change::Summary(summary)), Write::Sync(entries)]
}

/// Whose cache it is. Nobody listens at the server's address.
pub fn account() -> Account {
    let me = Me {
        id: UserId::new("pr-bench").expect("an id"),
        name: "Bench".into(),
        role: Role::Provider,
        clinic: ClinicId::new("bench").expect("an id"),
    };
    Account { me, server: "http://127.0.0.1:9".into(), token: "t".into(), limits: Limits::default() }
}
