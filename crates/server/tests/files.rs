//! Files over HTTP: who may put and get them, what the disk holds, and what becomes of what nobody sends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers are tests too"
)]

mod raw;

use bedside_protocol::{ConversationId, Limits, Time};
use bedside_server::token::TokenRole;
use bedside_server::{Clock, Config, Server, SystemClock};
use raw::*;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const HOUR_MS: u64 = 60 * 60 * 1000;

/// A clock that a test sets forward.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicU64>);

impl Clock for Ahead {
    fn now(&self) -> Time {
        SystemClock.now().plus(self.0.load(Ordering::SeqCst))
    }
}

fn sha(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A server with a largest file of 1000 bytes, and what its people hold.
struct Scene {
    dir: tempfile::TempDir,
    server: Server,
    clock: Ahead,
}

impl Scene {
    async fn set() -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), Ahead::default());
        let server = Self::start(dir.path(), &clock).await;
        Self { dir, server, clock }
    }

    async fn start(data: &Path, clock: &Ahead) -> Server {
        let limits = Limits { file_bytes: Some(1000), ..config(data).limits };
        Server::start(Config { limits, clock: Arc::new(clock.clone()), ..config(data) }).await.unwrap()
    }

    async fn restart(self) -> Self {
        let Self { dir, server, clock } = self;
        server.shutdown().await;
        let server = Self::start(dir.path(), &clock).await;
        Self { dir, server, clock }
    }

    fn token(&self, role: TokenRole, id: &str) -> String {
        let exp = self.clock.now().millis() / 1000 + 3600;
        token_until(self.dir.path(), role, id, "riverside", exp)
    }

    fn amara(&self) -> String {
        self.token(TokenRole::Provider, "amara")
    }

    fn hana(&self) -> String {
        self.token(TokenRole::Patient, "hana")
    }

    async fn ask(&self, method: Method, token: &str, sha256: &str, body: Vec<u8>) -> Response {
        let url = format!("http://{}/api/blobs/{sha256}", self.server.addr());
        let client = reqwest::Client::new();
        within(client.request(method, url).bearer_auth(token).body(body).send()).await.unwrap()
    }

    async fn put(&self, token: &str, bytes: &[u8]) -> StatusCode {
        self.ask(Method::PUT, token, &sha(bytes), bytes.to_vec()).await.status()
    }

    async fn get(&self, token: &str, sha256: &str) -> StatusCode {
        self.ask(Method::GET, token, sha256, Vec::new()).await.status()
    }

    async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.server.addr());
        reqwest::get(url).await.unwrap().text().await.unwrap()
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("blobs/at-riverside")
    }

    fn files(&self) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.folder()) else { return Vec::new() };
        folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    async fn people(&self) -> (Client, Client, ConversationId) {
        let amara = Client::person(&self.server, "/provider", &self.amara()).await;
        let mut hana = Client::person(&self.server, "/patient", &self.hana()).await;
        let changes = hana.ask("changes", &json!({"since": 0})).await;
        let of = serde_json::from_value(changes["ok"]["conversations"][0]["id"].clone()).unwrap();
        (amara, hana, of)
    }
}

fn file(of: &ConversationId, bytes: &[u8]) -> Value {
    let body = json!({
        "kind": "file", "sha256": sha(bytes), "name": "rash.jpg", "media_type": "image/jpeg", "bytes": bytes.len(),
    });
    json!({"id": new_id(), "conversation": of, "seen": 0, "body": body})
}

