//! Bad input over a real socket: the named refusal each time, nothing committed, and nobody else notices.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test's helpers are tests too"
)]

mod raw;

use bedside_protocol::Limits;
use bedside_server::token::TokenRole;
use bedside_server::{Config, Server};
use raw::*;
use serde_json::{Value, json};

async fn rejected(client: &mut Client) -> (String, String) {
    let frame = client.event("rejected").await;
    let word = |field: &str| frame[field].as_str().unwrap_or_default().to_owned();
    (word("of"), word("code"))
}

#[tokio::test]
async fn who_may_not_connect_is_told_why() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let provider = token(dir.path(), TokenRole::Provider, "amara", "riverside");
    let patient = token(dir.path(), TokenRole::Patient, "hana", "riverside");
    let stale = token_until(dir.path(), TokenRole::Provider, "amara", "riverside", now_s() - 1);
    let elsewhere = tempfile::tempdir().unwrap();
    let foreign = token(elsewhere.path(), TokenRole::Provider, "amara", "riverside");
    let auth = |token: &str, version: u64| json!({"token": token, "device": "d", "protocol": version, "client": "raw/1"});
    let mut long = auth(&provider, 1);
    long["client"] = json!("x".repeat(1000));
    let mut huge = auth(&provider, 1);
    huge["more"] = json!("x".repeat(1 << 20));
    let table = [
        ("/provider", auth(&patient, 1), "unauthenticated"),
        ("/patient", auth(&provider, 1), "unauthenticated"),
        ("/provider", auth(&stale, 1), "expired"),
        ("/provider", auth(&foreign, 1), "unauthenticated"),
        ("/provider", auth("", 1), "unauthenticated"),
        ("/provider", auth(&provider, 2), "protocol"),
        ("/provider", json!({"protocol": 7}), "protocol"),
        ("/provider", json!({}), "unauthenticated"),
        ("/provider", json!([1]), "unauthenticated"),
        ("/provider", long, "unauthenticated"),
        ("/provider", huge, "unauthenticated"),
    ];
    for (namespace, auth, expected) in table {
        assert_eq!(Client::refused(&server, namespace, auth).await, expected);
    }
    let metrics =
        reqwest::get(format!("http://{}/metrics", server.addr())).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("bedside_connects_refused_total{code=\"expired\"} 1"), "{metrics}");
    for secret in ["amara", "AMARA", "hana", "riverside"] {
        assert!(!metrics.contains(secret));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn every_bad_frame_is_refused_by_name_and_commits_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    let (mut samuel, theirs) = Client::patient(&server, dir.path(), "samuel").await;
    let other = token(dir.path(), TokenRole::Provider, "mallory", "hillside");
    let mut mallory = Client::person(&server, "/provider", &other).await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;

    let send = |body: Value| json!({"id": new_id(), "conversation": of, "seen": 0, "body": body});
    let large = "x".repeat(10 << 20);
    let patients = [
        ("send", send(json!({"kind": "text", "text": large})), "too_large"),
        ("send", send(json!({"kind": "text", "text": "x".repeat(17_000)})), "too_large"),
        ("send", send(json!({"kind": "text", "text": "  "})), "invalid"),
        ("send", send(json!({"kind": "text"})), "invalid"),
        ("send", send(json!({"kind": "poem", "text": "x"})), "invalid"),
        ("send", send(json!({"kind": "note", "text": "x"})), "forbidden"),
        ("send", send(json!({"kind": "assign", "to": null})), "forbidden"),
        ("send", send(json!({"kind": "wait", "minutes": 1, "text": "x"})), "forbidden"),
        ("send", text(&theirs, new_id(), "x"), "not_found"),
        ("entries", json!({"conversation": theirs, "from": 1, "to": 9}), "not_found"),
        ("entries", json!({"conversation": of, "from": 1, "to": 201}), "invalid"),
        ("entries", json!({"conversation": of, "from": 2, "to": 1}), "invalid"),
        ("entries", json!({"conversation": of, "from": -1, "to": 1}), "invalid"),
        ("read", json!({"conversation": theirs, "upto": 1}), "not_found"),
        ("typing", json!({"conversation": theirs}), "not_found"),
        ("viewing", json!({"conversation": theirs}), "not_found"),
        ("changes", json!({"since": "0"}), "invalid"),
        ("changes", json!([]), "invalid"),
        ("welcome", json!({}), "invalid"),
        ("nonsense", json!(null), "invalid"),
    ];
    for (event, data, code) in patients {
        hana.emit(event, &data).await;
        assert_eq!(rejected(&mut hana).await, (event.to_owned(), code.to_owned()));
    }
    // The refusal names the message, however large.
    let id = new_id();
    hana.emit("send", &text(&of, id, &large)).await;
    assert_eq!(hana.event("rejected").await["id"], json!(id));
    let providers = [
        ("send", text(&of, new_id(), "x"), "not_found"),
        ("entries", json!({"conversation": of, "from": 1, "to": 9}), "not_found"),
        ("read", json!({"conversation": of, "upto": 1}), "not_found"),
        ("typing", json!({"conversation": of}), "not_found"),
        ("viewing", json!({"conversation": of}), "not_found"),
    ];
    for (event, data, code) in providers {
        mallory.emit(event, &data).await;
        assert_eq!(rejected(&mut mallory).await, (event.to_owned(), code.to_owned()));
    }
    // Where it was asked for, the refusal is acknowledged as well.
    let answer = mallory.ask("send", &text(&of, new_id(), "x")).await;
    assert_eq!(answer["error"]["code"], "not_found");

    for conversation in [&of, &theirs] {
        assert!(amara.entries(conversation).await.is_empty());
    }
    for (client, own) in [(&mut hana, &of), (&mut samuel, &theirs)] {
        assert!(client.send(own, "still here").await["ok"].is_object());
    }
    server.shutdown().await;
}

