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

impl Stretch {
    /// What a timeline without stretches stands for.
    const ENDLESS: Self = Self { from: Instant::MIN, grid: None, preserve_overage: false };

    /// The first automatic reset after `at`, if the stretch lasted for ever.
    fn reset_after(&self, at: Instant) -> Option<Instant> {
        self.grid.and_then(|grid| grid.after(at.max(self.from)))
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
        let to = earliest(end, next);
        Period { from, to }
    }

    /// The first reset after `at`, by hand or automatic. That measuring begins is no reset.
    #[must_use]
    pub fn reset_after(&self, at: Instant) -> Option<Reset> {
        let (stretch, next) = self.stretch_at(at);
        match (stretch.reset_after(at), next) {
            (Some(automatic), manual) if manual.is_none_or(|manual| automatic < manual) => {
                Some(Reset { at: automatic, preserve_overage: self.preserve_overage })
            }
            (_, Some(manual)) => {
                let begun = self.stretches.iter().find(|stretch| stretch.from == manual);
                let preserve_overage = begun.is_some_and(|stretch| stretch.preserve_overage);
                Some(Reset { at: manual, preserve_overage })
            }
            (_, None) => None,
        }
    }

    /// The reset that happens exactly at `at`.
    #[must_use]
    pub fn reset_at(&self, at: Instant) -> Option<Reset> {
        let first = self.stretches.first()?;
        if at <= first.from {
            return None;
        }
        self.reset_after(at.plus_millis(-1)).filter(|reset| reset.at == at)
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

    /// The stretch that `at` is in, or the first one, and when the next begins.
    fn stretch_at(&self, at: Instant) -> (Stretch, Option<Instant>) {
        let begun = self.stretches.partition_point(|stretch| stretch.from <= at).max(1);
        let current = self.stretches.get(begun - 1).copied();
        let next = self.stretches.get(begun).map(|stretch| stretch.from);
        (current.unwrap_or(Stretch::ENDLESS), next)
    }
}

/// The earlier of two instants that may never come.
pub(super) fn earliest(first: Option<Instant>, second: Option<Instant>) -> Option<Instant> {
    match (first, second) {
        (Some(first), Some(second)) => Some(first.min(second)),
        (first, second) => first.or(second),
    }
}
