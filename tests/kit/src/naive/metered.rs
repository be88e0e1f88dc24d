//! A metered entitlement: everything is computed from the facts, from the start of measurement.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::answer::{History, HistoryWindow, Value};
use crate::question::{Entitlement, Grant, HistoryQuery, Ledger, Reset, TimelineEntry, WindowSize};
use crate::{Amount, Instant, KitError};

use super::phase::{self, Piece, ceil_minute, floor_minute};
use super::run::{self, Plan, State};
use super::{active_at, burn, period, window};

pub(super) fn value(ledger: &Ledger, at: Instant) -> Result<Value, KitError> {
    let facts = Facts::of(ledger)?;
    let at = ceil_minute(at);
    let (plan, mut state) = facts.start(at, Vec::new())?;
    let segments = run::run(&plan, &mut state, at)?;
    let active =
        |id: &String| facts.grants.iter().any(|g| g.id == *id && active_at(&window(g), at));
    state.balances.retain(|id, _| active(id));
    let balance: Amount = state.balances.values().copied().sum();
    Ok(Value {
        balance,
        usage: state.usage,
        overage: state.overage,
        total_available_grant_amount: state.grant_usage + balance,
        has_access: ledger.entitlement.is_soft_limit || balance > Amount::ZERO,
        grant_balances: state.balances,
        current_usage_period: period::at(&facts.timeline, at)?,
        segments: Some(segments),
    })
}

pub(super) fn history(ledger: &Ledger, query: &HistoryQuery) -> Result<History, KitError> {
    let facts = Facts::of(ledger)?;
    let (from, to) = (floor_minute(query.from), ceil_minute(query.to));
    let (plan, mut state) = facts.start(to, vec![from])?;
    let mut segments = run::run(&plan, &mut state, to)?;
    segments.retain(|segment| segment.from >= from);
    // What ends at `from`, a reset among it, is the past of the history.
    let past = segments.iter().take_while(|segment| segment.to == from && from < to).count();
    segments.drain(..past);
    Ok(History { windows: windows(ledger, &facts, query.window_size, from, to)?, segments })
}

fn windows(
    ledger: &Ledger,
    facts: &Facts,
    size: WindowSize,
    from: Instant,
    to: Instant,
) -> Result<Vec<HistoryWindow>, KitError> {
    let length = TimeDelta::hours(if size == WindowSize::Hour { 1 } else { 24 });
    let offset = from.timestamp().rem_euclid(length.num_seconds());
    let mut start = from - TimeDelta::seconds(offset);
    let mut windows = Vec::new();
    while start < to {
        let end = start + length;
        if start >= facts.from {
            windows.push(HistoryWindow {
                from: start,
                to: end,
                usage: run::usage_in(&ledger.usage, start.max(from), end.min(to)),
                balance_at_start: balance_just_after(facts, start)?,
            });
        }
        start = end;
    }
    Ok(windows)
}

/// The balance once everything that happens at `at` has happened: a window that starts with a grant
/// shows it, while the value at that instant does not.
fn balance_just_after(facts: &Facts, at: Instant) -> Result<Amount, KitError> {
    let (plan, mut state) = facts.start(at, vec![at])?;
    run::run(&plan, &mut state, at)?;
    Ok(state.balances.values().copied().sum())
}

pub(super) fn resets(ledger: &Ledger, until: Instant) -> Result<Vec<Instant>, KitError> {
    Ok(Facts::of(ledger)?.resets(until)?.into_keys().collect())
}

pub(super) fn boundaries(ledger: &Ledger, until: Instant) -> Result<BTreeSet<Instant>, KitError> {
    let facts = Facts::of(ledger)?;
    let piece = Piece { from: facts.from, to: until, last: true };
    let mut boundaries = phase::activity(&facts.grants, &piece);
    boundaries.extend(phase::refills(&facts.grants, &piece)?.iter().map(|refill| refill.at));
    boundaries.extend(facts.resets(until)?.into_keys());
    boundaries.insert(facts.from);
    Ok(boundaries)
}

