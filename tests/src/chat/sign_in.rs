//! Signing in at a demonstration server, as its page does it.

use bedside_protocol::{ConversationId, Role, UserId};
use serde::Deserialize;
use serde_json::json;
use std::fmt;
use std::time::Duration;
use tokio::time::sleep;

/// A server on this machine answers in milliseconds, or is not there.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Between attempts at a server that isn't there yet.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Who wants in, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// `http://`, host, port.
    pub server: String,
    /// As whom.
    pub role: Role,
    /// The name, which at a demonstration server is enough.
    pub name: String,
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SignedIn {
    /// To connect with.
    pub token: String,
    /// Who one is.
    pub id: UserId,
    /// A patient's own conversation.
    pub conversation: Option<ConversationId>,
}

/// Why nobody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInError {
    /// No answer, or none that it could give now: worth another try.
    Unreachable,
    /// The server says no, with this HTTP status, or answers something else.
    Refused(u16),
}

impl fmt::Display for SignInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str("no server answers"),
            Self::Refused(status) => write!(f, "the server doesn't sign in (HTTP {status})"),
        }
    }
}

impl std::error::Error for SignInError {}

impl SignIn {
    /// A patient.
    pub fn patient(server: &str, name: &str) -> Self {
        Self::new(server, Role::Patient, name)
    }

    /// A provider.
    pub fn provider(server: &str, name: &str) -> Self {
        Self::new(server, Role::Provider, name)
    }

    fn new(server: &str, role: Role, name: &str) -> Self {
        Self { server: server.trim_end_matches('/').to_owned(), role, name: name.to_owned() }
    }

    /// The socket's namespace for the role.
    pub fn namespace(&self) -> &'static str {
        match self.role {
            Role::Patient => "/patient",
            Role::Provider | Role::System => "/provider",
        }
    }

    /// Asks once.
    pub async fn ask(&self) -> Result<SignedIn, SignInError> {
        let answer = http(TIMEOUT)
            .map_err(|_| SignInError::Unreachable)?
            .post(format!("{}/api/demo/sign-in", self.server))
            .json(&json!({ "role": self.role, "name": self.name }))
            .send()
            .await
            .map_err(|_| SignInError::Unreachable)?;
        let status = answer.status();
        if status.is_server_error() {
            return Err(SignInError::Unreachable);
        }
        let refused = SignInError::Refused(status.as_u16());
        if !status.is_success() {
            return Err(refused);
        }
        answer.json().await.map_err(|_| refused)
    }

    /// Asks until the server answers.
    pub async fn insist(&self) -> Result<SignedIn, SignInError> {
        loop {
            match self.ask().await {
                Err(SignInError::Unreachable) => sleep(ASK_EVERY).await,
                answer => return answer,
            }
        }
    }
}

/// A client for servers on this machine: it loads no certificates, which takes longer than all the rest.
pub(crate) fn http(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().tls_built_in_root_certs(false).timeout(timeout).build()
}
