//! What the window shows of a conversation, read from its page as one would by scrolling from top to bottom.

use crate::log::Log;
use crate::page::Page;
use bedside_protocol::{Body, ConversationId, Entry, Text};
use serde::Deserialize;
use serde_json::{Value, json};

/// Opens the row of a conversation in the inbox, wherever it stands.
const OPEN: &str = r#"
const [[id], done] = arguments;
const frames = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
(async () => {
  const list = document.querySelector("[data-testid=inbox]");
  const row = () => list.querySelector(`[data-conversation="${id}"]`);
  for (let top = 0; !row() && top < list.scrollHeight; top += list.clientHeight) {
    list.scrollTop = top;
    await frames();
  }
  row()?.click();
  done(row() !== null);
})().catch((error) => done(String(error)));
"#;

/// All items from the first to the last, as they stand one under the other at each step.
const READ: &str = r#"
const [, done] = arguments;
const frames = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
(async () => {
  const list = document.querySelector("[data-testid=conversation]");
  const item = (node) => ({ id: node.dataset.id, seq: Number(node.dataset.seq), state: node.dataset.state,
    text: node.textContent, top: node.getBoundingClientRect().top });
  const steps = [];
  // It comes to rest where one begins to read, and what is measured on the way moves it.
  const place = () => `${list.scrollTop} of ${list.scrollHeight}`;
  for (let [was, still] = ["", 0]; still < 5; still = was === place() ? still + 1 : 0) {
    was = place();
    await frames();
  }
  do { list.scrollTop = 0; await frames(); } while (list.scrollTop > 0);
  for (;;) {
    steps.push([...list.querySelectorAll("[data-testid=item]")].map(item).sort((a, b) => a.top - b.top));
    const before = list.scrollTop;
    list.scrollTop += list.clientHeight;
    await frames();
    if (list.scrollTop === before) return done(steps);
  }
})().catch((error) => done(String(error)));
"#;

#[derive(Deserialize)]
struct Item {
    id: String,
    seq: Option<u64>,
    state: String,
    text: String,
}

/// Panics unless the window shows the log: every entry of each conversation once, in its place, with its text.
pub async fn assert_shows(window: &Page, log: &Log) {
    window.find("[data-testid=inbox-row]").await;
    for entries in log.0.chunk_by(|one, next| one.conversation == next.conversation) {
        let Some(first) = entries.first() else { continue };
        let shown = read(window, &first.conversation, entries).await;
        let told: Vec<_> =
            shown.iter().map(|item| (item.seq, item.id.as_str(), item.state.as_str())).collect();
        let ids: Vec<_> = entries.iter().map(|entry| entry.id.to_string()).collect();
        let expected: Vec<_> = entries
            .iter()
            .zip(&ids)
            .map(|(entry, id)| (Some(entry.seq.get()), id.as_str(), "sent"))
            .collect();
        assert!(told == expected, "in conversation {}, the window shows {told:#?}", first.conversation);
        for (item, entry) in shown.iter().zip(entries) {
            if let Body::Text(Text { text, .. }) = &entry.body {
                assert!(item.text.contains(text.as_str()), "entry {} shows another text", entry.seq);
            }
        }
    }
}

/// What it shows from the first entry to the last, each as often as it stands there.
async fn read(window: &Page, conversation: &ConversationId, entries: &[Entry]) -> Vec<Item> {
    let opened: bool = window.ask_later(OPEN, json!([conversation])).await;
    assert!(opened, "conversation {conversation} is in no row of the inbox");
    let ids: Vec<_> = entries.iter().map(|entry| entry.id.to_string()).collect();
    let its = "const [ids, list] = [arguments[0], document.querySelector('[data-testid=conversation]:not(.unplaced)')];
        return ids.includes(list?.querySelector('[data-testid=item]')?.dataset.id)";
    window
        .until("the conversation is on the screen", async || window.ask::<bool>(its, json!(ids)).await)
        .await;
    let steps: Vec<Vec<Item>> = window.ask_later(READ, Value::Null).await;
    let mut shown: Vec<Item> = Vec::new();
    for step in steps {
        // What the step before showed too stands at the top of this one, in the same order.
        let known = shown.last().and_then(|last| step.iter().position(|item| item.id == last.id));
        let new = known.map_or(0, |known| known + 1);
        let overlap = shown.len().checked_sub(new).and_then(|from| shown.get(from..)).unwrap_or_default();
        assert!(
            overlap.iter().zip(&step).all(|(was, is)| was.id == is.id),
            "the order of conversation {conversation} changes with scrolling"
        );
        shown.extend(step.into_iter().skip(new));
    }
    shown
}
