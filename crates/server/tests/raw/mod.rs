//! A server on a free port, and a Socket.IO client of a page: Engine.IO 4's packets on a bare websocket, so that a test
//! can also send what no library would.

#![allow(dead_code, reason = "each test program uses a part of it")]

use bedside_protocol::{ClinicId, ConversationId, EntryId, Limits, Time, UserId};
use bedside_server::token::{Claims, Key, TokenRole};
use bedside_server::{Clock, Config, Server, SystemClock};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Far more than anything here takes: a test that gets here has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it took too long")
}

pub fn config(data: &Path) -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        limits: Limits {
            // Most tests are about something else.
            sends_per_s: 10_000,
            ..Limits::default()
        },
        ..Config::new(data)
    }
}

pub async fn start(data: &Path) -> Server {
    Server::start(config(data)).await.unwrap()
}

pub fn now_s() -> u64 {
    SystemClock.now().millis() / 1000
}

/// A token for an hour.
pub fn token(data: &Path, role: TokenRole, id: &str, clinic: &str) -> String {
    token_until(data, role, id, clinic, now_s() + 3600)
}

pub fn token_until(data: &Path, role: TokenRole, id: &str, clinic: &str, exp: u64) -> String {
    Key::of(data).unwrap().mint(&Claims {
        sub: UserId::new(id).unwrap(),
        name: id.to_uppercase(),
        role,
        clinic: ClinicId::new(clinic).unwrap(),
        born: None,
        iat: now_s(),
        exp,
        jti: "test".into(),
    })
}

/// A fresh id, as clients make them.
pub fn new_id() -> EntryId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut random = [0; 10];
    random[2..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    EntryId::from_parts(Time::new(SystemClock.now().millis()), random)
}

pub fn text(conversation: &ConversationId, id: EntryId, text: &str) -> Value {
    json!({"id": id, "conversation": conversation, "seen": 1_000_000, "body": {"kind": "text", "text": text}})
}

/// Something that listens.
pub trait Address {
    fn addr(&self) -> SocketAddr;
}

impl Address for Server {
    fn addr(&self) -> SocketAddr {
        self.addr()
    }
}

/// What the socket ended with.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed;

pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    namespace: &'static str,
    /// Events that were passed over.
    kept: VecDeque<(String, Value)>,
    next_ack: u64,
}

