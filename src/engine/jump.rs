//! Crossing stretches without usage in a bounded number of steps, however many boundaries they
//! hold.
//!
//! Without usage a balance changes only in ways that can be counted: a refill restores it, a reset
//! rolls it over, and rolling over twice is rolling over once. While overage is outstanding all
//! balances are zero and every refill and reset takes a known bite out of it, so the boundary at
//! which it ends is found by bisection.

use super::run::Run;
use super::timeline::Reset;
use crate::amount::Amount;
use crate::time::Instant;

impl Run<'_> {
    /// Moves to the last refill or reset at or before `last`, entered but with its own phase
    /// unburnt.
    ///
    /// Nothing may be used and no grant may begin or end in between, and no reset by hand may
    /// happen.
    pub(super) fn jump(&mut self, last: Instant) {
        while let Some(next) = self.next_boundary().filter(|next| *next <= last) {
            self.burn(Amount::ZERO, next);
            if self.overage.is_zero() {
                return self.leap_settled(last);
            }
            let ending = self.overage_ending(last);
            let before = ending.unwrap_or_else(|| self.last_boundary(last)).plus_millis(-1);
            if next <= before {
                self.leap_indebted(before);
            }
            self.step();
        }
    }

    /// Crosses exactly the next boundary.
    fn step(&mut self) {
        let Some(next) = self.next_boundary() else { return };
        self.burn(Amount::ZERO, next);
        self.arrive(next);
        if let Some(reset) = self.reset_here() {
            self.reset(reset);
        }
        self.enter();
    }

    /// The last refill or reset after the present instant and at or before `last`.
    fn last_boundary(&self, last: Instant) -> Instant {
        let refills = self.metered.grants.iter().filter_map(|g| g.last_refill(self.at, last)).max();
        let reset = self.metered.timeline.last_automatic(self.at, last);
        refills.max(reset).unwrap_or(self.at)
    }

    /// Crosses all boundaries up to `last` when nothing is owed.
    fn leap_settled(&mut self, last: Instant) {
        let end = self.last_boundary(last);
        let reset = self.metered.timeline.last_automatic(self.at, last);
        for (grant, balance) in self.metered.grants.iter().zip(&mut self.balances) {
            let refill = grant.last_refill(self.at, last);
            let rolled = reset.is_some_and(|reset| refill.is_none_or(|refill| refill < reset));
            if !grant.is_active_at(end) {
                *balance = Amount::ZERO;
            } else if refill.is_some() {
                *balance = grant.amount;
            }
            if rolled && grant.is_active_at(end) {
                *balance = grant.roll_over(*balance);
            }
        }
        if let Some(reset) = reset {
            self.usage = Amount::ZERO;
            self.grant_usage = Amount::ZERO;
            self.period_start = reset;
        }
        self.arrive(end);
    }

    /// Crosses all boundaries up to `last` when overage outlives every one of them.
    fn leap_indebted(&mut self, last: Instant) {
        let end = self.last_boundary(last);
        let owed = self.overage.is_positive();
        let absorbed = if owed { self.absorbed(self.at, last) } else { Amount::ZERO };
        match self.metered.timeline.last_automatic(self.at, last) {
            Some(reset) => {
                self.usage = Amount::ZERO;
                self.grant_usage = match owed {
                    true => self.absorbed(reset.plus_millis(-1), last),
                    false => Amount::ZERO,
                };
                self.period_start = reset;
            }
            None => self.grant_usage += absorbed,
        }
        self.overage -= absorbed;
        self.balances.fill(Amount::ZERO);
        self.arrive(end);
    }

    /// The first boundary ahead at which outstanding overage may end, if there is any and no grant
    /// begins or ends and no reset by hand happens before.
    pub(super) fn paid_off(&self) -> Option<Instant> {
        if self.overage.is_zero() {
            return None;
        }
        let last = self.quiet_until().map_or(Instant::MAX, |stop| stop.plus_millis(-1));
        self.overage_ending(last)
    }

    /// The first boundary at or before `last` at which the overage may change its course: it is
    /// paid off, forgiven, or (when it is negative) taken up by a grant.
    fn overage_ending(&self, last: Instant) -> Option<Instant> {
        let reset = self.resets.next.filter(|reset| reset.at <= last);
        let forgiven = reset.filter(|reset: &Reset| !reset.preserve_overage).map(|reset| reset.at);
        let last = forgiven.unwrap_or(last);
        let target = if self.overage.is_positive() { self.overage } else { Amount::EPSILON };
        if self.absorbed(self.at, last) < target {
            return forgiven;
        }
        let (mut before, mut ending) = (self.at.millis(), last.millis());
        while ending - before > 1 {
            let middle = before + (ending - before) / 2;
            let paid = Instant::from_millis(middle).map(|at| self.absorbed(self.at, at));
            if paid.is_some_and(|paid| paid < target) {
                before = middle;
            } else {
                ending = middle;
            }
        }
        Instant::from_millis(ending)
    }

    /// What refills and rollovers after `from` and up to `to` take out of an overage that outlives
    /// them.
    fn absorbed(&self, from: Instant, to: Instant) -> Amount {
        let grants = &self.metered.grants;
        let refilled: Amount =
            grants.iter().map(|grant| grant.amount.times(grant.count_refills(from, to))).sum();
        let resets = self.metered.timeline.count_automatic(from, to);
        if resets == 0 {
            return refilled;
        }
        let active = grants.iter().filter(|grant| grant.is_active_at(to));
        let rolled: Amount = active.map(|grant| grant.roll_over(Amount::ZERO)).sum();
        refilled + rolled.times(resets)
    }
}
