//! From a program and an instant to an answer.

use super::program::{Grant, Metered, Period, Program, Rule, Usage};
use super::run::{Run, UsageEvent};
use super::timeline::earliest;
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
    /// Further usage without an instant, counted as if it happened just now.
    pub used: Amount,
}

impl Question<'_> {
    /// Whether anything may be used at `now`.
    ///
    /// ```
    /// use edgegrant::Instant;
    /// use edgegrant::engine::Question;
    ///
    /// assert!(Question::at(Instant::EPOCH).extra.is_empty());
    /// ```
    #[must_use]
    pub const fn at(now: Instant) -> Self {
        Self { now, amount: None, extra: &[], used: Amount::ZERO }
    }

    /// How much has to be left for access.
    pub(super) fn wanted(&self) -> Amount {
        self.amount.unwrap_or(Amount::EPSILON)
    }
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

/// What decides apart from what is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// As in [`Program`].
    pub suspended: bool,
    /// As in [`Program`].
    pub active_from: Option<Instant>,
    /// As in [`Program`].
    pub active_to: Option<Instant>,
    /// As in [`Program`].
    pub grace_until: Option<Instant>,
    /// What decides while it is active.
    pub kind: Kind,
}

/// What decides while an entitlement is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Access.
    Boolean,
    /// Access, with a config.
    Static,
    /// Access while something is left.
    Metered {
        /// Access without counting.
        unlimited: bool,
        /// Access also without balance.
        soft_limit: bool,
    },
}

impl Terms {
    /// The rule that decides at `now` when `amount` is wanted.
    ///
    /// `left` is asked only when it matters; it says how much is left, or nothing when the instant
    /// is before anything that is known. The order of the rules: status, window, grace, unlimited,
    /// then the balance, and the soft limit where the balance does not do.
    #[must_use]
    #[inline(always)]
    pub fn reason(
        &self,
        now: Instant,
        amount: Option<Amount>,
        left: impl FnOnce() -> Option<Amount>,
    ) -> Reason {
        let (unlimited, soft_limit) = match (self.closed_at(now), self.kind) {
            (Some(closed), _) => return closed,
            (None, Kind::Boolean) => return Reason::Boolean,
            (None, Kind::Static) => return Reason::Static,
            (None, Kind::Metered { unlimited, soft_limit }) => (unlimited, soft_limit),
        };
        if amount.is_none() && self.grace_until.is_some_and(|end| now < end) {
            return Reason::Grace;
        }
        if unlimited {
            return Reason::Unlimited;
        }
        match left() {
            None => Reason::BeforeOpening,
            Some(left) if left >= amount.unwrap_or(Amount::EPSILON) => Reason::WithinBalance,
            Some(_) if soft_limit => Reason::SoftLimit,
            Some(_) => Reason::Exhausted,
        }
    }

    /// Why the entitlement is not active at `now`, if it is not.
    ///
    /// The start is inclusive and the end exclusive, at the exact instant (upstream
    /// `entitlement/entitlement.go`); an empty window is never active.
    #[must_use]
    #[inline(always)]
    pub fn closed_at(&self, now: Instant) -> Option<Reason> {
        if self.suspended {
            return Some(Reason::Suspended);
        }
        let empty =
            self.active_to.is_some_and(|to| self.active_from.is_some_and(|from| to <= from));
        if empty || self.active_to.is_some_and(|to| now >= to) {
            return Some(Reason::Ended);
        }
        self.active_from.filter(|from| now < *from).map(|_| Reason::NotYet)
    }
}

impl Reason {
    /// Whether this rule gives access.
    #[must_use]
    pub const fn has_access(self) -> bool {
        match self {
            Self::Boolean
            | Self::Static
            | Self::WithinBalance
            | Self::SoftLimit
            | Self::Unlimited
            | Self::Grace => true,
            Self::NotYet
            | Self::Ended
            | Self::Suspended
            | Self::Exhausted
            | Self::BeforeOpening => false,
        }
    }
}

/// Decides a question about one entitlement.
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
/// let decision = decide(&program, &Question::at(now));
/// assert_eq!(decision.reason, Reason::Ended);
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[must_use]
pub fn decide(program: &Program, question: &Question<'_>) -> Decision {
    let now = question.now;
    let metered = match &program.rule {
        Rule::Metered(metered) if program.terms().closed_at(now).is_none() => Some(metered),
        _ => None,
    };
    let counted = metered.and_then(|metered| metered.count(question, now));
    let left = || counted.as_ref().map(|counted| counted.left);
    let reason = program.terms().reason(now, question.amount, left);
    let numbers = metered.zip(counted.as_ref());
    let change = program.changes_after(now);
    Decision {
        has_access: reason.has_access(),
        reason,
        numbers: numbers.map(|(metered, counted)| metered.numbers(counted)),
        until: earliest(change, seen_after(question, change)),
        retry_at: if reason.has_access() { None } else { program.retry_at(reason, question) },
        lapsed: counted.is_some_and(|counted| counted.lapsed),
    }
}

/// When the answer may differ because of usage that was seen at a later time than the question's.
///
/// It begins to count behind its minute, or at it for whoever asks for now, who sees what was seen
/// at that very instant. On the way there whole minutes are answered a millisecond ahead, and so
/// may show a change of another kind.
pub(super) fn seen_after(question: &Question<'_>, change: Option<Instant>) -> Option<Instant> {
    if question.extra.is_empty() {
        return None;
    }
    let counted = question.now.ceil_minute();
    let later = question.extra.iter().find(|event| event.at >= counted)?;
    let ahead = |at: Instant| if at > question.now { at } else { at.plus_millis(1) };
    let shown = change.map(|change| ahead(change.plus_millis(-1)));
    earliest(Some(ahead(later.at.floor_minute())), shown)
}

