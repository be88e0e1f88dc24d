//! The burn-down: from an opening, through usage, resets, refills and windows, to an instant.
//!
//! Time is cut into phases at every boundary. A phase begins by *entering* it (refills, ends,
//! activations) and ends by burning what was used in it together with the overage carried into it.
//! Stretches without usage are crossed by [`jump`](super::jump) instead of phase by phase.

use super::grant::Refills;
use super::program::{Grant, Metered, Usage};
use super::record::{Recorder, Segment};
use super::timeline::{Reset, Resets, earliest};
use crate::amount::Amount;
use crate::time::Instant;

/// Units used at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageEvent {
    /// When; it belongs to what begins at this instant, not to what ends at it.
    pub at: Instant,
    /// Units; a correction may be negative.
    pub amount: Amount,
}

/// The burn-down of one entitlement, somewhere on its way.
#[derive(Clone)]
pub(super) struct Run<'a> {
    pub(super) metered: &'a Metered,
    /// Usage since the opening that has no instants of its own and has not been burnt.
    pending: Amount,
    /// Usage that has not been burnt, in order of time.
    events: &'a [UsageEvent],
    /// The instant that is asked for.
    pub(super) horizon: Instant,
    /// Where the present phase began.
    pub(super) at: Instant,
    /// What the calendar says of that instant, grant by grant: it is asked once for each boundary.
    pub(super) refills: Vec<Refills>,
    pub(super) resets: Resets,
    pub(super) balances: Vec<Amount>,
    pub(super) overage: Amount,
    pub(super) usage: Amount,
    pub(super) grant_usage: Amount,
    pub(super) period_start: Instant,
    pub(super) recorder: Option<Recorder>,
}

impl<'a> Run<'a> {
    /// Starts at the opening. `events` are in order of time; those that the program includes are
    /// passed over, and those before the opening that it does not include are burnt at once.
    pub(super) fn new(metered: &'a Metered, events: &'a [UsageEvent]) -> Self {
        let opening = &metered.opening;
        let (_included, events) = split_before(events, metered.usage_as_of);
        let (late, events) = split_before(events, opening.at);
        let pending = match metered.usage {
            Usage::Flow { since_opening } => since_opening,
            _ => Amount::ZERO,
        };
        let mut run = Self {
            metered,
            pending,
            events,
            horizon: opening.at,
            at: opening.at,
            refills: metered.grants.iter().map(|grant| grant.refills(opening.at)).collect(),
            resets: metered.timeline.resets(opening.at),
            balances: opening.balances.clone(),
            overage: opening.overage,
            usage: opening.usage,
            grant_usage: opening.grant_usage,
            period_start: opening.period_start,
            recorder: None,
        };
        run.use_now(sum(late));
        run
    }

    /// Writes down every phase and reset from here on.
    pub(super) fn recording(mut self, recorder: Recorder) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Goes on to the left limit at `until`: usage before it is burnt, nothing at it has happened.
    pub(super) fn advance(&mut self, until: Instant) {
        if self.at >= until {
            return;
        }
        self.horizon = self.horizon.max(until);
        while self.at < until && !self.is_full() {
            self.cross(true);
            self.phase(until);
        }
    }

    /// Goes on to the answer at `until`, where resets and refills have happened already.
    pub(super) fn settle(&mut self, until: Instant) {
        self.advance(until);
        if self.at == until {
            self.cross(false);
        }
    }

    /// Goes on to the left limit at `until` and crosses what happens there, so that it is written
    /// down; the run cannot go on after that.
    pub(super) fn close(mut self, until: Instant) -> Option<Recorder> {
        self.advance(until);
        self.cross(true);
        self.recorder
    }

    /// Leaves nothing of grants that have ended, which otherwise happens when a phase begins.
    pub(super) fn drop_ended(&mut self) {
        for (grant, balance) in self.metered.grants.iter().zip(&mut self.balances) {
            if !grant.is_active_at(self.at) {
                *balance = Amount::ZERO;
            }
        }
    }

    /// Burns usage at the present instant, on top of everything that has been burnt.
    pub(super) fn use_now(&mut self, used: Amount) {
        if !used.is_zero() {
            self.usage += used;
            self.burn(used, self.at);
        }
    }

    fn is_full(&self) -> bool {
        self.recorder.as_ref().is_some_and(Recorder::is_full)
    }

    /// Crosses the boundary at the present instant, if there is one.
    ///
    /// The answer at an instant sees its resets and refills, but activations and ends only along
    /// with one of these; a phase that goes on sees them all.
    pub(super) fn cross(&mut self, goes_on: bool) {
        let reset = self.reset_here();
        if let Some(reset) = reset {
            self.reset(reset);
        }
        let began = self.at == self.metered.opening.period_start;
        let refilled = || self.refills.iter().any(|refills| refills.last == Some(self.at));
        let cut = |grant: &Grant| grant.is_cut_at(self.at, self.horizon);
        let shows = began || reset.is_some() || refilled();
        if shows || (goes_on && self.metered.grants.iter().any(cut)) {
            self.enter();
            if !goes_on {
                self.burn(Amount::ZERO, self.at);
            }
        }
    }

    /// Refills, ends and activations at the present instant.
    pub(super) fn enter(&mut self) {
        let grants = self.metered.grants.iter().zip(&self.refills);
        for ((grant, refills), balance) in grants.zip(&mut self.balances) {
            let active = grant.is_active_at(self.at);
            if !active {
                *balance = Amount::ZERO;
            } else if grant.effective_at == self.at || refills.last == Some(self.at) {
                *balance = grant.amount;
            }
        }
    }

