//! From a program and an instant to an answer.

use super::program::{Metered, Program, Rule, Steady, Usage};
use super::run::{Run, UsageEvent};
use super::timeline::{Period, earliest};
use crate::amount::Amount;
use crate::time::Instant;

/// What is asked of an entitlement.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The instant to answer for.
    pub now: Instant,
    /// How many units are wanted; any at all when absent.
    pub amount: Option<Amount>,
    /// Usage that the program does not include, in order of time.
    pub extra: &'a [UsageEvent],
}

/// One answer. Numbers are absent where the type has none or where they are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the feature may be used.
    pub has_access: bool,
    /// The rule that decided.
    pub reason: Reason,
    /// What metered entitlements count.
    pub numbers: Option<Numbers>,
    /// The first instant at which the answer may differ without new usage; `None` is never.
    pub until: Option<Instant>,
    /// The earliest instant with access if nothing is used any more.
    pub retry_at: Option<Instant>,
    /// The numbers were the source's own and no longer hold; the staleness policy decides.
    pub lapsed: bool,
}

/// What a metered entitlement counts at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Units left.
    pub balance: Option<Amount>,
    /// Units used in the usage period.
    pub usage: Option<Amount>,
    /// Units used that no grant covers.
    pub overage: Option<Amount>,
    /// Units burnt in the usage period and units left, together.
    pub total_available: Option<Amount>,
    /// The usage period.
    pub period: Period,
}

/// The rule that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Access because it is a boolean entitlement and active.
    Boolean,
    /// Access because it is a static entitlement and active.
    Static,
    /// Access because enough is left.
    WithinBalance,
    /// Access although nothing is left, because the limit is soft.
    SoftLimit,
    /// Access without counting.
    Unlimited,
    /// Access for present use until the grace period ends.
    Grace,
    /// No access: the entitlement begins later.
    NotYet,
    /// No access: the entitlement has ended.
    Ended,
    /// No access: the source suspended the subject or the entitlement.
    Suspended,
    /// No access: not enough is left.
    Exhausted,
    /// No access: the instant is before anything the program knows.
    BeforeOpening,
}

/// Decides a question about one entitlement.
///
/// The order of the rules: status, window, grace, unlimited, soft limit, balance.
///
/// ```
/// use edgegrant::engine::program::{Program, Rule};
/// use edgegrant::engine::{Question, Reason, decide};
/// use edgegrant::Instant;
///
/// let program = Program {
///     suspended: false,
///     active_from: None,
///     active_to: Some(Instant::parse("2024-02-01T00:00:00Z")?),
///     grace_until: None,
///     rule: Rule::Boolean,
/// };
/// let now = Instant::parse("2024-02-01T00:00:00Z")?;
/// let decision = decide(&program, &Question { now, amount: None, extra: &[] });
/// assert_eq!(decision.reason, Reason::Ended);
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[must_use]
pub fn decide(program: &Program, question: &Question<'_>) -> Decision {
    let now = question.now;
    match program.closed_at(now) {
        Some(Reason::NotYet) => Decision {
            until: program.active_from,
            retry_at: program.active_from.and_then(|from| program.access_from(from, question)),
            ..Decision::without_numbers(false, Reason::NotYet)
        },
        Some(reason) => Decision::without_numbers(false, reason),
        None => match &program.rule {
            Rule::Boolean => program.open_until(Decision::without_numbers(true, Reason::Boolean)),
            Rule::Static => program.open_until(Decision::without_numbers(true, Reason::Static)),
            Rule::Metered(metered) => program.decide_metered(metered, question),
        },
    }
}

impl Decision {
    fn without_numbers(has_access: bool, reason: Reason) -> Self {
        Self { has_access, reason, numbers: None, until: None, retry_at: None, lapsed: false }
    }
}

impl Program {
    /// Why the entitlement is not active at `now`, if it is not.
    ///
    /// The start is inclusive and the end exclusive, at the exact instant (OpenMeter
    /// `entitlement/entitlement.go`); an empty window is never active.
    #[must_use]
    pub fn closed_at(&self, now: Instant) -> Option<Reason> {
        if self.suspended {
            return Some(Reason::Suspended);
        }
        if self.active_to.is_some_and(|to| now >= to) {
            return Some(Reason::Ended);
        }
        let not_yet = self.active_from.is_some_and(|from| now < from);
        let never = not_yet && earliest(self.active_to, self.active_from) == self.active_to;
        match (not_yet, never && self.active_to.is_some()) {
            (true, true) => Some(Reason::Ended),
            (true, false) => Some(Reason::NotYet),
            _ => None,
        }
    }

