//! A scripted service on loopback: each answer byte by byte as it is wanted.

use super::*;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::routing::post;
use bedside_protocol::Time;
use futures_util::stream;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

const START: u64 = 1_800_000_000_000;

/// A clock that is set by hand.
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Time {
        Time::new(self.0.load(Ordering::SeqCst))
    }
}

/// One answer.
#[derive(Clone)]
struct Says {
    status: u16,
    header: (&'static str, &'static str),
    pieces: Vec<Vec<u8>>,
    end: End,
}

#[derive(Clone, Copy)]
enum End {
    Well,
    /// The connection breaks.
    Cut,
    /// Nothing comes any more.
    Hangs,
}

impl Says {
    fn stream(pieces: &[&str]) -> Self {
        let pieces = pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect();
        Self { status: 200, header: ("content-type", "text/event-stream"), pieces, end: End::Well }
    }

    fn status(status: u16) -> Self {
        Self { status, ..Self::stream(&["{\"error\":{\"message\":\"no\"}}"]) }
    }
}

#[derive(Clone, Default)]
struct Script(Arc<Mutex<(VecDeque<Says>, Vec<(HeaderMap, Value)>)>>);

async fn answer(Shared(script): Shared<Script>, headers: HeaderMap, body: Bytes) -> axum::response::Response {
    let asked = (headers, serde_json::from_slice(&body).unwrap());
    let Says { status, header, pieces, end } = {
        let mut script = script.0.lock().unwrap();
        script.1.push(asked);
        script.0.pop_front().expect("nothing more was to be asked")
    };
    // One after the other, each on its way before the next.
    let stream = stream::unfold((pieces.into_iter(), end), |(mut pieces, end)| async move {
        tokio::task::yield_now().await;
        match (pieces.next(), end) {
            (Some(piece), _) => Some((Ok(piece), (pieces, end))),
            (None, End::Well) => None,
            (None, End::Cut) => Some((Err(std::io::Error::other("cut")), (pieces, End::Well))),
            (None, End::Hangs) => std::future::pending().await,
        }
    });
    let response = axum::response::Response::builder().status(status).header(header.0, header.1);
    response.body(Body::from_stream(stream)).unwrap()
}

struct Scene {
    script: Script,
    service: Service,
    clock: Arc<Hand>,
}

