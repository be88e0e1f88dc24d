//! What may not stand in facts, beyond what their types say.

use std::collections::BTreeSet;

use super::{Problem, earlier};
use crate::amount::Amount;
use crate::engine::program::{Metered, Opening, Program, Rule, Steady, Usage as ProgramUsage};
use crate::error::Error;
use crate::model::{Entitlement, Grant, Recurrence, Usage, UsageKind};
use crate::time::{Instant, Timestamp};

/// A metered entitlement whose fields have been looked at one by one.
pub(super) struct Checked<'a> {
    pub(super) facts: &'a Entitlement,
    pub(super) usage_kind: UsageKind,
}

const MAX_GRANTS: usize = 1000;
/// As many as the format holds beside the stretch that measuring begins with.
const MAX_RESETS: usize = 4095;
const MAX_ID_BYTES: usize = 128;
const MAX_CONFIG_BYTES: usize = 64 * 1024;

impl<'a> Checked<'a> {
    pub(super) fn new(facts: &'a Entitlement) -> Result<Self, Problem> {
        let usage_kind = facts.usage.as_ref().map_or(UsageKind::Flow, |usage| usage.kind);
        if let Some(period) = &facts.usage_period {
            check_recurrence(period, || "usagePeriod".to_owned())?;
        }
        check_grants(&facts.grants)?;
        check_resets(facts)?;
        check_opening(facts)?;
        if let Some(usage) = &facts.usage {
            check_usage(usage)?;
        }
        if usage_kind == UsageKind::Flow
            && facts.measure_usage_from.is_none()
            && facts.opening.is_none()
        {
            return Err(Problem::new("measureUsageFrom", NO_MEASURE));
        }
        Ok(Self { facts, usage_kind })
    }
}

/// The window and the other times of an entitlement, with a rule to be replaced.
pub(super) fn window(facts: &Entitlement) -> Result<Program, Problem> {
    if facts.active_from.zip(facts.active_to).is_some_and(|(from, to)| to < from) {
        return Err(Problem::new("activeTo", END_BEFORE_START));
    }
    // What was deleted before it began has an empty window.
    let end = earlier(facts.active_to, facts.deleted_at)
        .map(|end| facts.active_from.map_or(end, |from| end.max(from)));
    Ok(Program {
        suspended: false,
        active_from: facts.active_from.map(Timestamp::ceil_millis),
        active_to: end.map(Timestamp::ceil_millis),
        grace_until: facts.grace_until.map(Timestamp::ceil_millis),
        rule: Rule::Boolean,
    })
}

pub(super) fn no_config(facts: &Entitlement) -> Result<(), Problem> {
    facts.config.as_ref().map_or(Ok(()), |_| Err(Problem::new("config", NOT_STATIC)))
}

pub(super) fn has_config(facts: &Entitlement) -> Result<(), Problem> {
    let config = facts.config.as_ref().ok_or_else(|| Problem::new("config", NO_CONFIG))?;
    match config.as_str().len() {
        0..=MAX_CONFIG_BYTES => Ok(()),
        _ => Err(Problem::new("config", CONFIG_LENGTH)),
    }
}

/// Whether what usage and corrections have made of the amounts can still be told exactly.
pub(super) fn in_range(metered: &Metered, steady: Option<&Steady>) -> Result<(), Problem> {
    let Opening { overage, usage, grant_usage, .. } = metered.opening;
    let since_opening = match metered.usage {
        ProgramUsage::Flow { since_opening } => since_opening,
        _ => Amount::ZERO,
    };
    let net = steady.map_or(Amount::ZERO, |steady| steady.net);
    let tallies = [overage, usage, grant_usage, since_opening, net];
    match tallies.iter().chain(&metered.opening.balances).all(|amount| amount.is_in_range()) {
        true => Ok(()),
        false => Err(Problem::new("usage", TOTAL_RANGE)),
    }
}

pub(super) fn not_metered(facts: &Entitlement) -> Result<(), Problem> {
    let fields = [
        ("unlimited", facts.unlimited),
        ("measureUsageFrom", facts.measure_usage_from.is_some()),
        ("usagePeriod", facts.usage_period.is_some()),
        ("softLimit", facts.soft_limit),
        ("preserveOverageAtReset", facts.preserve_overage_at_reset),
        ("grants", !facts.grants.is_empty()),
        ("resets", !facts.resets.is_empty()),
        ("opening", facts.opening.is_some()),
        ("usage", facts.usage.is_some()),
    ];
    let present = fields.into_iter().find(|(_, present)| *present);
    present.map_or(Ok(()), |(field, _)| Err(Problem::new(field, NOT_METERED)))
}

