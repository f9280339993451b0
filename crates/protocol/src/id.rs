//! Ids and numbers of the wire. Each is a type of its own, so that one can't stand where another belongs.

use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;
use uuid::Uuid;

/// Longest id in bytes; ids stand in every frame and in every index.
const MAX_ID_BYTES: usize = 64;

/// The largest integer that JavaScript's numbers hold exactly (2^53 - 1).
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// A text that is no id, or a number out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId(&'static str);

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidId {}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
        #[serde(try_from = "String")]
        #[ts(type = "string")]
        pub struct $name(String);

        impl $name {
            /// Takes 1 to 64 characters of `A-Z a-z 0-9 - _ .`; refuses anything else.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
                if text.is_empty() || text.len() > MAX_ID_BYTES || !text.bytes().all(plain) {
                    return Err(InvalidId("an id is 1 to 64 characters of A-Z a-z 0-9 - _ ."));
                }
                Ok(Self(text))
            }

            /// The id as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// A clinic: the tenant. Nothing of one clinic is ever seen by another's people.
    ClinicId
}
text_id! {
    /// A conversation: one patient's log within a clinic.
    ConversationId
}
text_id! {
    /// A person or service: provider, patient, or `system`.
    UserId
}

text_id! {
    /// One life of a server's log: it changes with each start of the server, so that a log which went back to an older
    /// copy of itself is told from one that went on.
    Epoch
}

/// An entry's id, a UUIDv7 made by whoever writes the entry: the idempotency key of its `send`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(try_from = "Uuid")]
#[ts(type = "string")]
pub struct EntryId(Uuid);

impl EntryId {
    /// Takes a UUID of version 7; refuses others, since the log relies on ids made for it.
    pub fn new(uuid: Uuid) -> Result<Self, InvalidId> {
        if uuid.get_version_num() == 7 {
            Ok(Self(uuid))
        } else {
            Err(InvalidId("an entry's id is a UUID of version 7"))
        }
    }

    /// Makes an id from its parts: the time and 10 random bytes, of which 74 bits are used.
    pub fn from_parts(at: Time, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(at.millis(), &random).into_uuid())
    }
}

impl TryFrom<Uuid> for EntryId {
    type Error = InvalidId;
    fn try_from(uuid: Uuid) -> Result<Self, InvalidId> {
        Self::new(uuid)
    }
}

impl std::str::FromStr for EntryId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::parse_str(text).map_err(|_| InvalidId("an entry's id is a UUID")).and_then(Self::new)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS,
        )]
        #[serde(try_from = "u64")]
        #[ts(type = "number")]
        pub struct $name(u64);

        impl $name {
            /// Zero: before the first.
            pub const ZERO: Self = Self(0);
            /// The largest value: 2^53 - 1, what JavaScript's numbers hold exactly.
            pub const MAX: Self = Self(MAX_SAFE_INTEGER);

            /// The number, saturating at [`Self::MAX`].
            pub const fn new(number: u64) -> Self {
                if number > MAX_SAFE_INTEGER { Self::MAX } else { Self(number) }
            }

            /// The bare number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// `self + n`, saturating at [`Self::MAX`].
            pub const fn plus(self, n: u64) -> Self {
                Self::new(self.0.saturating_add(n))
            }

            /// `self - n`, saturating at zero.
            pub const fn minus(self, n: u64) -> Self {
                Self(self.0.saturating_sub(n))
            }

            /// The number after this one.
            pub const fn next(self) -> Self {
                self.plus(1)
            }
        }

        impl TryFrom<u64> for $name {
            type Error = InvalidId;
            fn try_from(number: u64) -> Result<Self, InvalidId> {
                if number > MAX_SAFE_INTEGER {
                    return Err(InvalidId("a number on the wire is at most 2^53 - 1"));
                }
                Ok(Self(number))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// An entry's place in its conversation: dense, from 1. [`Seq::ZERO`] is "before the first".
    Seq
}
number! {
    /// A clinic's change counter: every committed change of a conversation carries the next one.
    Rev
}
number! {
    /// A moment: milliseconds since 1970-01-01 UTC.
    Time
}

impl Time {
    /// Milliseconds since 1970-01-01 UTC.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Milliseconds from `earlier` to here, zero if `earlier` is later.
    pub const fn since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
