//! A part of a conversation that somebody jumped to.

use bedside_protocol::{Code, Retry};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why not all that one looks at is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "missing", rename_all = "snake_case")]
#[ts(export)]
pub enum Missing {
    /// It is being fetched.
    Fetching,
    /// It isn't kept on this computer, and the server can't be reached; it comes when it can.
    Offline,
    /// The server won't give it.
    Refused {
        /// Why.
        code: Code,
        /// Whether to try again.
        retry: Retry,
    },
}
