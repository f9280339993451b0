//! The server over a real socket: order, catching up, restarts, ends.

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
use bedside_server::{Config, Server, StartError};
use raw::*;
use serde_json::{Value, json};

/// Engine.IO's own farewell: common clients connect again after it.
const ENGINE_CLOSE: &str = "packet 1";

/// Socket.IO's farewell: common clients stay away after it.
const SOCKET_DISCONNECT: &str = "packet 41/provider,";

fn seqs(entries: &[Value]) -> Vec<u64> {
    entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_message_goes_there_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    let id = new_id();
    let answer = hana.ask("send", &text(&of, id, "hello")).await;
    assert_eq!(answer["ok"]["entry"]["id"], json!(id));
    for client in [&mut amara, &mut hana] {
        let frame = client.event("entry").await;
        assert_eq!(frame["entry"]["body"]["text"], "hello");
        assert_eq!(frame["conversation"]["head"], 1);
        assert_eq!(client.event("entry").await["entry"]["body"]["kind"], "wait");
    }
    amara.emit("typing", &json!({"conversation": of})).await;
    assert_eq!(hana.event("typing").await["who"]["name"], "AMARA");
    amara.send(&of, "good morning").await;
    let frame = hana.event("entry").await;
    assert_eq!((frame["entry"]["prev"].as_u64(), frame["entry"]["seq"].as_u64()), (Some(2), Some(3)));
    amara.emit("read", &json!({"conversation": of, "upto": 3})).await;
    assert_eq!(hana.event("receipt").await["upto"], 3);
    server.shutdown().await;
}

/// Lost connections, closed laptops, killed consoles: what was being read for them is given up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_leave_in_the_middle_of_a_question_cost_the_others_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    for n in 0..200 {
        hana.emit("send", &text(&of, new_id(), &format!("{n} {}", "x".repeat(4000)))).await;
    }
    hana.send(&of, "last").await;
    for _ in 0..60 {
        let mut gone = Client::provider(&server, dir.path(), "amara").await;
        for _ in 0..4 {
            gone.emit("entries", &json!({"conversation": of, "from": 1, "to": 200})).await;
        }
    }
    let mut jonas = Client::provider(&server, dir.path(), "jonas").await;
    assert!(jonas.ask("changes", &json!({"since": 0})).await["ok"].is_object());
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_asks_for_much_and_reads_nothing_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    // 16,000 bytes, each of which JSON writes as two.
    for _ in 0..201 {
        hana.emit("send", &text(&of, new_id(), &"\"".repeat(16_000))).await;
    }
    hana.send(&of, "last").await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    let ask = format!(r#"42/provider,["entries",{{"conversation":"{of}","from":1,"to":200}}]"#);
    while amara.try_raw(&ask).await {
        tokio::time::sleep(std::time::Duration::from_millis(11)).await;
    }
    // For what it was sent and didn't take, and not because it stalled: that takes longer, and isn't counted so.
    let metrics =
        reqwest::get(format!("http://{}/metrics", server.addr())).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("bedside_slow_sockets_total 1"), "{metrics}");
    server.shutdown().await;
}

#[tokio::test]
async fn what_one_socket_sends_keeps_its_order_and_is_seen_by_its_reads() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (_, of) = Client::patient(&server, dir.path(), "hana").await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    let mut jonas = Client::provider(&server, dir.path(), "jonas").await;
    for n in 0..500 {
        amara.emit("send", &text(&of, new_id(), &n.to_string())).await;
    }
    amara.emit("changes", &json!({"since": 0})).await;
    assert_eq!(amara.event("changes").await["conversations"][0]["head"], 500);
    for n in 0..500_u64 {
        let frame = jonas.event("entry").await;
        assert_eq!(frame["entry"]["seq"], n + 1);
        assert_eq!(frame["entry"]["body"]["text"], n.to_string());
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_ids_from_two_sockets_at_once_are_a_thousand_entries() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (_, of) = Client::patient(&server, dir.path(), "hana").await;
    let frames: Vec<Value> = (0..1000).map(|n| text(&of, new_id(), &n.to_string())).collect();
    let sender = |mut client: Client, frames: Vec<Value>| async move {
        for frame in frames {
            assert!(client.ask("send", &frame).await["ok"].is_object());
        }
    };
    let (a, b) = (
        Client::provider(&server, dir.path(), "amara").await,
        Client::provider(&server, dir.path(), "amara").await,
    );
    let (a, b) =
        tokio::join!(tokio::spawn(sender(a, frames.clone())), tokio::spawn(sender(b, frames.clone())),);
    a.unwrap();
    b.unwrap();
    let mut jonas = Client::provider(&server, dir.path(), "jonas").await;
    let entries = jonas.entries(&of).await;
    assert_eq!(seqs(&entries), (1..=1000).collect::<Vec<_>>());
    let ids: Vec<&Value> = entries.iter().map(|entry| &entry["id"]).collect();
    assert_eq!(ids, frames.iter().map(|frame| &frame["id"]).collect::<Vec<_>>());
    server.shutdown().await;
}

