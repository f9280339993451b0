//! Whatever is written, nothing internal reaches a patient: neither live nor by asking.

use super::tests::Room;
use crate::log::conformance::{START, amara, assign, author, hana, note};
use crate::log::conformance::{amend, phase, suggestion, used};
use crate::view;
use bedside_protocol::{Body, EntryId, Phase, Role, Seq};
use proptest::prelude::*;
use serde_json::Value;

/// Stands in every internal text.
const SECRET: &str = "hunter2";
/// What only providers may read on the wire.
const INTERNAL: [&str; 4] = ["\"note\"", "\"assign\"", "\"suggestion\"", "\"outcome\""];

#[derive(Clone, Debug)]
enum Step {
    Asks,
    Answers,
    Notes,
    /// Corrects the `n`th entry of its own, if it may.
    Amends(usize),
    Assigns,
    Closes,
    Snoozes,
    Suggests,
    Uses,
    Reads,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Asks),
        Just(Step::Answers),
        Just(Step::Notes),
        (0..8_usize).prop_map(Step::Amends),
        Just(Step::Assigns),
        Just(Step::Closes),
        Just(Step::Snoozes),
        Just(Step::Suggests),
        Just(Step::Uses),
        Just(Step::Reads),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_internal_reaches_a_patient(steps in proptest::collection::vec(step(), 1..25)) {
        let mut room = Room::new();
        let (_, wire) = room.join("riverside", &hana());
        wire.take();
        let of = room.of.clone();
        let task = author(Role::System, "system");
        // Amara's entries, and whether each is a note; the last suggestion.
        let mut written: Vec<(EntryId, bool)> = Vec::new();
        let mut advice = None;
        for step in steps {
            let secret = SECRET.to_owned();
            let result = match step {
                Step::Asks => room.desk.send(&hana(), &of, Body::text("?")),
                Step::Answers => room.desk.send(&amara(), &of, Body::text("!")),
                Step::Notes => room.desk.send(&amara(), &of, note(SECRET)),
                Step::Amends(n) => {
                    let Some((target, private)) = written.get(n).copied() else { continue };
                    let text = if private { SECRET } else { "!!" };
                    room.desk.send(&amara(), &of, amend(target, Some(text)))
                }
                Step::Assigns => room.desk.send(&amara(), &of, assign(Some(&secret))),
                Step::Closes => room.desk.send(&amara(), &of, phase(Phase::Closed, None)),
                Step::Snoozes => room.desk.send(&amara(), &of, phase(Phase::Snoozed, Some(START))),
                Step::Suggests => {
                    let mut body = suggestion();
                    if let Body::Suggestion(suggestion) = &mut body {
                        suggestion.model = secret;
                        suggestion.basis = room.desk.all(&of).0.conversation.head;
                    }
                    room.desk.send(&task, &of, body)
                }
                Step::Uses => {
                    let Some(advice) = advice else { continue };
                    room.desk.send(&amara(), &of, used(advice))
                }
                Step::Reads => room.desk.read(&amara(), &of, u64::MAX),
            };
            let Ok(outcome) = result else { continue };
            if let crate::log::Answer::Entry(record, _) = &outcome.answer {
                match &record.entry.body {
                    Body::Suggestion(_) => advice = Some(record.entry.id),
                    Body::Note(_) => written.push((record.entry.id, true)),
                    Body::Text(_) if record.entry.author.role == Role::Provider => {
                        written.push((record.entry.id, false));
                    }
                    _ => {}
                }
            }
            room.hub.publish(&outcome.committed);
        }
        let live = wire.take();
        let (summary, records) = room.desk.all(&of);
        let entries: Vec<_> = records.iter().filter_map(view::entry).collect();
        let asked = view::conversation(&summary);
        let text = format!(
            "{} {} {}",
            serde_json::to_string(&live).unwrap(),
            serde_json::to_string(&entries).unwrap(),
            serde_json::to_string(&asked).unwrap(),
        );
        prop_assert!(!text.contains(SECRET), "{text}");
        for kind in INTERNAL {
            prop_assert!(!text.contains(&format!("\"kind\":{kind}")), "{text}");
        }
        // No gap shows either: each entry names the one before it, and nothing lies beyond the last.
        let mut before = Seq::ZERO;
        for entry in &entries {
            prop_assert_eq!(entry.prev, Some(before));
            before = entry.seq;
        }
        prop_assert_eq!(asked.head, before);
        prop_assert_eq!(asked.last.map_or(Seq::ZERO, |last| last.seq), before);
        prop_assert!(asked.read.values().all(|upto| *upto <= before));
        prop_assert!(asked.assigned.is_none() && asked.urgency.is_none() && asked.until.is_none() && asked.closed_at.is_none());
        // Live and asked for are the same.
        let told: Vec<Value> = live
            .into_iter()
            .filter(|(event, _)| *event == "entry")
            .map(|(_, mut data)| data["entry"].take())
            .collect();
        prop_assert_eq!(told, serde_json::to_value(&entries).unwrap().as_array().cloned().unwrap());
    }
}
