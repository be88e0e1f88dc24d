//! The other direction of `fields`: a program as tokens, from which shapes and own parts are made.

use super::bytes::{Reader, amount_code, length, put_code, time_code};
use super::fields::{IdKind, NEVER, first_anchor, flag, millis, net_without_grants};
use crate::amount::Amount;
use crate::engine::program::{Grant, Metered, Program, Rule, Steady, Stretch, Usage};
use crate::time::{Instant, Recurrence};

/// A field, relative to what it is told relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Token {
    /// Decides how others are read, so a shape is shared only by those that agree.
    Shared(u64),
    /// Billionths.
    Amount(i128),
    /// Billionths that follow from usage and are rarely alike.
    Used(i128),
    /// Milliseconds.
    Time(i64),
}

impl Token {
    pub(super) fn put(self, out: &mut Vec<u8>) {
        put_code(out, self.code());
    }

    /// Writes it so that it can be read by itself.
    pub(super) fn put_tagged(self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Shared(_) => 0,
            Self::Amount(_) => 1,
            Self::Used(_) => 2,
            Self::Time(_) => 3,
        });
        self.put(out);
    }

    /// Reads it again.
    pub(super) fn tagged(reader: &mut Reader<'_>) -> Option<Self> {
        Some(match reader.byte()? {
            0 => Self::Shared(reader.varint()?),
            1 => Self::Amount(reader.amount()?),
            2 => Self::Used(reader.amount()?),
            3 => Self::Time(reader.time()?),
            _ => return None,
        })
    }

    /// How many bytes it takes.
    pub(super) fn length(self) -> usize {
        length(self.code())
    }

    fn code(self) -> u128 {
        match self {
            Self::Shared(value) => u128::from(value),
            Self::Amount(nanos) | Self::Used(nanos) => amount_code(nanos),
            Self::Time(millis) => u128::from(time_code(millis)),
        }
    }

    /// What an own part adds to the value of the shape.
    pub(super) fn minus(self, shape: Self) -> Self {
        match (self, shape) {
            (Self::Amount(own), Self::Amount(shared)) => Self::Amount(own - shared),
            (Self::Used(own), Self::Used(shared)) => Self::Used(own - shared),
            (Self::Time(own), Self::Time(shared)) => Self::Time(own - shared),
            _ => self,
        }
    }
}

/// The tokens of one program, in the order in which `fields` reads them.
pub(super) struct Tokens(Vec<Token>);

impl Tokens {
    pub(super) fn of(
        program: &Program,
        steady: Option<&Steady>,
        ids: &[IdKind],
        usage_as_of: Option<Instant>,
    ) -> Vec<Token> {
        let room = if matches!(program.rule, Rule::Metered(_)) { 32 } else { 1 };
        let mut tokens = Self(Vec::with_capacity(room));
        tokens.program(program);
        if let Rule::Metered(metered) = &program.rule {
            tokens.metered(metered, steady, usage_as_of);
            tokens.tallies(metered);
            if let Some(steady) = steady {
                tokens.figures(metered, steady);
            }
            tokens.ledger(metered, ids);
        }
        tokens.0
    }

    fn shared(&mut self, value: u64) {
        self.0.push(Token::Shared(value));
    }

    fn amount(&mut self, amount: Amount) {
        self.0.push(Token::Amount(amount.nanos()));
    }

    fn used(&mut self, amount: Amount) {
        self.0.push(Token::Used(amount.nanos()));
    }

    fn time(&mut self, instant: Instant, base: i64) {
        self.0.push(Token::Time(instant.millis() - base));
    }

    fn time_if(&mut self, instant: Option<Instant>, base: i64) {
        if let Some(instant) = instant {
            self.time(instant, base);
        }
    }

    fn program(&mut self, program: &Program) {
        let rule = match program.rule {
            Rule::Boolean => 0,
            Rule::Static => flag::STATIC,
            Rule::Metered(_) => flag::METERED,
        };
        self.shared(flags(
            rule,
            &[
                (program.suspended, flag::SUSPENDED),
                (program.active_from.is_some(), flag::ACTIVE_FROM),
                (program.active_to.is_some(), flag::ACTIVE_TO),
                (program.grace_until.is_some(), flag::GRACE_UNTIL),
            ],
        ));
        self.time_if(program.active_from, 0);
        self.time_if(program.active_to, millis(program.active_from));
        self.time_if(program.grace_until, millis(program.active_to));
    }

    fn metered(&mut self, metered: &Metered, steady: Option<&Steady>, published: Option<Instant>) {
        let usage = match metered.usage {
            Usage::Flow { .. } => 0,
            Usage::Level { .. } => flag::LEVEL,
            Usage::Unknown => flag::UNKNOWN,
            Usage::Value { .. } => flag::VALUE,
        };
        let as_published = Some(metered.usage_as_of) == published;
        let changes_at = steady.and_then(|steady| steady.changes_at);
        let period_ends = steady.is_some_and(|steady| steady.figures.period.to.is_some());
        self.shared(flags(
            usage,
            &[
                (metered.unlimited, flag::UNLIMITED),
                (metered.soft_limit, flag::SOFT_LIMIT),
                (metered.timeline.preserve_overage, flag::PRESERVE_OVERAGE),
                (as_published, flag::AS_PUBLISHED),
                (steady.is_some(), flag::STEADY),
                (changes_at.is_some(), flag::CHANGES),
                (period_ends, flag::PERIOD_ENDS),
            ],
        ));
        self.usage(metered.usage);
        let at = metered.opening.at;
        self.time(at, 0);
        if !as_published {
            self.time(metered.usage_as_of, at.millis());
        }
        if let Some(steady) = steady {
            self.time(steady.after, at.millis());
            self.time(steady.until, steady.after.millis());
            self.time_if(changes_at, steady.until.millis());
            self.used(steady.net - net_without_grants(metered.usage));
        }
    }