fn check_recurrence(recurrence: &Recurrence, path: impl Fn() -> String) -> Result<(), Problem> {
    let interval = recurrence.interval;
    if !interval.is_hour_or_longer() {
        return Err(Problem::new(format!("{}.interval", path()), INTERVAL_SHORT));
    }
    if !interval.is_whole_minutes() {
        return Err(Problem::new(format!("{}.interval", path()), INTERVAL_UNEVEN));
    }
    Ok(())
}

fn check_grants(grants: &[Grant]) -> Result<(), Problem> {
    if grants.len() > MAX_GRANTS {
        return Err(Problem::new("grants", TOO_MANY_GRANTS));
    }
    let mut ids = BTreeSet::new();
    let mut total = Amount::ZERO;
    for (index, grant) in grants.iter().enumerate() {
        if grant.id.is_empty() || grant.id.len() > MAX_ID_BYTES {
            return Err(Problem::new(format!("grants[{index}].id"), ID_LENGTH));
        }
        if grants.len() > 1 && !ids.insert(grant.id.as_str()) {
            return Err(Problem::new(format!("grants[{index}].id"), GRANT_REPEATED));
        }
        check_grant(grant, index)?;
        total += grant.amount.max(grant.max_rollover);
    }
    if total.is_in_range() { Ok(()) } else { Err(Problem::new("grants", TOTAL_RANGE)) }
}

fn check_grant(grant: &Grant, index: usize) -> Result<(), Problem> {
    let problem = |field: &str, error| Problem::new(format!("grants[{index}].{field}"), error);
    let amounts = [
        ("amount", grant.amount),
        ("minRollover", grant.min_rollover),
        ("maxRollover", grant.max_rollover),
    ];
    if let Some((field, _)) = amounts.iter().find(|(_, amount)| amount.is_negative()) {
        return Err(problem(field, NEGATIVE));
    }
    if grant.expires_at.is_some_and(|end| end < grant.effective_at.floor_minute().into()) {
        return Err(problem("expiresAt", END_BEFORE_START));
    }
    if grant.expiration.is_some_and(|expiration| expiration.count == 0) {
        return Err(problem("expiration.count", EXPIRATION_COUNT));
    }
    let path = || format!("grants[{index}].recurrence");
    grant.recurrence.as_ref().map_or(Ok(()), |recurrence| check_recurrence(recurrence, path))
}

fn check_resets(facts: &Entitlement) -> Result<(), Problem> {
    if facts.resets.len() > MAX_RESETS {
        return Err(Problem::new("resets", TOO_MANY_RESETS));
    }
    let mut last = facts.measure_usage_from.map(Timestamp::floor_minute);
    for (index, reset) in facts.resets.iter().enumerate() {
        let at = reset.at.floor_minute();
        if last.is_some_and(|last| at <= last) {
            return Err(Problem::new(format!("resets[{index}].at"), RESET_ORDER));
        }
        last = Some(at);
    }
    Ok(())
}

fn check_opening(facts: &Entitlement) -> Result<(), Problem> {
    let Some(opening) = &facts.opening else { return Ok(()) };
    let at = opening.at.floor_minute();
    if opening.at != Timestamp::from(at) {
        return Err(Problem::new("opening.at", OPENING_MINUTE));
    }
    let period_start = opening.period_start.floor_minute();
    if period_start > at {
        return Err(Problem::new("opening.periodStart", END_BEFORE_START));
    }
    let known = |id: &String| facts.grants.iter().any(|grant| grant.id == *id);
    if !opening.balances.keys().all(known) {
        return Err(Problem::new("opening.balances", GRANT_UNKNOWN));
    }
    let burnt = |reset: Instant| reset > period_start && reset < at;
    if let Some(index) = facts.resets.iter().position(|reset| burnt(reset.at.floor_minute())) {
        return Err(Problem::new(format!("resets[{index}].at"), RESET_BEFORE_OPENING));
    }
    let balances: Amount = opening.balances.values().copied().sum();
    let amounts = [balances, opening.overage, opening.usage, opening.grant_usage];
    if opening.balances.values().any(|balance| balance.is_negative()) {
        return Err(Problem::new("opening.balances", NEGATIVE));
    }
    match amounts.iter().all(|amount| amount.is_in_range()) {
        true => Ok(()),
        false => Err(Problem::new("opening", TOTAL_RANGE)),
    }
}

