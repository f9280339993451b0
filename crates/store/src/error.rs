//! What can go wrong with the cache.

/// Why the cache can't be read or written. Texts carry no content.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says no: a full disk, a locked or damaged file.
    #[error("the cache's database failed")]
    Sqlite(#[from] rusqlite::Error),
    /// The file or its folder can't be made, opened or deleted.
    #[error("the cache's file can't be used")]
    Io(#[from] std::io::Error),
    /// A newer program wrote the file; this one leaves it as it is.
    #[error("the cache was written by a newer version of the program (schema {0})")]
    Newer(u32),
    /// Another program works with the cache.
    #[error("the cache is in use by another program: Bedside is open already")]
    InUse,
    /// The folder's name isn't text.
    #[error("the cache's folder has a name that isn't text")]
    Path,
    /// A row isn't what this program writes.
    #[error("a row of the cache can't be read")]
    Corrupt,
    /// What is to be written contradicts what is there: a broken server.
    #[error("an entry contradicts the cache")]
    Contradiction,
    /// The writing thread is gone.
    #[error("the cache's writer has stopped")]
    Stopped,
}

impl StoreError {
    /// Whether a file is damaged, or another than its key is for: it can be made anew. A disk that is full, gone or
    /// can't be written is no damage.
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            StoreError::Corrupt => true,
            StoreError::Sqlite(error) => {
                error.sqlite_error_code().is_some_and(|code| matches!(code, DatabaseCorrupt | NotADatabase))
            }
            _ => false,
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(_: serde_json::Error) -> Self {
        StoreError::Corrupt
    }
}

impl From<bedside_protocol::InvalidId> for StoreError {
    fn from(_: bedside_protocol::InvalidId) -> Self {
        StoreError::Corrupt
    }
}
