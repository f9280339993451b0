//! Bringing a file's schema up to date.
//!
//! `PRAGMA user_version` counts the migrations that a file has seen. `schema/` holds what each of them makes of an empty file; a
//! test keeps it so, and another upgrades a filled file from each version.

use crate::StoreError;
use rusqlite::Connection;

/// A file's migrations: each brings its schema from its index to its index + 1.
pub(crate) type Migrations = &'static [&'static str];

/// The cache's.
pub(crate) const CACHE: Migrations = &[
    include_str!("../migrations/001_cache.sql"),
    include_str!("../migrations/002_epoch_hold_unread.sql"),
    include_str!("../migrations/003_search.sql"),
    include_str!("../migrations/004_generation.sql"),
    include_str!("../migrations/005_attachments.sql"),
    include_str!("../migrations/006_filters.sql"),
];

/// Those of what only this computer knows.
pub(crate) const KEPT: Migrations = &[
    include_str!("../migrations/kept/001_kept.sql"),
    include_str!("../migrations/kept/002_attachments.sql"),
];

/// Brings a file up to date, each step in a transaction of its own. One of a newer program is left untouched.
pub(crate) fn migrate(connection: &mut Connection, migrations: Migrations) -> Result<(), StoreError> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(pending) = migrations.get(done..) else {
        return Err(StoreError::Newer(version));
    };
    for (sql, next) in pending.iter().zip(version + 1..) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", next)?;
        transaction.commit()?;
    }
    Ok(())
}
