//! What holds between two boundaries: computed once, then decided by without the calendar.

use super::decide::{Decision, Kind, Numbers, Question, Reason, Terms, decide, seen_after};
use super::program::{Figures, Metered, Program, Rule, Steady};
use super::run::UsageEvent;
use super::timeline::earliest;
use crate::amount::Amount;
use crate::time::Instant;

/// Decides a question as [`decide`] does, by the steady state wherever that is enough.
///
/// ```
/// use edgegrant::engine::program::{Program, Rule};
/// use edgegrant::engine::{Question, decide, decide_with};
/// use edgegrant::Instant;
///
/// let program = Program {
///     suspended: false,
///     active_from: None,
///     active_to: None,
///     grace_until: None,
///     rule: Rule::Boolean,
/// };
/// let question = Question::at(Instant::EPOCH);
/// assert_eq!(decide_with(&program, None, &question), decide(&program, &question));
/// ```
#[must_use]
pub fn decide_with(
    program: &Program,
    steady: Option<&Steady>,
    question: &Question<'_>,
) -> Decision {
    let steady = match (&program.rule, steady) {
        (Rule::Metered(metered), Some(steady)) => Some((steady, metered.usage_as_of)),
        _ => None,
    };
    let decided = decide_steadily(&program.terms(), steady, question);
    decided.unwrap_or_else(|| decide(program, question))
}

/// The decision where terms and a steady state, with the instant up to which it includes usage, are
/// enough for it; `None` where the program has to be run.
#[inline(always)]
pub(crate) fn decide_steadily(
    terms: &Terms,
    steady: Option<(&Steady, Instant)>,
    question: &Question<'_>,
) -> Option<Decision> {
    let Kind::Metered { unlimited, .. } = terms.kind else {
        return Some(uncounted(terms, question));
    };
    let (steady, usage_as_of) = steady?;
    if terms.closed_at(question.now).is_some() {
        return None;
    }
    let used = question.used_steadily(steady.after, steady.until, usage_as_of)?;
    let net = steady.net - used;
    let reason = terms.reason(question.now, question.amount, || Some(net.or_zero()));
    let retry_at = match reason {
        Reason::Exhausted if question.amount.is_some() || !used.is_zero() => return None,
        Reason::Exhausted => steady.retry_at.filter(|at| terms.active_to.is_none_or(|to| *at < to)),
        _ => None,
    };
    let grace_end = terms.grace_until.filter(|end| question.now < *end);
    let change = earliest(steady.changes_at, earliest(grace_end, terms.active_to));
    Some(Decision {
        has_access: reason.has_access(),
        reason,
        numbers: Some(steady.figures.numbers(net, used, unlimited)),
        until: earliest(change, seen_after(question, change)),
        retry_at,
        lapsed: false,
    })
}

/// The decision about what counts nothing.
#[inline(always)]
fn uncounted(terms: &Terms, question: &Question<'_>) -> Decision {
    let reason = terms.reason(question.now, None, || None);
    let (change, retry_at) = match reason {
        Reason::NotYet => (terms.active_from, terms.active_from),
        Reason::Ended | Reason::Suspended => (None, None),
        _ => (terms.active_to, None),
    };
    Decision {
        has_access: reason.has_access(),
        reason,
        numbers: None,
        until: earliest(change, seen_after(question, change)),
        retry_at,
        lapsed: false,
    }
}

impl Question<'_> {
    /// Units used beyond what a state includes that holds for minutes after one instant and before
    /// another; `None` where the question is about others, or where it cannot be told what they do.
    #[inline(always)]
    pub(crate) fn used_steadily(
        &self,
        after: Instant,
        until: Instant,
        usage_as_of: Instant,
    ) -> Option<Amount> {
        let minute = self.now.ceil_minute();
        if minute <= after || minute >= until {
            return None;
        }
        let new = |event: &&UsageEvent| event.at >= usage_as_of && event.at < minute;
        let seen: Amount = self.extra.iter().filter(new).map(|event| event.amount).sum();
        // A correction is only taken up by a grant that something is left of.
        let corrects = |event: &UsageEvent| event.amount.is_negative();
        let corrected = self.used.is_negative() || self.extra.iter().any(corrects);
        if corrected { None } else { Some(seen + self.used) }
    }
}

impl Figures {
    /// What is shown when `used` more was used, which leaves `net`.
    #[inline(always)]
    fn numbers(&self, net: Amount, used: Amount, unlimited: bool) -> Numbers {
        let usage = match self.usage {
            Some(usage) => Some(usage + used),
            None if used.is_zero() => None,
            None => Some(used),
        };
        let counted = usage.is_some() && !unlimited;
        Numbers {
            balance: counted.then(|| net.or_zero()),
            usage,
            overage: counted.then(|| (-net).or_zero()),
            total_available: self.total_available.filter(|_| counted),
            period: self.period,
        }
    }
}

impl Metered {
    /// What holds between the boundaries around the opening, for answers without the calendar.
    ///
    /// `None` where a question always has to be computed.
    #[must_use]
    pub fn steady(&self) -> Option<Steady> {
        let after = self.opening.at;
        if self.flows() && !self.burns_evenly_after(after) {
            return None;
        }
        let counted = self.count(&Question::at(after), after.plus_millis(1))?;
        let overage = counted.overage.unwrap_or_default();
        // Corrections that no grant took up are nothing that is left.
        if overage.is_negative() {
            return None;
        }
        let net = counted.left - overage;
        let begun = Question::at(after.plus_millis(1));
        let figures = Figures {
            period: self.timeline.period_at(counted.at),
            usage: counted.usage,
            total_available: counted.grant_usage.map(|burnt| burnt + counted.left),
        };
        // Refills may add up to what no snapshot can say.
        let told = [figures.usage, figures.total_available];
        if !told.iter().flatten().all(|amount| amount.is_in_range()) {
            return None;
        }
        Some(Steady {
            after,
            until: self.boundary_after(after).unwrap_or(Instant::MAX),
            changes_at: self.changes_after(after.plus_millis(1)),
            net,
            retry_at: if net.is_positive() { None } else { self.balance_reaches(&begun) },
            figures,
        })
    }

    /// Whether every unit used since `at`, or late, leaves one less or is one more of overage.
    ///
    /// It does not when something happens right between late usage and what follows, nor when a
    /// grant was deleted inside of a minute, which burns until the next phase begins.
    fn burns_evenly_after(&self, at: Instant) -> bool {
        let late = self.usage_as_of < at;
        let parted = late && self.boundary_after(at.plus_millis(-1)) == Some(at);
        let mut grants = self.grants.iter().zip(&self.opening.balances);
        let lingers = grants.any(|(grant, left)| !left.is_zero() && !grant.is_active_at(at));
        !lingers && !parted
    }
}
