//! Where an instant lies among the points of a recurrence.

use super::{Instant, Recurrence};

/// The points on both sides of an instant.
#[derive(Clone, Copy)]
pub(crate) struct Around {
    /// Of the last point at or before the instant.
    pub(super) index: i64,
    pub(crate) before: Option<Instant>,
    /// The first point after the instant.
    pub(crate) after: Option<Instant>,
}

impl Recurrence {
    /// The points on both sides of `at`.
    pub(crate) fn around(&self, at: Instant) -> Around {
        #[cfg(feature = "facts")]
        return self.remembered(at, || self.computed_around(at));
        #[cfg(not(feature = "facts"))]
        self.computed_around(at)
    }

    /// A guess from the mean length is off by at most a few points, because a clipped month is at
    /// most three days short; it is corrected by looking at its neighbours.
    #[inline]
    pub(super) fn computed_around(&self, at: Instant) -> Around {
        let mean = self.interval.mean_millis().max(1);
        let mut index = (at.0 - self.anchor.0).div_euclid(mean);
        let anchor = self.interval.parted(self.anchor);
        let nth = |n| self.interval.add(self.anchor, anchor, n);
        let (mut before, mut after) = (nth(index), nth(index + 1));
        // A point that cannot be told lies beyond the end of time on the anchor's far side.
        while before.map_or(index > 0, |point| point > at) {
            index -= 1;
            (before, after) = (nth(index), before);
        }
        while after.map_or(index < -1, |point| point <= at) {
            index += 1;
            (before, after) = (after, nth(index + 1));
        }
        Around { index, before, after }
    }
}
