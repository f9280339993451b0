//! Model services: anything that speaks OpenAI's `/v1/chat/completions`, streamed.
//!
//! ```text
//! conversation ─ said.rs ─> what was said ─ mask/ ─> placeholders ─ said.rs ─> cut to a budget ─┐
//!                                                                                               v
//! suggestion <─ mask/ ─ names put back <─ answer.rs ─ text <─ events.rs ─ stream <─ here ─ breaker.rs
//! ```
//!
//! Nothing of what is sent or answered gets into logs.

mod answer;
pub mod breaker;
mod events;
pub mod mask;
pub mod said;
mod settings;

pub use answer::{growing, read};
pub use settings::{Settings, SettingsError};

use crate::clock::Clock;
use crate::tasks::Trouble;
use answer::Answer;
use breaker::{Breaker, State};
use events::Events;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

/// Largest answer with all that surrounds its text: pings go on while a model thinks.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Why a service gave no text that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It can't be reached, is overloaded, broke off, or took too long; perhaps it said when to come again.
    Later(Option<Duration>),
    /// It isn't asked for so long: it has failed too often, or wants to be left alone.
    Paused(Duration),
    /// It doesn't take what it was asked: a wrong key, model or address.
    Refused,
    /// It answered with what can't be read as what it was asked for.
    Nonsense,
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Later(wait) => Trouble::Later(wait),
            Fault::Paused(wait) => Trouble::Later(Some(wait)),
            Fault::Refused | Fault::Nonsense => Trouble::Never,
        }
    }
}

/// A question to a model.
#[derive(Debug)]
pub struct Question<'a> {
    /// What the model is to do.
    pub system: &'a str,
    /// With what.
    pub user: &'a str,
    /// The answer's name and JSON Schema.
    pub answer: (&'a str, &'a Value),
}

/// A model service.
pub struct Service {
    /// What the settings call it.
    pub name: String,
    /// The model that is asked for.
    pub model: String,
    /// Whether names and contact details go out as placeholders.
    pub placeholders: bool,
    /// How much of a conversation goes out.
    pub context_chars: usize,
    /// How long it may take to answer.
    pub timeout: Duration,
    url: reqwest::Url,
    key: Option<HeaderValue>,
    parameters: Map<String, Value>,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    breaker: Breaker,
    /// Whether it has answered only once it wasn't told the answer's schema.
    schemaless: AtomicBool,
}

impl Service {
    /// Where its breaker stands.
    pub fn state(&self) -> State {
        self.breaker.state(self.clock.now())
    }

    /// Asks, unless the service is to be left alone. `heard` is told all of the text so far as it grows.
    pub async fn ask(
        &self,
        question: &Question<'_>,
        heard: &mut (dyn FnMut(&str) + Send),
    ) -> Result<String, Fault> {
        let attempt = self.breaker.enter(self.clock.now()).map_err(Fault::Paused)?;
        let answered = tokio::time::timeout(self.timeout, self.either_way(question, heard)).await;
        let answered = answered.unwrap_or(Err(Fault::Later(None)));
        match answered {
            // A service that answers is there, whatever it says.
            Ok(_) | Err(Fault::Nonsense) => attempt.answered(),
            Err(Fault::Later(asked)) => attempt.failed(self.clock.now(), asked),
            Err(_) => attempt.failed(self.clock.now(), None),
        }
        answered
            .inspect_err(|fault| tracing::warn!(service = self.name, ?fault, "no answer of a model service"))
    }

    /// With the schema; once more without it, if the service refuses that. What it didn't take once it isn't sent again.
    async fn either_way(
        &self,
        question: &Question<'_>,
        heard: &mut (dyn FnMut(&str) + Send),
    ) -> Result<String, Fault> {
        if !self.schemaless.load(Ordering::Relaxed) {
            let response = self.post(question, true).await?;
            if !refuses_schema(response.status()) {
                return self.text(response, heard).await;
            }
        }
        let response = self.post(question, false).await?;
        let text = self.text(response, heard).await?;
        self.schemaless.store(true, Ordering::Relaxed);
        Ok(text)
    }

    async fn post(&self, question: &Question<'_>, with_schema: bool) -> Result<Response, Fault> {
        let mut body = Map::from_iter([
            ("model".to_owned(), self.model.as_str().into()),
            ("stream".to_owned(), true.into()),
        ]);
        body.extend(self.parameters.clone());
        let messages = json!([
            {"role": "system", "content": question.system},
            {"role": "user", "content": question.user},
        ]);
        body.insert("messages".into(), messages);
        if with_schema {
            let (name, schema) = question.answer;
            let schema = json!({"name": name, "strict": true, "schema": schema});
            body.insert("response_format".into(), json!({"type": "json_schema", "json_schema": schema}));
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream, application/json"));
        headers.extend(self.key.clone().map(|key| (header::AUTHORIZATION, key)));
        let request = self.http.post(self.url.clone()).headers(headers).json(&body);
        request.send().await.map_err(|_| Fault::Later(None))
    }

    async fn text(
        &self,
        mut response: Response,
        heard: &mut (dyn FnMut(&str) + Send),
    ) -> Result<String, Fault> {
        let status = response.status();
        if !status.is_success() {
            return Err(self.refusal(status, response.headers()));
        }
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let whole = kind.is_some_and(|kind| kind.contains("json"));
        let (mut events, mut body, mut answer, mut bytes) =
            (Events::default(), Vec::new(), Answer::default(), 0);
        while !answer.done {
            let Some(piece) = response.chunk().await.map_err(|_| Fault::Later(None))? else { break };
            bytes += piece.len();
            if bytes > MAX_ANSWER_BYTES {
                return Err(Fault::Nonsense);
            }
            if whole {
                body.extend_from_slice(&piece);
                continue;
            }
            for event in events.feed(&piece).map_err(|_| Fault::Nonsense)? {
                answer.add(&event)?;
                heard(&answer.text);
            }
        }
        if whole {
            answer.add(&String::from_utf8_lossy(&body))?;
            answer.complete = true;
        } else if let Some(event) = events.end() {
            // The end may have cut it in the middle.
            answer
                .add(&event)
                .map_err(|fault| if fault == Fault::Nonsense { Fault::Later(None) } else { fault })?;
        }
        // Some services end without a word. What came is all only if it is whole.
        if answer.complete || read::<Value>(&answer.text).is_ok() {
            Ok(answer.text)
        } else {
            Err(Fault::Later(None))
        }
    }

    fn refusal(&self, status: StatusCode, headers: &HeaderMap) -> Fault {
        tracing::warn!(service = self.name, status = status.as_u16(), "a model service refuses");
        let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        if !later && !status.is_server_error() {
            return Fault::Refused;
        }
        let asked = headers.get(header::RETRY_AFTER).and_then(|wait| wait.to_str().ok());
        Fault::Later(asked.and_then(|asked| wait(asked, self.clock.now().millis())))
    }
}

/// What services answer that don't know `json_schema`.
fn refuses_schema(status: StatusCode) -> bool {
    use StatusCode as S;
    [S::BAD_REQUEST, S::UNSUPPORTED_MEDIA_TYPE, S::UNPROCESSABLE_ENTITY, S::NOT_IMPLEMENTED].contains(&status)
}

/// Retry-After: seconds, or a date.
fn wait(asked: &str, now_ms: u64) -> Option<Duration> {
    if let Ok(seconds) = asked.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(asked).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(at.saturating_sub(Duration::from_millis(now_ms)))
}

#[cfg(test)]
mod tests;
