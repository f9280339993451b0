//! A model service that answers what a test says, on loopback.

#![allow(dead_code, reason = "each test program uses a part of it")]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// An answer.
#[derive(Clone)]
pub enum Says {
    /// This text, streamed in some pieces.
    Text(String),
    /// A fault.
    Status(u16),
    /// Nothing, ever.
    Hangs,
}

impl Says {
    pub fn text(text: &str) -> Self {
        Says::Text(text.to_owned())
    }
}

type Answers = Box<dyn FnMut() -> Says + Send>;

#[derive(Clone)]
struct Shared {
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<Value>>>,
    hanging: watch::Sender<usize>,
}

pub struct Model {
    addr: SocketAddr,
    shared: Shared,
}

impl Model {
    /// Answers these, one after the other, and then a status that makes the test fail.
    pub async fn start(answers: Vec<Says>) -> Self {
        let mut answers = VecDeque::from(answers);
        Self::answering(move || answers.pop_front().unwrap_or(Says::Status(418))).await
    }

    pub async fn answering(answers: impl FnMut() -> Says + Send + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let answers: Answers = Box::new(answers);
        let shared = Shared {
            answers: Arc::new(Mutex::new(answers)),
            asked: Arc::default(),
            hanging: watch::Sender::new(0),
        };
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { addr, shared }
    }

    /// A file of settings that asks it for replies.
    pub fn settings(&self, folder: &Path) -> PathBuf {
        let path = folder.join("services.json");
        let it = json!({"url": format!("http://{}/v1", self.addr), "model": "m"});
        let settings = json!({"services": {"it": it}, "tasks": {"reply": "it"}});
        std::fs::write(&path, settings.to_string()).unwrap();
        path
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Value> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Waits until so many questions hang.
    pub async fn hanging(&self, count: usize) {
        self.shared.hanging.subscribe().wait_for(|hanging| *hanging == count).await.unwrap();
    }
}

/// Counts itself off when its connection goes.
struct Hanging(watch::Sender<usize>);

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.send_modify(|hanging| *hanging -= 1);
    }
}

async fn answer(State(shared): State<Shared>, body: Bytes) -> Response {
    shared.asked.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    let says = {
        let mut answers = shared.answers.lock().unwrap();
        (*answers)()
    };
    match says {
        Says::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Says::Hangs => {
            shared.hanging.send_modify(|hanging| *hanging += 1);
            let _hanging = Hanging(shared.hanging);
            std::future::pending().await
        }
        Says::Text(text) => {
            let letters: Vec<char> = text.chars().collect();
            let pieces = letters.chunks(letters.len().div_ceil(3).max(1)).map(|piece| {
                let piece: String = piece.iter().collect();
                format!("data: {}\n\n", json!({"choices": [{"delta": {"content": piece}}]}))
            });
            let pieces: Vec<Result<String, std::io::Error>> =
                pieces.chain(["data: [DONE]\n\n".to_owned()]).map(Ok).collect();
            let body = Body::from_stream(futures_util::stream::iter(pieces));
            ([("content-type", "text/event-stream")], body).into_response()
        }
    }
}
