//! A Socket.IO connection by hand, for packets that no client library would send.

use crate::chat::{SignIn, SignedIn};
use crate::program::SOON;
use crate::wire::connect;
use bedside_protocol::{Rejected, ServerFrame};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A welcomed connection.
#[derive(Debug)]
pub struct Raw {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    namespace: &'static str,
}

impl Raw {
    /// Signs in and connects.
    pub async fn sign_in(who: &SignIn) -> Self {
        let SignedIn { token, .. } = who.ask().await.expect("a demonstration server");
        let url = format!("{}/socket.io/?EIO=4&transport=websocket", who.server.replacen("http", "ws", 1));
        let (stream, _) = connect_async(url).await.expect("a websocket");
        let namespace = who.namespace();
        let mut raw = Self { stream, namespace };
        let auth = serde_json::to_string(&connect(&token)).expect("JSON");
        raw.text(&format!("40{namespace},{auth}")).await;
        while !matches!(raw.frame().await, ServerFrame::Welcome(_)) {}
        raw
    }

    /// Sends an Engine.IO packet as it stands. The server may have hung up.
    pub async fn text(&mut self, packet: &str) {
        drop(self.stream.send(Message::text(packet)).await);
    }

    /// Sends a binary one.
    pub async fn binary(&mut self, packet: &[u8]) {
        drop(self.stream.send(Message::binary(packet.to_vec())).await);
    }

    /// Sends an event: a JSON array, or what passes for one.
    pub async fn event(&mut self, array: &str) {
        self.text(&format!("42{},{array}", self.namespace)).await;
    }

    /// The next refusal.
    pub async fn rejection(&mut self) -> Rejected {
        loop {
            if let ServerFrame::Rejected(rejected) = self.frame().await {
                return rejected;
            }
        }
    }

    async fn frame(&mut self) -> ServerFrame {
        let prefix = format!("42{},", self.namespace);
        loop {
            let message = timeout(SOON, self.stream.next()).await.expect("the server says something in time");
            let message = message.expect("the connection is up").expect("the connection is up");
            let Ok(text) = message.to_text() else { continue };
            if text == "2" {
                self.text("3").await;
            } else if let Some(array) = text.strip_prefix(&prefix) {
                let (event, argument): (String, Value) = serde_json::from_str(array).expect("an event");
                return ServerFrame::decode(&event, argument).expect("a frame of the protocol");
            }
        }
    }
}
