//! The patients' page, embedded at build time (a debug build reads it from the disk at run time).

use super::Problem;
use axum::body::Body;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "page/dist"]
#[allow_missing = true]
struct Dist;

/// Nothing but what this server itself delivers, and connections to nowhere else. blob: is a picture of a message, which
/// the page fetches with its token.
const POLICY: &str = "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
/// The page itself is asked for anew; its assets are named by their content.
const REVALIDATE: &str = "no-cache";
const FOREVER: &str = "public, max-age=31536000, immutable";

const SECURITY: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Whether the page was there when this program was built.
pub fn is_built_in() -> bool {
    Dist::get("index.html").is_some()
}

/// Serves a file of the page.
pub async fn serve(request: Request<Body>) -> Response {
    let mut response = file(&request);
    for (name, value) in SECURITY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn file(request: &Request<Body>) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Problem::new(StatusCode::METHOD_NOT_ALLOWED, "invalid", "only GET").into_response();
    }
    let path = match request.uri().path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    let Some(file) = Dist::get(path) else {
        return Problem::new(StatusCode::NOT_FOUND, "not_found", "no such page").into_response();
    };
    let cache = if path.starts_with("assets/") { FOREVER } else { REVALIDATE };
    let kind = file.metadata.mimetype().to_owned();
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache.to_owned())];
    (headers, file.data).into_response()
}
