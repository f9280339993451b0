//! The bytes of files, over HTTP: up before their message, down when somebody looks at one.

use crate::address;
use crate::trust::Trust;
use bedside_protocol::{Code, File, Refusal};
use bedside_store::Account;
use futures_util::StreamExt;
use reqwest::header::{CONTENT_LENGTH, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Bytes of an upload that are handed over at once: its progress moves in steps of a percent of a large photo.
const PIECE: usize = 64 * 1024;
/// A server that takes longer to answer at all is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A line on which nothing moves for so long is dead.
const SILENCE: Duration = Duration::from_secs(30);
/// The server gives up an upload that takes longer (docs/protocol.md, "Files").
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// One account's way to its server's files.
#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    http: reqwest::Client,
    server: Url,
    token: String,
}

impl Transfer {
    pub(crate) fn new(account: &Account, trust: &Trust) -> Result<Self, Refusal> {
        let server = address::parse(&account.server).map_err(|_| unavailable())?;
        let http = http().use_preconfigured_tls(trust.connector()).build();
        Ok(Self { http: http.map_err(|_| unavailable())?, server, token: account.token.clone() })
    }

    /// Brings `bytes` to the server, unless it has them. `sent` hears how many of them are on their way.
    pub(crate) async fn upload(
        &self,
        file: &File,
        bytes: Arc<[u8]>,
        sent: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<(), Refusal> {
        let there = self.request(Method::HEAD, file)?.timeout(SILENCE).send().await;
        if there.is_ok_and(|response| response.status().is_success()) {
            return Ok(());
        }
        let length = bytes.len();
        let pieces = (0..length).step_by(PIECE).map(move |start| {
            let end = length.min(start + PIECE);
            sent(end as u64);
            Ok::<_, std::io::Error>(bytes.get(start..end).unwrap_or_default().to_vec())
        });
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
        let request = self.request(Method::PUT, file)?.timeout(UPLOAD_TIMEOUT);
        let answer = request.header(CONTENT_LENGTH, length).body(body).send().await;
        checked(answer.map_err(|_| unavailable())?).await.map(drop)
    }

    /// Fetches the bytes of a file, exactly as many as it says.
    pub(crate) async fn download(&self, file: &File) -> Result<Vec<u8>, Refusal> {
        let answer = tokio::time::timeout(SILENCE, self.request(Method::GET, file)?.send()).await;
        let answer = answer.map_err(|_| unavailable())?.map_err(|_| unavailable())?;
        let mut pieces = checked(answer).await?.bytes_stream();
        let mut bytes = Vec::new();
        while let Some(piece) =
            tokio::time::timeout(SILENCE, pieces.next()).await.map_err(|_| unavailable())?
        {
            bytes.extend_from_slice(&piece.map_err(|_| unavailable())?);
            if file.bytes < bytes.len() as u64 {
                break;
            }
        }
        if bytes.len() as u64 == file.bytes && sha256(&bytes) == file.sha256 {
            Ok(bytes)
        } else {
            Err(Refusal::new(Code::Conflict, "other bytes than the message speaks of"))
        }
    }

    fn request(&self, method: Method, file: &File) -> Result<reqwest::RequestBuilder, Refusal> {
        let url = self.server.join(&format!("/api/blobs/{}", file.sha256)).map_err(|_| unavailable())?;
        Ok(self.http.request(method, url).bearer_auth(&self.token))
    }
}

/// How this program speaks HTTP: to the server that it names and nobody in between. An environment's proxy would get what goes
/// in the clear to this machine alone; and what is asked of a server is answered by it, or not at all.
pub(crate) fn http() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
}

/// The digest of some bytes, as files are named by it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unavailable() -> Refusal {
    Refusal::new(Code::Unavailable, "the file's server can't be reached")
}

/// The answer, if it is one; else what the server said, or its status.
async fn checked(answer: Response) -> Result<Response, Refusal> {
    #[derive(Deserialize)]
    struct Problem {
        error: Said,
    }
    #[derive(Deserialize)]
    struct Said {
        code: String,
    }
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let seconds =
        answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let said = answer.json::<Problem>().await.map(|problem| problem.error.code).unwrap_or_default();
    let code = match (status, said.as_str()) {
        (StatusCode::BAD_REQUEST, "invalid") => Code::Invalid,
        (StatusCode::FORBIDDEN, "forbidden") => Code::Forbidden,
        (StatusCode::NOT_FOUND, "not_found") => Code::NotFound,
        // A proxy says so too, and will again.
        (StatusCode::PAYLOAD_TOO_LARGE, _) => Code::TooLarge,
        (StatusCode::TOO_MANY_REQUESTS, _) => Code::RateLimited,
        // The socket hears of an access that has ended, and a person is told there. Whatever else answers here, a proxy's page
        // or a server's fault, isn't the server's word on this file.
        _ => Code::Unavailable,
    };
    let refusal = Refusal::new(code, format!("the server answered {status}"));
    Err(Refusal { retry_after_ms: seconds.map(|seconds| seconds.saturating_mul(1_000)), ..refusal })
}
