//! What an entry says. A new kind is a variant here, with its preview and whether it is for patients' eyes, and one
//! component in `ui/src/entries`; nothing else knows the kinds.

use crate::{Code, EntryId, Extra, Limits, PREVIEW_CHARS, Refusal, Role, Seq, Time, UserId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Longest name of a file, in characters.
const MAX_NAME_CHARS: usize = 255;
/// What a body may weigh beside its text, in bytes of JSON: names, mentions, fields of a later version.
const ENVELOPE_BYTES: usize = 4096;
/// Most people one note mentions.
const MAX_MENTIONS: usize = 50;

/// What an entry says, told apart by `kind`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// A message.
    Text(Text),
    /// How long the patient will wait.
    Wait(Wait),
    /// A correction of an earlier entry by its author.
    Amend(Amend),
    /// A file.
    File(File),
    /// A note among providers.
    Note(Note),
    /// Who takes the conversation.
    Assign(Assign),
    /// The conversation opens, rests or closes.
    State(State),
    /// A background task's advice.
    Suggestion(Suggestion),
    /// What a provider did with a suggestion.
    Outcome(Outcome),
    /// A kind of a later version, or one whose fields this version can't read: kept as it came.
    #[serde(untagged)]
    #[ts(skip)]
    Unknown(Extra),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Text {
    /// Plain text; never markup.
    pub text: String,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// How long the patient will wait, as told to the patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Wait {
    /// Estimated minutes until an answer.
    pub minutes: u32,
    /// The sentence that the patient reads.
    pub text: String,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// A correction of an earlier entry by its author; the original stays in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Amend {
    /// The entry that it corrects.
    pub target: EntryId,
    /// The new text; `null` retracts the entry.
    #[serde(deserialize_with = "required")]
    pub text: Option<String>,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// A file, stored apart under its digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct File {
    /// SHA-256 of its bytes, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// The name to show.
    pub name: String,
    /// Its media type, such as `image/jpeg`.
    pub media_type: String,
    /// Its size in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// A note among providers; patients never see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Note {
    /// Plain text.
    pub text: String,
    /// The providers it is meant for.
    #[serde(default)]
    pub mentions: Vec<UserId>,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// Who takes the conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Assign {
    /// The provider; `null` gives it back to the queue.
    #[serde(deserialize_with = "required")]
    pub to: Option<UserId>,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// Where a conversation is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Being worked on.
    Open,
    /// Out of sight until a time.
    Snoozed,
    /// Done; a patient's next message opens it again.
    Closed,
}

/// The conversation opens, rests or closes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct State {
    /// The new state.
    pub state: Phase,
    /// With `snoozed`: until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<Time>,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// One piece of advice within a suggestion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SuggestionItem {
    /// The proposed text.
    pub text: String,
    /// What else the task says of it.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// A background task's advice. It is never sent by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Suggestion {
    /// The kind of task: `triage`, `reply`, `summary`, ….
    pub task: String,
    /// The newest entry that the task had read: the suggestion is stale once the patient has written after it.
    pub basis: Seq,
    /// The advice, best first; empty when the task abstained.
    pub items: Vec<SuggestionItem>,
    /// The model that made it.
    pub model: String,
    /// The model's or prompt's version.
    pub version: String,
    /// Why the task has nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub abstained: Option<String>,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// What became of a suggestion's item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeResult {
    /// Sent as it was.
    Used,
    /// Sent with changes.
    Edited,
    /// Put away.
    Dismissed,
}

/// What a provider did with a suggestion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Outcome {
    /// The suggestion's entry.
    pub suggestion: EntryId,
    /// Which of its items, from 0.
    pub item: u32,
    /// What became of it.
    pub result: OutcomeResult,
    /// How long it was in view, in milliseconds.
    #[ts(type = "number")]
    pub shown_ms: u64,
    /// Fields of a later version.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: Extra,
}

/// Without it serde would take a missing field for `null`, and an empty `amend` would retract a message.
fn required<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

/// Whether a character turns the direction of what follows it.
fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl File {
    /// Its name, without the characters that turn the direction of others: with them "gpj.exe" would read as "exe.jpg".
    pub fn shown_name(&self) -> String {
        self.name.chars().filter(|c| !turns(*c)).collect()
    }
}

