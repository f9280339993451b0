//! Other stacks: foreign clients at our server, and our core at a foreign server.

use bedside_protocol::{Body, Role, Seq, Text};
use bedside_server::token::{Claims, Key};
use bedside_tests::cast::{AMARA, ANDRE, JONAS, LUCIA, MARTHA};
use bedside_tests::chat::{Chat, Heard, SignIn};
use bedside_tests::console::Console;
use bedside_tests::log::Log;
use bedside_tests::program::{SOON, eventually};
use bedside_tests::server::{Server, interop, python};
use bedside_tests::wire::Wire;
use serde_json::json;
use std::process::Command;
use tokio::time::timeout;

/// Runs checks of another language, and shows what they say if one failed.
fn run(command: &mut Command) {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().unwrap_or_else(|error| panic!("{name} doesn't start: {error}"));
    let (said, cried) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{cried}");
    assert!(said.contains("all passed"), "{said}");
}

fn node(server: &Server) -> Command {
    assert!(interop("node/node_modules").is_dir(), "run: cd tests/interop/node && npm ci");
    let mut node = Command::new("node");
    node.arg(interop("node/check.mjs")).arg(server.url());
    node
}

fn expired_token(server: &Server) -> String {
    let claims = json!({
        "sub": "late", "name": "Late", "role": "provider", "clinic": "riverside", "iat": 1, "exp": 2, "jti": "1",
    });
    let claims: Claims = serde_json::from_value(claims).unwrap();
    Key::of(&server.data()).unwrap().mint(&claims)
}

#[tokio::test]
async fn nodes_client_at_our_server() {
    let server = Server::start_with(&["--heartbeat-ms", "1000"]).await;
    run(node(&server).args(["--expired", &expired_token(&server)]));
}

#[tokio::test]
async fn pythons_client_at_our_server() {
    let server = Server::start_with(&["--heartbeat-ms", "1000"]).await;
    run(Command::new(python()).arg(interop("python/check.py")).arg(server.url()));
}

/// What the console's core is tried against below does speak the protocol.
#[tokio::test]
async fn nodes_client_at_the_flask_server() {
    let server = Server::start_flask().await;
    run(node(&server).args(["--without", "wait,rate_limit"]));
}

async fn say(chat: &Chat, who: &SignIn, text: &str) {
    let conversation = who.ask().await.unwrap().conversation.unwrap();
    timeout(SOON, chat.write(conversation, Seq::ZERO, Body::text(text))).await.unwrap().unwrap().unwrap();
}

/// The console's core at a Flask-SocketIO server: both write, both hear, and either may die in between.
#[tokio::test(flavor = "multi_thread")]
async fn the_consoles_core_at_the_flask_server() {
    let mut server = Server::start_flask().await;
    let console = Console::start(env!("CARGO_BIN_EXE_console"));
    let people = [MARTHA, ANDRE, LUCIA].map(|name| SignIn::patient(&server.url(), name));
    let [(martha, mut heard), (andre, _), (lucia, _)] = people.clone().map(Chat::open);
    say(&martha, &people[0], "before the console came").await;
    console.sign_in(&server.url(), AMARA).await;
    say(&andre, &people[1], "after it came").await;
    eventually("the console has both", async || console.log().0.len() == 2).await;

    // An answer, and one that is written while there is no server.
    let conversation = people[0].ask().await.unwrap().conversation.unwrap();
    console.write(&conversation, "an answer", Seq::new(1)).await;
    eventually("the answer is there", async || console.log().0.len() == 3).await;
    server.kill();
    console.write(&conversation, "another, offline", Seq::new(2)).await;
    assert_eq!(console.outbox(), 1);
    // It survives the console's end too.
    console.kill_and_start_again().await;
    server.start_again().await;
    eventually("it was sent", async || console.outbox() == 0 && console.log().0.len() == 4).await;

    // What is written while the console is away is there when it comes back.
    say(&lucia, &people[2], "after the restart").await;
    console.kill_and_start_again().await;
    say(&andre, &people[1], "and once more").await;
    eventually("the console has all", async || console.log().0.len() == 6).await;

    let mut jonas = Wire::sign_in(&SignIn::provider(&server.url(), JONAS)).await;
    let log = Log::over_wire(&mut jonas).await;
    log.assert_dense();
    assert_eq!(console.log().digest(), log.digest());

    let mut texts = Vec::new();
    while texts.len() < 3 {
        if let Some(Heard::Entry(entry)) = timeout(SOON, heard.recv()).await.unwrap() {
            let Body::Text(Text { text, .. }) = entry.body else { panic!("not a text") };
            texts.push((entry.author.role, text));
        }
    }
    let expected = [
        (Role::Patient, "before the console came"),
        (Role::Provider, "an answer"),
        (Role::Provider, "another, offline"),
    ];
    assert_eq!(texts, expected.map(|(role, text)| (role, text.to_owned())));
}
