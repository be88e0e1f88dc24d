//! The state at the time of a value, from which every later instant is computed.

use edgegrant::model::{Grant, Opening};
use edgegrant::time::{Recurrence, Timestamp, expiration};
use edgegrant::{Amount, Instant};

use super::Reason;
use super::grid::{Grid, has_point};
use super::wire::{Entitlement, Value, ValueAnswer};
use crate::sources::wire::Number;

/// Why a value gives no opening.
#[derive(Clone, Copy, Debug)]
pub(super) enum NoOpening {
    /// Another value must be asked for: this one cannot be resumed from exactly.
    AskAgain(Reason),
    /// The answer can only be taken as it is.
    ValueOnly(Reason),
}

/// The left limit at the time of an answer, or why it cannot be told.
///
/// A value shows the state after the resets and refills of its instant, an opening the state before
/// them. They are the same where nothing happens at the instant; where something does, the opening
/// is given only if the value determines it.
pub(super) fn opening(
    entitlement: &Entitlement,
    grants: &[Grant],
    grid: &Grid,
    answer: &ValueAnswer,
) -> Result<Opening, NoOpening> {
    let at = answer.time.floor_minute();
    if Timestamp::from(at) != answer.time {
        return Err(NoOpening::AskAgain(NOT_A_MINUTE));
    }
    let period_start = period_start(entitlement, grid, at).map_err(NoOpening::AskAgain)?;
    let balances = balances(grants, &answer.value, at)?;
    let value = &answer.value;
    let balance = amount(value.balance);
    let (usage, overage) = (amount(value.usage), amount(value.overage));
    let left: Amount = balances.values().copied().sum();
    if differ(left, balance) {
        return Err(NoOpening::AskAgain(VALUE_INCONSISTENT));
    }
    let balances = before_refills(grants, balances, at, overage)?;
    // Without the total, what was used and is not over was burnt from grants.
    let grant_usage = match value.total_available_grant_amount {
        Some(total) => total.0 - balance,
        None => (usage - overage).or_zero(),
    };
    let anchor = grid.moved.then(|| grid.recurrence.anchor.into());
    let period_start = period_start.into();
    Ok(Opening { at: at.into(), balances, overage, usage, grant_usage, period_start, anchor })
}

/// The start of the usage period that the instant is in, which must not be the instant itself.
///
/// The export shows the period of its own time. Around it the grid tells the others, as far back as
/// the last manual reset, before which another grid may have been in force.
fn period_start(entitlement: &Entitlement, grid: &Grid, at: Instant) -> Result<Instant, Reason> {
    let period = entitlement.current_usage_period.ok_or(NO_CURRENT_PERIOD)?;
    let (from, to) = (period.from.floor_minute(), period.to.floor_minute());
    let manual = [entitlement.last_reset, entitlement.measure_usage_from];
    let manual = manual.into_iter().flatten().map(Timestamp::floor_minute).max();
    let start = match grid.recurrence.at_or_before(at) {
        _ if (from..to).contains(&at) => Some(from),
        _ if manual.is_some_and(|manual| manual > at) => return Err(BEFORE_PERIOD),
        start => start.max(manual),
    };
    match start {
        Some(start) if start < at => Ok(start),
        _ => Err(ON_BOUNDARY),
    }
}

type Balances = std::collections::BTreeMap<String, Amount>;

/// What is left of each grant that is active at the instant.
fn balances(grants: &[Grant], value: &Value, at: Instant) -> Result<Balances, NoOpening> {
    let active = || grants.iter().filter(|grant| is_active(grant, at));
    let Some(listed) = &value.grant_balances else {
        // Version 1 gives only the sum, which tells each balance if there is but one, or none.
        let balance = amount(value.balance);
        let mut active = active();
        return match (active.next(), active.next()) {
            _ if balance.is_zero() => Ok(Balances::new()),
            (Some(grant), None) => Ok(Balances::from([(grant.id.clone(), balance)])),
            _ => Err(NoOpening::ValueOnly(NO_GRANT_BALANCES)),
        };
    };
    let known = |id: &str| grants.iter().any(|grant| grant.id == id);
    if !listed.keys().all(|id| known(id)) {
        return Err(NoOpening::AskAgain(GRANT_NOT_EXPORTED));
    }
    let starts_here = |grant: &Grant| grant.effective_at.floor_minute() == at;
    if active().any(|grant| !starts_here(grant) && !listed.contains_key(&grant.id)) {
        return Err(NoOpening::AskAgain(GRANT_NOT_IN_VALUE));
    }
    Ok(listed.iter().map(|(id, balance)| (id.clone(), balance.0)).collect())
}

