//! A program as a row of fields: what its kind has in common (the shape) and what is its own.
//!
//! A shape holds a value for every field. An entitlement's own part marks the fields in which it
//! differs and holds the differences. Instants and amounts are told relative to others of the same
//! program wherever those usually move together, so that most differences are none.

use super::bytes::{Reader, put_amount, put_time, put_varint};
use super::layout::{GRANTS_MAX, STRETCHES_MAX};
use super::outline::{Outline, OutlineMetered, OutlineRule, OutlineSteady};
use crate::amount::Amount;
use crate::engine::program::{
    Figures, Grant, Metered, Opening, Period, Program, Rule, Steady, Stretch, Timeline, Usage,
};
use crate::time::{Instant, Interval, Recurrence};

/// Bits of the flags that a program, a metered rule, a stretch and a grant begin with.
pub(super) mod flag {
    /// Of a program: two bits for its rule, then what is said of it.
    pub(in crate::snapshot) const RULE: u64 = 3;
    pub(in crate::snapshot) const STATIC: u64 = 1;
    pub(in crate::snapshot) const METERED: u64 = 2;
    pub(in crate::snapshot) const SUSPENDED: u64 = 4;
    pub(in crate::snapshot) const ACTIVE_FROM: u64 = 8;
    pub(in crate::snapshot) const ACTIVE_TO: u64 = 16;
    pub(in crate::snapshot) const GRACE_UNTIL: u64 = 32;
    pub(in crate::snapshot) const PROGRAM_ALL: u64 = 63;

    /// Of a metered rule: two bits for how usage is known, then the rest.
    pub(in crate::snapshot) const USAGE: u64 = 3;
    pub(in crate::snapshot) const LEVEL: u64 = 1;
    pub(in crate::snapshot) const UNKNOWN: u64 = 2;
    pub(in crate::snapshot) const VALUE: u64 = 3;
    pub(in crate::snapshot) const UNLIMITED: u64 = 4;
    pub(in crate::snapshot) const SOFT_LIMIT: u64 = 8;
    pub(in crate::snapshot) const PRESERVE_OVERAGE: u64 = 16;
    pub(in crate::snapshot) const AS_PUBLISHED: u64 = 32;
    pub(in crate::snapshot) const STEADY: u64 = 64;
    pub(in crate::snapshot) const CHANGES: u64 = 128;
    pub(in crate::snapshot) const PERIOD_ENDS: u64 = 256;
    pub(in crate::snapshot) const METERED_ALL: u64 = 511;

    /// Of a stretch.
    pub(in crate::snapshot) const GRID: u64 = 1;
    pub(in crate::snapshot) const PRESERVE: u64 = 2;
    pub(in crate::snapshot) const STRETCH_ALL: u64 = 3;

    /// Of a grant; two bits say how its id is kept.
    pub(in crate::snapshot) const EXPIRES: u64 = 1;
    pub(in crate::snapshot) const VOIDED: u64 = 2;
    pub(in crate::snapshot) const DELETED: u64 = 4;
    pub(in crate::snapshot) const RECURS: u64 = 8;
    pub(in crate::snapshot) const ROLLS_OVER: u64 = 16;
    pub(in crate::snapshot) const ID: u64 = 3 << ID_SHIFT;
    pub(in crate::snapshot) const ID_SHIFT: u32 = 5;
    pub(in crate::snapshot) const GRANT_ALL: u64 = 127;
}

/// Stands for an instant that never comes, before one that it could not precede.
pub(super) const NEVER: i64 = -1;

/// How the id of a grant is kept: derived from the feature's key, or among the own bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdKind {
    Derived(u64),
    Ulid,
    Text,
}

/// The part of an [`Opening`] that has a fixed size.
struct Tallies {
    period_start: Instant,
    overage: Amount,
    usage: Amount,
    grant_usage: Amount,
}