impl Scene {
    async fn new(answers: impl IntoIterator<Item = Says>) -> Self {
        let script = Script::default();
        script.0.lock().unwrap().0.extend(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let clock = Arc::new(Hand(AtomicU64::new(START)));
        Self { script, service: service(&url, &clock), clock }
    }

    async fn ask(&self) -> Result<String, Fault> {
        self.ask_hearing(&mut |_| {}).await
    }

    async fn ask_hearing(&self, heard: &mut (dyn FnMut(&str) + Send)) -> Result<String, Fault> {
        let schema = json!({"type": "object"});
        let question = Question { system: "do it", user: "with this", answer: ("it", &schema) };
        self.service.ask(&question, heard).await
    }

    fn asked(&self) -> Vec<(HeaderMap, Value)> {
        std::mem::take(&mut self.script.0.lock().unwrap().1)
    }

    fn pass(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

fn service(url: &str, clock: &Arc<Hand>) -> Service {
    let dir = tempfile::tempdir().unwrap();
    let (path, key) = (dir.path().join("services.json"), dir.path().join("key"));
    std::fs::write(&key, "secret\n").unwrap();
    let it = json!({"url": url, "model": "m", "key_file": key, "parameters": {"seed": 7}});
    std::fs::write(&path, json!({"services": {"it": it}, "tasks": {}}).to_string()).unwrap();
    let clock: Arc<dyn Clock> = clock.clone();
    let mut services = Settings::read(&path).unwrap().open(&clock).unwrap();
    Arc::into_inner(services.remove("it").unwrap()).unwrap()
}

fn piece(text: &str) -> String {
    format!("data: {}\n\n", json!({"choices": [{"delta": {"content": text}}]}))
}

const DONE: &str = "data: [DONE]\n\n";

#[tokio::test]
async fn it_is_asked_as_the_settings_say_and_heard_as_it_answers() {
    let scene = Scene::new([Says::stream(&[&piece("{\"a\":"), ": ping\n\n", &piece("\"é\"}"), DONE])]).await;
    let mut heard = Vec::new();
    let answer = scene.ask_hearing(&mut |text| heard.push(text.to_owned())).await;
    assert_eq!(answer.as_deref(), Ok("{\"a\":\"é\"}"));
    assert_eq!(heard, ["{\"a\":", "{\"a\":\"é\"}", "{\"a\":\"é\"}"]);
    let [(headers, body)] = <[_; 1]>::try_from(scene.asked()).unwrap();
    assert_eq!(headers["authorization"], "Bearer secret");
    let schema = json!({"name": "it", "strict": true, "schema": {"type": "object"}});
    let expected = json!({
        "model": "m",
        "stream": true,
        "seed": 7,
        "messages": [{"role": "system", "content": "do it"}, {"role": "user", "content": "with this"}],
        "response_format": {"type": "json_schema", "json_schema": schema},
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn near_compatible_services_are_understood() {
    let cut: Vec<Vec<u8>> =
        piece("{\"a\":\"é\"}").replace('\n', "\r\n").into_bytes().chunks(1).map(<[u8]>::to_vec).collect();
    let whole = json!({"choices": [{"message": {"content": "{\"a\":\"é\"}"}}]}).to_string();
    let content_type = ("content-type", "application/json; charset=utf-8");
    for says in [
        // Byte by byte, with CRLF, and without an end.
        Says { pieces: cut, ..Says::stream(&[]) },
        // It ends, and the connection doesn't.
        Says { end: End::Hangs, ..Says::stream(&[&piece("{\"a\":\"é\"}"), DONE]) },
        // The last event without its empty line.
        Says::stream(&[piece("{\"a\":\"é\"}").trim_end()]),
        // Not streamed at all.
        Says { header: content_type, ..Says::stream(&[&whole[..20], &whole[20..]]) },
        // No content type that says so.
        Says { header: ("x", "y"), ..Says::stream(&[&piece("{\"a\":\"é\"}"), DONE]) },
    ] {
        let scene = Scene::new([says]).await;
        assert_eq!(scene.ask().await.as_deref(), Ok("{\"a\":\"é\"}"));
    }
}

#[tokio::test]
async fn each_fault_says_whether_to_come_again() {
    let later = Fault::Later(None);
    let half = piece("{\"a\":");
    for (says, fault) in [
        (Says::status(429), later),
        (
            Says { header: ("retry-after", "7"), ..Says::status(429) },
            Fault::Later(Some(Duration::from_secs(7))),
        ),
        (
            // A minute after the clock's time.
            Says { header: ("retry-after", "Fri, 15 Jan 2027 08:01:00 GMT"), ..Says::status(503) },
            Fault::Later(Some(Duration::from_secs(60))),
        ),
        (Says { header: ("retry-after", "soon"), ..Says::status(503) }, later),
        (Says::status(500), later),
        (Says::status(401), Fault::Refused),
        (Says::status(404), Fault::Refused),
        (Says { header: ("location", "/elsewhere"), ..Says::status(307) }, Fault::Refused),
        (Says { end: End::Cut, ..Says::stream(&[&half]) }, later),
        (Says { end: End::Hangs, ..Says::stream(&[&half]) }, later),
        // It ends well, but not with what would be an answer.
        (Says::stream(&[&half]), later),
        (Says::stream(&[&half, "data: {\"choi"]), later),
        (Says::stream(&[&half, "data: {\"error\": {\"message\": \"overloaded\"}}\n\n"]), later),
        (Says::stream(&[&half, "data: {\"error\": {\"code\": 400}}\n\n"]), Fault::Refused),
        (Says::stream(&[&half, "data: {\"choi\n\n", DONE]), Fault::Nonsense),
        (Says::stream(&[&format!("data: {}", "x".repeat(300_000))]), Fault::Nonsense),
        (Says { header: ("content-type", "application/json"), ..Says::stream(&["<html>"]) }, Fault::Nonsense),
    ] {
        let shown = format!("{} {:?}", says.status, says.header);
        let hangs = matches!(says.end, End::Hangs);
        let mut scene = Scene::new([says]).await;
        if hangs {
            scene.service.timeout = Duration::from_millis(100);
        }
        assert_eq!(scene.ask().await, Err(fault), "{shown}");
    }
    let clock = Arc::new(Hand(AtomicU64::new(START)));
    // Nobody listens there.
    let nowhere =
        Scene { service: service("http://127.0.0.1:1/v1", &clock), clock, script: Script::default() };
    assert_eq!(nowhere.ask().await, Err(later));
}

#[tokio::test]
async fn an_answer_that_never_ends_is_bounded() {
    let flood = vec![": ping\n".repeat(10_000).into_bytes(); 1 + MAX_ANSWER_BYTES / 70_000];
    let scene = Scene::new([Says { pieces: flood, ..Says::stream(&[]) }]).await;
    assert_eq!(scene.ask().await, Err(Fault::Nonsense));
}

#[tokio::test]
async fn a_service_that_refuses_the_schema_is_asked_once_more_without_it_and_then_always_so() {
    let good = || Says::stream(&[&piece("{}"), DONE]);
    for status in [400, 415, 422, 501] {
        let scene = Scene::new([Says::status(status), good(), good()]).await;
        assert_eq!(scene.ask().await.as_deref(), Ok("{}"));
        assert_eq!(scene.ask().await.as_deref(), Ok("{}"));
        let with: Vec<bool> =
            scene.asked().iter().map(|(_, body)| body.get("response_format").is_some()).collect();
        assert_eq!(with, [true, false, false]);
    }
    // It was something else that it refused.
    let scene = Scene::new([Says::status(400), Says::status(400), good()]).await;
    assert_eq!(scene.ask().await, Err(Fault::Refused));
    assert_eq!(scene.ask().await.as_deref(), Ok("{}"));
    assert!(scene.asked()[2].1.get("response_format").is_some());
}

#[tokio::test]
async fn a_service_that_fails_again_and_again_is_left_alone() {
    let scene = Scene::new(vec![Says::status(500); 6]).await;
    for _ in 0..5 {
        assert_eq!(scene.service.state(), State::Closed);
        assert_eq!(scene.ask().await, Err(Fault::Later(None)));
    }
    assert_eq!(scene.service.state(), State::Open);
    assert_eq!(scene.ask().await, Err(Fault::Paused(Duration::from_secs(30))));
    assert_eq!(scene.asked().len(), 5);
    // One try when the pause is over, and one that goes well.
    scene.pass(30);
    assert_eq!(scene.ask().await, Err(Fault::Later(None)));
    assert_eq!(scene.service.state(), State::Open);
    scene.script.0.lock().unwrap().0.push_back(Says::stream(&[&piece("nonsense"), DONE]));
    scene.pass(30);
    assert_eq!(scene.ask().await.as_deref(), Ok("nonsense"));
    assert_eq!(scene.service.state(), State::Closed);
}

#[tokio::test]
async fn what_one_task_was_told_to_wait_counts_for_all() {
    let busy = Says { header: ("retry-after", "20"), ..Says::status(429) };
    let scene = Scene::new([busy]).await;
    assert_eq!(scene.ask().await, Err(Fault::Later(Some(Duration::from_secs(20)))));
    scene.pass(5);
    assert_eq!(scene.ask().await, Err(Fault::Paused(Duration::from_secs(15))));
    assert_eq!((scene.asked().len(), scene.service.state()), (1, State::Closed));
}
