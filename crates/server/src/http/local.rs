//! The demonstration signs anybody in, so only this machine's own pages may reach it: a foreign page whose name was made
//! to resolve to loopback (DNS rebinding) still says that name in `Host`.

use super::Problem;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

/// Passes requests that were made to this machine by one of its own names.
pub async fn only(request: Request, next: Next) -> Response {
    if is_local(request.headers()) {
        return next.run(request).await;
    }
    let message = "the demonstration answers to localhost and loopback addresses alone";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, "forbidden", message).into_response()
}

fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.and_then(|host| host.parse::<Authority>().ok()) else { return false };
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_names() {
        for (host, local) in [
            ("127.0.0.1:8790", true),
            ("localhost", true),
            ("[::1]:8790", true),
            ("evil.example", false),
            ("127.0.0.1.evil.example:8790", false),
            ("10.0.0.1", false),
            ("", false),
        ] {
            let headers = [(header::HOST, host.parse().unwrap())].into_iter().collect();
            assert_eq!(is_local(&headers), local, "{host}");
        }
        assert!(!is_local(&HeaderMap::new()));
    }
}