/// Reads the fields of one entitlement, each from the shape and, where marked, from its own part.
#[derive(Clone, Default)]
pub(super) struct Fields<'a> {
    shape: Reader<'a>,
    marks: Marks<'a>,
    own: Reader<'a>,
    /// Where every field is written that is read, as a shape without an own part would have it.
    copy: Option<Vec<u8>>,
}

/// Bits in groups of seven, each group with a bit that says whether another follows.
#[derive(Clone, Default)]
struct Marks<'a> {
    more: Reader<'a>,
    bits: u8,
    left: u8,
}

impl Marks<'_> {
    #[inline(always)]
    fn next(&mut self) -> bool {
        if self.left == 0 {
            let Some(group) = self.more.byte() else { return false };
            self.bits = group & 0x7f;
            self.left = 7;
        }
        let marked = self.bits & 1 == 1;
        self.bits >>= 1;
        self.left -= 1;
        marked
    }
}

impl<'a> Fields<'a> {
    /// The fields of `shape` with the differences of `own`, which is empty if there are none.
    #[inline(always)]
    pub(super) fn new(shape: &'a [u8], own: &'a [u8]) -> Option<Self> {
        let shape = Reader::new(shape);
        if own.is_empty() {
            return Some(Self { shape, ..Self::default() });
        }
        let groups = own.iter().position(|group| *group < 0x80)? + 1;
        let (marks, own) = own.split_at_checked(groups)?;
        let marks = Marks { more: Reader::new(marks), ..Marks::default() };
        Some(Self { shape, marks, own: Reader::new(own), copy: None })
    }

    /// The same fields in a shape of their own, and the ids of grants.
    pub(super) fn written_out(mut self) -> Option<(Vec<u8>, &'a [u8])> {
        self.copy = Some(Vec::new());
        self.program(Instant::MIN, &mut blank_program(), &mut |_| ())?;
        let copy = self.copy.take()?;
        Some((copy, self.end()?))
    }

