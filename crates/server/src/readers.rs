//! The reading sides, used off the async threads.

use crate::log::{Fault, Log, Reader};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Reads at once: more only wait for the same disk.
const READERS: usize = 4;

/// Of these, searches: they may take long, and what a conversation is opened with must not wait for them.
pub const SEARCHES: usize = READERS / 2;

/// A pool of reading sides.
pub struct Readers {
    free: Arc<Mutex<Vec<Box<dyn Reader>>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Opens the reading sides of `log`.
    pub fn of(log: &impl Log) -> Result<Self, Fault> {
        let free = (0..READERS).map(|_| log.reader()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { permits: Arc::new(Semaphore::new(free.len())), free: Arc::new(Mutex::new(free)) })
    }

    /// Runs `read` with a reading side, on a thread that may block.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Reader) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let gone = || Fault::new("a reader is missing");
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| gone())?;
        let free = self.free.clone();
        // Whoever asks may be gone before the answer: the reader comes back from the thread that has it.
        tokio::task::spawn_blocking(move || {
            let lock = || free.lock().unwrap_or_else(PoisonError::into_inner);
            let mut reader = lock().pop().ok_or_else(gone)?;
            let result = read(reader.as_mut());
            lock().push(reader);
            drop(permit);
            result
        })
        .await
        .map_err(|_| gone())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::SqliteLog;
    use std::sync::mpsc::channel;

    /// A socket that ends while it is being read for takes its future away in the middle.
    #[tokio::test]
    async fn a_reader_comes_back_even_if_nobody_waits_for_it_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(&dir.path().join("log")).unwrap();
        let readers = Readers::of(&log).unwrap();
        for _ in 0..READERS {
            let (go, gate) = channel::<()>();
            let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
            let read = readers.read(move |_| {
                begun.send(()).unwrap();
                let _open = gate.recv();
                Ok(())
            });
            tokio::select! {
                _ = read => unreachable!("the gate is closed"),
                _ = begins.recv() => drop(go),
            }
        }
        assert!(readers.read(|_| Ok(())).await.is_ok());
    }
}
