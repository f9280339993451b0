//! Our server with a background task that takes a second, as a program.

use bedside_protocol::{Body, Entry, Extra, Limits, Role, SuggestionItem, Text};
use bedside_server::tasks::{Advice, Attempt, Kinds, Lane, Task};
use bedside_server::{Config, Server};
use std::sync::Arc;
use std::time::Duration;

/// The first argument with which this program is that server; the port and the folder follow.
pub const SERVE: &str = "serve-with-jobs";
/// Stands in a text that needs a model, here and in the peers.
pub const JOB_MARK: &str = "[needs a model]";
/// A model's work, as long as the peers' is.
const JOB: Duration = Duration::from_secs(1);

struct Job;

impl Task for Job {
    fn name(&self) -> &'static str {
        "reply"
    }

    fn lane(&self) -> Lane {
        Lane::Reply
    }

    fn wanted(&self, _: Role, body: &Body) -> bool {
        matches!(body, Body::Text(Text { text, .. }) if text.contains(JOB_MARK))
    }

    fn timeout(&self) -> Duration {
        JOB * 10
    }

    fn attempt<'a>(&'a self, _: &'a [Entry]) -> Attempt<'a> {
        Box::pin(async {
            tokio::time::sleep(JOB).await;
            let text = "Rest, and call us if it gets worse".to_owned();
            let items = vec![SuggestionItem { text, extra: Extra::new() }];
            Ok(Advice { items, model: "bench".into(), version: "1".into(), abstained: None })
        })
    }
}

/// Serves until it is killed.
pub async fn serve(mut arguments: impl Iterator<Item = String>) {
    let (port, folder) = (arguments.next().expect("a port"), arguments.next().expect("a folder"));
    let server = Server::start(Config {
        listen: ([127, 0, 0, 1], port.parse().expect("a port's number")).into(),
        demo: true,
        // The limit on sends is for people; the peers have none either.
        limits: Limits { sends_per_s: 100_000, ..Limits::default() },
        tasks: Kinds::new([Arc::new(Job) as Arc<dyn Task>]),
        ..Config::new(folder)
    });
    let _server = server.await.expect("a server");
    std::future::pending().await
}
