//! From a patient's send to painted in the provider's window, on loopback: beside it the same message painted on the
//! patients' page in a Chromium tab, which is what a clinic without a console would look at. Both surfaces get the
//! same entry of the same server at the same time; the clock is the machine's.
//!
//! Painted means: in the document, and two animation frames later.

use bedside_tests::cast::MARTHA;
use bedside_tests::chat::SignIn;
use bedside_tests::desktop::Desktop;
use bedside_tests::page::Page;
use bedside_tests::results::{Figure, keep};
use bedside_tests::server::Server;
use bedside_tests::wire::Wire;
use std::time::{SystemTime, UNIX_EPOCH};

const MESSAGES: usize = 500;
/// Not counted: the first ones warm caches and fonts.
const WARM_UP: usize = 20;

/// Notes when each message is painted. `arguments[0]` selects the messages; a message says `number N.`.
const WATCH: &str = r#"
    const selector = arguments[0];
    window.painted = new Map();
    window.waiting = new Map();
    const note = (number, at) => {
        window.painted.set(number, at);
        window.waiting.get(number)?.(at);
    };
    const seen = new Set();
    new MutationObserver(() => {
        const items = document.querySelectorAll(selector);
        const said = items[items.length - 1]?.textContent.match(/number (\d+)\./);
        const number = said && Number(said[1]);
        if (!number || seen.has(number)) return;
        seen.add(number);
        requestAnimationFrame(() => requestAnimationFrame(() =>
            note(number, performance.timeOrigin + performance.now())));
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
"#;

/// Answers when message `arguments[0]` was painted, once it is.
const PAINTED: &str = r#"
    const [number, answer] = arguments;
    const at = window.painted.get(number);
    if (at) answer(at); else window.waiting.set(number, answer);
"#;

#[tokio::main]
async fn main() {
    let server = Server::start_with(&["--sends-per-s", "1000"]).await;
    let patient = SignIn::patient(&server.url(), MARTHA);
    let mut wire = Wire::sign_in(&patient).await;
    let conversation = wire.conversation.clone().expect("a patient has a conversation");
    wire.say(&conversation, "Good morning, this is the first message.").await;

    let desktop = Desktop::open();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_str().expect("a path in UTF-8").to_owned();
    let window = Page::window(&desktop, &["--data", &data, "--demo", &server.url()]).await;
    window.click("[data-testid=inbox-row]").await;
    window.find("[data-testid=item]").await;
    let tab = Page::browser(&server.url()).await;
    tab.write("[data-testid=name-input]", MARTHA).await;
    tab.click("[data-testid=name-submit]").await;
    tab.find("[data-testid=message]").await;
    let _: Option<()> = window.ask(WATCH, "[data-testid=item][data-kind=text]").await;
    let _: Option<()> = tab.ask(WATCH, "[data-testid=message]").await;

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 1..=WARM_UP + MESSAGES {
        let sent = now();
        wire.say(&conversation, &format!("Since Tuesday it gets tight across my chest, number {number}."))
            .await;
        let painted =
            tokio::join!(window.ask_later::<f64>(PAINTED, number), tab.ask_later::<f64>(PAINTED, number));
        if number > WARM_UP {
            ours.push(painted.0 - sent);
            theirs.push(painted.1 - sent);
        }
    }
    let peer = "the patients' page in Chromium";
    let figures = [("median", 50), ("p99", 99)].map(|(name, percent)| {
        let name = format!("patient's send to painted in the provider's window, {name} of {MESSAGES}");
        Figure::new(&name, percentile(&mut ours, percent), "ms", peer, percentile(&mut theirs, percent))
    });
    keep(&figures);
    tab.close().await;
    window.close().await;
}

/// Milliseconds since 1970.
fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    now.as_secs_f64() * 1000.0
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent).div_ceil(100).max(1) - 1]
}