impl Program {
    /// What decides apart from what is counted.
    #[must_use]
    pub const fn terms(&self) -> Terms {
        let kind = match &self.rule {
            Rule::Boolean => Kind::Boolean,
            Rule::Static => Kind::Static,
            Rule::Metered(Metered { unlimited, soft_limit, .. }) => {
                Kind::Metered { unlimited: *unlimited, soft_limit: *soft_limit }
            }
        };
        Terms {
            suspended: self.suspended,
            active_from: self.active_from,
            active_to: self.active_to,
            grace_until: self.grace_until,
            kind,
        }
    }

    /// The first instant after `now` at which the answer may differ without new usage.
    fn changes_after(&self, now: Instant) -> Option<Instant> {
        match self.terms().closed_at(now) {
            Some(Reason::NotYet) => return self.active_from,
            Some(_) => return None,
            None => {}
        }
        let Rule::Metered(metered) = &self.rule else { return self.active_to };
        let grace_end = self.grace_until.filter(|end| now < *end);
        earliest(metered.changes_after(now), earliest(grace_end, self.active_to))
    }

    /// The earliest instant after the question's with access if nothing is used any more.
    fn retry_at(&self, reason: Reason, question: &Question<'_>) -> Option<Instant> {
        if reason == Reason::NotYet {
            let begun = Question { now: self.active_from?, ..*question };
            let decision = decide(self, &begun);
            return if decision.has_access { self.active_from } else { decision.retry_at };
        }
        let Rule::Metered(metered) = &self.rule else { return None };
        if reason != Reason::Exhausted {
            return None;
        }
        let at = metered.balance_reaches(question)?;
        self.active_to.is_none_or(|to| at < to).then_some(at)
    }
}

/// What was counted at an instant, before rules are applied.
pub(super) struct Counted {
    /// The whole minute that the answer is for.
    pub(super) at: Instant,
    /// Units left, or units granted when usage is not known.
    pub(super) left: Amount,
    /// Units used that no grant covers, and units used; `None` when usage is not known.
    pub(super) overage: Option<Amount>,
    pub(super) usage: Option<Amount>,
    pub(super) grant_usage: Option<Amount>,
    lapsed: bool,
}

impl Metered {
    fn numbers(&self, counted: &Counted) -> Numbers {
        let overage = counted.overage.filter(|_| !self.unlimited);
        let balance = overage.map(|_| counted.left);
        let total = counted.grant_usage.zip(balance).map(|(burnt, left)| burnt + left);
        let period = self.timeline.period_at(counted.at);
        Numbers { balance, usage: counted.usage, overage, total_available: total, period }
    }

    /// Counts what is granted and used at `now`; `None` before the opening.
    pub(super) fn count(&self, question: &Question<'_>, now: Instant) -> Option<Counted> {
        let at = now.ceil_minute();
        let granted = || -> Amount {
            let active = self.grants.iter().filter(|grant| grant.is_active_at(at));
            active.map(|grant| grant.amount).sum()
        };
        let new = |event: &&UsageEvent| event.at >= self.usage_as_of && event.at < at;
        let extra = question.extra.iter().filter(new).map(|event| event.amount).sum::<Amount>();
        let used = extra + question.used;
        let known = |net: Amount, usage: Amount, lapsed: bool| Counted {
            at,
            left: net.or_zero(),
            overage: Some((-net).or_zero()),
            usage: Some(usage),
            grant_usage: None,
            lapsed,
        };
        match self.usage {
            Usage::Flow { .. } => (at >= self.opening.at).then(|| self.count_flow(question, at)),
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

    fn count_flow(&self, question: &Question<'_>, at: Instant) -> Counted {
        let mut run = Run::new(self, question.extra);
        run.settle(at);
        if !question.used.is_zero() {
            run.drop_ended();
            run.use_now(question.used);
        }
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
    #[must_use]
    pub fn boundary_after(&self, at: Instant) -> Option<Instant> {
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
    /// Instants are rounded up to the minute before they are answered, so a reset, a refill or an
    /// end shows 59,999 ms early. An activation shows only after its minute, because at its own
    /// instant it does not count, unless a reset or a refill coincides.
    pub(super) fn changes_after(&self, now: Instant) -> Option<Instant> {
        let at = now.ceil_minute();
        let flows = self.flows();
        if flows && at < self.opening.at {
            return Some(Instant::first_seeing(self.opening.at));
        }
        let refills = flows || matches!(self.usage, Usage::Value { .. });
        let reset = self.timeline.reset_after(at).map(|reset| reset.at);
        let early = self.grants.iter().filter_map(|grant| {
            let end = grant.end().filter(|end| *end > at);
            earliest(end, grant.refill_after(at).filter(|_| refills))
        });
        let early = earliest(early.min(), reset).map(Instant::first_seeing);
        let begins = |grant: &&Grant| grant.effective_at == at;
        let shown = flows && self.grants.iter().any(|grant| begins(&grant)) && self.shows_at(at);
        let later = self.grants.iter().filter(|grant| !(shown && begins(grant)));
        let activations = later.filter_map(|grant| grant.activates_after(at, flows));
        earliest(early, activations.min()).filter(|change| *change > now)
    }
}
