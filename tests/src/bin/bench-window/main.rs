//! The real window with a full cache and no server, beside an empty Tauri window of the same version in the same run:
//! from process start to a painted inbox, and inside it frames while scrolling, from a click to the painted conversation,
//! and the memory of all its processes.
//!
//!     cargo xtask bench window [MESSAGES…]      (10000, 100000 and 1000000 unless told otherwise)
//!
//! As root: what a process holds of the memory, ours shows to nobody else.

mod caches;
mod inside;
mod programs;
mod starts;

use bedside_tests::desktop::Desktop;
use bedside_tests::keychain::FileKeychain;
use bedside_tests::results::{Figure, keep};
use caches::Full;
use inside::Inside;
use programs::{bedside, build_empty_window};
use starts::Starts;
use std::path::Path;
use std::process::Command;

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];
/// Of each program, in turns.
const STARTS: usize = 11;
/// Before the name of a folder: copies its cache's keys into the system's keychain, and does nothing else.
const KEYS_OF: &str = "--keys-of";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, folder] = arguments.as_slice()
        && flag == KEYS_OF
    {
        return FileKeychain::of(Path::new(folder)).copy_to_system().expect("a keychain");
    }
    let sizes: Vec<u64> = arguments.iter().map(|size| size.parse().expect("a number of messages")).collect();
    let empty = build_empty_window();
    let mut caches = Vec::new();
    for size in if sizes.is_empty() { SIZES.to_vec() } else { sizes } {
        caches.push(Full::of(size).await);
    }
    let desktop = Desktop::in_memory();
    caches.iter().for_each(|cache| give_keys(&desktop, cache));
    keep(&starts(&desktop, &empty, &caches));
    if let Some(cache) = caches.iter().max_by_key(|cache| cache.size) {
        let floor = Inside::of_empty_window(&desktop, &empty).await;
        keep(&Inside::of_console(&desktop, cache).await.beside(&floor, cache.size));
    }
}

/// A keychain is its session's alone, and so is the way to it.
fn give_keys(desktop: &Desktop, cache: &Full) {
    let mut copy = Command::new(std::env::current_exe().expect("a program has a path"));
    copy.args([KEYS_OF, cache.data()]);
    desktop.give_to(&mut copy);
    assert!(copy.status().is_ok_and(|status| status.success()), "the keys can't be copied");
}

fn starts(desktop: &Desktop, empty: &Path, caches: &[Full]) -> Vec<Figure> {
    let mut floor = Starts::begin(desktop, empty, &[]);
    let mut ours: Vec<_> =
        caches.iter().map(|cache| Starts::begin(desktop, &bedside(), &["--data", cache.data()])).collect();
    for _ in 0..STARTS {
        floor.once();
        ours.iter_mut().for_each(Starts::once);
    }
    let floor = floor.median("an empty Tauri window");
    let medians: Vec<_> = caches
        .iter()
        .zip(ours)
        .map(|(cache, starts)| (cache.size, starts.median(&format!("{} messages", cache.size))))
        .collect();
    let name = |size| format!("process start to a painted inbox with {size} messages, median of {STARTS}");
    let mut figures: Vec<_> = medians
        .iter()
        .map(|(size, median)| Figure::new(&name(*size), *median, "ms", "an empty Tauri window", floor))
        .collect();
    if let [(least, few), .., (most, many)] = medians.as_slice() {
        figures.push(Figure::new(&name(*most), *many, "ms", &format!("{least} messages"), *few));
    }
    figures
}
