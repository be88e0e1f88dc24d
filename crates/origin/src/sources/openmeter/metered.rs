//! A metered entitlement: from its ledger where it can be resumed exactly, else from its value.

use edgegrant::Instant;
use edgegrant::model::{self, Grant, Opening, Recurrence, Reset, Usage, UsageEvent, UsageKind};
use edgegrant::time::Timestamp;

use super::grid::{Grid, recurrence};
use super::opening::{NoOpening, has_ended, opening};
use super::usage::MeterUsage;
use super::wire::{self, Entitlement, ValueAnswer};
use super::{Options, Reason};
use crate::sources::Notes;
use crate::sources::wire::Number;

/// What an export holds about one metered entitlement beside itself.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) grants: Vec<wire::Grant>,
    /// The latest first.
    pub(super) values: Vec<ValueAnswer>,
    pub(super) usage: Option<MeterUsage>,
    /// Why usage cannot be added up here, if it cannot.
    pub(super) not_additive: Option<Reason>,
}

/// Fills in what is metered.
pub(super) fn fill(
    target: &mut model::Entitlement,
    source: &Entitlement,
    ledger: &Ledger,
    options: &Options,
    notes: &mut Notes,
) {
    target.soft_limit = source.is_soft_limit;
    target.preserve_overage_at_reset = source.preserve_overage_at_reset;
    target.measure_usage_from = source.measure_usage_from.or(source.created_at);
    let filled = original_period(source).and_then(|period| {
        target.usage_period = Some(period);
        target.grants = grants(source, &ledger.grants, notes)?;
        fill_usage(target, source, ledger, options, notes)
    });
    if let Err(reason) = filled {
        notes.error(&source.id, reason);
    }
}

fn fill_usage(
    target: &mut model::Entitlement,
    source: &Entitlement,
    ledger: &Ledger,
    options: &Options,
    notes: &mut Notes,
) -> Result<(), Reason> {
    if let Some(reason) = ledger.not_additive {
        notes.warn(&source.id, reason);
        target.usage = Some(as_value(target, source, ledger, notes));
        return Ok(());
    }
    if ledger.values.is_empty() {
        return from_the_start(target, source, ledger, options, notes);
    }
    match resume(target, source, ledger, notes) {
        Ok((opening, events, as_of)) => {
            // What ended before can give nothing any more, and refills by grants leave many behind.
            let at = opening.at.floor_minute();
            let listed = |grant: &Grant| opening.balances.contains_key(&grant.id);
            target.grants.retain(|grant| listed(grant) || !has_ended(grant, at));
            target.opening = Some(opening);
            target.usage = Some(flow(events, as_of));
            Ok(())
        }
        Err(NoOpening::AskAgain(reason)) if starts_empty(target, ledger, options) => {
            from_the_start(target, source, ledger, options, notes).map_err(|_| reason)
        }
        Err(NoOpening::AskAgain(reason)) => Err(reason),
        Err(NoOpening::ValueOnly(reason)) => {
            notes.warn(&source.id, reason);
            target.usage = Some(as_value(target, source, ledger, notes));
            Ok(())
        }
    }
}

/// The opening from the latest value that gives one, and the usage after it.
fn resume(
    target: &model::Entitlement,
    source: &Entitlement,
    ledger: &Ledger,
    notes: &mut Notes,
) -> Result<(Opening, Vec<UsageEvent>, Instant), NoOpening> {
    let grid = Grid::in_force(source).map_err(NoOpening::ValueOnly)?;
    if grid.ambiguous {
        notes.warn(&source.id, ANCHOR_AMBIGUOUS);
    }
    let mut first_refusal = None;
    for answer in &ledger.values {
        match opening(source, &target.grants, &grid, answer) {
            Ok(opening) => {
                let at = opening.at.floor_minute();
                let usage = ledger.usage.as_ref().map(|usage| usage.since(at));
                let (events, as_of) =
                    usage.unwrap_or(Ok((Vec::new(), at))).map_err(NoOpening::AskAgain)?;
                return Ok((opening, events, as_of));
            }
            Err(refusal) => first_refusal = first_refusal.or(Some(refusal)),
        }
    }
    Err(first_refusal.unwrap_or(NoOpening::ValueOnly(USAGE_UNKNOWN)))
}

/// Whether measuring begins at the time of a value or later, so that nothing lies before it.
fn starts_empty(target: &model::Entitlement, ledger: &Ledger, options: &Options) -> bool {
    let start = target.measure_usage_from.map(Timestamp::floor_minute);
    let at_start = |answer: &ValueAnswer| Some(answer.time.floor_minute()) == start;
    start >= Some(options.at) || ledger.values.iter().any(at_start)
}

