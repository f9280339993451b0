//! Refusals: a code, and one place that says for each whether to try again.

use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;

/// Why the server didn't do what a frame asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Code {
    /// The frame is not what the protocol says: wrong types, missing fields, an unknown event or kind.
    Invalid,
    /// A text or a frame over the limits that `welcome` named.
    TooLarge,
    /// No such conversation or entry, or none that the sender may know of.
    NotFound,
    /// The sender may not do this.
    Forbidden,
    /// The same id came before with other content.
    Conflict,
    /// The writer hadn't seen the newest patient message or colleague's reply.
    Behind,
    /// The log isn't the one that the asker's copy is of: it was restored from an older copy, or is another.
    Diverged,
    /// More than the limits allow; `retry_after_ms` says when to come again.
    RateLimited,
    /// The server can't do it now (a full disk, a restart); `retry_after_ms` says when to come again.
    Unavailable,
}

/// Whether what was refused is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Retry {
    /// The same frame will be refused again: a person has to change something.
    Never,
    /// After the writer has read what is new.
    AfterReading,
    /// The same frame, later, by itself.
    Later,
}

impl Code {
    /// Every code, in the order of `docs/protocol.md`.
    pub const ALL: [Code; 9] = [
        Code::Invalid,
        Code::TooLarge,
        Code::NotFound,
        Code::Forbidden,
        Code::Conflict,
        Code::Behind,
        Code::Diverged,
        Code::RateLimited,
        Code::Unavailable,
    ];

    /// Whether to try again: the one place that says so (TypeScript's table is made from it).
    pub const fn retry(self) -> Retry {
        match self {
            Code::Invalid
            | Code::TooLarge
            | Code::NotFound
            | Code::Forbidden
            | Code::Conflict
            | Code::Diverged => Retry::Never,
            Code::Behind => Retry::AfterReading,
            Code::RateLimited | Code::Unavailable => Retry::Later,
        }
    }
}

/// A refusal before it is addressed: what is wrong and, where waiting helps, for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The class of the fault.
    pub code: Code,
    /// For the log and for developers; it never quotes what the frame carried.
    pub message: String,
    /// Milliseconds until another try makes sense.
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    /// A refusal without a waiting time.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }

    /// A refusal that waiting mends.
    pub fn later(code: Code, message: impl Into<String>, retry_after_ms: u64) -> Self {
        Self { code, message: message.into(), retry_after_ms: Some(retry_after_ms) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refusal {}

/// Why the server refused a connection: the bare text of CONNECT_ERROR's `message`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ConnectRefusal {
    /// No token, or none of this server's.
    Unauthenticated,
    /// The token's time is over: sign in again.
    Expired,
    /// The person's or device's access was taken away.
    Revoked,
    /// The server speaks another version of the protocol: update.
    Protocol,
}

impl ConnectRefusal {
    /// Every refusal of a connection.
    pub const ALL: [ConnectRefusal; 4] =
        [Self::Unauthenticated, Self::Expired, Self::Revoked, Self::Protocol];

    /// The code as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Protocol => "protocol",
        }
    }

    /// Reads the code from CONNECT_ERROR's `message`; `None` for anything else.
    pub fn parse(message: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.as_str() == message)
    }
}

/// The table of [`Code::retry`] as a TypeScript module.
pub fn retry_table_typescript() -> String {
    let name = |value: serde_json::Result<String>| value.unwrap_or_default();
    let rows: String = Code::ALL
        .into_iter()
        .map(|code| {
            let (code, retry) =
                (name(serde_json::to_string(&code)), name(serde_json::to_string(&code.retry())));
            format!("  {}: {retry},\n", code.trim_matches('"'))
        })
        .collect();
    format!(
        "// Generated from crates/protocol/src/refusal.rs. Do not edit.\nimport type {{ Code }} from \"./Code\";\n\
         import type {{ Retry }} from \"./Retry\";\n\nexport const RETRY: Record<Code, Retry> = {{\n{rows}}};\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_the_wire() {
        for refusal in ConnectRefusal::ALL {
            assert_eq!(ConnectRefusal::parse(refusal.as_str()), Some(refusal));
            assert_eq!(serde_json::to_value(refusal).unwrap(), refusal.as_str());
        }
        assert_eq!(ConnectRefusal::parse("nonsense"), None);
    }

    /// Beside ts-rs's own exports, which are tests too.
    #[test]
    fn export_bindings_retry_table() {
        let directory = std::env::var("TS_RS_EXPORT_DIR").unwrap();
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(std::path::Path::new(&directory).join("retry_classes.ts"), retry_table_typescript())
            .unwrap();
    }
}
