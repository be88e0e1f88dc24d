//! Questions in the words of the facts.

use edgegrant::engine::program::{self, Metered, Opening, Program, Rule, Stretch, Timeline};
use edgegrant::engine::{self, UsageEvent};
use edgegrant::model::{self, EntitlementType};
use edgegrant::time::{ExpirationUnit, Timestamp};
use edgegrant::{Instant, Recurrence};

use crate::question::{self, Access, Duration, Event, Expiration, Grant, Ledger, OrderGrant};
use crate::{Amount, Interval, KitError};

/// The entitlement that a ledger is about.
#[must_use]
pub fn entitlement(ledger: &Ledger) -> model::Entitlement {
    let given = &ledger.entitlement;
    let event =
        |event: &Event| model::UsageEvent { at: timestamp(event.at), amount: amount(event.value) };
    let reset = |reset: &crate::question::Reset| model::Reset {
        at: timestamp(reset.at),
        retain_anchor: reset.retain_anchor,
        preserve_overage: reset.preserve_overage,
    };
    model::Entitlement {
        measure_usage_from: Some(timestamp(given.measure_usage_from)),
        usage_period: Some(facts_recurrence(&given.usage_period)),
        soft_limit: given.is_soft_limit,
        preserve_overage_at_reset: given.preserve_overage_at_reset,
        grants: ledger.grants.iter().map(grant).collect(),
        resets: ledger.resets.iter().map(reset).collect(),
        usage: Some(model::Usage {
            kind: model::UsageKind::Flow,
            events: ledger.usage.iter().map(event).collect(),
            amount: None,
            balance: None,
            overage: None,
            as_of: None,
        }),
        ..model::Entitlement::new("metered", EntitlementType::Metered)
    }
}

pub(super) fn grant(grant: &Grant) -> model::Grant {
    model::Grant {
        id: grant.id.clone(),
        amount: amount(grant.amount),
        priority: grant.priority,
        effective_at: timestamp(grant.effective_at),
        expiration: grant.expiration.map(expiration),
        expires_at: grant.expires_at.map(timestamp),
        recurrence: grant.recurrence.as_ref().map(facts_recurrence),
        min_rollover: amount(grant.min_rollover),
        max_rollover: amount(grant.max_rollover),
        voided_at: grant.voided_at.map(timestamp),
        deleted_at: grant.deleted_at.map(timestamp),
        created_at: grant.created_at.map(timestamp),
    }
}

pub(super) fn order_grant(grant: &OrderGrant) -> model::Grant {
    model::Grant {
        id: grant.id.clone(),
        amount: edgegrant::Amount::ZERO,
        priority: grant.priority,
        effective_at: grant.effective_at.map_or(Timestamp::from(Instant::EPOCH), timestamp),
        expiration: grant.expiration.map(expiration),
        expires_at: None,
        recurrence: None,
        min_rollover: edgegrant::Amount::ZERO,
        max_rollover: edgegrant::Amount::ZERO,
        voided_at: None,
        deleted_at: None,
        created_at: grant.created_at.map(timestamp),
    }
}

/// The grant without any rounding, as a run of the engine alone takes it.
pub(super) fn as_it_stands(grant: &Grant) -> program::Grant {
    let facts = self::grant(grant);
    let derived = facts.expiration.and_then(|e| {
        edgegrant::time::expiration(facts.effective_at.ceil_millis(), e.duration, e.count)
    });
    program::Grant {
        amount: facts.amount,
        priority: facts.priority,
        effective_at: facts.effective_at.ceil_millis(),
        expires_at: facts.expires_at.map(Timestamp::ceil_millis).or(derived),
        voided_at: facts.voided_at.map(Timestamp::ceil_millis),
        deleted_at: facts.deleted_at.map(Timestamp::ceil_millis),
        recurrence: facts.recurrence.map(|recurrence| Recurrence {
            interval: recurrence.interval,
            anchor: recurrence.anchor.ceil_millis(),
        }),
        min_rollover: facts.min_rollover,
        max_rollover: facts.max_rollover,
    }
}

