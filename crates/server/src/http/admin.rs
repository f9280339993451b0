//! What the clinic's IT may ask for, with a token of the role `admin`.

use super::{Json, Problem, bearer};
use crate::log::Write;
use crate::shared::Shared;
use crate::token::{Claims, TokenRole};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bedside_protocol::UserId;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
pub struct Revoke {
    user: UserId,
    #[serde(default)]
    wipe: bool,
}

/// Takes the access away from a person of the asker's clinic: all tokens made until now.
pub async fn revoke(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Revoke { user, wipe }): Json<Revoke>,
) -> Result<axum::Json<Value>, Problem> {
    let clinic = admin(&shared, &headers)?.clinic;
    match shared.writer.write(Write::Revoke { clinic, user, wipe }).await {
        Ok(_) => {
            tracing::info!(wipe, "access revoked");
            Ok(axum::Json(json!({"revoked": true})))
        }
        Err(_) => Err(Problem::unavailable()),
    }
}

fn admin(shared: &Shared, headers: &HeaderMap) -> Result<Claims, Problem> {
    let claims = bearer(shared, headers)?;
    if claims.role != TokenRole::Admin {
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "only an admin may"));
    }
    Ok(claims)
}
