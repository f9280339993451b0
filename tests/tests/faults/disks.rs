//! A console whose disk fails for a while.

use crate::disk::{Immutable, SmallDisk};
use crate::scene::{Plan, Scene};
use bedside_protocol::Role;
use bedside_tests::program::eventually;

/// Lets all write, until the console has said that it can't keep a message.
async fn until_it_says_so(scene: &Scene) {
    scene.allow(2, 3);
    eventually("the console says that its disk fails", async || 0 < scene.told.storage_failures()).await;
    // The patients don't notice.
    let patients = scene.plan.busy * scene.plan.messages * 2 / 3;
    eventually("the patients' messages are in the log", async || {
        scene.told.said().iter().filter(|said| said.role == Role::Patient).count() == patients
    })
    .await;
    scene.assert_no_lies();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_full_for_a_while() {
    let Some(disk) = SmallDisk::mount() else { return };
    let scene = Scene::set_on(Plan::new(), disk.path()).await;
    scene.calm(1, 3).await;
    disk.fill();
    until_it_says_so(&scene).await;
    disk.empty();
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_is_read_only_for_a_while() {
    let scene = Scene::set(Plan::new()).await;
    scene.calm(1, 3).await;
    let database = scene.console().files().database();
    let log = database.with_file_name("cache.db-wal");
    let Some(immutable) = Immutable::make(vec![database, log]) else { return };
    until_it_says_so(&scene).await;
    drop(immutable);
    scene.end().await;
}