fn expiration(given: Expiration) -> model::Expiration {
    let duration = match given.duration {
        Duration::Hour => ExpirationUnit::Hour,
        Duration::Day => ExpirationUnit::Day,
        Duration::Week => ExpirationUnit::Week,
        Duration::Month => ExpirationUnit::Month,
        Duration::Year => ExpirationUnit::Year,
    };
    model::Expiration { duration, count: given.count }
}

fn facts_recurrence(given: &crate::question::Recurrence) -> model::Recurrence {
    let interval = interval(&given.interval).expect("an interval of the kit is one of the engine");
    model::Recurrence { interval, anchor: timestamp(given.anchor) }
}

fn interval(interval: &Interval) -> Result<edgegrant::Interval, KitError> {
    let text = interval.to_string();
    edgegrant::Interval::parse(&text).map_err(|error| KitError(error.to_string()))
}

pub(super) fn recurrence(of: &Interval, anchor: crate::Instant) -> Result<Recurrence, KitError> {
    Ok(Recurrence { interval: interval(of)?, anchor: timestamp(anchor).ceil_millis() })
}

pub(super) fn events(events: &[Event]) -> Vec<UsageEvent> {
    let event = |event: &Event| UsageEvent {
        at: timestamp(event.at).floor_second(),
        amount: amount(event.value),
    };
    let mut events: Vec<_> = events.iter().map(event).collect();
    events.sort_by_key(|event| event.at);
    events
}

/// A program whose balance is the one given.
pub(crate) fn access_program(access: &Access) -> Result<Program, KitError> {
    let facts = model::Entitlement {
        active_from: access.active_from.or(access.created_at).map(timestamp),
        active_to: access.active_to.map(timestamp),
        deleted_at: access.deleted_at.map(timestamp),
        ..model::Entitlement::new("feature", EntitlementType::Boolean)
    };
    let compiled = engine::compile(&facts, model::Status::Active, Instant::EPOCH)
        .map_err(|problem| KitError(problem.error.code().to_owned()))?;
    let rule = match access.kind {
        Some(question::EntitlementType::Metered) => Rule::Metered(balanced(access)),
        _ => Rule::Boolean,
    };
    Ok(Program { rule, ..compiled.program })
}

fn balanced(access: &Access) -> Metered {
    let at = Instant::MIN;
    Metered {
        unlimited: false,
        soft_limit: access.is_soft_limit,
        usage: program::Usage::Value {
            balance: amount(access.balance),
            usage: edgegrant::Amount::ZERO,
            overage: edgegrant::Amount::ZERO,
        },
        timeline: Timeline {
            stretches: vec![Stretch { from: at, grid: None, preserve_overage: false }],
            preserve_overage: false,
        },
        grants: Vec::new(),
        opening: Opening {
            at,
            period_start: at,
            balances: Vec::new(),
            overage: edgegrant::Amount::ZERO,
            usage: edgegrant::Amount::ZERO,
            grant_usage: edgegrant::Amount::ZERO,
        },
        usage_as_of: at,
    }
}

pub(super) fn amount(amount: Amount) -> edgegrant::Amount {
    edgegrant::Amount::from_nanos(amount.as_nanos())
}

pub(crate) fn kit_amount(amount: edgegrant::Amount) -> Amount {
    Amount::nanos(amount.nanos())
}

/// The engine's instant, rounded up to the millisecond.
#[must_use]
pub fn instant(at: crate::Instant) -> Instant {
    timestamp(at).ceil_millis()
}

pub(super) fn timestamp(at: crate::Instant) -> Timestamp {
    Timestamp::parse(&at.to_rfc3339()).expect("an instant of the kit is one of the engine")
}

pub(crate) fn kit_instant(at: Instant) -> crate::Instant {
    crate::Instant::from_timestamp_millis(at.millis()).expect("within the years 1 to 9999")
}
