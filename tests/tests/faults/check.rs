//! What was said against what is there; and that each kind of fault would be found.

use crate::writing::Said;
use bedside_protocol::{Body, ConversationId, EntryId, Role};
use bedside_tests::log::Log;
use std::collections::{BTreeMap, BTreeSet};

type ByWriter<'a> = BTreeMap<(&'a ConversationId, Role), Vec<(EntryId, &'a str)>>;

/// Panics unless the log holds what was accepted and nothing else: once, by its writer, where it belongs, in order.
pub fn assert_told(log: &Log, said: &[Said]) {
    let (mut texts, mut logged, mut written) = (BTreeSet::new(), ByWriter::new(), ByWriter::new());
    for entry in log.messages() {
        let Body::Text(body) = &entry.body else { panic!("not a text: {}", entry.seq) };
        let here = format!("{}: ", entry.conversation);
        assert!(body.text.starts_with(&here), "misdirected: {:?} is in {}", body.text, entry.conversation);
        assert!(texts.insert(&body.text), "twice: {:?}", body.text);
        logged.entry((&entry.conversation, entry.author.role)).or_default().push((entry.id, &body.text));
    }
    for said in said {
        written.entry((&said.conversation, said.role)).or_default().push((said.id, &said.text));
    }
    assert_eq!(logged, written, "what is there, and what was said");
}

/// Panics unless the log holds all that a console claims, just so.
pub fn assert_no_lies(claimed: &Log, log: &Log) {
    let log: BTreeMap<_, _> = log.0.iter().map(|entry| ((&entry.conversation, entry.seq), entry)).collect();
    for entry in &claimed.0 {
        let there = log.get(&(&entry.conversation, entry.seq));
        assert_eq!(there, Some(&entry), "shown as sent, and isn't");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedside_protocol::Entry;
    use bedside_tests::chat::new_id;
    use serde_json::json;
    use std::panic::catch_unwind;

    /// Makes a log faulty.
    type Make = fn(&mut Vec<Entry>);

    /// Two conversations of two messages.
    fn scene() -> (Log, Vec<Said>) {
        let entry = |rev: u64| {
            let conversation = if rev <= 2 { "c-one" } else { "c-two" };
            let text = format!("{conversation}: message {rev}");
            let author = json!({ "id": "pr-amara", "role": "provider", "name": "Dr. Amara Osei" });
            let body = json!({ "kind": "text", "text": text });
            let entry = json!({ "conversation": conversation, "seq": (rev - 1) % 2 + 1, "rev": rev, "id": new_id(),
                "at": rev, "author": author, "body": body, "preview": text });
            serde_json::from_value(entry).expect("an entry")
        };
        let log: Vec<Entry> = (1..=4).map(entry).collect();
        let said = |entry: &Entry| Said {
            id: entry.id,
            conversation: entry.conversation.clone(),
            role: entry.author.role,
            text: entry.preview.clone(),
        };
        let said = log.iter().map(said).collect();
        (Log(log), said)
    }

    #[test]
    fn each_fault_is_found() {
        let (log, said) = scene();
        assert_told(&log, &said);
        assert_no_lies(&log, &log);
        let faults: [(&str, Make); 6] = [
            ("lost", |log| drop(log.pop())),
            ("twice under one id", |log| log.push(log[3].clone())),
            ("twice under two ids", |log| log.push(Entry { id: new_id(), ..log[3].clone() })),
            ("reordered", |log| log.swap(0, 1)),
            ("misdirected", |log| log[0].conversation = log[3].conversation.clone()),
            ("another's", |log| log[0].author.role = Role::Patient),
        ];
        for (fault, make) in faults {
            let mut faulty = log.clone();
            make(&mut faulty.0);
            assert!(catch_unwind(|| assert_told(&faulty, &said)).is_err(), "{fault}");
        }
        let mut shorter = log.clone();
        shorter.0.pop();
        assert_no_lies(&shorter, &log);
        assert!(catch_unwind(|| assert_no_lies(&log, &shorter)).is_err(), "not sent");
    }
}
