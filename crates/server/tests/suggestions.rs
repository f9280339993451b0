//! Suggestions in a running server: written by a model service that is asked, or pushed by one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers are tests too"
)]

mod model;
mod raw;

use bedside_protocol::ConversationId;
use bedside_server::services::Settings;
use bedside_server::tasks::Kinds;
use bedside_server::token::TokenRole;
use bedside_server::{Clock, Config, Server, SystemClock};
use model::{Model, Says};
use raw::*;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

async fn start_with(data: &Path, model: &Model) -> Server {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tasks = Kinds::with_services(&Settings::read(&model.settings(data)).unwrap(), &clock).unwrap();
    Server::start(Config { tasks, ..config(data) }).await.unwrap()
}

/// Passes over what comes until the conversation's next suggestion.
async fn suggested(amara: &mut Client, of: &ConversationId) -> Value {
    loop {
        let entry = amara.event("entry").await["entry"].take();
        if entry["body"]["kind"] == "suggestion" && entry["conversation"] == of.as_str() {
            return entry;
        }
    }
}

async fn metrics(server: &Server) -> String {
    let url = format!("http://{}/metrics", server.addr());
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_model_hears_of_placeholders_and_its_reply_has_the_names() {
    let dir = tempfile::tempdir().unwrap();
    let replies = json!({"replies": [
        {"text": "[NAME_1], is 555-0000 or [PHONE_1] yours?", "because": "Call me at [PHONE_1]."},
        {"text": "Since when?", "because": "It never said that."},
        {"text": " Since when? ", "because": ""},
        {"text": "", "because": ""},
    ]});
    let model = Model::start(vec![Says::text(&replies.to_string())]).await;
    let server = start_with(dir.path(), &model).await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    hana.send(&of, "This is Hana. 💊 Call me at 555-0123.").await;

    // The whole draft so far, with the names.
    let mut told = Vec::new();
    let drafts = async {
        loop {
            let (event, data) = amara.next().await.unwrap();
            match event.as_str() {
                "suggesting" => told.push((data["state"].clone(), data["text"].clone())),
                "entry" if data["entry"]["body"]["kind"] == "suggestion" => return data["entry"].clone(),
                _ => {}
            }
        }
    };
    let entry = within(drafts).await;
    assert_eq!(told[..2], [(json!("queued"), Value::Null), (json!("running"), Value::Null)]);
    let draft = told[2].1.as_str().unwrap();
    assert!("Hana, is 555-0000 or 555-0123 yours?".starts_with(draft) && !draft.is_empty(), "{draft}");
    let expected = json!({
        "kind": "suggestion",
        "task": "reply",
        "basis": 1,
        "items": [
            {"text": "Since when?"},
            {
                "text": "Hana, is 555-0000 or 555-0123 yours?",
                "rests_on": [{"seq": 1, "start": 17, "end": 37}],
            },
        ],
        "model": "m",
        "version": "reply.v1",
    });
    assert_eq!(entry["body"], expected);

    let asked = model.asked();
    assert_eq!(asked.len(), 1);
    let sent = asked[0].to_string().to_lowercase();
    assert!(!sent.contains("hana") && !sent.contains("555-0123") && sent.contains("[name_1]"), "{sent}");
    within(server.shutdown()).await;
}

#[tokio::test]
async fn a_model_with_nothing_to_say_abstains_and_one_that_talks_nonsense_fails() {
    let dir = tempfile::tempdir().unwrap();
    let model = Model::start(vec![Says::text("{\"replies\": []}"), Says::text("Sure! Rest well.")]).await;
    let server = start_with(dir.path(), &model).await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    hana.send(&of, "thanks").await;
    let entry = suggested(&mut amara, &of).await;
    assert_eq!(
        (&entry["body"]["items"], &entry["body"]["abstained"]),
        (&json!([]), &json!("nothing_to_answer"))
    );
    hana.send(&of, "bye").await;
    while amara.event("suggesting").await["state"] != "failed" {}
    assert_eq!(model.asked().len(), 2);
    within(server.shutdown()).await;
}

#[tokio::test]
async fn providers_hear_that_suggestions_are_paused_and_the_metrics_say_so() {
    let dir = tempfile::tempdir().unwrap();
    // Refused each time: no try is repeated.
    let model = Model::start(vec![Says::Status(401); 5]).await;
    let server = start_with(dir.path(), &model).await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    assert!(metrics(&server).await.contains("bedside_model_service{service=\"it\",state=\"closed\"} 1"));
    for n in 0..5 {
        let (mut patient, of) = Client::patient(&server, dir.path(), &format!("patient-{n}")).await;
        patient.send(&of, "hello").await;
    }
    assert_eq!(amara.event("paused").await, json!({"tasks": ["reply"]}));
    let metrics = metrics(&server).await;
    assert!(metrics.contains("bedside_model_service{service=\"it\",state=\"open\"} 1"), "{metrics}");
    // Who comes later is told, too.
    let mut jonas = Client::provider(&server, dir.path(), "jonas").await;
    assert_eq!(jonas.next().await.unwrap(), ("paused".to_owned(), json!({"tasks": ["reply"]})));
    // And the service is left alone.
    let (mut late, of) = Client::patient(&server, dir.path(), "late").await;
    late.send(&of, "hello").await;
    let running = |data: &Value| data["state"] == "running" && data["conversation"] == of.as_str();
    while !running(&amara.event("suggesting").await) {}
    within(server.shutdown()).await;
    assert_eq!(model.asked().len(), 5);
}

#[tokio::test]
async fn a_service_pushes_what_is_held_to_the_same_rules() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    hana.send(&of, "it hurts").await;
    let (ours, theirs) = ("riverside", "lakeside");
    let push = async |of: &str, clinic: &str, role: TokenRole, body: &Value| {
        let url = format!("http://{}/api/conversations/{of}/suggestions", server.addr());
        let token = token(dir.path(), role, "house-model", clinic);
        let answer = reqwest::Client::new().post(url).bearer_auth(token).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let id = new_id();
    let body = |basis: u64| {
        json!({
            "id": id,
            "task": "reply",
            "basis": basis,
            "items": [{"text": "Since when?", "rests_on": [{"seq": 1, "start": 0, "end": 8}]}],
            "model": "house",
            "version": "7",
        })
    };
    let service = TokenRole::Service;
    // The wait-time message is the second entry.
    for status in [201, 200] {
        assert_eq!(push(of.as_str(), ours, service, &body(1)).await, (status, json!({"seq": 3})));
    }
    let entry = suggested(&mut amara, &of).await;
    assert_eq!((&entry["author"]["id"], &entry["author"]["role"]), (&json!("house-model"), &json!("system")));
    assert_eq!(entry["body"]["items"], body(1)["items"]);

    let with = |basis: u64, field: &str, value: Value| {
        let mut body = body(basis);
        body["id"] = json!(new_id());
        body[field] = value;
        body
    };
    hana.send(&of, "since Monday").await;
    let long = with(4, "model", json!("x".repeat(20_000)));
    for (of, clinic, role, body, status, code) in [
        (of.as_str(), ours, service, &with(1, "version", json!("8")), 409, "behind"),
        (of.as_str(), ours, service, &with(9, "version", json!("8")), 400, "invalid"),
        (of.as_str(), ours, service, &with(0, "version", json!("8")), 400, "invalid"),
        (of.as_str(), ours, service, &with(4, "items", json!("none")), 400, "invalid"),
        (of.as_str(), ours, service, &json!({"id": new_id(), "kind": "text", "text": "hi"}), 400, "invalid"),
        (of.as_str(), ours, service, &long, 413, "too_large"),
        (of.as_str(), ours, service, &body(4), 409, "conflict"),
        (of.as_str(), theirs, service, &with(4, "version", json!("8")), 404, "not_found"),
        ("no id", ours, service, &with(4, "version", json!("8")), 404, "not_found"),
        (of.as_str(), ours, TokenRole::Provider, &with(4, "version", json!("8")), 403, "forbidden"),
        (of.as_str(), ours, TokenRole::Admin, &with(4, "version", json!("8")), 403, "forbidden"),
    ] {
        let (found, answer) = push(of, clinic, role, body).await;
        assert_eq!((found, answer["error"]["code"].as_str()), (status, Some(code)), "{body}");
    }
    // A service has no other way in.
    let token = token(dir.path(), service, "house-model", ours);
    assert_eq!(Client::refused_token(&server, "/provider", &token).await, "unauthenticated");
    let kinds: Vec<Value> =
        amara.entries(&of).await.iter().map(|entry| entry["body"]["kind"].clone()).collect();
    assert_eq!(kinds, ["text", "wait", "suggestion", "text"]);
    within(server.shutdown()).await;
}

/// A kind of task is a file, its module's line and its line among the kinds: nothing else of the server names it.
#[test]
fn a_kind_of_task_is_one_file_and_its_place_in_a_list() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source.clone()];
    let mut naming = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            if text.contains("reply::") || text.contains("mod reply;") {
                naming.push((path.strip_prefix(&source).unwrap().to_owned(), text.matches("reply").count()));
            }
        }
    }
    // `mod reply;` and `(reply::NAME, reply::task)`.
    assert_eq!(naming, [(Path::new("tasks/mod.rs").to_owned(), 3)]);
}
