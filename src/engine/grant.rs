//! When a grant counts, when it is refilled, and what it keeps at a reset.

use super::program::Grant;
use super::timeline::earliest;
use crate::amount::Amount;
use crate::time::Instant;

/// The refills of a grant on both sides of an instant.
#[derive(Clone, Copy, Default)]
pub(super) struct Refills {
    /// The last one at or before it; none if the recurrence has gone on beyond the grant's end.
    pub(super) last: Option<Instant>,
    /// The first one after it.
    pub(super) next: Option<Instant>,
}

impl Grant {
    /// When it stops to count, exclusive: the earliest of expiry, voiding and deletion, and never
    /// before it begins.
    ///
    /// ```
    /// # use edgegrant::engine::program::Grant;
    /// # use edgegrant::{Amount, Instant};
    /// # let effective_at = Instant::parse("2024-01-01T00:00:00Z")?;
    /// # let mut grant = Grant {
    /// #     amount: Amount::from_units(5), priority: 1, effective_at, expires_at: None,
    /// #     voided_at: None, deleted_at: None, recurrence: None,
    /// #     min_rollover: Amount::ZERO, max_rollover: Amount::ZERO,
    /// # };
    /// assert!(grant.is_active_at(effective_at));
    /// grant.voided_at = Some(effective_at);
    /// assert_eq!(grant.end(), Some(effective_at));
    /// assert!(!grant.is_active_at(effective_at));
    /// # Ok::<(), edgegrant::Error>(())
    /// ```
    #[must_use]
    pub fn end(&self) -> Option<Instant> {
        let end = earliest(self.expires_at, earliest(self.voided_at, self.deleted_at));
        end.map(|end| end.max(self.effective_at))
    }

    /// Whether it counts at `at`.
    #[must_use]
    pub fn is_active_at(&self, at: Instant) -> bool {
        at >= self.effective_at && self.end().is_none_or(|end| at < end)
    }

    /// The first minute after `at` at which the burn-down is cut because this grant changes.
    pub(super) fn cut_after(&self, at: Instant, horizon: Instant) -> Option<Instant> {
        self.cuts(horizon).into_iter().flatten().filter(|cut| *cut > at).min()
    }

    /// Whether the burn-down is cut at `at` because this grant changes.
    pub(super) fn is_cut_at(&self, at: Instant, horizon: Instant) -> bool {
        self.cuts(horizon).into_iter().flatten().any(|cut| cut == at)
    }

    /// A grant that was voided before it begins cuts where it was voided, but only for questions
    /// from its beginning on, because it is not looked at before (`credit/adapter/grant.go`
    /// upstream).
    fn cuts(&self, horizon: Instant) -> [Option<Instant>; 4] {
        let ends = [self.expires_at, self.voided_at, self.deleted_at];
        let [expiry, voiding, deletion] =
            ends.map(|end| end.filter(|_| self.effective_at <= horizon).map(Instant::floor_minute));
        [Some(self.effective_at), expiry, voiding, deletion]
    }

    /// The refills on both sides of `at`.
    pub(super) fn refills(&self, at: Instant) -> Refills {
        let Some(recurrence) = self.recurrence else { return Refills::default() };
        let around = recurrence.around(at.max(self.before_effective()));
        let refill = |point: Option<Instant>| point.filter(|point| self.is_active_at(*point));
        Refills { last: refill(around.before), next: refill(around.after) }
    }

    /// The first refill after `at`.
    pub(super) fn refill_after(&self, at: Instant) -> Option<Instant> {
        self.refills(at).next
    }

    /// The last refill after `from` and at or before `to`.
    pub(super) fn last_refill(&self, from: Instant, to: Instant) -> Option<Instant> {
        let refill = self.recurrence?.at_or_before(self.last_active(to))?;
        (refill > from.max(self.before_effective())).then_some(refill)
    }

    /// How many refills lie after `from` and at or before `to`.
    pub(super) fn count_refills(&self, from: Instant, to: Instant) -> u64 {
        let Some(recurrence) = self.recurrence else { return 0 };
        recurrence.count(from.max(self.before_effective()), self.last_active(to))
    }

    /// The first instant after `at` at which this grant's beginning shows.
    ///
    /// Burnt down, a grant does not count at the very instant it begins.
    pub(super) fn activates_after(&self, at: Instant, flows: bool) -> Option<Instant> {
        if self.end() == Some(self.effective_at) {
            return None;
        }
        if flows {
            return (self.effective_at >= at).then(|| self.effective_at.plus_millis(1));
        }
        (self.effective_at > at).then(|| Instant::first_seeing(self.effective_at))
    }

    fn before_effective(&self) -> Instant {
        self.effective_at.plus_millis(-1)
    }

    fn last_active(&self, to: Instant) -> Instant {
        self.end().map_or(to, |end| to.min(end.plus_millis(-1)))
    }

    /// What a balance becomes at a reset.
    pub(super) fn roll_over(&self, balance: Amount) -> Amount {
        balance.max(self.min_rollover).min(self.max_rollover)
    }
}
