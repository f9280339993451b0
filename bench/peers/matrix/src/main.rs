//! Saves text messages with matrix-sdk-sqlite's event cache store, as matrix-sdk's event cache does for what a sync
//! brings: one call, and so one transaction, for each room's batch, in chunks of at most 128 events. Prints seconds.
//!
//! `bench-matrix EVENTS.json FOLDER BATCH`. The store decides its SQLite settings: a WAL, and `synchronous` left at
//! FULL. A batch is one room's here, which is the store's best case: a sync that brings three events for each of twenty
//! rooms costs twenty transactions.

use matrix_sdk_base::deserialized_responses::TimelineEvent;
use matrix_sdk_base::event_cache::store::EventCacheStore;
use matrix_sdk_base::linked_chunk::{ChunkIdentifier, LinkedChunkId, Position, Update};
use matrix_sdk_base::ruma::serde::Raw;
use matrix_sdk_base::ruma::{OwnedRoomId, RoomId};
use matrix_sdk_sqlite::SqliteEventCacheStore;
use serde_json::{json, value::to_raw_value};
use std::collections::BTreeMap;
use std::time::Instant;

/// As matrix-sdk's own event cache has them.
const CHUNK: usize = 128;

/// Conversation, id, author, time, text.
type Message = (String, String, String, u64, String);

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [events, folder, batch] = arguments.as_slice() else { panic!("EVENTS.json FOLDER BATCH") };
    let messages: Vec<Message> =
        serde_json::from_slice(&std::fs::read(events).expect("the events")).expect("the events");
    let batch: usize = batch.parse().expect("a number");
    let mut rooms: BTreeMap<OwnedRoomId, Vec<TimelineEvent>> = BTreeMap::new();
    for message in &messages {
        let room = RoomId::parse(format!("!{}:clinic.example", message.0)).expect("a room's id");
        rooms.entry(room).or_default().push(event(message));
    }
    let store = SqliteEventCacheStore::open(folder, None).await.expect("a new store");
    let mut saved = 0;
    let start = Instant::now();
    for (room, events) in rooms {
        let id = LinkedChunkId::Room(&room);
        let mut held = 0;
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let mut updates = Vec::new();
            for event in events.by_ref().take(batch) {
                let chunk = ChunkIdentifier::new((held / CHUNK) as u64);
                if held % CHUNK == 0 {
                    let previous = held.checked_sub(CHUNK).map(|n| ChunkIdentifier::new((n / CHUNK) as u64));
                    updates.push(Update::NewItemsChunk { previous, new: chunk, next: None });
                }
                match updates.last_mut() {
                    Some(Update::PushItems { items, .. }) => items.push(event),
                    _ => updates.push(Update::PushItems {
                        at: Position::new(chunk, held % CHUNK),
                        items: vec![event],
                    }),
                }
                held += 1;
            }
            store.handle_linked_chunk_updates(id, updates).await.expect("it saves");
        }
        saved += held;
    }
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(saved, messages.len());
    println!("{seconds}");
}

fn event((room, id, author, at, text): &Message) -> TimelineEvent {
    let json = json!({
        "type": "m.room.message",
        "room_id": format!("!{room}:clinic.example"),
        "event_id": format!("${id}"),
        "sender": format!("@{author}:clinic.example"),
        "origin_server_ts": at,
        "content": { "msgtype": "m.text", "body": text },
    });
    TimelineEvent::from_plaintext(Raw::from_json(to_raw_value(&json).expect("JSON")))
}
