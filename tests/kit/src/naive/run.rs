//! One run: pieces between resets, phases in each piece.

use std::collections::BTreeMap;

use crate::answer::{self, GrantUsage, Segment};
use crate::question::{self, Event, Grant};
use crate::{Amount, Instant, KitError};

use super::phase::{self, Piece, Refill};
use super::{active_at, burn, window};

/// What does not change during a run.
pub(super) struct Plan {
    /// In burn order.
    pub(super) grants: Vec<Grant>,
    pub(super) usage: Vec<Event>,
    /// Each with whether overage outlives it.
    pub(super) resets: BTreeMap<Instant, bool>,
    /// Instants at which a phase is to begin although nothing happens there.
    pub(super) cuts: Vec<Instant>,
}

/// What changes.
#[derive(Clone)]
pub(super) struct State {
    pub(super) at: Instant,
    pub(super) balances: BTreeMap<String, Amount>,
    pub(super) overage: Amount,
    pub(super) usage: Amount,
    pub(super) grant_usage: Amount,
}

pub(super) fn from_input(input: &question::Run) -> Result<answer::Run, KitError> {
    let start = &input.starting_snapshot;
    let grants = input.grants.iter().map(with_expiry).collect::<Result<Vec<_>, _>>()?;
    let plan = Plan {
        grants: burn::sorted(&grants)?,
        usage: input.events(),
        resets: input.resets.iter().map(|at| (*at, input.preserve_overage_at_reset)).collect(),
        cuts: Vec::new(),
    };
    let mut state = State {
        at: start.at,
        balances: start.balances.clone(),
        overage: start.overage,
        usage: start.usage,
        grant_usage: start.total_grant_usage,
    };
    let segments = run(&plan, &mut state, input.until)?;
    Ok(answer::Run {
        at: state.at,
        balance: state.balances.values().copied().sum(),
        overage: state.overage,
        usage: state.usage,
        total_grant_usage: state.grant_usage,
        grant_balances: state.balances,
        segments: Some(segments),
    })
}

/// A lifetime gives the expiry where none is stated.
pub(super) fn with_expiry(grant: &Grant) -> Result<Grant, KitError> {
    let mut grant = grant.clone();
    if let (None, Some(lifetime)) = (grant.expires_at, grant.expiration) {
        let from = grant.effective_at;
        let end = super::calendar::expiration(from, lifetime.duration, lifetime.count)?;
        grant.expires_at = Some(end);
    }
    Ok(grant)
}

/// Runs from the state's instant to `until`, both resets and refills at `until` included.
pub(super) fn run(
    plan: &Plan,
    state: &mut State,
    until: Instant,
) -> Result<Vec<Segment>, KitError> {
    let start = state.at;
    let mut segments = Vec::new();
    for (reset_at, preserve) in &plan.resets {
        if start < *reset_at && *reset_at <= until {
            let piece = Piece { from: state.at, to: *reset_at, last: false };
            segments.extend(run_piece(plan, state, &piece)?);
            segments.push(reset(plan, state, *preserve));
        }
    }
    let piece = Piece { from: state.at, to: until, last: true };
    segments.extend(run_piece(plan, state, &piece)?);
    Ok(segments)
}

fn run_piece(plan: &Plan, state: &mut State, piece: &Piece) -> Result<Vec<Segment>, KitError> {
    let refills = phase::refills(&plan.grants, piece)?;
    let refill_marks = refills.iter().map(|refill| refill.at);
    let activity = phase::activity(&plan.grants, piece);
    let marks = activity.into_iter().chain(refill_marks).chain(plan.cuts.iter().copied());
    let mut segments = Vec::new();
    for (from, to) in phase::phases(piece, marks) {
        segments.push(run_phase(plan, state, &refills, from, to));
    }
    state.at = piece.to;
    Ok(segments)
}

fn run_phase(
    plan: &Plan,
    state: &mut State,
    refills: &[Refill],
    from: Instant,
    to: Instant,
) -> Segment {
    for grant in &plan.grants {
        let due = refills.iter().any(|refill| refill.at == from && refill.grant == grant.id);
        let active = active_at(&window(grant), from);
        let balance = state.balances.entry(grant.id.clone()).or_default();
        if due || (active && grant.effective_at == from) {
            *balance = grant.amount;
        }
        if !active {
            *balance = Amount::ZERO;
        }
    }
    let balance_at_start = state.balances.clone();
    let usage = usage_in(&plan.usage, from, to);
    let burnt = burn::burn(&plan.grants, &mut state.balances, from, usage + state.overage);
    state.overage = burnt.overage;
    state.usage += usage;
    state.grant_usage += burnt.usages.iter().map(|(_, usage)| *usage).sum();
    segment(from, to, balance_at_start, usage, burnt)
}

/// Events count in whole seconds.
pub(super) fn usage_in(events: &[Event], from: Instant, to: Instant) -> Amount {
    let seconds = from.timestamp()..to.timestamp();
    let inside = |event: &&Event| seconds.contains(&event.at.timestamp());
    events.iter().filter(inside).map(|event| event.value).sum()
}

fn reset(plan: &Plan, state: &mut State, preserve: bool) -> Segment {
    let at = state.at;
    for grant in &plan.grants {
        let active = active_at(&window(grant), at);
        let balance = state.balances.entry(grant.id.clone()).or_default();
        let rolled = (*balance).max(grant.min_rollover).min(grant.max_rollover);
        *balance = if active { rolled } else { Amount::ZERO };
    }
    let balance_at_start = state.balances.clone();
    let overage = if preserve { state.overage } else { Amount::ZERO };
    let burnt = burn::burn(&plan.grants, &mut state.balances, at, overage);
    state.overage = burnt.overage;
    state.usage = Amount::ZERO;
    state.grant_usage = burnt.usages.iter().map(|(_, usage)| *usage).sum();
    segment(at, at, balance_at_start, Amount::ZERO, burnt)
}

fn segment(
    from: Instant,
    to: Instant,
    balance_at_start: BTreeMap<String, Amount>,
    total_usage: Amount,
    burnt: burn::Burnt,
) -> Segment {
    let usage = |(grant_id, usage)| GrantUsage { grant_id, usage };
    Segment {
        from,
        to,
        balance_at_start,
        grant_usages: burnt.usages.into_iter().map(usage).collect(),
        total_usage,
        overage: burnt.overage,
    }
}
