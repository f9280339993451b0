//! `kill -9`, and standstills.

use crate::process;
use crate::scene::{Plan, Scene, factors};
use bedside_tests::program::eventually;

/// Kills of a side, times the factor.
const KILLS: usize = 4;
/// Looks at the whole of both logs are dear when they are long: so many of them are enough.
const LOOKS: usize = 10;

/// Calls `kill` again and again while messages flow, evenly over the run.
async fn kill_again_and_again(mut kill: impl AsyncFnMut(&mut Scene)) {
    let mut scene = Scene::set(Plan::new()).await;
    // The back-off grows with each kill, for longer than a test may take.
    scene.press();
    scene.allow(1, 1);
    let kills = KILLS * factors().0;
    for number in 1..=kills {
        scene.told.reached(scene.plan.total() * number / (kills + 1)).await;
        kill(&mut scene).await;
        if number % kills.div_ceil(LOOKS) == 0 {
            scene.assert_no_lies();
        }
    }
    scene.end().await;
}

async fn kill_console(scene: &mut Scene) {
    scene.console().kill_and_start_again().await;
}

async fn kill_server(scene: &mut Scene) {
    scene.server.kill();
    scene.server.start_again().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_is_killed_again_and_again() {
    kill_again_and_again(kill_console).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_killed_again_and_again() {
    kill_again_and_again(kill_server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_are_killed_again_and_again() {
    kill_again_and_again(async |scene| {
        // In the middle of what the other one does to recover.
        scene.server.kill();
        kill_console(scene).await;
        scene.server.start_again().await;
        kill_console(scene).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_stands_still_for_longer_than_its_heartbeats_allow() {
    let scene = Scene::set(Plan::new()).await;
    scene.calm(1, 3).await;
    let server = process::server(&scene.server);
    let before = scene.proxy().connections();
    process::stop(server);
    scene.allow(2, 3);
    // It doesn't wait for a word that doesn't come.
    eventually("the console tries anew", async || before < scene.proxy().connections()).await;
    eventually("messages wait", async || 0 < scene.console().outbox()).await;
    scene.assert_waits();
    process::go_on(server);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_stands_still() {
    let scene = Scene::set(Plan::new()).await;
    scene.calm(1, 3).await;
    let console = scene.console().pid();
    process::stop(console);
    scene.allow(2, 3);
    let patients = scene.plan.busy * (scene.plan.messages * 2 / 3 - scene.plan.messages / 3);
    // What the patients write meanwhile is in the log; nothing of the provider's can be.
    scene.told.reached(scene.told.said().len() + patients).await;
    scene.assert_no_lies();
    process::go_on(console);
    scene.end().await;
}
