//! The reading sides, used off the async threads.

use crate::log::{Fault, Log, Reader};
use std::sync::{Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Reads at once: more only wait for the same disk.
const READERS: usize = 4;

/// A pool of reading sides.
pub struct Readers {
    free: Mutex<Vec<Box<dyn Reader>>>,
    permits: Semaphore,
}

impl Readers {
    /// Opens the reading sides of `log`.
    pub fn of(log: &impl Log) -> Result<Self, Fault> {
        let free = (0..READERS).map(|_| log.reader()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { permits: Semaphore::new(free.len()), free: Mutex::new(free) })
    }

    /// Runs `read` with a reading side, on a thread that may block.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Reader) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let gone = || Fault::new("a reader is missing");
        let _permit = self.permits.acquire().await.map_err(|_| gone())?;
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reader = free().pop().ok_or_else(gone)?;
        let (reader, result) = tokio::task::spawn_blocking(move || {
            let result = read(reader.as_mut());
            (reader, result)
        })
        .await
        .map_err(|_| gone())?;
        free().push(reader);
        result
    }
}