#[tokio::test]
async fn everything_is_there_once_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (mut hana, of) = Client::patient(&server, dir.path(), "hana").await;
    let id = new_id();
    hana.ask("send", &text(&of, id, "before")).await;
    let before = Client::provider(&server, dir.path(), "amara").await.entries(&of).await;
    server.shutdown().await;
    assert!(hana.closed().await.contains(&ENGINE_CLOSE.to_owned()));
    let server = start(dir.path()).await;
    let (mut hana, again) = Client::patient(&server, dir.path(), "hana").await;
    assert_eq!(again, of);
    let answer = hana.ask("send", &text(&of, id, "before")).await;
    assert_eq!(answer["ok"]["entry"]["seq"], 1);
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    assert_eq!(amara.entries(&of).await, before);
    server.shutdown().await;
}

/// Whatever was committed was answered before the connection ended; what wasn't answered may be sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_committed_is_unanswered_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (_, of) = Client::patient(&server, dir.path(), "hana").await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    for n in 0..1000 {
        amara.emit("send", &text(&of, new_id(), &n.to_string())).await;
    }
    // Some are committed, some wait, some are in the socket.
    amara.event("entry").await;
    let reading = tokio::spawn(async move {
        let (mut entries, mut refused) = (1, 0);
        while let Ok((event, data)) = amara.next().await {
            match event.as_str() {
                "entry" => entries += 1,
                "rejected" => {
                    assert_eq!(data["code"], "unavailable");
                    assert!(data["retry_after_ms"].is_u64());
                    refused += 1;
                }
                _ => {}
            }
        }
        (entries, refused)
    });
    within(server.shutdown()).await;
    let (entries, _) = reading.await.unwrap();
    let server = start(dir.path()).await;
    let mut jonas = Client::provider(&server, dir.path(), "jonas").await;
    assert_eq!(jonas.entries(&of).await.len(), entries);
    server.shutdown().await;
}

/// A socket that doesn't read is closed; the others don't notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_does_not_read_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (_, of) = Client::patient(&server, dir.path(), "hana").await;
    let mut slow = Client::provider(&server, dir.path(), "jonas").await;
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    let words = "x".repeat(16_000);
    let metric = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("bedside_slow_sockets_total")).unwrap();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let url = format!("http://{}/metrics", server.addr());
    let mut sent = 0_u64;
    let mut closed = 0;
    while closed == 0 && sent < 20_000 {
        for _ in 0..100 {
            sent += 1;
            amara.emit("send", &text(&of, new_id(), &words)).await;
        }
        while amara.event("entry").await["entry"]["seq"] != sent {}
        closed = metric(&reqwest::get(&url).await.unwrap().text().await.unwrap());
    }
    assert_eq!(closed, 1, "after {sent} entries");
    // What it had been sent is without a gap.
    let mut seen = 0;
    while let Ok((event, data)) = slow.next().await {
        if event == "entry" {
            seen += 1;
            assert_eq!(data["entry"]["seq"], seen);
        }
    }
    assert!(seen < sent);
    assert!(amara.send(&of, "still here").await["ok"].is_object());
    server.shutdown().await;
}

#[tokio::test]
async fn heartbeats_come_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Config { heartbeat_ms: 50, ..config(dir.path()) }).await.unwrap();
    let mut amara = Client::provider(&server, dir.path(), "amara").await;
    for _ in 0..3 {
        assert_eq!(amara.event("heartbeat").await["rev"], 0);
    }
    server.shutdown().await;
}

#[tokio::test]
async fn an_expired_token_ends_its_connection() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let brief = token_until(dir.path(), TokenRole::Provider, "amara", "riverside", now_s() + 4);
    let mut amara = Client::person(&server, "/provider", &brief).await;
    assert_eq!(amara.closed().await, [SOCKET_DISCONNECT]);
    assert_eq!(Client::refused_token(&server, "/provider", &brief).await, "expired");
    server.shutdown().await;
}