/// The ledger with its times on the minute, as the rules have them.
struct Facts {
    from: Instant,
    grants: Vec<Grant>,
    usage: Vec<crate::question::Event>,
    timeline: Vec<TimelineEntry>,
    /// What becomes of overage at a manual reset.
    preserve: BTreeMap<Instant, bool>,
    preserve_by_default: bool,
}

impl Facts {
    fn of(ledger: &Ledger) -> Result<Self, KitError> {
        let from = floor_minute(ledger.entitlement.measure_usage_from);
        let mut resets = ledger.resets.clone();
        resets.iter_mut().for_each(|reset| reset.at = floor_minute(reset.at));
        resets.sort_by_key(|reset| reset.at);
        let by_default = ledger.entitlement.preserve_overage_at_reset;
        let preserve = |reset: &Reset| (reset.at, reset.preserve_overage.unwrap_or(by_default));
        Ok(Self {
            from,
            grants: ledger.grants.iter().map(on_the_minute).collect::<Result<_, _>>()?,
            usage: ledger.usage.clone(),
            timeline: timeline(&ledger.entitlement, from, &resets),
            preserve: resets.iter().map(preserve).collect(),
            preserve_by_default: by_default,
        })
    }

    fn resets(&self, until: Instant) -> Result<BTreeMap<Instant, bool>, KitError> {
        let starts = period::starts(&self.timeline, self.from, until)?;
        let preserve = |at: &Instant| *self.preserve.get(at).unwrap_or(&self.preserve_by_default);
        Ok(starts.into_iter().filter(|at| *at > self.from).map(|at| (at, preserve(&at))).collect())
    }

    /// Where every run begins: grants active at the start of measurement are full, others empty.
    fn start(&self, until: Instant, cuts: Vec<Instant>) -> Result<(Plan, State), KitError> {
        if until < self.from {
            return Err(KitError("before-opening: before the start of measurement".to_owned()));
        }
        let loaded = |grant: &&Grant| is_loaded(grant, self.from, until);
        let grants: Vec<Grant> = self.grants.iter().filter(loaded).cloned().collect();
        let full = |grant: &Grant| {
            let active = active_at(&window(grant), self.from);
            (grant.id.clone(), if active { grant.amount } else { Amount::ZERO })
        };
        let state = State {
            at: self.from,
            balances: grants.iter().map(full).collect(),
            overage: Amount::ZERO,
            usage: Amount::ZERO,
            grant_usage: Amount::ZERO,
        };
        let grants = burn::sorted(&grants)?;
        Ok((Plan { grants, usage: self.usage.clone(), resets: self.resets(until)?, cuts }, state))
    }
}

fn is_loaded(grant: &Grant, from: Instant, to: Instant) -> bool {
    let lives_on = grant.effective_at < from && grant.expires_at.is_none_or(|end| end > from);
    let begins = (from..=to).contains(&grant.effective_at);
    let gone = |end: Option<Instant>| end.is_some_and(|end| end < from);
    let ended = gone(grant.deleted_at) || gone(grant.voided_at);
    (lives_on || begins) && !ended && grant.amount >= Amount::ZERO
}

/// `deletedAt` alone keeps its seconds: it does not come in through the rules for writing.
fn on_the_minute(grant: &Grant) -> Result<Grant, KitError> {
    let mut grant = grant.clone();
    grant.effective_at = floor_minute(grant.effective_at);
    grant.voided_at = grant.voided_at.map(floor_minute);
    if let Some(recurrence) = &mut grant.recurrence {
        recurrence.anchor = floor_minute(recurrence.anchor);
    }
    run::with_expiry(&grant)
}

/// Entry 0 is the entitlement's own; every manual reset adds one.
fn timeline(entitlement: &Entitlement, from: Instant, resets: &[Reset]) -> Vec<TimelineEntry> {
    let own = &entitlement.usage_period;
    let mut anchor = floor_minute(own.anchor);
    let mut timeline = vec![TimelineEntry { at: from, interval: own.interval.clone(), anchor }];
    for reset in resets {
        anchor = if reset.retain_anchor { anchor } else { reset.at };
        timeline.push(TimelineEntry { at: reset.at, interval: own.interval.clone(), anchor });
    }
    timeline
}