    fn open_until(&self, decision: Decision) -> Decision {
        Decision { until: earliest(decision.until, self.active_to), ..decision }
    }

    fn decide_metered(&self, metered: &Metered, question: &Question<'_>) -> Decision {
        let now = question.now;
        let Some(counted) = metered.count(question.extra, now) else {
            return Decision::without_numbers(false, Reason::BeforeOpening);
        };
        let in_grace = question.amount.is_none() && self.grace_until.is_some_and(|end| now < end);
        let reason = metered.reason(&counted, question.amount, in_grace);
        let has_access = reason != Reason::Exhausted;
        let until = metered.changes_after(now);
        let grace_end = self.grace_until.filter(|end| now < *end);
        let retry_at = match has_access {
            true => None,
            false => self.access_after(metered, question),
        };
        self.open_until(Decision {
            has_access,
            reason,
            numbers: Some(metered.numbers(&counted)),
            until: earliest(until, grace_end),
            retry_at,
            lapsed: counted.lapsed,
        })
    }

    /// The earliest instant at or after `from` with access, when the entitlement begins at `from`.
    fn access_from(&self, from: Instant, question: &Question<'_>) -> Option<Instant> {
        let later = Question { now: from, ..*question };
        let decision = decide(self, &later);
        if decision.has_access { Some(from) } else { decision.retry_at }
    }

    /// The earliest instant after `now` with access if nothing is used any more.
    fn access_after(&self, metered: &Metered, question: &Question<'_>) -> Option<Instant> {
        let wanted = question.amount.unwrap_or(Amount::EPSILON);
        let at = metered.balance_reaches(question.extra, question.now, wanted)?;
        self.active_to.is_none_or(|to| at < to).then_some(at)
    }
}

/// What was counted at an instant, before rules are applied.
pub(super) struct Counted {
    /// The whole minute that the answer is for.
    pub(super) at: Instant,
    /// Units left, or units granted when usage is not known.
    left: Amount,
    /// Units used that no grant covers, and units used; `None` when usage is not known.
    overage: Option<Amount>,
    usage: Option<Amount>,
    grant_usage: Option<Amount>,
    lapsed: bool,
}

impl Metered {
    fn reason(&self, counted: &Counted, amount: Option<Amount>, in_grace: bool) -> Reason {
        let left = counted.left;
        let enough = match amount {
            Some(amount) => left >= amount,
            None => left.is_positive(),
        };
        if in_grace {
            Reason::Grace
        } else if self.unlimited {
            Reason::Unlimited
        } else if enough {
            Reason::WithinBalance
        } else if self.soft_limit {
            Reason::SoftLimit
        } else {
            Reason::Exhausted
        }
    }

    fn numbers(&self, counted: &Counted) -> Numbers {
        let overage = counted.overage.filter(|_| !self.unlimited);
        let balance = overage.map(|_| counted.left);
        let total = counted.grant_usage.zip(balance).map(|(burnt, left)| burnt + left);
        let period = self.timeline.period_at(counted.at);
        Numbers { balance, usage: counted.usage, overage, total_available: total, period }
    }

    /// Counts what is granted and used at `now`; `None` before the opening.
    pub(super) fn count(&self, extra: &[UsageEvent], now: Instant) -> Option<Counted> {
        let at = now.ceil_minute();
        let granted = || -> Amount {
            let active = self.grants.iter().filter(|grant| grant.is_active_at(at));
            active.map(|grant| grant.amount).sum()
        };
        let unseen = extra.iter().filter(|event| event.at >= self.usage_as_of && event.at < at);
        let used: Amount = unseen.map(|event| event.amount).sum();
        let known = |net: Amount, usage: Amount, lapsed: bool| Counted {
            at,
            left: net.or_zero(),
            overage: Some((-net).or_zero()),
            usage: Some(usage),
            grant_usage: None,
            lapsed,
        };
        match self.usage {
            Usage::Flow { .. } => (at >= self.opening.at).then(|| self.count_flow(extra, at)),
            Usage::Level { in_use } => {
                let level = in_use + used;
                Some(known(granted() - level, level, false))
            }
            Usage::Unknown if used.is_zero() => {
                Some(Counted { overage: None, usage: None, ..known(granted(), used, false) })
            }
            Usage::Unknown => Some(known(granted() - used, used, false)),
            Usage::Value { balance, usage, overage } => {
                let lapsed = self.boundary_after(self.opening.at).is_some_and(|end| end <= at);
                Some(known(balance - overage - used, usage + used, lapsed))
            }
        }
    }

