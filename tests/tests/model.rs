//! Model services that aren't ours: llama.cpp's own server with a real model, and one that answers as it is told.

use bedside_protocol::{Body, ConversationId, Entry, ServerFrame, SuggestingState, Suggestion};
use bedside_tests::cast::{AMARA, ANDRE, LUCIA, MARTHA};
use bedside_tests::chat::SignIn;
use bedside_tests::program::{Program, SOON, eventually, free_port};
use bedside_tests::server::{Server, interop, python};
use bedside_tests::wire::Wire;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A service on this machine, and the settings that ask it for replies.
struct Service {
    _program: Program,
    folder: TempDir,
}

impl Service {
    async fn start(mut command: Command, port: u16, health: &str, parameters: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut program =
            Program::start("the model service", &mut command, &folder.path().join("service.log"));
        let url = format!("http://127.0.0.1:{port}");
        let client = client();
        eventually("the model service is ready", async || {
            program.assert_running();
            let answer = client.get(format!("{url}{health}")).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        let it = json!({"url": format!("{url}/v1"), "model": "it", "parameters": parameters});
        let settings = json!({"services": {"it": it}, "tasks": {"reply": "it"}}).to_string();
        std::fs::write(folder.path().join("services.json"), settings).unwrap();
        Self { _program: program, folder }
    }

    async fn llama() -> Self {
        let port = free_port();
        let mut command = Command::new(python());
        command.arg(interop("models/llama.py")).arg(port.to_string());
        // The same words each time, and no endless repetition of them.
        let parameters = json!({"temperature": 0, "repeat_penalty": 1.3, "max_tokens": 400});
        Self::start(command, port, "/health", parameters).await
    }

    async fn fake(parameters: Value) -> Self {
        let port = free_port();
        let program = python().with_file_name("fakellm");
        assert!(program.is_file(), "{} is missing; run: cargo xtask test", program.display());
        let mut command = Command::new(program);
        command.args(["serve", "--port", &port.to_string(), "--config"]).arg(interop("models/fakellm.yaml"));
        Self::start(command, port, "/_fakellm/stats", parameters).await
    }

    async fn server(&self) -> Server {
        let settings = self.folder.path().join("services.json");
        Server::start_with(&["--services", path(&settings)]).await
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(SOON).build().unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

async fn say(server: &Server, who: &str, words: &str) -> ConversationId {
    let mut patient = Wire::sign_in(&SignIn::patient(&server.url(), who)).await;
    let conversation = patient.conversation.clone().unwrap();
    patient.say(&conversation, words).await;
    conversation
}

/// How a task ended.
async fn end(amara: &mut Wire, of: &ConversationId) -> Option<(Entry, Suggestion)> {
    amara
        .until("a task's end", |frame| match frame {
            ServerFrame::Entry(frame) if frame.entry.conversation == *of => match &frame.entry.body {
                Body::Suggestion(suggestion) => Some(Some((frame.entry.clone(), suggestion.clone()))),
                _ => None,
            },
            ServerFrame::Suggesting(frame)
                if frame.conversation == *of && frame.state == SuggestingState::Failed =>
            {
                Some(None)
            }
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_models_words_become_a_suggestion() {
    let service = Service::llama().await;
    let server = service.server().await;
    let mut amara = Wire::sign_in(&SignIn::provider(&server.url(), AMARA)).await;
    let of = say(&server, MARTHA, "My chest hurts since this morning.").await;
    let draft = amara
        .until("a growing draft", |frame| match frame {
            ServerFrame::Suggesting(frame) => frame.text,
            _ => None,
        })
        .await;
    assert!(!draft.is_empty());
    let (entry, suggestion) = end(&mut amara, &of).await.unwrap();
    assert_eq!((suggestion.task.as_str(), suggestion.version.as_str()), ("reply", "reply.v1"));
    assert_eq!(suggestion.basis.get(), 1);
    assert!((1..=3).contains(&suggestion.items.len()), "{suggestion:?}");
    assert_eq!((entry.from, suggestion.abstained), (None, None));
    // Nothing of it is sent by itself.
    let answer = amara.entries(&of, bedside_protocol::Seq::new(1), entry.seq).await;
    assert!(answer.entries.iter().all(|entry| entry.author.role != bedside_protocol::Role::Provider));
    // What it says is nobody's business but the conversation's.
    assert!(!server.said().contains("chest"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scripted_services_replies_faults_and_rest() {
    // It streams only what goes well.
    for parameters in [json!({}), json!({"stream": false})] {
        let service = Service::fake(parameters.clone()).await;
        let server = service.server().await;
        let mut amara = Wire::sign_in(&SignIn::provider(&server.url(), AMARA)).await;
        let of = say(&server, MARTHA, "Martha here. It hurts.").await;
        let (_, suggestion) = end(&mut amara, &of).await.unwrap();
        assert_eq!(suggestion.items[0].text, "I am sorry to hear that, Martha. Since when does it hurt?");
        assert_eq!(suggestion.items[0].extra["rests_on"], json!([{"seq": 1, "start": 13, "end": 22}]));

        let of = say(&server, ANDRE, "say nonsense").await;
        assert!(end(&mut amara, &of).await.is_none());
        if parameters == json!({}) {
            continue;
        }
        // Four tries, and one that isn't worth another: five failures in a row.
        let of = say(&server, LUCIA, "say 429").await;
        assert!(end(&mut amara, &of).await.is_none());
        let of = say(&server, "Grace Kim", "say 401").await;
        let paused = amara
            .until("suggestions are paused", |frame| match frame {
                ServerFrame::Paused(frame) => Some(frame.tasks),
                _ => None,
            })
            .await;
        assert_eq!(paused, ["reply"]);
        assert!(end(&mut amara, &of).await.is_none());
        let metrics = client().get(format!("{}/metrics", server.url())).send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        assert!(metrics.contains("bedside_model_service{service=\"it\",state=\"open\"} 1"), "{metrics}");
    }
}
