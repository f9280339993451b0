//! What a frame may weigh. The server says its own in `welcome`; these are the defaults.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Most entries one `entries` answer carries (`to - from` is below this).
pub const MAX_ENTRIES_PAGE: u64 = 200;

/// Most conversations one `changes` answer carries.
pub const MAX_CHANGES_PAGE: u32 = 500;

/// Most hits that one `found` carries: more than anybody looks through.
pub const MAX_HITS: u32 = 50;

/// Longest preview, in characters: two lines of an inbox row.
pub const PREVIEW_CHARS: usize = 140;

/// The server's limits, told in `welcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Limits {
    /// Longest text of a body, in bytes of UTF-8.
    pub text_bytes: u32,
    /// Largest frame a client may send, in bytes of JSON.
    pub frame_bytes: u32,
    /// Sends a second that one socket may sustain; twice as many are taken in a burst.
    pub sends_per_s: u32,
    /// Largest file in bytes; none: the server takes no files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub file_bytes: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        // 16 KiB is some 2,500 words: ten times the longest message of the replayed consultations.
        // 20 MiB is a phone's largest photo or a scanned letter of some pages, and below what mail servers commonly take.
        Self {
            text_bytes: 16 * 1024,
            frame_bytes: 128 * 1024,
            sends_per_s: 20,
            file_bytes: Some(20 * 1024 * 1024),
        }
    }
}
