//! Usage periods and resets, computed from the timeline; nothing is walked.

use super::program::{Period, Stretch, Timeline};
use crate::time::Instant;

/// A reset to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reset {
    /// When.
    pub at: Instant,
    /// Whether overage outlives it.
    pub preserve_overage: bool,
}

/// What resets happen at an instant and after it.
#[derive(Clone, Copy)]
pub(super) struct Resets {
    /// The one at the instant itself.
    pub(super) here: Option<Reset>,
    /// The first one after it.
    pub(super) next: Option<Reset>,
}

impl Stretch {
    /// What a timeline without stretches stands for.
    const ENDLESS: Self = Self { from: Instant::MIN, grid: None, preserve_overage: false };

    /// The reset that begins it.
    const fn reset(&self) -> Reset {
        Reset { at: self.from, preserve_overage: self.preserve_overage }
    }
}

impl Timeline {
    /// The usage period that `at` is in; an instant before measuring began counts as its beginning.
    ///
    /// The rules are those of upstream `entitlement/usageperiod.go`: the grid's period, cut where
    /// the stretch begins and where the next one does.
    ///
    /// ```
    /// use edgegrant::engine::program::{Stretch, Timeline};
    /// use edgegrant::{Instant, Interval, Recurrence};
    ///
    /// let from = Instant::parse("2024-01-10T00:00:00Z")?;
    /// let anchor = Instant::parse("2024-01-01T00:00:00Z")?;
    /// let grid = Some(Recurrence { interval: Interval::parse("P1M")?, anchor });
    /// let stretches = vec![Stretch { from, grid, preserve_overage: false }];
    /// let timeline = Timeline { stretches, preserve_overage: false };
    /// let period = timeline.period_at(from);
    /// assert_eq!(period.from, from);
    /// assert_eq!(period.to.unwrap().to_string(), "2024-02-01T00:00:00Z");
    /// # Ok::<(), edgegrant::Error>(())
    /// ```
    #[must_use]
    pub fn period_at(&self, at: Instant) -> Period {
        let (stretch, next) = self.stretch_at(at);
        let at = at.max(stretch.from);
        let around = stretch.grid.map(|grid| grid.around(at));
        let (start, end) = around.map_or((None, None), |around| (around.before, around.after));
        let from = start.map_or(stretch.from, |start| start.max(stretch.from));
        let to = earliest(end, next.map(|next| next.from));
        Period { from, to }
    }

    /// The first reset after `at`, by hand or automatic. That measuring begins is no reset.
    #[must_use]
    pub fn reset_after(&self, at: Instant) -> Option<Reset> {
        self.resets(at).next
    }

    /// The resets at `at` and after it, by hand where an automatic one coincides.
    pub(super) fn resets(&self, at: Instant) -> Resets {
        let (stretch, next) = self.stretch_at(at);
        let around = stretch.grid.map(|grid| grid.around(at.max(stretch.from)));
        let (before, after) = around.map_or((None, None), |around| (around.before, around.after));
        let automatic = |at| Reset { at, preserve_overage: self.preserve_overage };
        let manual = next.as_ref().map(Stretch::reset);
        // Of several resets in one minute the first decides what becomes of the overage.
        let began = |stretch: &&Stretch| stretch.from == at;
        let sooner = |after: &Instant| manual.is_none_or(|manual| *after < manual.at);
        let here = match self.stretches.first() {
            Some(first) if at <= first.from => None,
            _ if at == stretch.from => self.stretches.iter().find(began).map(Stretch::reset),
            _ => before.filter(|before| *before == at).map(automatic),
        };
        Resets { here, next: after.filter(sooner).map(automatic).or(manual) }
    }

    /// How many automatic resets lie after `from` and at or before `to`, within one stretch.
    pub(super) fn count_automatic(&self, from: Instant, to: Instant) -> u64 {
        let (stretch, _) = self.stretch_at(from);
        stretch.grid.map_or(0, |grid| grid.count(from.max(stretch.from), to))
    }

    /// The last automatic reset after `from` and at or before `to`, within one stretch.
    pub(super) fn last_automatic(&self, from: Instant, to: Instant) -> Option<Instant> {
        let (stretch, _) = self.stretch_at(from);
        let last = stretch.grid.and_then(|grid| grid.at_or_before(to))?;
        (last > from.max(stretch.from)).then_some(last)
    }

    /// The first stretch to begin after `at`.
    pub(super) fn stretch_after(&self, at: Instant) -> Option<Instant> {
        self.stretches.iter().map(|stretch| stretch.from).find(|from| *from > at)
    }

    /// The stretch that `at` is in, or the first one, and the next.
    fn stretch_at(&self, at: Instant) -> (Stretch, Option<Stretch>) {
        let begun = self.stretches.partition_point(|stretch| stretch.from <= at).max(1);
        let current = self.stretches.get(begun - 1).copied();
        (current.unwrap_or(Stretch::ENDLESS), self.stretches.get(begun).copied())
    }
}

/// The earlier of two instants that may never come.
pub(super) fn earliest(first: Option<Instant>, second: Option<Instant>) -> Option<Instant> {
    match (first, second) {
        (Some(first), Some(second)) => Some(first.min(second)),
        (first, second) => first.or(second),
    }
}