impl Client {
    /// Opens a websocket and sends CONNECT; says what the server answered to it.
    pub async fn open(
        server: &impl Address,
        namespace: &'static str,
        auth: Value,
    ) -> (Self, Result<(), String>) {
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.addr());
        let (socket, _) = within(tokio_tungstenite::connect_async(url)).await.unwrap();
        let mut client = Self { socket, namespace, kept: VecDeque::new(), next_ack: 1 };
        assert!(client.packet().await.unwrap().starts_with("0{"));
        client.raw(format!("40{namespace},{auth}")).await;
        let answer = client.packet().await.unwrap();
        let result = match answer.strip_prefix(&format!("44{namespace},")) {
            Some(error) => {
                let error: Value = serde_json::from_str(error).unwrap();
                Err(error["message"].as_str().unwrap().to_owned())
            }
            None => {
                assert!(answer.starts_with(&format!("40{namespace},")), "{answer}");
                Ok(())
            }
        };
        (client, result)
    }

    pub fn auth(token: &str) -> Value {
        json!({"token": token, "device": "d", "protocol": 1, "client": "raw/1"})
    }

    /// A provider of the clinic `riverside`, welcomed.
    pub async fn provider(server: &impl Address, data: &Path, id: &str) -> Self {
        Self::person(server, "/provider", &token(data, TokenRole::Provider, id, "riverside")).await
    }

    /// A patient of the clinic `riverside`, welcomed, and the patient's conversation.
    pub async fn patient(server: &impl Address, data: &Path, id: &str) -> (Self, ConversationId) {
        let token = token(data, TokenRole::Patient, id, "riverside");
        let mut client = Self::person(server, "/patient", &token).await;
        client.emit("changes", &json!({"since": 0})).await;
        let changes = client.event("changes").await;
        let id = serde_json::from_value(changes["conversations"][0]["id"].clone()).unwrap();
        (client, id)
    }

    pub async fn person(server: &impl Address, namespace: &'static str, token: &str) -> Self {
        let (mut client, result) = Self::open(server, namespace, Self::auth(token)).await;
        result.unwrap();
        let (event, _) = client.next().await.unwrap();
        assert_eq!(event, "welcome");
        client
    }

    pub async fn refused(server: &impl Address, namespace: &'static str, auth: Value) -> String {
        let (_, result) = Self::open(server, namespace, auth).await;
        result.unwrap_err()
    }

    pub async fn refused_token(server: &impl Address, namespace: &'static str, token: &str) -> String {
        Self::refused(server, namespace, Self::auth(token)).await
    }

    /// Sends one websocket message as it is.
    pub async fn raw(&mut self, packet: impl Into<String>) {
        assert!(self.try_raw(packet).await);
    }

    /// The same to a server that may have closed already.
    pub async fn try_raw(&mut self, packet: impl Into<String>) -> bool {
        within(self.socket.send(Message::text(packet.into()))).await.is_ok()
    }

    pub async fn raw_binary(&mut self, bytes: Vec<u8>) {
        within(self.socket.send(Message::binary(bytes))).await.unwrap();
    }

    pub async fn emit(&mut self, event: &str, data: &Value) {
        self.raw(format!("42{},[\"{event}\",{data}]", self.namespace)).await;
    }

    /// Emits and waits for the acknowledgement; what comes before it is kept.
    pub async fn ask(&mut self, event: &str, data: &Value) -> Value {
        let ack = self.next_ack;
        self.next_ack += 1;
        self.raw(format!("42{},{ack}[\"{event}\",{data}]", self.namespace)).await;
        let prefix = format!("43{},{ack}", self.namespace);
        loop {
            let packet = self.packet().await.unwrap();
            if let Some(answer) = packet.strip_prefix(&prefix) {
                let mut answer: Value = serde_json::from_str(answer).unwrap();
                return answer[0].take();
            }
            let event = self.parse(&packet);
            self.kept.push_back(event);
        }
    }

    pub async fn send(&mut self, conversation: &ConversationId, words: &str) -> Value {
        self.ask("send", &text(conversation, new_id(), words)).await
    }

    /// The next packet but pings, which are answered.
    async fn packet(&mut self) -> Result<String, Closed> {
        loop {
            match within(self.socket.next()).await {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => {
                    if self.socket.send(Message::text("3")).await.is_err() {
                        return Err(Closed);
                    }
                }
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Closed),
                Some(Ok(_)) => {}
            }
        }
    }

    fn parse(&self, packet: &str) -> (String, Value) {
        let Some(event) = packet.strip_prefix(&format!("42{},", self.namespace)) else {
            return (format!("packet {packet}"), Value::Null);
        };
        let mut event: Value = serde_json::from_str(event).unwrap();
        let data = event[1].take();
        (event[0].as_str().unwrap().to_owned(), data)
    }

    /// The next event.
    pub async fn next(&mut self) -> Result<(String, Value), Closed> {
        if let Some(kept) = self.kept.pop_front() {
            return Ok(kept);
        }
        let packet = self.packet().await?;
        Ok(self.parse(&packet))
    }

    /// The next event of this name; others are passed over.
    pub async fn event(&mut self, name: &str) -> Value {
        loop {
            let (event, data) = self.next().await.unwrap();
            if event == name {
                return data;
            }
        }
    }

    /// Waits for the end of the connection; says what came before it.
    pub async fn closed(&mut self) -> Vec<String> {
        let mut before = Vec::new();
        while let Ok((event, _)) = self.next().await {
            before.push(event);
        }
        before
    }

    /// All entries of a conversation.
    pub async fn entries(&mut self, conversation: &ConversationId) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let from = all.len() + 1;
            let ask = json!({"conversation": conversation, "from": from, "to": from + 199});
            let mut answer = self.ask("entries", &ask).await["ok"].take();
            let Value::Array(page) = answer["entries"].take() else { panic!("{answer}") };
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }
}
