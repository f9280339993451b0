//! What the server's log and the console's cache hold, read from their files, and compared.

use crate::server::Server;
use crate::wire::Wire;
use bedside_protocol::{ConversationId, Entry, MAX_ENTRIES_PAGE, Rev, Role, Seq};
use bedside_store::{Files, Reader};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A log: entries by conversation and place.
#[derive(Clone, Debug, PartialEq)]
pub struct Log(pub Vec<Entry>);

impl Log {
    /// Reads the server's file, which the server may have open.
    pub fn of_server(server: &Server) -> Self {
        let connection = Connection::open_with_flags(server.log(), OpenFlags::SQLITE_OPEN_READ_ONLY)
            .expect("the server's log");
        let mut rows = connection
            .prepare(
                "SELECT conversation, seq, rev, id, at, author, role, author_name, body, preview, origin
                 FROM entries ORDER BY conversation, seq",
            )
            .expect("the log's table");
        let entries = rows
            .query_map([], |row| {
                let json = |column| row.get::<_, Option<String>>(column).map(|text| parse(text.as_deref()));
                let mut entry = json!({
                    "conversation": row.get::<_, String>(0)?,
                    "seq": row.get::<_, i64>(1)?,
                    "rev": row.get::<_, i64>(2)?,
                    "id": row.get::<_, String>(3)?,
                    "at": row.get::<_, i64>(4)?,
                    "author": {
                        "id": row.get::<_, String>(5)?,
                        "role": row.get::<_, String>(6)?,
                        "name": row.get::<_, String>(7)?,
                    },
                    "body": json(8)?,
                    "preview": row.get::<_, String>(9)?,
                });
                if let (origin @ Value::Object(_), Some(entry)) = (json(10)?, entry.as_object_mut()) {
                    entry.insert("from".into(), origin);
                }
                Ok(serde_json::from_value(entry).expect("an entry"))
            })
            .expect("the log's rows");
        Self(entries.collect::<Result<_, _>>().expect("the log's rows"))
    }

    /// Reads the console's file, which the console may have open.
    pub fn of_console(files: &Files) -> Self {
        let reader = Reader::open(files).expect("the console's cache");
        Self(reader.log().expect("the cached log"))
    }

    /// Asks a server for all that a provider may see.
    pub async fn over_wire(provider: &mut Wire) -> Self {
        let mut entries = Vec::new();
        for conversation in provider.changes(Rev::ZERO).await.conversations {
            let page = provider.entries(&conversation.id, Seq::new(1), Seq::new(MAX_ENTRIES_PAGE)).await;
            assert!(conversation.head <= page.to, "conversation {} is longer than a page", conversation.id);
            entries.extend(page.entries);
        }
        entries.sort_by(|a, b| (&a.conversation, a.seq).cmp(&(&b.conversation, b.seq)));
        Self(entries)
    }

    /// Its messages, without what the server says by itself.
    pub fn messages(&self) -> impl Iterator<Item = &Entry> {
        let written = |entry: &&Entry| entry.body.is_message() && entry.author.role != Role::System;
        self.0.iter().filter(written)
    }

    /// Panics unless each conversation's places are 1, 2, 3, ….
    pub fn assert_dense(&self) {
        let mut heads: BTreeMap<&ConversationId, Seq> = BTreeMap::new();
        for entry in &self.0 {
            let head = heads.entry(&entry.conversation).or_default();
            assert_eq!(entry.seq, head.next(), "in conversation {}", entry.conversation);
            *head = entry.seq;
        }
    }

    /// SHA-256 over all of every entry.
    pub fn digest(&self) -> String {
        let mut sha = Sha256::new();
        for entry in &self.0 {
            sha.update(serde_json::to_vec(entry).expect("an entry is JSON"));
        }
        sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn parse(text: Option<&str>) -> Value {
    text.map_or(Value::Null, |text| serde_json::from_str(text).expect("JSON"))
}
