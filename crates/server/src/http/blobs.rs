//! The bytes of files, up and down.

use super::{Problem, bearer};
use crate::blobs::allowance::NotNow;
use crate::blobs::fault;
use crate::blobs::receive::{Broken, Received, receive};
use crate::blobs::sweep::discard;
use crate::log::{Fault, MAX_UNSENT, Reader, Upload, Write, crowded};
use crate::shared::Shared;
use crate::token::{Claims, TokenRole};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bedside_protocol::{Role, is_sha256};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempPath;
use tokio_util::io::ReaderStream;

/// Whatever the bytes are, a browser neither shows nor runs them, and nobody keeps them.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "application/octet-stream"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_DISPOSITION, "attachment"),
    (header::CACHE_CONTROL, "private, no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// A disk that is full is so for a while.
const FULL: Duration = Duration::from_secs(60);

/// Answers with the bytes, if the asker may have them.
pub async fn get(
    State(shared): State<Arc<Shared>>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    counted(&shared, read(&shared, sha256, &headers).await)
}

/// Takes the bytes in.
pub async fn put(
    State(shared): State<Arc<Shared>>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, axum::Json<Value>), Problem> {
    counted(&shared, write(&shared, sha256, &headers, body).await)
}

fn counted<T>(shared: &Shared, result: Result<T, Problem>) -> Result<T, Problem> {
    result.inspect_err(|problem| shared.metrics.blob_refused(problem.code))
}

async fn read(shared: &Shared, sha256: String, headers: &HeaderMap) -> Result<Response, Problem> {
    let (claims, role) = person(shared, headers)?;
    shared.allowance.download((claims.clinic.clone(), claims.sub.clone()), Instant::now())?;
    if !is_sha256(&sha256) {
        return Err(not_found());
    }
    let (clinic, which) = (claims.clinic.clone(), sha256.clone());
    let patient = (role == Role::Patient).then_some(claims.sub);
    let bytes = shared.readers.read(move |reader| reader.blob(&clinic, &which, patient.as_ref())).await;
    let Some(bytes) = bytes.map_err(unavailable)? else { return Err(not_found()) };
    let file = match shared.blobs.read(&claims.clinic, &sha256).await {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            tracing::error!("a file that has a row is missing");
            return Err(not_found());
        }
        Err(error) => return Err(unavailable(fault(&error))),
    };
    let mut response = Body::from_stream(ReaderStream::new(file)).into_response();
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().insert(header::CONTENT_LENGTH, bytes.into());
    Ok(response)
}

async fn write(
    shared: &Arc<Shared>,
    sha256: String,
    headers: &HeaderMap,
    body: Body,
) -> Result<(StatusCode, axum::Json<Value>), Problem> {
    let (claims, role) = person(shared, headers)?;
    let Some(most) = shared.config.limits.file_bytes.map(u64::from) else {
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "this server takes no files"));
    };
    if !is_sha256(&sha256) {
        return Err(Problem::invalid("a SHA-256 is 64 lower-case hexadecimal digits"));
    }
    if shared.draining.is_cancelled() {
        return Err(Problem::unavailable());
    }
    let who = (claims.clinic.clone(), claims.sub.clone());
    let _place = shared.allowance.upload(who, role, Instant::now())?;
    if length(headers).is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    if !shared.blobs.has_room(most) {
        tracing::error!("no file is taken: the disk is nearly full");
        return Err(Problem::unavailable().after(FULL));
    }
    let known = known(shared, &claims, role, &sha256).await?;
    let clinic = &claims.clinic;
    // What is there already is hashed all the same: the digest alone must not give anybody a file of somebody else's.
    let mut begun = match known {
        true => None,
        false => Some(shared.blobs.begin(clinic, &sha256).await.map_err(|error| unavailable(fault(&error)))?),
    };
    let file = begun.as_mut().map(|(file, _)| file);
    let received = receive(body.into_data_stream(), most, file).await;
    let Received { sha256: digest, bytes } = received.map_err(|broken| problem(broken, most))?;
    if digest != sha256 {
        return Err(Problem::invalid("the bytes have another SHA-256"));
    }
    // The access may have ended meanwhile.
    person(shared, headers)?;
    let upload = Upload { clinic: clinic.clone(), sha256: digest, uploader: claims.sub.clone(), role, bytes };
    let path = begun.map(|(_, path)| path);
    // Whoever asked may be gone before it is done.
    let done = tokio::spawn(finish(shared.clone(), upload, path)).await;
    let fresh = done.map_err(|_| Problem::unavailable())??;
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, axum::Json(json!({"sha256": sha256, "bytes": bytes}))))
}

