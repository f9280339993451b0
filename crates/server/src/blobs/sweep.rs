//! Forgets, in the background and a few at a time, what was uploaded and never sent.

use super::fault;
use crate::log::{Answer, Fault, Upload, Write};
use crate::shared::Shared;
use bedside_protocol::ClinicId;
use std::sync::Arc;
use std::time::Duration;

/// A client that is away for longer has to upload again.
const KEPT_MS: u64 = 24 * 60 * 60 * 1000;
/// How often somebody looks.
const EVERY: Duration = Duration::from_secs(10 * 60);
/// Uploads of one step.
const STEP: u32 = 20;

/// Looks again and again until it is dropped.
pub async fn run(shared: Arc<Shared>) {
    let mut looks = tokio::time::interval(EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        loop {
            match step(&shared).await {
                Ok(0) => break,
                Ok(uploads) => tracing::info!(uploads, "forgot uploads that nobody sent"),
                Err(fault) => {
                    tracing::error!(%fault, "uploads that nobody sent are still there");
                    break;
                }
            }
        }
    }
}

/// Forgets a few; says how many.
async fn step(shared: &Shared) -> Result<usize, Fault> {
    let before = shared.config.clock.now().minus(KEPT_MS);
    let stale = shared.readers.read(move |reader| reader.stale(before, STEP)).await?;
    let mut forgotten = 0;
    for upload in stale {
        let Upload { clinic, sha256, .. } = upload.clone();
        match shared.writer.write(Write::Forget { upload, before }).await {
            Ok(outcome) if matches!(outcome.answer, Answer::Forgotten(true)) => forgotten += 1,
            // Sent or repeated meanwhile.
            Ok(_) => continue,
            Err(refusal) => return Err(Fault::new(refusal.message)),
        }
        discard(shared, &clinic, &sha256).await?;
    }
    Ok(forgotten)
}

/// Removes a file unless it has a row.
pub async fn discard(shared: &Shared, clinic: &ClinicId, sha256: &str) -> Result<(), Fault> {
    let alone = shared.blobs.alone().await;
    let (of, which) = (clinic.clone(), sha256.to_owned());
    if shared.readers.read(move |reader| reader.blob(&of, &which, None)).await?.is_some() {
        return Ok(());
    }
    match shared.blobs.remove(&alone, clinic, sha256).await {
        Ok(bytes) => {
            shared.metrics.blob_gone(bytes);
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(fault(&error)),
    }
}