impl Body {
    /// A message of plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Body::Text(Text { text: text.into(), extra: Extra::new() })
    }

    /// Whether patients see it. What this version doesn't know they don't see.
    pub fn public(&self) -> bool {
        match self {
            Body::Text(_) | Body::Wait(_) | Body::Amend(_) | Body::File(_) => true,
            Body::Note(_)
            | Body::Assign(_)
            | Body::State(_)
            | Body::Suggestion(_)
            | Body::Outcome(_)
            | Body::Unknown(_) => false,
        }
    }

    /// Whether it is a message from one person to the other: it makes the patient wait, or answers.
    pub fn is_message(&self) -> bool {
        matches!(self, Body::Text(_) | Body::File(_))
    }

    /// What a search finds it by; none where there is nothing to find.
    pub fn words(&self) -> Option<&str> {
        match self {
            Body::Text(Text { text, .. }) | Body::Note(Note { text, .. }) => Some(text),
            Body::Amend(Amend { text, .. }) => text.as_deref(),
            Body::File(File { name, .. }) => Some(name),
            // A machine's words are nobody's.
            Body::Wait(_)
            | Body::Assign(_)
            | Body::State(_)
            | Body::Suggestion(_)
            | Body::Outcome(_)
            | Body::Unknown(_) => None,
        }
    }

    /// The file whose bytes the server must have before it.
    pub fn file(&self) -> Option<&File> {
        match self {
            Body::File(file) => Some(file),
            _ => None,
        }
    }

    /// The entry whose text it replaces or takes back.
    pub fn amends(&self) -> Option<EntryId> {
        match self {
            Body::Amend(Amend { target, .. }) => Some(*target),
            _ => None,
        }
    }

    /// Who may write it.
    pub fn writable_by(&self, role: Role) -> bool {
        let system = role == Role::System;
        match self {
            Body::Text(_) => true,
            Body::Wait(_) | Body::Suggestion(_) => system,
            Body::Amend(_) | Body::File(_) => !system,
            Body::Note(_) | Body::Outcome(_) => role == Role::Provider,
            Body::Assign(_) | Body::State(_) => role != Role::Patient,
            Body::Unknown(_) => false,
        }
    }

    /// What it says in one plain line of at most [`PREVIEW_CHARS`] characters.
    pub fn preview(&self) -> String {
        match self {
            Body::Text(Text { text, .. }) | Body::Wait(Wait { text, .. }) => one_line(text),
            Body::Amend(Amend { text: Some(text), .. }) => one_line(&format!("Corrected: {text}")),
            Body::Amend(Amend { text: None, .. }) => "Took a message back".into(),
            Body::File(file) => one_line(&format!("File: {}", file.shown_name())),
            Body::Note(Note { text, .. }) => one_line(&format!("Note: {text}")),
            Body::Assign(Assign { to: Some(_), .. }) => "Assigned".into(),
            Body::Assign(Assign { to: None, .. }) => "Unassigned".into(),
            Body::State(State { state, .. }) => match state {
                Phase::Open => "Opened".into(),
                Phase::Snoozed => "Snoozed".into(),
                Phase::Closed => "Closed".into(),
            },
            Body::Suggestion(Suggestion { items, .. }) => match items.first() {
                Some(item) => one_line(&format!("Suggested: {}", item.text)),
                None => "Nothing suggested".into(),
            },
            Body::Outcome(Outcome { result, .. }) => match result {
                OutcomeResult::Used => "Used a suggestion".into(),
                OutcomeResult::Edited => "Used a suggestion with changes".into(),
                OutcomeResult::Dismissed => "Dismissed a suggestion".into(),
            },
            Body::Unknown(_) => "Something this version can't show".into(),
        }
    }

    /// Whether it may enter a log as far as it alone can tell: known, complete, within `limits`.
    pub fn check(&self, limits: &Limits) -> Result<(), Refusal> {
        self.check_fields(limits)?;
        // Fields of a later version, and characters that JSON writes as six, must not make it larger than its text may.
        let most = (limits.text_bytes as usize).saturating_mul(2).saturating_add(ENVELOPE_BYTES);
        match serde_json::to_vec(self) {
            Ok(json) if json.len() <= most => Ok(()),
            _ => Err(Refusal::new(Code::TooLarge, format!("a body has at most {most} bytes of JSON"))),
        }
    }

    fn check_fields(&self, limits: &Limits) -> Result<(), Refusal> {
        let invalid = |message| Err(Refusal::new(Code::Invalid, message));
        match self {
            Body::Text(Text { text, .. }) | Body::Note(Note { text, .. }) if text.trim().is_empty() => {
                invalid("the text is empty")
            }
            Body::Amend(Amend { text: Some(text), .. }) if text.trim().is_empty() => {
                invalid("the text is empty")
            }
            Body::Text(Text { text, .. })
            | Body::Note(Note { text, .. })
            | Body::Wait(Wait { text, .. })
            | Body::Amend(Amend { text: Some(text), .. })
                if text.len() > limits.text_bytes as usize =>
            {
                Err(Refusal::new(Code::TooLarge, format!("a text has at most {} bytes", limits.text_bytes)))
            }
            Body::Note(Note { mentions, .. }) if mentions.len() > MAX_MENTIONS => {
                invalid("too many mentions")
            }
            Body::File(file) => check_file(file),
            Body::State(State { state, until, .. }) if (*state == Phase::Snoozed) != until.is_some() => {
                invalid("`until` goes with `snoozed`, and with nothing else")
            }
            Body::Outcome(Outcome { shown_ms, .. }) if *shown_ms > Time::MAX.millis() => {
                invalid("a number on the wire is at most 2^53 - 1")
            }
            Body::Unknown(_) => invalid("the body's kind is unknown, or its fields are missing or wrong"),
            _ => Ok(()),
        }
    }
}

/// Whether a text is a SHA-256 as it is written on the wire: 64 lower-case hexadecimal digits.
pub fn is_sha256(text: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() == 64 && text.bytes().all(hex)
}

fn check_file(file: &File) -> Result<(), Refusal> {
    let message = if !is_sha256(&file.sha256) {
        "sha256 is 64 lower-case hexadecimal digits"
    } else if file.name.is_empty() || file.name.chars().count() > MAX_NAME_CHARS {
        "a file's name has 1 to 255 characters"
    } else if file.media_type.is_empty() || file.media_type.len() > MAX_NAME_CHARS {
        "a file has a media type"
    } else if file.bytes > Time::MAX.millis() {
        "a number on the wire is at most 2^53 - 1"
    } else {
        return Ok(());
    };
    Err(Refusal::new(Code::Invalid, message))
}

/// One line of at most [`PREVIEW_CHARS`] characters, with an ellipsis where it was cut.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut line = String::new();
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > PREVIEW_CHARS * 4 {
            break;
        }
    }
    if line.chars().count() > PREVIEW_CHARS {
        line = line.chars().take(PREVIEW_CHARS - 1).collect();
        line.truncate(line.trim_end().len());
        line.push('…');
    }
    line
}
