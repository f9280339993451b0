//! Takes an upload in: bounded, hashed and written as it comes.

use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use std::io;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout_at};

/// Nothing for this long: the other side is gone, as it is for what it doesn't read.
const STALL: Duration = Duration::from_secs(30);
/// The longest upload: 20 MiB over a link of 300 kbit/s. Whoever drips holds a place no longer.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub struct Received {
    /// The SHA-256 of it, as the wire has it.
    pub sha256: String,
    /// How many bytes.
    pub bytes: u64,
}

/// Why it didn't.
#[derive(Debug)]
pub enum Broken {
    /// More bytes than may be.
    TooLarge,
    /// Too slow.
    Late,
    /// The other side ended it.
    Gone,
    /// The disk didn't take it.
    Disk(io::Error),
}

/// Takes at most `most` bytes in. With `file` they are on the disk when this returns.
pub async fn receive<B: AsRef<[u8]>, E>(
    mut body: impl Stream<Item = Result<B, E>> + Unpin,
    most: u64,
    mut file: Option<&mut File>,
) -> Result<Received, Broken> {
    let end = Instant::now() + LONGEST;
    let (mut digest, mut bytes) = (Sha256::new(), 0_u64);
    loop {
        let next = timeout_at(end.min(Instant::now() + STALL), body.next());
        let chunk = match next.await.map_err(|_| Broken::Late)? {
            Some(chunk) => chunk.map_err(|_| Broken::Gone)?,
            None => break,
        };
        let chunk = chunk.as_ref();
        bytes = bytes.saturating_add(chunk.len() as u64);
        if bytes > most {
            return Err(Broken::TooLarge);
        }
        digest.update(chunk);
        if let Some(file) = &mut file {
            file.write_all(chunk).await.map_err(Broken::Disk)?;
        }
    }
    if let Some(file) = file {
        file.sync_all().await.map_err(Broken::Disk)?;
    }
    let sha256 = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Received { sha256, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::convert::Infallible;

    /// "abc", from FIPS 180-2.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn chunks(chunks: &[&'static str]) -> impl Stream<Item = Result<&'static str, Infallible>> + Unpin {
        stream::iter(chunks.to_vec()).map(Ok)
    }

    #[tokio::test]
    async fn what_comes_in_pieces_is_hashed_and_written_whole() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut to = File::from_std(file.reopen().unwrap());
        let received = receive(chunks(&["a", "", "bc"]), 3, Some(&mut to)).await.unwrap();
        assert_eq!(received, Received { sha256: ABC.into(), bytes: 3 });
        assert_eq!(std::fs::read(file.path()).unwrap(), b"abc");
        assert_eq!(receive(chunks(&["abc"]), 3, None).await.unwrap().sha256, ABC);
    }

    #[tokio::test]
    async fn one_byte_too_many_is_too_large() {
        assert!(matches!(receive(chunks(&["abc", "d"]), 3, None).await, Err(Broken::TooLarge)));
        let gone = stream::iter([Ok("a"), Err(())]);
        assert!(matches!(receive(gone, 3, None).await, Err(Broken::Gone)));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stalls_or_drips_is_late() {
        let silent = chunks(&["a"]).chain(stream::pending());
        assert!(matches!(receive(silent, 3, None).await, Err(Broken::Late)));
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(STALL / 2).await;
            Some((Ok::<_, Infallible>("a"), ()))
        });
        assert!(matches!(receive(Box::pin(drip), u64::MAX, None).await, Err(Broken::Late)));
    }
}