    /// The reset that happens at the present instant.
    pub(super) fn reset_here(&self) -> Option<Reset> {
        self.resets.here.filter(|reset| reset.at == self.at)
    }

    /// Goes on to a later instant, and asks the calendar again where something lay before.
    pub(super) fn arrive(&mut self, at: Instant) {
        self.at = at;
        for (grant, refills) in self.metered.grants.iter().zip(&mut self.refills) {
            if refills.next.is_some_and(|next| next <= at) {
                *refills = grant.refills(at);
            }
        }
        if self.resets.next.is_some_and(|next| next.at <= at) {
            self.resets = self.metered.timeline.resets(at);
        }
    }

    /// Rolls balances over, forgives or burns the overage, and begins a usage period.
    pub(super) fn reset(&mut self, reset: Reset) {
        for (grant, balance) in self.metered.grants.iter().zip(&mut self.balances) {
            let active = grant.is_active_at(reset.at);
            *balance = if active { grant.roll_over(*balance) } else { Amount::ZERO };
        }
        self.usage = Amount::ZERO;
        self.grant_usage = Amount::ZERO;
        self.period_start = reset.at;
        if !reset.preserve_overage {
            self.overage = Amount::ZERO;
        }
        if self.overage.is_zero() {
            self.record(Amount::ZERO, reset.at);
        } else {
            self.burn(Amount::ZERO, reset.at);
        }
    }

    /// Goes through one phase, jumping over those without usage, and burns it.
    fn phase(&mut self, until: Instant) {
        let stop = self.quiet_until().map_or(until, |stop| stop.min(until));
        if self.recorder.is_none() {
            let used = self.next_used().filter(|used| *used < stop);
            self.jump(used.unwrap_or(stop.plus_millis(-1)));
        }
        let next = self.next_boundary().map_or(stop, |next| next.min(stop));
        let used = self.take_used(next);
        self.usage += used;
        self.burn(used, next);
        self.arrive(next);
    }

    /// When a grant begins or ends or somebody resets by hand next.
    pub(super) fn quiet_until(&self) -> Option<Instant> {
        let cuts =
            self.metered.grants.iter().filter_map(|grant| grant.cut_after(self.at, self.horizon));
        earliest(cuts.min(), self.metered.timeline.stretch_after(self.at))
    }

    /// The first refill or reset after the present instant.
    pub(super) fn next_boundary(&self) -> Option<Instant> {
        let refills = self.refills.iter().filter_map(|refills| refills.next);
        earliest(refills.min(), self.resets.next.map(|reset| reset.at))
    }

    /// When the next usage happens that has not been burnt.
    fn next_used(&self) -> Option<Instant> {
        if !self.pending.is_zero() {
            return Some(self.at);
        }
        self.events.first().map(|event| event.at)
    }

    /// The sum of the usage before `until`, which then counts as burnt.
    fn take_used(&mut self, until: Instant) -> Amount {
        let mut used = core::mem::take(&mut self.pending);
        while let [event, rest @ ..] = self.events
            && event.at < until
        {
            used += event.amount;
            self.events = rest;
        }
        used
    }

    /// Burns usage and carried overage from the grants in order; what is left is the new overage.
    ///
    /// Grants without balance are passed over, so a negative sum raises the first one that has any
    /// (upstream `credit/engine/run.go`).
    pub(super) fn burn(&mut self, used: Amount, until: Instant) {
        self.record(used, until);
        let mut left = self.overage + used;
        for (index, balance) in self.balances.iter_mut().enumerate() {
            if balance.is_zero() {
                continue;
            }
            let taken = left.min(*balance);
            *balance -= taken;
            left -= taken;
            self.grant_usage += taken;
            if let Some(recorder) = &mut self.recorder {
                recorder.burnt(index, taken);
            }
        }
        self.overage = left;
        if let Some(recorder) = &mut self.recorder {
            recorder.end(left);
        }
    }

    /// Begins to write down the segment from here to `until`.
    fn record(&mut self, used: Amount, until: Instant) {
        if let Some(recorder) = &mut self.recorder {
            recorder.begin(Segment {
                from: self.at,
                to: until,
                balances_at_start: self.balances.clone(),
                overage_at_start: self.overage,
                grant_usages: Vec::new(),
                usage: used,
                overage: Amount::ZERO,
            });
        }
    }

    /// What is left of the grants active at `at`.
    pub(super) fn balance_at(&self, at: Instant) -> Amount {
        let grants = self.metered.grants.iter().zip(&self.balances);
        grants.filter(|(grant, _)| grant.is_active_at(at)).map(|(_, balance)| *balance).sum()
    }
}

impl Metered {
    /// Whether the answer at `at` shows everything that happens at `at`: where measuring begins, at
    /// a reset and at a refill.
    pub(super) fn shows_at(&self, at: Instant) -> bool {
        at == self.opening.period_start
            || self.timeline.resets(at).here.is_some()
            || self.grants.iter().any(|grant| grant.refills(at).last == Some(at))
    }
}

/// The events before `at`, and the others.
fn split_before(events: &[UsageEvent], at: Instant) -> (&[UsageEvent], &[UsageEvent]) {
    let count = events.partition_point(|event| event.at < at);
    events.split_at_checked(count).unwrap_or((events, &[]))
}

fn sum(events: &[UsageEvent]) -> Amount {
    events.iter().map(|event| event.amount).sum()
}
