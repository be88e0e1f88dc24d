//! When there will be access again if nothing is used any more.

use super::decide::Question;
use super::program::{Grant, Metered, Usage};
use super::run::Run;
use super::timeline::earliest;
use crate::amount::Amount;
use crate::time::Instant;

/// How many instants are looked at, each of which gives something. The debts that refills pay off
/// on the way do not count, however many that takes.
const STEPS: usize = 256;
const MINUTE_MS: i64 = 60_000;

impl Metered {
    /// The first instant after the question's at which enough is left if nothing is used any more.
    pub(super) fn balance_reaches(&self, question: &Question<'_>) -> Option<Instant> {
        let at = question.now.ceil_minute();
        let known = question.extra.partition_point(|event| event.at < at);
        let extra = question.extra.get(..known).unwrap_or_default();
        let question = Question { extra, ..*question };
        match self.usage {
            Usage::Flow { .. } => self.refilled(&question, at),
            Usage::Level { .. } | Usage::Unknown => self.granted(&question),
            Usage::Value { .. } => None,
        }
    }

    fn refilled(&self, question: &Question<'_>, mut minute: Instant) -> Option<Instant> {
        let mut run = Run::new(self, question.extra);
        run.advance(minute.plus_millis(1));
        run.use_now(question.used);
        if run.most_to_come() < question.wanted() {
            return None;
        }
        for _ in 0..STEPS {
            // A grant that begins at a minute counts from the next one on.
            let after = minute.plus_millis(MINUTE_MS);
            if run.left_at(after) >= question.wanted() {
                return Some(Instant::first_seeing(after));
            }
            minute = run.next_gain()?;
            if run.left_at(minute) >= question.wanted() {
                return Some(Instant::first_seeing(minute));
            }
            run.advance(minute.plus_millis(1));
        }
        None
    }

    /// Where nothing is burnt, only grants that begin can give anything.
    fn granted(&self, question: &Question<'_>) -> Option<Instant> {
        let mut now = question.now;
        for _ in 0..STEPS {
            let at = now.ceil_minute();
            now = self.grants.iter().filter_map(|grant| grant.activates_after(at, false)).min()?;
            if self.count(question, now)?.left >= question.wanted() {
                return Some(now);
            }
        }
        None
    }
}

impl Run<'_> {
    /// What is left at a later minute.
    fn left_at(&self, minute: Instant) -> Amount {
        let mut later = self.clone();
        later.settle(minute);
        later.balance_at(minute)
    }

    /// At least as much as can be left at any later instant.
    fn most_to_come(&self) -> Amount {
        let grants = self.metered.grants.iter().zip(&self.balances);
        let granted: Amount =
            grants.map(|(grant, balance)| grant.most_after(self.at).max(*balance)).sum();
        // Corrections that no grant has taken up yet.
        granted + (-self.overage).or_zero()
    }

    /// The next instant that can change what is left for the better, or how it goes on.
    fn next_gain(&self) -> Option<Instant> {
        let gain = if self.overage.is_zero() { self.next_change() } else { self.paid_off() };
        earliest(self.quiet_until(), gain)
    }

    /// The next refill or reset that finds a balance it changes.
    fn next_change(&self) -> Option<Instant> {
        let grants = || self.metered.grants.iter().zip(&self.balances);
        let lacking =
            grants().zip(&self.refills).filter(|((grant, left), _)| grant.amount != **left);
        let refill = lacking.filter_map(|(_, refills)| refills.next).min();
        let rolls = grants().any(|(grant, balance)| grant.roll_over(*balance) != *balance);
        let reset = self.resets.next.filter(|_| rolls);
        earliest(refill, reset.map(|reset| reset.at))
    }
}

impl Grant {
    /// At least as much as it can give after `at`.
    fn most_after(&self, at: Instant) -> Amount {
        let rolled = self.roll_over(Amount::ZERO);
        if self.end().is_some_and(|end| end <= at) {
            Amount::ZERO
        } else if self.effective_at > at || self.refill_after(at).is_some() {
            self.amount.max(rolled)
        } else {
            rolled
        }
    }
}
