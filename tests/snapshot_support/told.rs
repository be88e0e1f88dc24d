//! Everything that a body says, as JSON: amounts as billionths in text, instants in milliseconds.

use edgegrant::amount::Amount;
use edgegrant::engine::program::{Grant, Metered, Rule, Usage};
use edgegrant::snapshot::{Body, EntitlementRecord, Feature, Subject, WhenExpired};
use edgegrant::time::{Instant, Recurrence};
use serde_json::{Value, json};

pub fn body(body: &Body) -> Value {
    let mut subjects: Vec<_> = body.subjects().map(Result::unwrap).collect();
    subjects.sort_by(|one, other| one.id().cmp(other.id()));
    let mut aliases: Vec<_> = body.aliases().map(Result::unwrap).collect();
    aliases.sort_unstable();
    json!({
        "subjects": subjects.iter().map(subject).collect::<Vec<_>>(),
        "aliases": aliases.iter().map(|(id, of)| json!({ "id": id, "subject": of }))
            .collect::<Vec<_>>(),
    })
}

pub fn subject(subject: &Subject<'_>) -> Value {
    let mut entitlements: Vec<_> = subject.entries().collect();
    entitlements.sort_by_key(|(feature, _)| feature.key);
    let told = entitlements.iter().map(|(f, e)| entitlement(f, &e.to_record(f).unwrap()));
    json!({ "id": subject.id(), "entitlements": told.collect::<Vec<_>>() })
}

pub fn entitlement(feature: &Feature<'_>, record: &EntitlementRecord) -> Value {
    let program = &record.program;
    let when_expired = match feature.when_expired {
        WhenExpired::LastKnown => "last-known",
        WhenExpired::Closed => "closed",
        WhenExpired::Open => "open",
    };
    let steady = record.steady.map(|steady| {
        json!({
            "after": millis(steady.after), "until": millis(steady.until),
            "changesAt": maybe(steady.changes_at), "net": nanos(steady.net),
            "from": millis(steady.figures.period.from), "to": maybe(steady.figures.period.to),
            "retryAt": maybe(steady.retry_at),
            "usage": steady.figures.usage.map(nanos),
            "totalAvailable": steady.figures.total_available.map(nanos),
        })
    });
    let (kind, metered) = match &program.rule {
        Rule::Boolean => ("boolean", None),
        Rule::Static => ("static", None),
        Rule::Metered(metered) => ("metered", Some(self::metered(metered))),
    };
    json!({
        "feature": feature.key, "unit": feature.unit, "whenExpired": when_expired,
        "config": record.config, "grantIds": record.grant_ids, "steady": steady,
        "suspended": program.suspended, "activeFrom": maybe(program.active_from),
        "activeTo": maybe(program.active_to), "graceUntil": maybe(program.grace_until),
        "type": kind, "metered": metered,
    })
}

fn metered(metered: &Metered) -> Value {
    let opening = &metered.opening;
    let stretch = |stretch: &edgegrant::engine::program::Stretch| {
        json!({
            "from": millis(stretch.from), "grid": stretch.grid.map(recurrence),
            "preserveOverage": stretch.preserve_overage,
        })
    };
    let usage = match metered.usage {
        Usage::Flow { since_opening } => json!({ "flow": nanos(since_opening) }),
        Usage::Level { in_use } => json!({ "level": nanos(in_use) }),
        Usage::Unknown => json!({ "unknown": true }),
        Usage::Value { balance, usage, overage } => {
            json!({ "value": [nanos(balance), nanos(usage), nanos(overage)] })
        }
    };
    json!({
        "unlimited": metered.unlimited, "softLimit": metered.soft_limit, "usage": usage,
        "preserveOverage": metered.timeline.preserve_overage,
        "stretches": metered.timeline.stretches.iter().map(stretch).collect::<Vec<_>>(),
        "grants": metered.grants.iter().map(grant).collect::<Vec<_>>(),
        "usageAsOf": millis(metered.usage_as_of),
        "opening": {
            "at": millis(opening.at), "periodStart": millis(opening.period_start),
            "balances": opening.balances.iter().copied().map(nanos).collect::<Vec<_>>(),
            "overage": nanos(opening.overage), "usage": nanos(opening.usage),
            "grantUsage": nanos(opening.grant_usage),
        },
    })
}

fn grant(grant: &Grant) -> Value {
    json!({
        "amount": nanos(grant.amount), "priority": grant.priority,
        "effectiveAt": millis(grant.effective_at), "expiresAt": maybe(grant.expires_at),
        "voidedAt": maybe(grant.voided_at), "deletedAt": maybe(grant.deleted_at),
        "recurrence": grant.recurrence.map(recurrence),
        "minRollover": nanos(grant.min_rollover), "maxRollover": nanos(grant.max_rollover),
    })
}

fn recurrence(recurrence: Recurrence) -> Value {
    let interval = recurrence.interval;
    json!({
        "years": interval.years(), "months": interval.months(), "millis": interval.millis(),
        "anchor": millis(recurrence.anchor),
    })
}

fn nanos(amount: Amount) -> Value {
    Value::String(amount.nanos().to_string())
}

fn millis(instant: Instant) -> Value {
    Value::from(instant.millis())
}

fn maybe(instant: Option<Instant>) -> Value {
    instant.map_or(Value::Null, millis)
}
