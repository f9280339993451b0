//! Why something that a person wants isn't done.

use bedside_protocol::{ConnectRefusal, Retry};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a command was not done. The window turns each into words in one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, TS)]
#[serde(tag = "failure", rename_all = "snake_case")]
#[ts(export)]
pub enum Failure {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignedOut,
    /// Somebody is signed in already.
    #[error("somebody is signed in already")]
    SignedIn,
    /// The address is not `http://` or `https://` with a host. Plain http is for this machine alone.
    #[error("not a server address")]
    BadAddress,
    /// No server answers there.
    #[error("no server answers at the address")]
    Unreachable,
    /// A server answers, but not as a Bedside server (with demonstration sign-in, where that was asked for).
    #[error("what answers there is not a Bedside server")]
    NotBedside,
    /// The server refused the token.
    #[error("the server refused the sign-in: {}", code.as_str())]
    Refused {
        /// Why.
        code: ConnectRefusal,
    },
    /// The text is empty or over the server's limit.
    #[error("the text is empty or too long")]
    BadText {
        /// The most bytes a text may have.
        text_bytes: u32,
    },
    /// The server takes no files.
    #[error("the server takes no files")]
    NoFiles,
    /// The file is empty or over the server's limit.
    #[error("the file is empty or too large")]
    BadFile {
        /// The most bytes a file may have.
        file_bytes: u32,
    },
    /// So many files are attached already.
    #[error("there are too many files")]
    TooManyFiles {
        /// The most that may be.
        most: u32,
    },
    /// No such conversation, message or file here.
    #[error("no such conversation or message")]
    NotFound,
    /// The message was handed over to the server: it can't be taken back here.
    #[error("the message is already on its way")]
    OnItsWay,
    /// Signing out would throw away messages that wait.
    #[error("{count} messages wait to be sent")]
    WaitingMessages {
        /// How many.
        count: u32,
    },
    /// Nothing to load: the oldest is here already, or there is no network.
    #[error("older messages can't be loaded now")]
    Offline,
    /// The cache is locked, or can't be opened.
    #[error("the local cache is closed")]
    Locked,
    /// It is another passphrase.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// No passphrase was chosen yet.
    #[error("no passphrase was chosen")]
    NoPassphrase,
    /// The passphrase is too short.
    #[error("the passphrase is too short")]
    ShortPassphrase {
        /// The fewest characters that one may have.
        characters: u32,
    },
    /// The system can't be asked who somebody is.
    #[error("the system can't be asked who somebody is")]
    NoSystemUnlock,
    /// The system says that it is not the user of this computer, or may not be.
    #[error("the system refused to open it")]
    NotRecognised,
    /// Whoever was asked didn't want to say.
    #[error("nobody said who they are")]
    Dismissed,
    /// The machine's policy says otherwise.
    #[error("the policy of this computer says otherwise")]
    SetByPolicy,
    /// The folder for downloads can't be written.
    #[error("the file can't be saved")]
    NotSaved,
    /// The cache can't be read or written.
    #[error("the local cache can't be read or written")]
    Storage,
}

impl Failure {
    /// Whether to try again.
    pub const fn retry(&self) -> Retry {
        match self {
            Failure::Unreachable
            | Failure::Offline
            | Failure::Storage
            | Failure::Locked
            | Failure::NoSystemUnlock
            | Failure::Dismissed => Retry::Later,
            _ => Retry::Never,
        }
    }
}
