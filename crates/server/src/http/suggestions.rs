//! Suggestions of a model service that works by itself, pushed with a token of the role `service`.

use super::{Json, Problem, bearer};
use crate::log::{Answer, Write};
use crate::shared::Shared;
use crate::token::TokenRole;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use bedside_protocol::{Author, Body, ConversationId, EntryId, Extra, Role, Send, Seq};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
pub struct Pushed {
    id: EntryId,
    /// A suggestion's, as it stands in an entry.
    #[serde(flatten)]
    fields: Extra,
}

/// Takes a suggestion in, like one of an own task: refused once the patient has written after what it rests on.
pub async fn push(
    State(shared): State<Arc<Shared>>,
    Path(conversation): Path<String>,
    headers: HeaderMap,
    Json(Pushed { id, mut fields }): Json<Pushed>,
) -> Result<(StatusCode, axum::Json<Value>), Problem> {
    let claims = bearer(&shared, &headers)?;
    if claims.role != TokenRole::Service {
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "only a service may"));
    }
    let not_found = |_| Problem::new(StatusCode::NOT_FOUND, "not_found", "no such conversation");
    let conversation = ConversationId::new(conversation).map_err(not_found)?;
    fields.insert("kind".to_owned(), "suggestion".into());
    let invalid = |_| Problem::invalid("the body's fields are missing or wrong");
    let body: Body = serde_json::from_value(json!(fields)).map_err(invalid)?;
    body.check(&shared.config.limits)?;
    let author = Author { id: claims.sub, role: Role::System, name: claims.name, extra: Extra::new() };
    let send = Box::new(Send { id, conversation, seen: Seq::ZERO, body, from: None, force: false });
    let write = Write::Send { clinic: claims.clinic, author, send, tasks: Vec::new() };
    let outcome = shared.writer.write(write).await?;
    let fresh = !outcome.committed.changes().is_empty();
    let Answer::Entry(record, _) = outcome.answer else { return Err(Problem::unavailable()) };
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, axum::Json(json!({"seq": record.entry.seq}))))
}