async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["error"]["code"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_goes_up_once_is_sent_and_comes_down_as_it_was() {
    let scene = Scene::set().await;
    let (mut amara, mut hana, of) = scene.people().await;
    let photo = vec![7; 1000];
    let send = file(&of, &photo);
    let refused = hana.ask("send", &send).await;
    assert_eq!(refused["error"]["code"], "not_found");

    let answer = scene.ask(Method::PUT, &scene.hana(), &sha(&photo), photo.clone()).await;
    assert_eq!(answer.status(), 201);
    let said: Value = answer.json().await.unwrap();
    assert_eq!(said, json!({"sha256": sha(&photo), "bytes": 1000}));
    assert_eq!(scene.put(&scene.hana(), &photo).await, 200, "again");
    assert_eq!(scene.put(&scene.amara(), &photo).await, 200, "by somebody else");
    assert_eq!(scene.files(), [sha(&photo)]);

    assert_eq!(hana.ask("send", &send).await["ok"]["entry"]["body"], send["body"]);
    assert_eq!(amara.event("entry").await["entry"]["preview"], "File: rash.jpg");
    for token in [scene.amara(), scene.hana()] {
        let answer = scene.ask(Method::GET, &token, &sha(&photo), Vec::new()).await;
        assert_eq!(answer.status(), 200);
        for (name, value) in [
            ("content-type", "application/octet-stream"),
            ("x-content-type-options", "nosniff"),
            ("content-disposition", "attachment"),
            ("cache-control", "private, no-store"),
            ("content-security-policy", "default-src 'none'; sandbox"),
            ("content-length", "1000"),
        ] {
            assert_eq!(answer.headers()[name], value);
        }
        assert_eq!(answer.bytes().await.unwrap(), photo);
    }
    let head = scene.ask(Method::HEAD, &scene.hana(), &sha(&photo), Vec::new()).await;
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "1000"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&scene.folder().join(sha(&photo))), 0o600);
        assert_eq!((mode(&scene.folder()), mode(&scene.dir.path().join("blobs"))), (0o700, 0o700));
    }
    let metrics = scene.metrics().await;
    for line in ["bedside_blobs 1", "bedside_blobs_bytes 1000"] {
        assert!(metrics.contains(line), "{metrics}");
    }
    scene.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_go_up_is_refused_by_name_and_leaves_nothing() {
    let scene = Scene::set().await;
    let (hana, own) = (scene.hana(), sha(b"x"));
    let put = async |token: &str, sha256: &str, bytes: &[u8]| {
        code(scene.ask(Method::PUT, token, sha256, bytes.to_vec()).await).await
    };
    let invalid = (400, "invalid".to_owned());
    assert_eq!(put(&hana, &own, b"y").await, invalid, "another SHA-256");
    assert_eq!(put(&hana, &own.to_uppercase(), b"x").await, invalid);
    assert_eq!(put(&hana, "..%2f..%2flog.sqlite3", b"x").await, invalid);
    let large = vec![0; 1001];
    assert_eq!(put(&hana, &sha(&large), &large).await, (413, "too_large".into()));
    // Without its length said before.
    let url = format!("http://{}/api/blobs/{}", scene.server.addr(), sha(&large));
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(vec![0_u8; 600]), Ok(vec![0; 401])]);
    let request = reqwest::Client::new().put(url).bearer_auth(scene.token(TokenRole::Patient, "samuel"));
    let answer = within(request.body(reqwest::Body::wrap_stream(pieces)).send()).await.unwrap();
    assert_eq!(code(answer).await, (413, "too_large".into()));

    let exp = now_s() - 1;
    let expired = token_until(scene.dir.path(), TokenRole::Patient, "hana", "riverside", exp);
    let admin = scene.token(TokenRole::Admin, "it");
    assert_eq!(put("", &own, b"x").await, (401, "unauthenticated".into()));
    assert_eq!(put("a.b.c", &own, b"x").await, (401, "unauthenticated".into()));
    assert_eq!(put(&expired, &own, b"x").await, (401, "expired".into()));
    assert_eq!(put(&admin, &own, b"x").await, (403, "forbidden".into()));
    let url = format!("http://{}/api/admin/revoke", scene.server.addr());
    let revoke = reqwest::Client::new().post(url).bearer_auth(&admin).json(&json!({"user": "jonas"}));
    let jonas = scene.token(TokenRole::Provider, "jonas");
    assert_eq!(within(revoke.send()).await.unwrap().status(), 200);
    assert_eq!(put(&jonas, &own, b"x").await, (401, "revoked".into()));
    assert_eq!(scene.get(&jonas, &own).await, 401);

    assert_eq!(scene.files(), [""; 0]);
    let metrics = scene.metrics().await;
    assert!(metrics.contains("bedside_blobs_refused_total{code=\"too_large\"} 2"), "{metrics}");
    scene.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_what_is_not_theirs_nor_hears_that_it_is_there() {
    let scene = Scene::set().await;
    let (mut amara, mut hana, of) = scene.people().await;
    let samuel = scene.token(TokenRole::Patient, "samuel");
    let lakeside = token(scene.dir.path(), TokenRole::Provider, "li", "lakeside");
    assert_eq!(scene.put(&scene.hana(), b"hers").await, 201);
    assert_eq!(scene.put(&scene.amara(), b"to her").await, 201);
    assert_eq!(scene.put(&scene.amara(), b"unsent").await, 201);
    hana.ask("send", &file(&of, b"hers")).await;
    let sent = amara.ask("send", &file(&of, b"to her")).await;
    for bytes in [b"hers".as_slice(), b"to her", b"unsent"] {
        for other in [&samuel, &lakeside] {
            let refused = code(scene.ask(Method::GET, other, &sha(bytes), Vec::new()).await).await;
            assert_eq!(refused, code(scene.ask(Method::GET, other, &sha(b"none"), Vec::new()).await).await);
            assert_eq!(refused, (404, "not_found".into()));
        }
    }
    assert_eq!(scene.get(&scene.hana(), &sha(b"unsent")).await, 404);
    assert_eq!(scene.get(&scene.amara(), &sha(b"unsent")).await, 200);
    // Who knows the digest alone gets nothing by it.
    let guessed = scene.ask(Method::PUT, &samuel, &sha(b"hers"), b"guess".to_vec()).await;
    assert_eq!(guessed.status(), 400);
    assert_eq!(scene.get(&samuel, &sha(b"hers")).await, 404);
    // What was taken back the patient gets no more.
    assert_eq!(scene.get(&scene.hana(), &sha(b"to her")).await, 200);
    let body = json!({"kind": "amend", "target": sent["ok"]["entry"]["id"], "text": null});
    let back = json!({"id": new_id(), "conversation": of, "seen": 0, "body": body});
    assert!(amara.ask("send", &back).await["ok"].is_object());
    assert_eq!(scene.get(&scene.hana(), &sha(b"to her")).await, 404);
    scene.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_sends_is_gone_after_a_day() {
    let mut scene = Scene::set().await;
    let (_, mut hana, of) = scene.people().await;
    assert_eq!(scene.put(&scene.hana(), b"sent").await, 201);
    assert_eq!(scene.put(&scene.hana(), b"unsent").await, 201);
    hana.ask("send", &file(&of, b"sent")).await;
    scene.clock.0.store(25 * HOUR_MS, Ordering::SeqCst);
    scene = scene.restart().await;
    let gone = async {
        while scene.get(&scene.amara(), &sha(b"unsent")).await != 404 || scene.files().len() > 1 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    within(gone).await;
    assert_eq!(scene.get(&scene.hana(), &sha(b"sent")).await, 200);
    assert_eq!(scene.files(), [sha(b"sent")]);
    assert!(scene.metrics().await.contains("bedside_blobs 1"));
    // A client that was away uploads again, and sends what it had.
    let (_, mut hana, _) = scene.people().await;
    let send = file(&of, b"unsent");
    assert_eq!(hana.ask("send", &send).await["error"]["code"], "not_found");
    assert_eq!(scene.put(&scene.hana(), b"unsent").await, 201);
    assert!(hana.ask("send", &send).await["ok"].is_object());
    scene.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_crash_left_without_a_row_is_removed_at_the_start() {
    let mut scene = Scene::set().await;
    assert_eq!(scene.put(&scene.hana(), b"kept").await, 201);
    assert_eq!(scene.put(&scene.hana(), b"lost").await, 201);
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(31 * 24 * 60 * 60);
    let strange = |bytes| scene.folder().join(sha(bytes)).with_extension("unknown");
    for path in [strange(b"orphan"), scene.folder().join(sha(b"of a newer log"))] {
        std::fs::File::create(path).unwrap().set_modified(long_ago).unwrap();
    }
    std::fs::write(scene.folder().join(format!("{}.aB3xYz", sha(b"half"))), b"ha").unwrap();
    std::fs::remove_file(scene.folder().join(sha(b"lost"))).unwrap();
    scene = scene.restart().await;
    let mut left = [sha(b"kept"), sha(b"of a newer log") + ".unknown"];
    left.sort();
    assert_eq!(scene.files(), left, "a month after it was first seen without a row, not after it was made");
    assert_eq!(scene.get(&scene.hana(), &sha(b"kept")).await, 200);
    assert_eq!(scene.get(&scene.amara(), &sha(b"of a newer log")).await, 404);
    assert_eq!(scene.get(&scene.hana(), &sha(b"lost")).await, 404);
    // Uploading it again heals it.
    assert_eq!(scene.put(&scene.hana(), b"lost").await, 201);
    assert_eq!(scene.get(&scene.hana(), &sha(b"lost")).await, 200);
    scene.server.shutdown().await;
}

/// A log that isn't there, or another, takes no file with it, however long it serves: the right one may be put back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_the_log_removes_nothing() {
    let mut scene = Scene::set().await;
    assert_eq!(scene.put(&scene.hana(), b"kept").await, 201);
    let file = std::fs::File::options().write(true).open(scene.folder().join(sha(b"kept"))).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let (data, aside) = (scene.dir.path().to_owned(), tempfile::tempdir().unwrap());
    let log = || {
        let names =
            std::fs::read_dir(&data).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("log.sqlite3")).collect::<Vec<_>>()
    };
    scene.server.shutdown().await;
    let moved = log();
    moved.iter().for_each(|name| std::fs::rename(data.join(name), aside.path().join(name)).unwrap());
    scene.server = Scene::start(&data, &scene.clock).await;
    // The other log gets a row of its own, and another start.
    assert_eq!(scene.put(&scene.hana(), b"another").await, 201);
    scene = scene.restart().await;
    assert_eq!(scene.get(&scene.hana(), &sha(b"kept")).await, 404);
    scene.server.shutdown().await;
    log().iter().for_each(|name| std::fs::remove_file(data.join(name)).unwrap());
    moved.iter().for_each(|name| std::fs::rename(aside.path().join(name), data.join(name)).unwrap());
    scene.server = Scene::start(&data, &scene.clock).await;
    assert_eq!(scene.get(&scene.hana(), &sha(b"kept")).await, 200);
    scene.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_breaks_off_leaves_nothing() {
    use tokio::io::AsyncWriteExt;
    let scene = Scene::set().await;
    let mut tcp = tokio::net::TcpStream::connect(scene.server.addr()).await.unwrap();
    let head = format!(
        "PUT /api/blobs/{} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 900\r\n\r\nhalf",
        sha(b"whole"),
        scene.hana()
    );
    tcp.write_all(head.as_bytes()).await.unwrap();
    let count = async |files: usize| {
        while scene.files().len() != files {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    within(count(1)).await;
    drop(tcp);
    within(count(0)).await;
    assert_eq!(scene.get(&scene.amara(), &sha(b"whole")).await, 404);
    scene.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_from_many_at_once_are_one_file() {
    let scene = Scene::set().await;
    let people: Vec<String> = (0..8).map(|n| scene.token(TokenRole::Patient, &format!("p{n}"))).collect();
    let puts = people.iter().map(|token| scene.put(token, b"the same"));
    let statuses = futures_util::future::join_all(puts).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 7, "{statuses:?}");
    assert_eq!(scene.files(), [sha(b"the same")]);
    assert!(scene.metrics().await.contains("bedside_blobs 1"));
    scene.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_uploads_too_fast_is_told_when_to_come_again() {
    let scene = Scene::set().await;
    let hana = scene.hana();
    let refused = loop {
        let answer = scene.ask(Method::PUT, &hana, &sha(b"x"), b"x".to_vec()).await;
        if !answer.status().is_success() {
            break answer;
        }
    };
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(code(refused).await, (429, "rate_limited".into()));
    scene.server.shutdown().await;
}

#[tokio::test]
async fn a_server_that_takes_no_files_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { file_bytes: None, ..Limits::default() };
    let server = Server::start(Config { limits, ..config(dir.path()) }).await.unwrap();
    let hana = token(dir.path(), TokenRole::Patient, "hana", "riverside");
    let (mut client, result) = Client::open(&server, "/patient", Client::auth(&hana)).await;
    result.unwrap();
    assert!(client.event("welcome").await["limits"].get("file_bytes").is_none());
    let url = format!("http://{}/api/blobs/{}", server.addr(), sha(b"x"));
    let answer = reqwest::Client::new().put(url).bearer_auth(hana).body("x").send().await.unwrap();
    assert_eq!(code(answer).await, (403, "forbidden".into()));
    server.shutdown().await;
}