/// The whole ledger from where measuring begins, if usage is known from there.
fn from_the_start(
    target: &mut model::Entitlement,
    source: &Entitlement,
    ledger: &Ledger,
    options: &Options,
    notes: &mut Notes,
) -> Result<(), Reason> {
    let start = target.measure_usage_from.ok_or(USAGE_UNKNOWN)?.floor_minute();
    let covers = |usage: &&MeterUsage| usage.known_from().is_some_and(|from| from <= start);
    let (events, as_of) = match ledger.usage.as_ref().filter(covers) {
        Some(usage) => usage.since(start)?,
        None if starts_empty(target, ledger, options) => (Vec::new(), start),
        None => {
            notes.warn(&source.id, USAGE_UNKNOWN);
            target.usage = Some(Usage::new(UsageKind::Unknown));
            return Ok(());
        }
    };
    target.resets = last_reset(source, start, notes)?;
    target.usage = Some(flow(events, as_of));
    Ok(())
}

/// The one manual reset that the API shows: the last.
fn last_reset(
    source: &Entitlement,
    start: Instant,
    notes: &mut Notes,
) -> Result<Vec<Reset>, Reason> {
    let Some(at) = source.last_reset.filter(|at| at.floor_minute() > start) else {
        return Ok(Vec::new());
    };
    notes.warn(&source.id, RESETS_HIDDEN);
    let retain_anchor = !Grid::in_force(source)?.moved;
    Ok(vec![Reset { at, retain_anchor, preserve_overage: None }])
}

/// The source's own answer, or nothing known when there is none.
fn as_value(
    target: &mut model::Entitlement,
    source: &Entitlement,
    ledger: &Ledger,
    notes: &mut Notes,
) -> Usage {
    // The end of the current period is the next boundary, also where its grid is not known.
    match (Grid::in_force(source), source.current_usage_period, &mut target.usage_period) {
        (Ok(grid), _, Some(period)) => period.anchor = grid.recurrence.anchor.into(),
        (Err(_), Some(current), Some(period)) => period.anchor = current.to,
        _ => {}
    }
    let Some(answer) = ledger.values.first() else {
        notes.warn(&source.id, USAGE_UNKNOWN);
        return Usage::new(UsageKind::Unknown);
    };
    let amount = |number: Option<Number>| number.map(|number| number.0).or_else(Default::default);
    Usage {
        amount: amount(answer.value.usage),
        balance: amount(answer.value.balance),
        overage: amount(answer.value.overage),
        as_of: Some(answer.time),
        ..Usage::new(UsageKind::Value)
    }
}

fn flow(events: Vec<UsageEvent>, as_of: Instant) -> Usage {
    Usage { events, as_of: Some(as_of.into()), ..Usage::new(UsageKind::Flow) }
}

fn original_period(source: &Entitlement) -> Result<Recurrence, Reason> {
    let wire = source.usage_period.as_ref().ok_or(NO_PERIOD)?;
    Ok(Recurrence { interval: recurrence(wire)?.interval, anchor: wire.anchor })
}

/// Grants with the defaults of the API's version.
fn grants(
    source: &Entitlement,
    wire: &[wire::Grant],
    notes: &mut Notes,
) -> Result<Vec<Grant>, Reason> {
    let mut grants = Vec::with_capacity(wire.len());
    for grant in wire {
        // The backend itself passes over such rows (`credit/adapter/grant.go`).
        if grant.amount.0.is_negative() {
            notes.warn(&grant.id, NEGATIVE_GRANT);
            continue;
        }
        let of_wire = |wire: &wire::Recurrence| {
            Ok::<_, Reason>(Recurrence {
                interval: recurrence(wire)?.interval,
                anchor: wire.anchor,
            })
        };
        let default_max = if source.is_v1() { Default::default() } else { grant.amount.0 };
        grants.push(Grant {
            id: grant.id.clone(),
            amount: grant.amount.0,
            priority: grant.priority.unwrap_or(0),
            effective_at: grant.effective_at,
            expiration: grant
                .expiration
                .map(|given| model::Expiration { duration: given.duration, count: given.count }),
            expires_at: grant.expires_at,
            recurrence: grant.recurrence.as_ref().map(of_wire).transpose()?,
            min_rollover: grant.min_rollover_amount.map_or(Default::default(), |min| min.0),
            max_rollover: grant.max_rollover_amount.map_or(default_max, |max| max.0),
            voided_at: grant.voided_at,
            deleted_at: grant.deleted_at,
            created_at: grant.created_at,
        });
    }
    Ok(grants)
}

const NO_PERIOD: Reason = (
    "no-usage-period",
    "the metered entitlement has no `usagePeriod`; export it from the entitlements endpoint",
);
const USAGE_UNKNOWN: Reason = (
    "usage-unknown",
    "there is neither a value nor usage from the start, so usage counts as unknown; export values",
);
const ANCHOR_AMBIGUOUS: Reason = (
    "anchor-ambiguous",
    "the original anchor and the last reset explain the current period and differ later; the \
     original is taken, export again in the next period",
);
const RESETS_HIDDEN: Reason = (
    "resets-hidden",
    "only the last manual reset is exported; earlier ones are not known without a value",
);
const NEGATIVE_GRANT: Reason =
    ("grant-negative", "the grant has a negative amount and is left out, as the server leaves it");
