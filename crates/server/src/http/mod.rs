//! What is served over plain HTTP: health, metrics, the patients' page, and a few requests.

mod admin;
mod blobs;
mod demo;
mod local;
mod page;
mod suggestions;

use crate::log::Fault;
use crate::metrics::code_word;
use crate::shared::Shared;
use crate::token::Claims;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bedside_protocol::{Code, ConnectRefusal, Refusal};
pub use local::only as only_local;
pub use page::is_built_in as has_page;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Largest body of a request but an upload: three replies with their reasons.
const MAX_BODY_BYTES: usize = 16 * 1024;
/// When what can't be done now is worth another try.
const UNAVAILABLE: Duration = Duration::from_secs(2);
/// How long a probe of the log counts: each one is a write to the disk, and anybody may ask.
const PROBE_COUNTS: Duration = Duration::from_secs(1);
/// A log that takes longer than this is no use to anybody.
const PROBE_LIMIT: Duration = Duration::from_secs(3);

/// All routes but Socket.IO's.
pub fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/api/blobs/{sha256}", get(blobs::get).put(blobs::put))
        .route("/api/conversations/{id}/suggestions", post(suggestions::push))
        .route("/api/admin/revoke", post(admin::revoke));
    if shared.config.demo {
        router = router
            .route("/api/demo/sign-in", post(demo::sign_in))
            .route("/api/demo/people", get(demo::people));
    }
    router.fallback(page::serve).layer(DefaultBodyLimit::max(MAX_BODY_BYTES)).with_state(shared)
}

async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if shared.draining.is_cancelled() {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "stopping").into_response();
    }
    let mut probed = shared.probed.lock().await;
    let ready = match *probed {
        Some((at, ready)) if at.elapsed() < PROBE_COUNTS => ready,
        _ => {
            let probe = async { shared.writer.probe().await.and(read(&shared).await) };
            let ready = match tokio::time::timeout(PROBE_LIMIT, probe).await {
                Ok(result) => result.inspect_err(|fault| tracing::error!(%fault, "not ready")).is_ok(),
                Err(_) => false,
            };
            *probed = Some((Instant::now(), ready));
            ready
        }
    };
    if ready {
        "ready\n".into_response()
    } else {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the log can't be used").into_response()
    }
}

async fn read(shared: &Shared) -> Result<(), Fault> {
    shared.readers.read(|reader| reader.revs().map(drop)).await
}

async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.metrics.text(shared.config.tasks.services()))
}

/// A request that wasn't done.
struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// When another try makes sense.
    after: Option<Duration>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), after: None }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "try again later").after(UNAVAILABLE)
    }

    fn after(self, wait: Duration) -> Self {
        Self { after: Some(wait), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "message": self.message}});
        let mut response = (self.status, axum::Json(body)).into_response();
        if let Some(wait) = self.after {
            // Whole seconds, rounded up: coming back too early would only be refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(Refusal { code, message, retry_after_ms }: Refusal) -> Self {
        let status = match code {
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::Forbidden => StatusCode::FORBIDDEN,
            Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Code::Conflict | Code::Behind => StatusCode::CONFLICT,
            Code::Invalid | Code::Diverged => StatusCode::BAD_REQUEST,
        };
        let after = retry_after_ms.map(Duration::from_millis);
        Self { status, code: code_word(code), message, after }
    }
}

/// Who sends the token in a request's `Authorization`, checked as CONNECT's is.
fn bearer(shared: &Shared, headers: &HeaderMap) -> Result<Claims, Problem> {
    let unauthenticated =
        |refusal: ConnectRefusal| Problem::new(StatusCode::UNAUTHORIZED, refusal.as_str(), "sign in");
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .ok_or_else(|| unauthenticated(ConnectRefusal::Unauthenticated))?;
    match shared.identify(token) {
        Ok((claims, None)) => Ok(claims),
        Ok((_, Some(_))) => Err(unauthenticated(ConnectRefusal::Revoked)),
        Err(refusal) => Err(unauthenticated(refusal)),
    }
}

/// A body of JSON; anything else is answered as every other problem is.
struct Json<T>(T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> axum::extract::FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => {
                let (code, message) = match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "the body is too large"),
                    StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                        ("invalid", "the content type must be application/json")
                    }
                    _ => ("invalid", "the body's fields are missing or wrong"),
                };
                Err(Problem::new(rejection.status(), code, message))
            }
        }
    }
}
