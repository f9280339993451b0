//! Bad networks between the console and its server.

use crate::scene::{Plan, Scene, factors};
use bedside_client::api::Command;
use bedside_tests::program::eventually;
use bedside_tests::proxy::{Way, Weather};
use std::time::Duration;

/// Connections that are cut in a test, times the factor.
const CUTS: usize = 8;

/// A network on which nothing gets through, though the connections look alive: the console finds out by itself, and by
/// itself comes back.
async fn dead(weather: Weather) {
    let scene = Scene::set(Plan::new()).await;
    scene.calm(1, 3).await;
    let before = scene.proxy().connections();
    scene.proxy().set(weather);
    scene.write_apart(2, 3).await;
    scene.assert_waits();
    eventually("the console tries anew", async || before < scene.proxy().connections()).await;
    scene.assert_waits();
    scene.assert_no_lies();
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_black_hole() {
    dead(Weather::BlackHole).await;
}

/// Found by its silence.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_comes_from_the_server() {
    dead(Weather::HalfOpen(Way::ToClient)).await;
}

/// The server speaks on: found by the answer that doesn't come, after 20 seconds.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_reaches_the_server() {
    dead(Weather::HalfOpen(Way::ToServer)).await;
}

/// All connections are cut at once, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn cut_connections() {
    let mut scene = Scene::set(Plan::new()).await;
    scene.press();
    scene.allow(1, 1);
    let cuts = CUTS * factors().0;
    for number in 1..=cuts {
        scene.told.reached(scene.plan.total() * number / (cuts + 1)).await;
        scene.proxy().cut();
    }
    scene.end().await;
}

/// Pieces of a connection cut it by chance, until enough were.
async fn unlucky(probability: f64) {
    let mut scene = Scene::set(Plan::new()).await;
    scene.press();
    scene.calm(1, 3).await;
    scene.proxy().set(Weather::Cutting(probability));
    scene.write_apart(2, 3).await;
    let conversation = scene.told.said().first().expect("something was said").conversation.clone();
    for cuts in 1..=CUTS * factors().0 {
        eventually("luck runs out", async || {
            // Somebody types: there is always something that can be cut.
            let typing = Command::Typing { conversation: conversation.clone() };
            drop(scene.console().call(&typing).await);
            cuts as u64 <= scene.proxy().weather_cuts()
        })
        .await;
    }
    scene.assert_no_lies();
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_piece_in_a_hundred_cuts_its_connection() {
    unlucky(0.01).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_piece_in_ten_cuts_its_connection() {
    unlucky(0.1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_pieces_in_ten_cut_their_connection() {
    unlucky(0.3).await;
}

/// A weather that is bad from the beginning to the end of what is written, and in which everything arrives all the same.
async fn slow(weather: Weather) {
    let scene = Scene::set(Plan { messages: 3, ..Plan::new() }).await;
    scene.calm(1, 3).await;
    scene.proxy().set(weather);
    // The connection of before doesn't count: they must come to one in this weather.
    let before = scene.proxy().connections();
    scene.proxy().cut();
    scene.calm(3, 3).await;
    assert!(before < scene.proxy().connections());
    scene.end().await;
}

/// A round trip of four seconds, worse than by satellite. Connecting takes two of them, within the engine's ten seconds.
#[tokio::test(flavor = "multi_thread")]
async fn two_seconds_of_latency_each_way() {
    slow(Weather::Late(Duration::from_secs(2))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_kilobits_a_second() {
    slow(Weather::Slow(32_000)).await;
}

/// Each on a network of its own, which fails at its own times.
#[tokio::test(flavor = "multi_thread")]
async fn two_consoles_of_one_provider() {
    let mut scene = Scene::set(Plan { consoles: 2, ..Plan::new() }).await;
    scene.press();
    scene.allow(1, 1);
    let cuts = CUTS * factors().0;
    for number in 1..=cuts {
        scene.told.reached(scene.plan.total() * number / (cuts + 1)).await;
        scene.proxies.iter().cycle().nth(number).expect("two networks").cut();
    }
    scene.end().await;
}
