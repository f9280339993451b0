//! Signing in: a first connection that shows whether the server takes the token, before anything is kept.

use crate::address;
use crate::api::Failure;
use crate::socket::{Socket, SocketEvent, Target};
use crate::transfer::http;
use crate::trust::Trust;
use bedside_protocol::{Connect, PROTOCOL_VERSION, ServerFrame};
use bedside_store::Account;
use serde::Deserialize;
use std::time::Duration;

/// A server that takes longer to welcome anybody is not there for a person who waits.
const TIMEOUT: Duration = Duration::from_secs(10);

/// CONNECT's payload for a provider's console.
pub(crate) fn connect(token: &str, device: &str) -> Connect {
    Connect {
        token: token.to_owned(),
        device: device.to_owned(),
        protocol: PROTOCOL_VERSION,
        client: concat!("bedside/", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}

/// The namespace of consoles.
pub(crate) const NAMESPACE: &str = "/provider";

/// Connects once with the token, and learns whose it is.
pub(crate) async fn sign_in(
    server: &str,
    token: &str,
    device: &str,
    trust: Trust,
) -> Result<Account, Failure> {
    let url = address::parse(server)?;
    let connect = connect(token.trim(), device);
    let token = connect.token.clone();
    let server = url.as_str().trim_end_matches('/').to_owned();
    let target = Target { url: server.clone(), namespace: NAMESPACE, connect, trust };
    let (_socket, mut events) = Socket::open(target).map_err(|_| Failure::Unreachable)?;
    match tokio::time::timeout(TIMEOUT, events.recv()).await {
        Ok(Some(SocketEvent::Frame(ServerFrame::Welcome(welcome)))) => {
            Ok(Account { me: welcome.me, server, token, limits: welcome.limits })
        }
        Ok(Some(SocketEvent::Refused(code))) => Err(Failure::Refused { code }),
        Ok(Some(SocketEvent::Frame(_) | SocketEvent::Unreadable)) => Err(Failure::NotBedside),
        Ok(Some(SocketEvent::Unreachable) | None) | Err(_) => Err(Failure::Unreachable),
    }
}

/// Asks a demonstration server for a provider's token.
pub(crate) async fn demo_token(server: &str, name: &str) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct SignedIn {
        token: String,
    }
    let url = address::parse(server)?.join("/api/demo/sign-in").map_err(|_| Failure::BadAddress)?;
    let http = http().timeout(TIMEOUT).build().map_err(|_| Failure::Unreachable)?;
    let request = serde_json::json!({ "role": "provider", "name": name });
    let response = http.post(url).json(&request).send().await.map_err(|_| Failure::Unreachable)?;
    if !response.status().is_success() {
        return Err(Failure::NotBedside);
    }
    let signed_in: SignedIn = response.json().await.map_err(|_| Failure::NotBedside)?;
    Ok(signed_in.token)
}