    /// What follows the fields in the own part, once all are read: the ids of grants.
    pub(super) fn end(self) -> Option<&'a [u8]> {
        let groups = self.marks.more.rest();
        let marked = self.marks.bits != 0 || groups.iter().any(|group| group & 0x7f != 0);
        if self.shape.is_empty() && !marked { Some(self.own.rest()) } else { None }
    }

    /// A number that all entitlements of the shape share.
    fn shared(&mut self) -> Option<u64> {
        self.shared_inlined()
    }

    #[inline(always)]
    fn shared_inlined(&mut self) -> Option<u64> {
        let value = self.shape.varint_inlined()?;
        if let Some(copy) = &mut self.copy {
            put_varint(copy, value);
        }
        Some(value)
    }

    fn count(&mut self, max: usize) -> Option<usize> {
        usize::try_from(self.shared()?).ok().filter(|count| *count <= max)
    }

    #[inline(always)]
    fn flags_inlined(&mut self, all: u64) -> Option<u64> {
        self.shared_inlined().filter(|flags| flags & !all == 0)
    }

    fn amount(&mut self, base: Amount) -> Option<Amount> {
        self.amount_inlined(base)
    }

    #[inline(always)]
    fn amount_inlined(&mut self, base: Amount) -> Option<Amount> {
        let mut nanos = self.shape.amount()?;
        if self.marks.next() {
            nanos = nanos.checked_add(self.own.amount()?)?;
        }
        if let Some(copy) = &mut self.copy {
            put_amount(copy, nanos);
        }
        let amount = Amount::from_nanos(base.nanos().checked_add(nanos)?);
        if amount.is_in_range() { Some(amount) } else { None }
    }

    fn time(&mut self, base: i64) -> Option<Instant> {
        self.time_inlined(base)
    }

    #[inline(always)]
    fn time_inlined(&mut self, base: i64) -> Option<Instant> {
        Instant::from_millis(base.checked_add(self.millis()?)?)
    }

    #[inline(always)]
    fn millis(&mut self) -> Option<i64> {
        let mut millis = self.shape.time()?;
        if self.marks.next() {
            millis = millis.checked_add(self.own.time()?)?;
        }
        if let Some(copy) = &mut self.copy {
            put_time(copy, millis);
        }
        Some(millis)
    }

    fn time_if(&mut self, said: bool, base: i64) -> Option<Option<Instant>> {
        self.time_if_inlined(said, base)
    }

    #[inline(always)]
    fn time_if_inlined(&mut self, said: bool, base: i64) -> Option<Option<Instant>> {
        if said { self.time_inlined(base).map(Some) } else { Some(None) }
    }

    /// Reads the front of a program; `usage_as_of` is what the head says.
    pub(super) fn outline(&mut self, usage_as_of: Instant) -> Option<Outline> {
        let flags = self.flags_inlined(flag::PROGRAM_ALL)?;
        let says = |bit: u64| flags & bit != 0;
        let active_from = self.time_if_inlined(says(flag::ACTIVE_FROM), 0)?;
        let active_to = self.time_if_inlined(says(flag::ACTIVE_TO), millis(active_from))?;
        let grace_until = self.time_if_inlined(says(flag::GRACE_UNTIL), millis(active_to))?;
        let rule = match flags & flag::RULE {
            0 => OutlineRule::Boolean,
            flag::STATIC => OutlineRule::Static,
            flag::METERED => OutlineRule::Metered(self.metered(usage_as_of)?),
            _ => return None,
        };
        let suspended = says(flag::SUSPENDED);
        Some(Outline { suspended, active_from, active_to, grace_until, rule })
    }

    #[inline(always)]
    fn metered(&mut self, published: Instant) -> Option<OutlineMetered> {
        let flags = self.flags_inlined(flag::METERED_ALL)?;
        let says = |bit: u64| flags & bit != 0;
        let usage = self.usage(flags & flag::USAGE)?;
        let opening_at = self.time_inlined(0)?;
        let as_published = says(flag::AS_PUBLISHED);
        let told = self.time_if_inlined(!as_published, opening_at.millis())?;
        let steady = if says(flag::STEADY) {
            Some(self.steady(opening_at, usage, flags)?)
        } else if says(flag::CHANGES) || says(flag::PERIOD_ENDS) {
            return None;
        } else {
            None
        };
        Some(OutlineMetered {
            unlimited: says(flag::UNLIMITED),
            soft_limit: says(flag::SOFT_LIMIT),
            preserve_overage: says(flag::PRESERVE_OVERAGE),
            usage,
            opening_at,
            usage_as_of: told.unwrap_or(published),
            steady,
        })
    }

    #[inline(always)]
    fn usage(&mut self, kind: u64) -> Option<Usage> {
        Some(match kind {
            flag::LEVEL => Usage::Level { in_use: self.amount_inlined(Amount::ZERO)? },
            flag::UNKNOWN => Usage::Unknown,
            flag::VALUE => Usage::Value {
                balance: self.amount_inlined(Amount::ZERO)?,
                usage: self.amount_inlined(Amount::ZERO)?,
                overage: self.amount_inlined(Amount::ZERO)?,
            },
            _ => Usage::Flow { since_opening: self.amount_inlined(Amount::ZERO)? },
        })
    }

    #[inline(always)]
    fn steady(&mut self, opening_at: Instant, usage: Usage, flags: u64) -> Option<OutlineSteady> {
        let after = self.time_inlined(opening_at.millis())?;
        let until = self.time_inlined(after.millis())?;
        let changes_at = self.time_if_inlined(flags & flag::CHANGES != 0, until.millis())?;
        let net = self.amount_inlined(net_without_grants(usage))?;
        let period_ends = flags & flag::PERIOD_ENDS != 0;
        Some(OutlineSteady { after, until, changes_at, net, period_ends })
    }

    /// Reads what an outline leaves out of the steady state, if there is one.
    #[inline(always)]
    pub(super) fn whole_steady(&mut self, outline: &Outline) -> Option<Option<Steady>> {
        match &outline.rule {
            OutlineRule::Metered(metered) if metered.steady.is_some() => {
                let tallies = self.tallies(metered.opening_at);
                self.figures(metered, tallies.as_ref()?)
            }
            _ => Some(None),
        }
    }

    fn tallies(&mut self, opening_at: Instant) -> Option<Tallies> {
        let period_start = self.time(opening_at.millis())?;
        let overage = self.amount(Amount::ZERO)?;
        let usage = self.amount(Amount::ZERO)?;
        let grant_usage = self.amount(usage)?;
        Some(Tallies { period_start, overage, usage, grant_usage })
    }

    /// Adds to the steady state of an outline what is counted besides.
    fn figures(&mut self, outline: &OutlineMetered, tallies: &Tallies) -> Option<Option<Steady>> {
        let Some(steady) = outline.steady else { return Some(None) };
        let OutlineSteady { after, until, changes_at, net, period_ends } = steady;
        let from = self.time(tallies.period_start.millis())?;
        let to = self.time_if(period_ends, until.millis())?;
        let (usage, total_available) = match outline.usage {
            Usage::Flow { since_opening } => {
                let usage = self.amount(tallies.usage + since_opening)?;
                (Some(usage), Some(self.amount(usage + net)?))
            }
            Usage::Level { in_use } => (Some(in_use), None),
            Usage::Unknown => (None, None),
            Usage::Value { usage, .. } => (Some(usage), None),
        };
        let retry_at = match changes_at {
            Some(changes_at) => self.retry_at(changes_at, net)?,
            None => None,
        };
        let figures = Figures { period: Period { from, to }, usage, total_available };
        Some(Some(Steady { after, until, changes_at, net, retry_at, figures }))
    }

    /// Reads when there is access again, which says nothing while something is left.
    fn retry_at(&mut self, changes_at: Instant, net: Amount) -> Option<Option<Instant>> {
        match self.millis()? {
            0 if net.is_positive() => Some(None),
            _ if net.is_positive() => None,
            NEVER => Some(None),
            later => Instant::from_millis(changes_at.millis().checked_add(later)?)
                .filter(|at| *at >= changes_at)
                .map(Some),
        }
    }

    /// Reads a whole program into one that may have been used before, and tells `ids` for each
    /// grant how its id is kept. Gives the steady state, if there is one.
    pub(super) fn program(
        &mut self,
        usage_as_of: Instant,
        program: &mut Program,
        ids: &mut dyn FnMut(IdKind),
    ) -> Option<Option<Steady>> {
        let outline = self.outline(usage_as_of)?;
        program.suspended = outline.suspended;
        program.active_from = outline.active_from;
        program.active_to = outline.active_to;
        program.grace_until = outline.grace_until;
        let used = core::mem::replace(&mut program.rule, Rule::Boolean);
        let mut steady = None;
        program.rule = match outline.rule {
            OutlineRule::Boolean => Rule::Boolean,
            OutlineRule::Static => Rule::Static,
            OutlineRule::Metered(metered) => {
                let tallies = self.tallies(metered.opening_at)?;
                steady = self.figures(&metered, &tallies)?;
                Rule::Metered(self.rest(&metered, &tallies, used, ids)?)
            }
        };
        Some(steady)
    }

    /// Reads the stretches and the grants, into the memory of a rule that is used up.
    fn rest(
        &mut self,
        outline: &OutlineMetered,
        tallies: &Tallies,
        used: Rule,
        ids: &mut dyn FnMut(IdKind),
    ) -> Option<Metered> {
        let (mut stretches, mut grants, mut balances) = match used {
            Rule::Metered(used) => (used.timeline.stretches, used.grants, used.opening.balances),
            Rule::Boolean | Rule::Static => Default::default(),
        };
        stretches.clear();
        grants.clear();
        balances.clear();
        let Tallies { period_start, overage, usage, grant_usage } = *tallies;
        let mut from = period_start;
        for _ in 0..self.count(STRETCHES_MAX)? {
            let stretch = self.stretch(from)?;
            from = stretch.from;
            stretches.push(stretch);
        }
        let anchor = first_anchor(&stretches, period_start);
        for _ in 0..self.count(GRANTS_MAX)? {
            let grant = self.grant(anchor, ids)?;
            balances.push(self.amount(grant.amount)?);
            grants.push(grant);
        }
        Some(Metered {
            unlimited: outline.unlimited,
            soft_limit: outline.soft_limit,
            usage: outline.usage,
            timeline: Timeline { stretches, preserve_overage: outline.preserve_overage },
            grants,
            opening: Opening {
                at: outline.opening_at,
                period_start,
                balances,
                overage,
                usage,
                grant_usage,
            },
            usage_as_of: outline.usage_as_of,
        })
    }

    fn stretch(&mut self, previous: Instant) -> Option<Stretch> {
        let flags = self.flags_inlined(flag::STRETCH_ALL)?;
        let from = self.time(previous.millis())?;
        let grid =
            if flags & flag::GRID == 0 { None } else { Some(self.recurrence(from.millis())?) };
        Some(Stretch { from, grid, preserve_overage: flags & flag::PRESERVE != 0 })
    }

    fn recurrence(&mut self, base: i64) -> Option<Recurrence> {
        let interval = Interval::new(self.shared()?, self.shared()?, self.shared()?).ok()?;
        Some(Recurrence { interval, anchor: self.time(base)? })
    }

    fn grant(&mut self, anchor: Instant, ids: &mut dyn FnMut(IdKind)) -> Option<Grant> {
        let flags = self.flags_inlined(flag::GRANT_ALL)?;
        ids(match (flags & flag::ID) >> flag::ID_SHIFT {
            0 => IdKind::Derived(self.shared()?),
            1 => IdKind::Ulid,
            2 => IdKind::Text,
            _ => return None,
        });
        let says = |bit: u64| flags & bit != 0;
        let priority = u8::try_from(self.shared()?).ok()?;
        let amount = self.amount(Amount::ZERO)?;
        let effective_at = self.time(anchor.millis())?;
        let start = effective_at.millis();
        let expires_at = self.time_if(says(flag::EXPIRES), start)?;
        let voided_at = self.time_if(says(flag::VOIDED), start)?;
        let deleted_at = self.time_if(says(flag::DELETED), start)?;
        let recurrence = if says(flag::RECURS) { Some(self.recurrence(start)?) } else { None };
        let (min_rollover, max_rollover) = if says(flag::ROLLS_OVER) {
            (self.amount(Amount::ZERO)?, self.amount(Amount::ZERO)?)
        } else {
            (Amount::ZERO, Amount::ZERO)
        };
        Some(Grant {
            amount,
            priority,
            effective_at,
            expires_at,
            voided_at,
            deleted_at,
            recurrence,
            min_rollover,
            max_rollover,
        })
    }
}

/// A program to read others into.
pub(super) const fn blank_program() -> Program {
    Program {
        suspended: false,
        active_from: None,
        active_to: None,
        grace_until: None,
        rule: Rule::Boolean,
    }
}

/// Units left if nothing were granted: what steady states are told relative to.
pub(super) fn net_without_grants(usage: Usage) -> Amount {
    match usage {
        Usage::Flow { since_opening } => -since_opening,
        Usage::Level { in_use } => -in_use,
        Usage::Unknown => Amount::ZERO,
        Usage::Value { balance, overage, .. } => balance - overage,
    }
}

/// What grants' instants are told relative to.
pub(super) fn first_anchor(stretches: &[Stretch], period_start: Instant) -> Instant {
    let grid = stretches.first().and_then(|stretch| stretch.grid);
    grid.map_or(period_start, |grid| grid.anchor)
}

pub(super) fn millis(instant: Option<Instant>) -> i64 {
    instant.map_or(0, Instant::millis)
}