/// Whether the clinic has the bytes. Refuses what the log would refuse, before anything is sent over the network for it.
async fn known(shared: &Shared, claims: &Claims, role: Role, sha256: &str) -> Result<bool, Problem> {
    let (clinic, who, which) = (claims.clinic.clone(), claims.sub.clone(), sha256.to_owned());
    let read = move |reader: &mut dyn Reader| {
        Ok((reader.blob(&clinic, &which, None)?.is_some(), reader.unsent(&clinic, &who, role, &which)?))
    };
    let (known, unsent) = shared.readers.read(read).await.map_err(unavailable)?;
    if !known && unsent >= MAX_UNSENT {
        return Err(crowded().into());
    }
    Ok(known && shared.blobs.has(&claims.clinic, sha256).await)
}

/// Puts the file to its place and commits its row. Says whether it is new.
async fn finish(shared: Arc<Shared>, upload: Upload, path: Option<TempPath>) -> Result<bool, Problem> {
    let Upload { clinic, sha256, bytes, .. } = upload.clone();
    let holding = shared.blobs.holding().await;
    let fresh = match path {
        Some(path) => {
            let put = shared.blobs.put(path, &clinic, &sha256).await;
            put.map_err(|error| unavailable(fault(&error)))?
        }
        None if shared.blobs.has(&clinic, &sha256).await => false,
        // It was swept while it was being hashed.
        None => return Err(Problem::unavailable()),
    };
    if fresh {
        shared.metrics.blob_put(bytes);
    }
    let committed = shared.writer.write(Write::Upload(upload)).await;
    drop(holding);
    if let Err(refusal) = committed {
        // What isn't removed now is at the next start.
        let _ = discard(&shared, &clinic, &sha256).await;
        return Err(refusal.into());
    }
    Ok(fresh)
}

/// Who asks, as what.
fn person(shared: &Shared, headers: &HeaderMap) -> Result<(Claims, Role), Problem> {
    let claims = bearer(shared, headers)?;
    let role = match claims.role {
        TokenRole::Provider => Role::Provider,
        TokenRole::Patient => Role::Patient,
        TokenRole::Admin | TokenRole::Service => {
            return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "only a provider or a patient may"));
        }
    };
    Ok((claims, role))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "no such file")
}

fn too_large(most: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("a file has at most {most} bytes"))
}

fn unavailable(fault: Fault) -> Problem {
    tracing::error!(%fault, "a file can't be kept or read");
    Problem::unavailable()
}

fn problem(broken: Broken, most: u64) -> Problem {
    match broken {
        Broken::TooLarge => too_large(most),
        Broken::Late => Problem::new(StatusCode::REQUEST_TIMEOUT, "invalid", "the upload took too long"),
        Broken::Gone => Problem::invalid("the upload broke off"),
        Broken::Disk(error) => unavailable(fault(&error)),
    }
}

impl From<NotNow> for Problem {
    fn from(not_now: NotNow) -> Self {
        match not_now {
            NotNow::Person(wait) => {
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many requests").after(wait)
            }
            NotNow::Everybody => Problem::unavailable().after(Duration::from_secs(5)),
        }
    }
}