#[tokio::test]
async fn packets_that_are_no_frames_hurt_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    // These are refused, and the connection stays.
    let refused = [
        "42/patient,[\"send\"]".to_owned(),
        "42/patient,[\"send\",1,2]".into(),
        "42/patient,[\"send\",{\"id\":\"\\ud800\"}]".into(),
        "42/patient,[\"send\",\"text\"]".into(),
        format!("42/patient,[\"send\",{}{}]", "[".repeat(5000), "]".repeat(5000)),
        "42/patient,[\"send\",{\"id\":1e999}]".into(),
    ];
    for packet in refused {
        hana.raw(packet.clone()).await;
        assert_eq!(rejected(&mut hana).await, ("send".to_owned(), "invalid".to_owned()), "{packet}");
    }
    hana.raw("451-/patient,[\"send\",{\"_placeholder\":true,\"num\":0}]").await;
    hana.raw_binary(vec![1, 2, 3]).await;
    assert_eq!(rejected(&mut hana).await, ("send".to_owned(), "invalid".to_owned()));
    assert!(hana.send(&of, "still here").await["ok"].is_object());
    // These the transport can't read: it closes, but only this connection.
    let fatal = [
        "".to_owned(),
        "x".into(),
        "4".into(),
        "49".into(),
        "0{}".into(),
        "42/provider,".into(),
        "42/provider,{}".into(),
        "42/provider,[1]".into(),
        "42/provider,[\"send\"".into(),
        "44/provider,{}".into(),
        "451-/provider,".into(),
        "45999999999999999999-/provider,[]".into(),
        "é".into(),
    ];
    for packet in fatal {
        let mut mallory = Client::provider(&server, dir.path(), "mallory").await;
        mallory.try_raw(packet.clone()).await;
        // It ends, or it goes on working.
        mallory.try_raw("42/provider,[\"changes\",{\"since\":0}]").await;
        let mut worked = false;
        while let Ok((event, _)) = mallory.next().await {
            if event == "changes" {
                worked = true;
                break;
            }
        }
        println!("{packet:?}: {}", if worked { "ignored" } else { "closed" });
        assert!(hana.send(&of, "still here").await["ok"].is_object(), "{packet}");
    }
    // Beyond the transport's limit.
    let mut mallory = Client::provider(&server, dir.path(), "mallory").await;
    mallory.try_raw(format!("42/provider,[\"send\",\"{}\"]", "x".repeat(17 << 20))).await;
    mallory.closed().await;
    assert!(hana.send(&of, "still here").await["ok"].is_object());
    server.shutdown().await;
}

#[tokio::test]
async fn a_burst_is_refused_beyond_the_limit_and_taken_later() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Config { limits: Limits::default(), ..config(dir.path()) }).await.unwrap();
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    for n in 0..200 {
        hana.emit("send", &text(&of, new_id(), &n.to_string())).await;
    }
    let (mut taken, mut refused, mut wait) = (Vec::new(), 0, 0);
    while taken.len() + refused < 200 {
        let (event, data) = hana.next().await.unwrap();
        match event.as_str() {
            "entry" if data["entry"]["body"]["kind"] == "text" => taken.push(data["entry"]["seq"].clone()),
            "rejected" => {
                assert_eq!((&data["of"], &data["code"]), (&json!("send"), &json!("rate_limited")));
                assert!(data["id"].is_string());
                wait = data["retry_after_ms"].as_u64().unwrap();
                refused += 1;
            }
            _ => {}
        }
    }
    // A burst of twice the pace is taken, and what the pace allows meanwhile.
    assert!(taken.len() >= 40 && refused > 0, "{refused} refused");
    assert!((1..=60).contains(&wait), "{wait}");
    // Others have a limit of their own, and reading isn't sending.
    assert_eq!(amara.entries(&of).await.len(), taken.len() + 1);
    assert!(amara.send(&of, "x").await["ok"].is_object());
    server.shutdown().await;
}
