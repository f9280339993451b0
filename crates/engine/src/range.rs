//! The one contiguous range of a conversation's log that the cache holds.

use bedside_protocol::Seq;

/// `lo..=hi`, both ends included; never empty. No range is `None` where one may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The oldest entry that is here.
    pub lo: Seq,
    /// The newest entry that is here.
    pub hi: Seq,
}

impl Range {
    /// `lo..=hi`; `None` when that is empty or begins before the first entry.
    pub fn new(lo: Seq, hi: Seq) -> Option<Self> {
        (Seq::ZERO < lo && lo <= hi).then_some(Self { lo, hi })
    }

    /// How many entries.
    #[allow(clippy::len_without_is_empty, reason = "a range is never empty")]
    pub fn len(self) -> u64 {
        self.hi.get() - self.lo.get() + 1
    }

    /// Whether `seq` is here.
    pub fn contains(self, seq: Seq) -> bool {
        self.lo <= seq && seq <= self.hi
    }

    /// Both together, if they touch or overlap: a range has no holes.
    pub fn join(self, other: Range) -> Option<Range> {
        let touch = other.lo <= self.hi.next() && self.lo <= other.hi.next();
        touch.then(|| Range { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) })
    }

    /// The part of `self` that has at most `most` entries, from its old end.
    pub fn oldest(self, most: u64) -> Range {
        Range { lo: self.lo, hi: self.hi.min(self.lo.plus(most.saturating_sub(1))) }
    }

    /// The part of `self` that has at most `most` entries, up to its new end.
    pub fn newest(self, most: u64) -> Range {
        Range { lo: self.lo.max(self.hi.minus(most.saturating_sub(1))), hi: self.hi }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(lo: u64, hi: u64) -> Range {
        Range::new(Seq::new(lo), Seq::new(hi)).unwrap()
    }

    #[test]
    fn ranges_are_never_empty() {
        assert_eq!(Range::new(Seq::ZERO, Seq::new(3)), None);
        assert_eq!(Range::new(Seq::new(4), Seq::new(3)), None);
        assert_eq!(range(3, 3).oldest(5), range(3, 3));
    }

    #[test]
    fn join_leaves_no_hole() {
        for (a, b, joined) in [
            ((1, 3), (4, 6), Some((1, 6))),
            ((4, 6), (1, 3), Some((1, 6))),
            ((1, 3), (2, 2), Some((1, 3))),
            ((1, 3), (5, 6), None),
            ((5, 6), (1, 3), None),
        ] {
            assert_eq!(
                range(a.0, a.1).join(range(b.0, b.1)),
                joined.map(|(lo, hi)| range(lo, hi)),
                "{a:?} {b:?}"
            );
        }
    }

    #[test]
    fn pages_are_cut_at_the_right_end() {
        assert_eq!(range(3, 900).oldest(200), range(3, 202));
        assert_eq!(range(3, 900).newest(200), range(701, 900));
        assert_eq!(range(3, 10).newest(200), range(3, 10));
    }
}
