//! Search over a real socket: who may, what comes back, and that no message waits for it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers are tests too"
)]

mod raw;

use bedside_server::token::TokenRole;
use raw::*;
use serde_json::{Value, json};

/// Asks until the index knows all.
async fn found(client: &mut Client, search: &Value) -> Value {
    loop {
        let answer = client.ask("search", search).await["ok"].take();
        if answer["unindexed"] == 0 {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_finds_what_the_whole_clinic_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    let (mut hana, of_hana) = Client::patient(&server, dir.path(), "hana").await;
    let (mut samuel, of_samuel) = Client::patient(&server, dir.path(), "samuel").await;
    hana.send(&of_hana, "My chest is tight").await;
    samuel.send(&of_samuel, "Chést pain at night").await;
    let search = json!({"of": "a-1", "phrases": [["ches"]], "limit": 1_000_000});
    let answer = found(&mut amara, &search).await;
    assert_eq!(answer["of"], "a-1");
    assert_eq!(answer["more"], false);
    let hits: Vec<(&Value, &Value)> = answer["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| (&hit["patient"], &hit["entry"]["body"]["text"]))
        .collect();
    assert_eq!(
        hits,
        [(&json!("SAMUEL"), &json!("Chést pain at night")), (&json!("HANA"), &json!("My chest is tight"))]
    );
    let one = found(&mut amara, &json!({"of": "", "phrases": [["ches"]], "limit": 0})).await;
    assert_eq!((one["hits"].as_array().unwrap().len(), &one["more"]), (1, &json!(true)));
    // Without an acknowledgement it comes as the event.
    amara.emit("search", &search).await;
    loop {
        let answer = amara.event("found").await;
        if answer["of"] == "a-1" && answer["hits"].as_array().unwrap().len() == 2 {
            break;
        }
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_stays_in_its_clinic_and_finds_nothing_that_was_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    let elsewhere = token(dir.path(), TokenRole::Provider, "li", "RIVERSIDE");
    let mut li = Client::person(&server, "/provider", &elsewhere).await;
    let (_, of) = Client::patient(&server, dir.path(), "hana").await;
    let sent = amara.send(&of, "wrong patient").await;
    let search = json!({"of": "1", "phrases": [["wrong"]], "limit": 9});
    let count = |answer: &Value| answer["hits"].as_array().unwrap().len();
    assert_eq!(count(&found(&mut amara, &search).await), 1);
    for search in [&search, &json!({"of": "1", "phrases": [], "patient": ["hana"], "limit": 9})] {
        assert_eq!(count(&found(&mut li, search).await), 0);
    }
    let body = json!({"kind": "amend", "target": sent["ok"]["entry"]["id"], "text": null});
    let back = json!({"id": new_id(), "conversation": of, "seen": 0, "body": body});
    assert!(amara.ask("send", &back).await["ok"].is_object());
    // Whatever the index knows by then.
    assert_eq!(count(&amara.ask("search", &search).await["ok"]), 0);
    assert_eq!(count(&found(&mut amara, &search).await), 0);
    server.shutdown().await;
}

#[tokio::test]
async fn who_or_what_may_not_search_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    let (mut hana, _) = Client::patient(&server, dir.path(), "hana").await;
    let search = |phrases: Value| json!({"of": "1", "phrases": phrases, "limit": 9});
    assert_eq!(hana.ask("search", &search(json!([["x"]]))).await["error"]["code"], "forbidden");
    for (phrases, code) in [
        (json!([["a b"]]), "invalid"),
        (json!([["\" OR \""]]), "invalid"),
        (json!([[]]), "invalid"),
        (json!("x"), "invalid"),
        (json!([["x".repeat(257)]]), "too_large"),
        (json!(vec![["x"]; 33]), "too_large"),
    ] {
        assert_eq!(amara.ask("search", &search(phrases)).await["error"]["code"], code);
    }
    let long = json!({"of": "x".repeat(65), "phrases": [], "limit": 9});
    assert_eq!(amara.ask("search", &long).await["error"]["code"], "too_large");
    // The first of them, as an event.
    let refused = amara.event("rejected").await;
    assert_eq!((&refused["of"], &refused["code"]), (&json!("search"), &json!("invalid")));
    assert_eq!(refused["search"], "1");
    server.shutdown().await;
}

/// Every search is answered, however many come at once: found, or told to come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_searches_is_answered_and_delays_no_message() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    for n in 0..500 {
        hana.emit("send", &text(&of, new_id(), &format!("chest {n}"))).await;
    }
    hana.send(&of, "last").await;
    for n in 0..100 {
        amara.emit("search", &json!({"of": n.to_string(), "phrases": [["c"]], "limit": 50})).await;
    }
    assert!(amara.send(&of, "meanwhile").await["ok"].is_object());
    let (mut answers, mut refusals) = (0, 0);
    while answers + refusals < 100 {
        match amara.next().await.unwrap() {
            (event, _) if event == "found" => answers += 1,
            (event, data) if event == "rejected" => {
                assert_eq!(data["code"], "rate_limited");
                assert!(data["retry_after_ms"].as_u64().unwrap() > 0);
                refusals += 1;
            }
            _ => {}
        }
    }
    assert!(answers > 0);
    server.shutdown().await;
}
