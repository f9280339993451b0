//! The console's local cache: an encrypted SQLite file. One thread has the only connection that writes; readers are
//! read-only and never wait for it. The cache can be rebuilt from the server, except what only this computer knows: the
//! outbox, drafts with their files, and read marks. A second file has a copy of these.

mod apply;
mod attachment;
mod connection;
mod error;
mod kept;
mod key;
mod migrate;
mod open;
mod read;
mod search;
mod writer;

pub use attachment::FileOf;
pub use connection::{Files, Lock, delete, is_there, lock, replace_private, sync_folder};
pub use error::StoreError;
pub use key::{Key, Keys};
pub use open::Repair;
pub use read::{CachedConversation, InboxEntry, Reached, Reader};
pub use search::{Covers, Found, Hit, Search};
pub use writer::{Cache, Committed, Topic, Writer};

use bedside_engine::Change;
use bedside_protocol::{ConversationId, EntryId, File, Limits, Me, Time};
use std::sync::Arc;

/// The account whose cache a file is.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Who.
    pub me: Me,
    /// The server's address.
    pub server: String,
    /// The bearer's token.
    pub token: String,
    /// What a frame may weigh there.
    pub limits: Limits,
}

/// What is typed and not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Plain text.
    pub text: String,
    /// Where in it the cursor stands, in UTF-16 units.
    pub cursor: u32,
}

/// One change to write.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all writes are the engine's")]
pub enum Write {
    /// The engine's.
    Sync(Change),
    /// Whose cache this is.
    Account(Account),
    /// The server was reached at this moment.
    Reached(Time),
    /// The clock shows this.
    Clock(Time),
    /// What is typed and not sent; empty forgets it.
    Draft(ConversationId, Draft),
    /// A file, attached to a conversation's draft.
    Attach(ConversationId, File, Arc<[u8]>),
    /// A file of this digest is attached no longer.
    Detach(ConversationId, String),
    /// The bytes of this entry's file, of this digest, were fetched.
    Fetched(EntryId, String, Arc<[u8]>, Time),
    /// Fetched files go until they weigh no more than so many bytes.
    ShrinkFiles(u64),
}

impl Write {
    /// Whether it takes anything away.
    fn deletes(&self) -> bool {
        use Change::{Forget, Purge, Trim};
        matches!(
            self,
            Write::Sync(Forget(_) | Purge(_) | Trim(..)) | Write::Detach(..) | Write::ShrinkFiles(_)
        )
    }
}

/// Reads what a column holds as JSON.
fn parse<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    Ok(serde_json::from_str(json)?)
}

#[cfg(test)]
mod tests;
