//! The demonstration's clinic, where anybody signs in as anybody. There only with `--demo`, and only on loopback.

use super::{Json, Problem};
use crate::shared::Shared;
use crate::token::{Claims, TokenRole, random_id};
use axum::extract::State;
use bedside_protocol::ConversationId;
use bedside_protocol::{ClinicId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The demonstration's clinic.
const CLINIC: &str = "riverside";
/// Its people by name; patients with their births.
const PROVIDERS: [&str; 3] = ["Dr. Amara Osei", "Dr. Jonas Lindqvist", "Priya Nair"];
const PATIENTS: [(&str, &str); 10] = [
    ("Andre Okafor", "1992-01-30"),
    ("Dana Whitfield", "1995-04-11"),
    ("Grace Kim", "2019-05-21"),
    ("Hana Sato", "1987-09-02"),
    ("Harold Brandt", "1941-12-19"),
    ("Ines Moreau", "1964-02-25"),
    ("Lucía Fernández", "1998-06-04"),
    ("Martha Ellison", "1957-03-12"),
    ("Samuel Adeyemi", "1981-08-17"),
    ("Tomasz Wójcik", "1975-11-08"),
];
/// A working day: a token of the demonstration needs no renewal while somebody looks at it.
const TOKEN_S: u64 = 12 * 60 * 60;
/// Longest name.
const MAX_NAME_CHARS: usize = 100;
/// Characters of the readable part of an id.
const SLUG_CHARS: usize = 40;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum DemoRole {
    Provider,
    Patient,
}

#[derive(Deserialize)]
pub struct SignIn {
    role: DemoRole,
    name: String,
}

/// Who one is now.
#[derive(Serialize)]
pub struct SignedIn {
    token: String,
    id: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<ConversationId>,
}

/// The names to choose from.
pub async fn people() -> axum::Json<Value> {
    let providers = PROVIDERS.map(|name| json!({"name": name}));
    let patients = PATIENTS.map(|(name, born)| json!({"name": name, "born": born}));
    axum::Json(json!({"providers": providers, "patients": patients}))
}

/// A token for whoever has this name; the same name is always the same person.
pub async fn sign_in(
    State(shared): State<Arc<Shared>>,
    Json(SignIn { role, name }): Json<SignIn>,
) -> Result<axum::Json<SignedIn>, Problem> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Problem::invalid(format!("a name has 1 to {MAX_NAME_CHARS} characters")));
    }
    let role = match role {
        DemoRole::Provider => TokenRole::Provider,
        DemoRole::Patient => TokenRole::Patient,
    };
    let wrong = |_| Problem::unavailable();
    let now = shared.config.clock.now().millis() / 1000;
    let claims = Claims {
        sub: id(role, &name).map_err(wrong)?,
        born: born(role, &name).map(str::to_owned),
        name,
        role,
        clinic: ClinicId::new(CLINIC).map_err(wrong)?,
        iat: now,
        exp: now + TOKEN_S,
        jti: random_id().map_err(|_| Problem::unavailable())?,
    };
    let conversation = match role {
        TokenRole::Patient => Some(shared.admit(&claims).await.map_err(|_| Problem::unavailable())?),
        _ => None,
    };
    Ok(axum::Json(SignedIn { token: shared.key.mint(&claims), id: claims.sub, conversation }))
}

fn born(role: TokenRole, name: &str) -> Option<&'static str> {
    let known = PATIENTS.iter().find(|(patient, _)| *patient == name);
    known.filter(|_| role == TokenRole::Patient).map(|(_, born)| *born)
}

/// A readable part, and a digest that tells apart what the readable part doesn't.
fn id(role: TokenRole, name: &str) -> Result<UserId, bedside_protocol::InvalidId> {
    let kind = if role == TokenRole::Provider { "pr" } else { "pt" };
    let slug: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .take(SLUG_CHARS)
        .collect();
    let digest: String =
        Sha256::digest(format!("{kind}/{name}")).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    UserId::new(format!("{kind}-{slug}-{digest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_an_id_of_its_own() {
        let names = ["Anna Bell", "anna bell", "Anna  Bell", "Änna Bell", "李小龙", &"x".repeat(100)];
        let ids: std::collections::BTreeSet<UserId> = names
            .iter()
            .flat_map(|name| [TokenRole::Provider, TokenRole::Patient].map(|role| id(role, name).unwrap()))
            .collect();
        assert_eq!(ids.len(), 2 * names.len());
        assert_eq!(id(TokenRole::Patient, "Anna Bell"), id(TokenRole::Patient, "Anna Bell"));
    }
}