/// Takes back what happened at the instant itself.
///
/// A refill is followed at once by burning carried overage from it. Only if every grant that is
/// filled at the instant is still full, nothing was carried, and the state before is known.
fn before_refills(
    grants: &[Grant],
    mut balances: Balances,
    at: Instant,
    overage: Amount,
) -> Result<Balances, NoOpening> {
    let refilled = |grant: &Grant| {
        let recurs = |wire: edgegrant::model::Recurrence| {
            let anchor = wire.anchor.floor_minute();
            has_point(&Recurrence { interval: wire.interval, anchor }, at)
        };
        is_active(grant, at) && grant.recurrence.is_some_and(recurs)
    };
    if !grants.iter().any(refilled) {
        return Ok(balances);
    }
    for grant in grants {
        let starts = grant.effective_at.floor_minute() == at && is_active(grant, at);
        if !starts && !refilled(grant) {
            continue;
        }
        let full = balances.get(&grant.id).copied().unwrap_or_default() == grant.amount;
        if !full || !overage.is_zero() {
            return Err(NoOpening::AskAgain(ON_BOUNDARY));
        }
        balances.remove(&grant.id);
    }
    Ok(balances)
}

/// Whether a grant is within its window; the end is exclusive.
fn is_active(grant: &Grant, at: Instant) -> bool {
    grant.effective_at.floor_minute() <= at && !has_ended(grant, at)
}

/// Whether a grant has expired or was taken back.
pub(super) fn has_ended(grant: &Grant, at: Instant) -> bool {
    let start = grant.effective_at.floor_minute();
    let by_duration =
        grant.expiration.and_then(|given| expiration(start, given.duration, given.count));
    let expires = grant.expires_at.map(Timestamp::ceil_millis).or(by_duration);
    let voided = grant.voided_at.map(Timestamp::floor_minute);
    let deleted = grant.deleted_at.map(Timestamp::ceil_millis);
    [expires, voided, deleted].into_iter().flatten().any(|end| end <= at)
}

/// Whether two sums differ by more than the dust of binary floats.
fn differ(one: Amount, other: Amount) -> bool {
    let distance = (one - other).nanos().abs();
    distance > 1_000 && distance > other.nanos().abs() / 1_000_000_000
}

fn amount(number: Option<Number>) -> Amount {
    number.map_or(Amount::ZERO, |number| number.0)
}

const NOT_A_MINUTE: Reason = (
    "value-time-not-a-minute",
    "the value was asked for a time within a minute; ask for `time` on a whole minute",
);
const NO_CURRENT_PERIOD: Reason = (
    "no-current-period",
    "the metered entitlement has no `currentUsagePeriod`; export it from the entitlements endpoint",
);
const BEFORE_PERIOD: Reason = (
    "value-before-period",
    "usage was reset by hand or not yet measured at the time of the value; ask for a later value",
);
const ON_BOUNDARY: Reason = (
    "value-on-boundary",
    "a reset or refill falls on the time of the value; ask for the value a minute later",
);
const VALUE_INCONSISTENT: Reason = (
    "value-inconsistent",
    "the balances of the grants do not add up to the balance; ask for the value again",
);
const NO_GRANT_BALANCES: Reason = (
    "no-grant-balances",
    "the value does not say what is left of each grant; it holds as it is until the next boundary",
);
const GRANT_NOT_EXPORTED: Reason = (
    "grant-not-exported",
    "the value names a grant that is not among the grants; export the grants again, all pages",
);
const GRANT_NOT_IN_VALUE: Reason = (
    "grant-not-in-value",
    "a grant is active at the time of the value and the value lacks it; ask for the value again",
);
