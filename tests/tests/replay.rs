//! Recorded consultations at fifty times their speed, through crashes: each turn is in the server's log and in the
//! console's cache once, in its order, and so the window shows it.

use bedside_tests::cast::AMARA;
use bedside_tests::chat::{Chat, SignIn};
use bedside_tests::console::Console;
use bedside_tests::desktop::Desktop;
use bedside_tests::log::Log;
use bedside_tests::page::Page;
use bedside_tests::patients::{Consultation, Pace, load_recording};
use bedside_tests::program::eventually;
use bedside_tests::published;
use bedside_tests::replay::{Provider, Replay, assert_told};
use bedside_tests::server::Server;
use bedside_tests::shown::assert_shows;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The recordings take 14 minutes; so the replay takes 17 seconds.
const SPEED: f64 = 50.0;
/// The console takes every seventh consultation, as many as one person's socket may answer at this speed.
const CONSOLES: usize = 7;
/// Colleagues share the others.
const COLLEAGUES: usize = 5;

/// One replay at a time: they measure order, not the machine.
static ALONE: Mutex<()> = Mutex::const_new(());

struct Scene {
    server: Server,
    desktop: Desktop,
    console: Arc<Console>,
    consultations: Vec<Consultation>,
    replay: Replay,
}

impl Scene {
    /// `None` where there are no recordings.
    async fn set() -> Option<Self> {
        let consultations = load_recording(&published("primock57/consultations.jsonl")?).unwrap();
        let server = Server::start().await;
        let desktop = Desktop::open();
        let console = Arc::new(Console::start_on(&desktop, env!("CARGO_BIN_EXE_console")));
        console.sign_in(&server.url(), AMARA).await;
        let colleague =
            |number| Chat::open(SignIn::provider(&server.url(), &format!("Colleague {number}"))).0;
        let colleagues: Vec<_> = (0..COLLEAGUES).map(colleague).collect();
        let replay = Replay::begin(&server.url(), &consultations, Pace::new(SPEED).unwrap(), |index| {
            if index % CONSOLES == 0 {
                Provider::Console(Arc::clone(&console))
            } else {
                Provider::Colleague(colleagues[index % COLLEAGUES].clone())
            }
        });
        Some(Self { server, desktop, console, consultations, replay })
    }

    fn turns(&self) -> usize {
        self.consultations.iter().map(|consultation| consultation.turns.len()).sum()
    }

    /// Waits until all is said, and compares the logs with the recordings and with each other.
    async fn end(self) {
        let turns = self.turns();
        self.replay.end().await;
        let log = Log::of_server(&self.server);
        assert_eq!(log.messages().count(), turns);
        log.assert_dense();
        assert_told(&log, &self.consultations);
        eventually("the console has caught up", async || self.console.log().0.len() >= log.0.len()).await;
        let cache = self.console.log();
        assert_eq!((cache.0.len(), cache.digest()), (log.0.len(), log.digest()));
        eventually("nothing waits to be sent", async || self.console.outbox() == 0).await;
        let folder = self.console.kill().await;
        let window = Page::window(&self.desktop, &["--data", folder.to_str().unwrap()]).await;
        assert_shows(&window, &log).await;
        window.close().await;
        println!("{} entries, {turns} turns, SHA-256 {}", log.0.len(), log.digest());
    }
}

/// The name tells the test runner what to leave out where there are no recordings.
mod needs_data {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn each_turn_once_and_in_order() {
        let _alone = ALONE.lock().await;
        let Some(scene) = Scene::set().await else { return };
        scene.end().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_server_is_killed_in_the_middle() {
        let _alone = ALONE.lock().await;
        let Some(mut scene) = Scene::set().await else {
            return;
        };
        for part in 1..=2 {
            scene.replay.reached(scene.turns() * part / 3).await;
            scene.server.kill();
            scene.server.start_again().await;
        }
        scene.end().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_console_is_killed_in_the_middle() {
        let _alone = ALONE.lock().await;
        let Some(scene) = Scene::set().await else { return };
        for part in 1..=3 {
            scene.replay.reached(scene.turns() * part / 4).await;
            scene.console.kill_and_start_again().await;
        }
        scene.end().await;
    }
}