fn check_usage(usage: &Usage) -> Result<(), Problem> {
    let (flow, value) = (usage.kind == UsageKind::Flow, usage.kind == UsageKind::Value);
    let level = usage.kind == UsageKind::Level;
    let fields = [
        ("usage.events", !usage.events.is_empty(), flow, false),
        ("usage.amount", usage.amount.is_some(), value || level, value || level),
        ("usage.balance", usage.balance.is_some(), value, value),
        ("usage.overage", usage.overage.is_some(), value, value),
    ];
    for (path, present, allowed, needed) in fields {
        if present && !allowed {
            return Err(Problem::new(path, USAGE_FIELD));
        }
        if needed && !present {
            return Err(Problem::new(path, USAGE_FIELD));
        }
    }
    let spent: Amount = usage.events.iter().map(|event| event.amount.max(-event.amount)).sum();
    if !spent.is_in_range() {
        return Err(Problem::new("usage.events", TOTAL_RANGE));
    }
    let late = usage.as_of.and_then(|as_of| usage.events.iter().position(|e| e.at >= as_of));
    late.map_or(Ok(()), |index| {
        Err(Problem::new(format!("usage.events[{index}].at"), USAGE_AFTER_AS_OF))
    })
}

const NO_MEASURE: Error = Error::new(
    "measure-usage-from-missing",
    "usage cannot be counted from nowhere; give measureUsageFrom or an opening",
);
const NOT_STATIC: Error =
    Error::new("config-not-static", "only static entitlements carry a config; remove it");
const NO_CONFIG: Error =
    Error::new("config-missing", "a static entitlement carries a config; give one, if only null");
const CONFIG_LENGTH: Error =
    Error::new("config-length", "the config is longer than 65536 bytes; shorten it");
const NOT_METERED: Error = Error::new(
    "field-not-metered",
    "only metered entitlements have this field; remove it or change the type",
);
const END_BEFORE_START: Error =
    Error::new("end-before-start", "the end is before the start; swap or correct them");
const INTERVAL_SHORT: Error =
    Error::new("interval-too-short", "the interval is shorter than an hour; write PT1H or longer");
const INTERVAL_UNEVEN: Error = Error::new(
    "interval-not-whole-minutes",
    "the interval has seconds; balances change at whole minutes only, so write whole minutes",
);
const TOO_MANY_GRANTS: Error = Error::new(
    "too-many-grants",
    "an entitlement has at most 1000 grants; leave out those that ended before the opening",
);
const TOO_MANY_RESETS: Error = Error::new(
    "too-many-resets",
    "an entitlement has at most 4095 resets by hand; give an opening after the older ones",
);
const ID_LENGTH: Error = Error::new("id-length", "an id has 1 to 128 bytes; shorten or give it");
const GRANT_REPEATED: Error =
    Error::new("grant-repeated", "the grant id stands here twice; each may stand once");
const GRANT_UNKNOWN: Error = Error::new(
    "grant-unknown",
    "the opening has a balance for a grant that is not listed; list it or leave its balance out",
);
const NEGATIVE: Error = Error::new("amount-negative", "the amount is negative; write 0 or more");
const TOTAL_RANGE: Error = Error::new(
    "total-out-of-range",
    "together these amounts exceed 9007199254740991 (2^53 - 1); choose a larger unit",
);
const EXPIRATION_COUNT: Error =
    Error::new("expiration-count", "an expiration counts at least 1; give a count or leave it out");
const RESET_ORDER: Error = Error::new(
    "reset-order",
    "resets stand in order of time, after measureUsageFrom, at most one a minute; sort them",
);
const RESET_BEFORE_OPENING: Error = Error::new(
    "reset-before-opening",
    "the opening's period began before this reset; give the period that the opening is in",
);
const OPENING_MINUTE: Error =
    Error::new("opening-not-on-minute", "the opening is not on a whole minute; choose one");
const USAGE_FIELD: Error = Error::new(
    "usage-field",
    "flow has events, level has amount, value has amount, balance and overage, unknown has none",
);
const USAGE_AFTER_AS_OF: Error = Error::new(
    "usage-after-as-of",
    "the usage happened after asOf, up to which usage is said to be complete; correct one of them",
);