#[tokio::test]
async fn revoking_ends_every_connection_of_a_person() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let amara_token = token(dir.path(), TokenRole::Provider, "amara", "riverside");
    let mut one = Client::person(&server, "/provider", &amara_token).await;
    let mut two = Client::person(&server, "/provider", &amara_token).await;
    let mut jonas = Client::provider(&server, dir.path(), "jonas").await;
    let revoke = |token: String| {
        reqwest::Client::new()
            .post(format!("http://{}/api/admin/revoke", server.addr()))
            .bearer_auth(token)
            .json(&json!({"user": "amara", "wipe": true}))
            .send()
    };
    assert_eq!(revoke("x".into()).await.unwrap().status(), 401);
    assert_eq!(revoke(amara_token.clone()).await.unwrap().status(), 403);
    let elsewhere = token(dir.path(), TokenRole::Admin, "it", "hillside");
    assert_eq!(revoke(elsewhere).await.unwrap().status(), 200);
    let admin = token(dir.path(), TokenRole::Admin, "it", "riverside");
    assert_eq!(Client::refused_token(&server, "/provider", &admin).await, "unauthenticated");
    assert_eq!(revoke(admin).await.unwrap().status(), 200);
    for client in [&mut one, &mut two] {
        assert_eq!(client.event("revoked").await, json!({"wipe": true}));
        assert_eq!(client.closed().await, [SOCKET_DISCONNECT]);
    }
    assert_told_to_wipe(&server, &amara_token).await;
    loop {
        let presence = jonas.event("presence").await;
        if presence["state"] == "offline" {
            break;
        }
    }
    server.shutdown().await;
    let server = start(dir.path()).await;
    assert_told_to_wipe(&server, &amara_token).await;
    server.shutdown().await;
}

/// A device that was away hears of it when it comes, and nothing else.
async fn assert_told_to_wipe(server: &Server, token: &str) {
    let (mut late, result) = Client::open(server, "/provider", Client::auth(token)).await;
    assert_eq!(result, Ok(()));
    assert_eq!(late.next().await, Ok(("revoked".to_owned(), json!({"wipe": true}))));
    assert_eq!(late.closed().await, [SOCKET_DISCONNECT]);
}

#[tokio::test]
async fn a_server_starts_only_where_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    assert!(matches!(Server::start(config(dir.path())).await, Err(StartError::InUse(_))));
    let other = tempfile::tempdir().unwrap();
    let taken = Config { listen: server.addr(), ..config(other.path()) };
    assert!(matches!(Server::start(taken).await, Err(StartError::Listen(..))));
    let public = Config { listen: ([0, 0, 0, 0], 0).into(), demo: true, ..config(other.path()) };
    assert!(matches!(Server::start(public).await, Err(StartError::NotLoopback(_))));
    server.shutdown().await;
}

#[tokio::test]
async fn the_page_and_health_are_served() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let get = |path: &str| reqwest::get(format!("http://{}{path}", server.addr()));
    assert_eq!(get("/healthz").await.unwrap().status(), 200);
    assert_eq!(get("/readyz").await.unwrap().status(), 200);
    let missing = get("/nothing").await.unwrap();
    assert_eq!(missing.status(), 404);
    let policy = missing.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"));
    assert_eq!(missing.headers()["x-content-type-options"], "nosniff");
    assert_eq!(missing.json::<Value>().await.unwrap()["error"]["code"], "not_found");
    // Without --demo nobody signs in by a name.
    let answer = reqwest::Client::new()
        .post(format!("http://{}/api/demo/sign-in", server.addr()))
        .json(&json!({"role": "provider", "name": "Mallory"}))
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_client_error());
    server.shutdown().await;
}

#[tokio::test]
async fn the_demonstration_signs_in_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let server =
        Server::start(Config { demo: true, limits: Limits::default(), ..config(dir.path()) }).await.unwrap();
    let post = |body: Value| {
        reqwest::Client::new().post(format!("http://{}/api/demo/sign-in", server.addr())).json(&body).send()
    };
    let sign_in = |role: &str, name: &str| {
        let answer = post(json!({"role": role, "name": name}));
        async { answer.await.unwrap().json::<Value>().await.unwrap() }
    };
    let one = sign_in("patient", "Hana Sato").await;
    let two = sign_in("patient", "  Hana   Sato ").await;
    assert_eq!((&one["id"], &one["conversation"]), (&two["id"], &two["conversation"]));
    assert_ne!(sign_in("provider", "Hana Sato").await["id"], one["id"]);
    let amara = sign_in("provider", "Dr. Amara Osei").await;
    let mut amara = Client::person(&server, "/provider", amara["token"].as_str().unwrap()).await;
    amara.emit("changes", &json!({"since": 0})).await;
    let changes = amara.event("changes").await;
    assert_eq!(changes["conversations"][0]["id"], one["conversation"]);
    assert_eq!(changes["conversations"][0]["patient"]["born"], "1987-09-02");
    for (role, name) in [("admin", "x"), ("patient", ""), ("patient", " \n "), ("patient", &"x".repeat(101))]
    {
        let answer = post(json!({"role": role, "name": name})).await.unwrap();
        assert!(answer.status().is_client_error());
        assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], "invalid", "{name}");
    }
    let huge = post(json!({"role": "patient", "name": "x".repeat(1 << 20)})).await.unwrap();
    assert_eq!(huge.status(), 413);
    server.shutdown().await;
}
