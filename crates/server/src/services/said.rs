//! What of a conversation a service is sent: what patient and clinicians said to each other, as it reads now.
//!
//! Internal notes are left out: they are about the patient or others and not for the patient's eyes, and what a model hasn't
//! read can't come back in a draft to the patient. So are the server's own words and earlier suggestions.

use bedside_protocol::{Amend, Body, Entry, EntryId, Role, Seq, Text};
use serde_json::json;
use std::collections::BTreeMap;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub seq: Seq,
    /// Whether the patient wrote it.
    pub by_patient: bool,
    /// What it says.
    pub text: String,
}

/// The messages of a conversation's newest entries, oldest first. What was corrected reads as corrected, and what was
/// taken back is left out.
pub fn said(entries: &[Entry]) -> Vec<Line> {
    let amended: BTreeMap<EntryId, Option<&str>> = entries
        .iter()
        .filter_map(|entry| match &entry.body {
            Body::Amend(Amend { target, text, .. }) => Some((*target, text.as_deref())),
            _ => None,
        })
        .collect();
    let known = |id: EntryId| entries.iter().any(|entry| entry.id == id);
    let line = |entry: &Entry| {
        let by_patient = entry.author.role == Role::Patient;
        let text = match &entry.body {
            Body::Text(Text { text, .. }) => amended.get(&entry.id).copied().unwrap_or(Some(text))?,
            Body::File(_) if amended.contains_key(&entry.id) => return None,
            // Names of files often hold those of people.
            Body::File(_) => "(sent a file)",
            // Of something further back. A clinician's may correct a note, a patient's can't.
            Body::Amend(Amend { target, text, .. }) if by_patient && !known(*target) => text.as_deref()?,
            _ => return None,
        };
        (entry.author.role != Role::System).then(|| Line {
            seq: entry.seq,
            by_patient,
            text: text.to_owned(),
        })
    };
    entries.iter().filter_map(line).collect()
}

/// The newest lines as JSON, one a line, in `budget` characters: no text can end its line, or begin another's. Of the
/// newest line at least its end is there.
pub fn transcript(lines: &[Line], budget: usize) -> String {
    let mut chosen: Vec<String> = Vec::new();
    let mut left = budget;
    for line in lines.iter().rev() {
        let mut written = write(line.by_patient, &line.text);
        let mut length = written.chars().count();
        if length > left {
            if !chosen.is_empty() {
                break;
            }
            written = end(line, left);
            length = left;
        }
        left = left.saturating_sub(length + 1);
        chosen.push(written);
    }
    chosen.reverse();
    chosen.join("\n")
}

/// As much of the end of a line as fits.
fn end(line: &Line, budget: usize) -> String {
    let characters = line.text.chars().count();
    let mut keep = characters.min(budget);
    loop {
        let text: String = line.text.chars().skip(characters - keep).collect();
        let written = write(line.by_patient, &text);
        if keep == 0 || written.chars().count() <= budget {
            return written;
        }
        keep = keep * 3 / 4;
    }
}

fn write(by_patient: bool, text: &str) -> String {
    let from = if by_patient { "patient" } else { "clinician" };
    // Nothing that a text says looks like the mark that ends the conversation.
    json!({"from": from, "text": text}).to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedside_protocol::{Author, ConversationId, Extra, File, Note, Rev, Suggestion, Time, UserId};
    use proptest::prelude::*;

    fn id(n: u64) -> EntryId {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&n.to_be_bytes());
        EntryId::from_parts(Time::new(1_800_000_000_000), random)
    }

    fn entry(seq: u64, role: Role, body: Body) -> Entry {
        Entry {
            conversation: ConversationId::new("c-hana").unwrap(),
            seq: Seq::new(seq),
            rev: Rev::new(seq),
            id: id(seq),
            at: Time::new(1_800_000_000_000),
            author: Author { id: UserId::new("x").unwrap(), role, name: "X".into(), extra: Extra::new() },
            preview: body.preview(),
            body,
            from: None,
            prev: None,
            extra: Extra::new(),
        }
    }

    fn amend(target: u64, text: Option<&str>) -> Body {
        Body::Amend(Amend { target: id(target), text: text.map(str::to_owned), extra: Extra::new() })
    }

    fn note(text: &str) -> Body {
        Body::Note(Note { text: text.into(), mentions: Vec::new(), extra: Extra::new() })
    }

    #[test]
    fn what_was_said_reads_as_corrected_and_nothing_internal_is_in_it() {
        let file = File {
            sha256: "0".repeat(64),
            name: "hana sato.jpg".into(),
            media_type: "image/jpeg".into(),
            bytes: 1,
            extra: Extra::new(),
        };
        let suggestion = Suggestion {
            task: "reply".into(),
            basis: Seq::new(1),
            items: Vec::new(),
            model: "m".into(),
            version: "1".into(),
            abstained: None,
            extra: Extra::new(),
        };
        let entries = [
            entry(10, Role::Patient, Body::text("I took 5")),
            entry(11, Role::Provider, note("she exaggerates")),
            entry(12, Role::Provider, Body::text("Of what?")),
            entry(13, Role::Patient, amend(10, Some("I took 50"))),
            entry(14, Role::Patient, Body::text("oops")),
            entry(15, Role::Patient, amend(14, None)),
            entry(16, Role::Provider, amend(11, Some("she is serious"))),
            entry(17, Role::Patient, Body::File(file.clone())),
            entry(18, Role::Patient, Body::File(file)),
            entry(19, Role::Patient, amend(18, None)),
            // Of entries further back: the patient's is a message, the clinician's may be a note.
            entry(20, Role::Patient, amend(1, Some("since Monday"))),
            entry(21, Role::Provider, amend(2, Some("a second opinion"))),
            entry(22, Role::System, Body::text("we are closed")),
            entry(23, Role::System, Body::Suggestion(suggestion)),
        ];
        let said: Vec<(u64, bool, String)> =
            said(&entries).into_iter().map(|line| (line.seq.get(), line.by_patient, line.text)).collect();
        let expected = [
            (10, true, "I took 50"),
            (12, false, "Of what?"),
            (17, true, "(sent a file)"),
            (20, true, "since Monday"),
        ];
        assert_eq!(said, expected.map(|(seq, by_patient, text)| (seq, by_patient, text.to_owned())));
    }

    fn line(text: &str) -> Line {
        Line { seq: Seq::new(1), by_patient: true, text: text.to_owned() }
    }

    #[test]
    fn the_newest_stay_within_the_budget() {
        let lines = ["one", "two", "three"].map(line);
        let three = write(true, "three");
        let two = format!("{}\n{three}", write(true, "two"));
        assert_eq!(transcript(&lines, 1000).lines().count(), 3);
        assert_eq!(transcript(&lines, two.len()), two);
        assert_eq!(transcript(&lines, two.len() - 1), three);
        for end in ["ab", "<\"", "\u{1}é"] {
            let cut = transcript(&[line("old"), line(&end.repeat(1000))], 200);
            assert!((100..=200).contains(&cut.chars().count()) && !cut.contains("old"), "{cut}");
        }
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_line_or_the_conversation(texts in prop::collection::vec("(\n|</conversation>|\"|[a<>é ])*", 0..5)) {
            let lines: Vec<Line> = texts.iter().map(|text| line(text)).collect();
            let transcript = transcript(&lines, 100_000);
            prop_assert!(!transcript.contains('<'));
            let read: Vec<String> = transcript.lines().map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                line["text"].as_str().unwrap().to_owned()
            }).collect();
            prop_assert_eq!(read, texts);
        }
    }
}