    fn count_flow(&self, extra: &[UsageEvent], at: Instant) -> Counted {
        let mut run = Run::new(self, extra);
        run.settle(at);
        Counted {
            at,
            left: run.balance_at(at),
            overage: Some(run.overage),
            usage: Some(run.usage),
            grant_usage: Some(run.grant_usage),
            lapsed: false,
        }
    }

    /// The first reset, refill, activation or end after `at`.
    pub(super) fn boundary_after(&self, at: Instant) -> Option<Instant> {
        let reset = self.timeline.reset_after(at).map(|reset| reset.at);
        let changes = self.grants.iter().filter_map(|grant| {
            let effective = Some(grant.effective_at).filter(|effective| *effective > at);
            let end = grant.end().filter(|end| *end > at);
            earliest(grant.refill_after(at), earliest(effective, end))
        });
        earliest(reset, changes.min())
    }

    /// The first instant after `now` at which what is counted may differ without new usage.
    ///
    /// Instants are rounded up to the minute before they are answered, so a reset, a refill or an end
    /// shows 59,999 ms early. An activation shows only after its minute, because at its own instant
    /// it does not count, unless a reset or a refill coincides.
    pub(super) fn changes_after(&self, now: Instant) -> Option<Instant> {
        let at = now.ceil_minute();
        let flows = matches!(self.usage, Usage::Flow { .. });
        let reset = self.timeline.reset_after(at).map(|reset| reset.at);
        let early = self.grants.iter().filter_map(|grant| {
            let end = grant.end().filter(|end| *end > at);
            earliest(end, grant.refill_after(at).filter(|_| flows))
        });
        let early = earliest(early.min(), reset).map(Instant::first_seeing);
        let activations = self.grants.iter().filter_map(|grant| grant.activates_after(at, flows));
        earliest(early, activations.min()).filter(|change| *change > now)
    }

    /// The first instant after `now` at which at least `wanted` is left if nothing is used any more.
    ///
    /// Overage is paid off in one step however many refills that takes; beyond that at most
    /// [`RETRY_STEPS`] boundaries are looked at.
    fn balance_reaches(
        &self,
        extra: &[UsageEvent],
        now: Instant,
        wanted: Amount,
    ) -> Option<Instant> {
        let ever: Amount = self.grants.iter().map(super::program::Grant::most).sum();
        if ever < wanted || matches!(self.usage, Usage::Value { .. }) {
            return None;
        }
        let mut change = now;
        for _ in 0..RETRY_STEPS {
            change = self.next_gain(extra, change)?;
            let counted = self.count(extra, change)?;
            if counted.left >= wanted {
                return Some(change);
            }
        }
        None
    }

    /// The next instant after `now` at which more may be left.
    fn next_gain(&self, extra: &[UsageEvent], now: Instant) -> Option<Instant> {
        if !matches!(self.usage, Usage::Flow { .. }) {
            return self.changes_after(now);
        }
        let mut run = Run::new(self, extra);
        run.settle(now.ceil_minute());
        match run.paid_off() {
            Some(paid) => Some(Instant::first_seeing(paid)).filter(|paid| *paid > now),
            None => self.changes_after(now),
        }
    }

    /// What holds between the boundaries around the opening, for answers without the calendar.
    ///
    /// `None` where a question always has to be computed.
    #[must_use]
    pub fn steady(&self) -> Option<Steady> {
        let after = self.opening.at;
        let counted = self.count(&[], after.plus_millis(1))?;
        let until = self.boundary_after(after).unwrap_or(Instant::MAX);
        let changes_at = self.changes_after(after.plus_millis(1));
        Some(Steady { after, until, changes_at, net: counted.left - counted.overage? })
    }
}

/// How many boundaries `retry_at` looks at once no overage is left.
const RETRY_STEPS: usize = 256;
