//! A token bucket: so many a second, twice as many in a burst.

use std::time::{Duration, Instant};

/// A token bucket. It holds time instead of tokens: the time at which it will be full again.
pub struct Bucket {
    each: Duration,
    depth: Duration,
    full_at: Instant,
}

impl Bucket {
    /// Seconds' worth of a burst.
    pub const BURST: u32 = 2;

    /// A full bucket of `2 * per_s`, refilled with `per_s` a second.
    pub fn new(per_s: u32, now: Instant) -> Self {
        let each = Duration::from_secs(1) / per_s.max(1);
        Self { each, depth: Duration::from_secs(u64::from(Self::BURST)), full_at: now }
    }

    /// Whether nothing was taken lately.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// Takes one; if there is none, says how long until there is.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let full_at = self.full_at.max(now) + self.each;
        let missing = full_at.duration_since(now);
        if missing > self.depth {
            return Err(missing - self.depth);
        }
        self.full_at = full_at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_pace() {
        let start = Instant::now();
        let mut bucket = Bucket::new(20, start);
        for _ in 0..40 {
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert_eq!(bucket.take(start), Err(Duration::from_millis(50)));
        // A refused one costs nothing.
        assert_eq!(bucket.take(start), Err(Duration::from_millis(50)));
        assert_eq!(bucket.take(start + Duration::from_millis(49)), Err(Duration::from_millis(1)));
        assert_eq!(bucket.take(start + Duration::from_millis(50)), Ok(()));
        assert_eq!(bucket.take(start + Duration::from_millis(50)), Err(Duration::from_millis(50)));
    }

    #[test]
    fn rest_fills_it_and_no_further() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10, start);
        let later = start + Duration::from_secs(3600);
        assert!(bucket.is_full(later));
        let taken = (0..100).filter(|_| bucket.take(later).is_ok()).count();
        assert_eq!((taken, bucket.is_full(later)), (20, false));
    }
}
