//! One direction of one connection.

use super::{Counts, Sky, Way, Weather};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// A piece, about as much as a packet holds.
const PIECE: usize = 1400;
/// Pieces under way: where these are full the sender waits, as it does for a receiver's full window.
const UNDER_WAY: usize = 64;

/// Carries until either end is gone, or the weather cuts.
pub(super) async fn run(
    from: impl AsyncRead,
    to: impl AsyncWrite,
    way: Way,
    sky: watch::Receiver<Sky>,
    counts: &Counts,
    number: u64,
) {
    // Two ends, so that what is late doesn't make what follows later still.
    let (departed, arriving) = mpsc::channel(UNDER_WAY);
    tokio::join!(depart(from, departed, way, sky.clone(), counts, number), arrive(to, arriving, sky));
}

async fn depart(
    from: impl AsyncRead,
    departed: mpsc::Sender<(Instant, Vec<u8>)>,
    way: Way,
    mut sky: watch::Receiver<Sky>,
    counts: &Counts,
    number: u64,
) {
    let mut from = std::pin::pin!(from);
    // The same connection has the same luck in each run, as far as its pieces are the same.
    let mut dice = fastrand::Rng::with_seed(number * 2 + u64::from(way == Way::ToServer));
    let mut piece = [0; PIECE];
    let mut lost = false;
    loop {
        // Also after the weather has gone by: who hung up in it isn't heard of before.
        let length = from.read(&mut piece).await.unwrap_or(0);
        let count = if way == Way::ToServer { &counts.to_server } else { &counts.to_client };
        count.fetch_add(length as u64, Ordering::Relaxed);
        let weather = sky.borrow().weather;
        if length == 0 {
            // An error means that the proxy is gone.
            drop(sky.wait_for(|sky| !sky.weather.swallows(way)).await);
            return;
        }
        if weather.swallows(way) {
            lost = true;
            continue;
        }
        if lost {
            return;
        }
        let late = match weather {
            Weather::Cutting(probability) if dice.f64() < probability => {
                counts.cut.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Weather::Late(late) => late,
            _ => Duration::ZERO,
        };
        let Some(piece) = piece.get(..length) else { return };
        if departed.send((Instant::now() + late, piece.to_vec())).await.is_err() {
            return;
        }
    }
}

async fn arrive(
    to: impl AsyncWrite,
    mut arriving: mpsc::Receiver<(Instant, Vec<u8>)>,
    sky: watch::Receiver<Sky>,
) {
    let mut to = std::pin::pin!(to);
    while let Some((at, piece)) = arriving.recv().await {
        sleep_until(at).await;
        let weather = sky.borrow().weather;
        if let Weather::Slow(bits) = weather {
            sleep(Duration::from_secs(8) * u32::try_from(piece.len()).unwrap_or(u32::MAX) / bits).await;
        }
        // TLS keeps what it is given until it is told that there is no more for now.
        if to.write_all(&piece).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
}