    fn usage(&mut self, usage: Usage) {
        match usage {
            Usage::Flow { since_opening } => self.used(since_opening),
            Usage::Level { in_use } => self.used(in_use),
            Usage::Unknown => (),
            Usage::Value { balance, usage, overage } => {
                [balance, usage, overage].into_iter().for_each(|amount| self.used(amount));
            }
        }
    }

    fn tallies(&mut self, metered: &Metered) {
        let opening = &metered.opening;
        self.time(opening.period_start, opening.at.millis());
        self.used(opening.overage);
        self.used(opening.usage);
        self.used(opening.grant_usage - opening.usage);
    }

    /// What is counted besides the units left.
    fn figures(&mut self, metered: &Metered, steady: &Steady) {
        let Steady { until, net, figures, .. } = steady;
        self.time(figures.period.from, metered.opening.period_start.millis());
        self.time_if(figures.period.to, until.millis());
        if let Usage::Flow { since_opening } = metered.usage {
            let usage = figures.usage.unwrap_or_default();
            self.used(usage - metered.opening.usage - since_opening);
            self.used(figures.total_available.unwrap_or_default() - usage - *net);
        }
        if let Some(changes_at) = steady.changes_at {
            let later = steady.retry_at.map(|at| at.millis() - changes_at.millis());
            let left = if net.is_positive() { 0 } else { NEVER };
            self.0.push(Token::Time(later.unwrap_or(left)));
        }
    }

    /// The stretches and the grants.
    fn ledger(&mut self, metered: &Metered, ids: &[IdKind]) {
        let opening = &metered.opening;
        let stretches = &metered.timeline.stretches;
        self.shared(stretches.len() as u64);
        let mut previous = opening.period_start;
        for stretch in stretches {
            self.stretch(stretch, previous);
            previous = stretch.from;
        }
        let anchor = first_anchor(stretches, opening.period_start);
        self.shared(metered.grants.len() as u64);
        for ((grant, balance), id) in metered.grants.iter().zip(&opening.balances).zip(ids) {
            self.grant(grant, *id, anchor);
            self.used(*balance - grant.amount);
        }
    }

    fn stretch(&mut self, stretch: &Stretch, previous: Instant) {
        let grid = (stretch.grid.is_some(), flag::GRID);
        self.shared(flags(0, &[grid, (stretch.preserve_overage, flag::PRESERVE)]));
        self.time(stretch.from, previous.millis());
        if let Some(grid) = stretch.grid {
            self.recurrence(grid, stretch.from);
        }
    }

    fn recurrence(&mut self, recurrence: Recurrence, base: Instant) {
        let interval = recurrence.interval;
        self.shared(u64::from(interval.years()));
        self.shared(u64::from(interval.months()));
        self.shared(interval.millis());
        self.time(recurrence.anchor, base.millis());
    }

    fn grant(&mut self, grant: &Grant, id: IdKind, anchor: Instant) {
        let (kind, derived) = match id {
            IdKind::Derived(number) => (0, Some(number)),
            IdKind::Ulid => (1, None),
            IdKind::Text => (2, None),
        };
        let rolls_over = !grant.min_rollover.is_zero() || !grant.max_rollover.is_zero();
        self.shared(flags(
            kind << flag::ID_SHIFT,
            &[
                (grant.expires_at.is_some(), flag::EXPIRES),
                (grant.voided_at.is_some(), flag::VOIDED),
                (grant.deleted_at.is_some(), flag::DELETED),
                (grant.recurrence.is_some(), flag::RECURS),
                (rolls_over, flag::ROLLS_OVER),
            ],
        ));
        derived.into_iter().for_each(|number| self.shared(number));
        self.shared(u64::from(grant.priority));
        self.amount(grant.amount);
        self.time(grant.effective_at, anchor.millis());
        let start = grant.effective_at.millis();
        self.time_if(grant.expires_at, start);
        self.time_if(grant.voided_at, start);
        self.time_if(grant.deleted_at, start);
        if let Some(recurrence) = grant.recurrence {
            self.recurrence(recurrence, grant.effective_at);
        }
        if rolls_over {
            self.amount(grant.min_rollover);
            self.amount(grant.max_rollover);
        }
    }
}

/// Lets the tokens of a metered program, which leave it to the head, tell up to which instant usage
/// is known.
pub(super) fn tell_usage_as_of(tokens: &mut Vec<Token>, as_of: Instant) -> Option<()> {
    let Token::Shared(program) = *tokens.first()? else { return None };
    let times = [flag::ACTIVE_FROM, flag::ACTIVE_TO, flag::GRACE_UNTIL];
    let place = 1 + times.iter().filter(|time| program & **time != 0).count();
    let Some(Token::Shared(metered)) = tokens.get_mut(place) else { return None };
    *metered &= !flag::AS_PUBLISHED;
    let amounts = match *metered & flag::USAGE {
        flag::UNKNOWN => 0,
        flag::VALUE => 3,
        _ => 1,
    };
    let opening = place + 1 + amounts;
    let Token::Time(at) = *tokens.get(opening)? else { return None };
    tokens.insert(opening + 1, Token::Time(as_of.millis() - at));
    Some(())
}

fn flags(first: u64, said: &[(bool, u64)]) -> u64 {
    said.iter().filter(|(holds, _)| *holds).fold(first, |flags, (_, bit)| flags | bit)
}
