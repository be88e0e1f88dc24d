//! The product whose customers are generated: an API company with three plans.
//!
//! Customers are made as facts with their whole ledger. What its server would answer follows from
//! them, computed by the engine.

use edgegrant::model::{
    Config, Entitlement, EntitlementType, Expiration, Grant, Recurrence, Reset, Source, Usage,
    UsageEvent, UsageKind,
};
use edgegrant::time::{ExpirationUnit, Timestamp};
use edgegrant::{Amount, Error, Instant, Interval};

use super::Dice;

/// A feature of the product.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProductFeature {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    /// The meter whose events count as usage.
    pub(super) meter: Option<&'static str>,
}

/// Two of each kind, and one more that is metered with a soft limit.
pub(super) const FEATURES: [ProductFeature; 7] = [
    ProductFeature { key: "sso", name: "Single sign-on", meter: None },
    ProductFeature { key: "audit_log", name: "Audit log", meter: None },
    ProductFeature { key: "regions", name: "Regions", meter: None },
    ProductFeature { key: "rate_limit", name: "Rate limit", meter: None },
    ProductFeature { key: "api_calls", name: "API calls", meter: Some("api_calls") },
    ProductFeature { key: "tokens", name: "Model tokens", meter: Some("tokens") },
    ProductFeature { key: "exports", name: "Report exports", meter: Some("exports") },
];

/// What a plan includes.
#[derive(Clone, Copy, Debug)]
struct Plan {
    name: &'static str,
    boolean: &'static [&'static str],
    regions: &'static str,
    rate_limit: &'static str,
    calls_an_hour: i64,
    tokens_a_month: i64,
    exports_a_month: i64,
}

const FREE: Plan = Plan {
    name: "free",
    boolean: &[],
    regions: r#"["eu"]"#,
    rate_limit: r#"{"perSecond":1}"#,
    calls_an_hour: 20,
    tokens_a_month: 10_000,
    exports_a_month: 3,
};
const PRO: Plan = Plan {
    name: "pro",
    boolean: &["audit_log"],
    regions: r#"["eu","us"]"#,
    rate_limit: r#"{"perSecond":20,"burst":100}"#,
    calls_an_hour: 1_000,
    tokens_a_month: 500_000,
    exports_a_month: 50,
};
const SCALE: Plan = Plan {
    name: "scale",
    boolean: &["sso", "audit_log"],
    regions: r#"["eu","us","ap"]"#,
    rate_limit: r#"{"perSecond":500,"burst":5000}"#,
    calls_an_hour: 50_000,
    tokens_a_month: 20_000_000,
    exports_a_month: 1_000,
};

/// A customer with everything that is known about it.
#[derive(Debug)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) plan: &'static str,
    pub(super) created_at: Instant,
    pub(super) entitlements: Vec<Entitlement>,
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Makes the customer of a number; the first three have one plan each, in order.
pub(super) fn customer(seed: u64, number: u64, at: Instant) -> Result<Customer, Error> {
    let mut dice = Dice::new(seed, number);
    let plan = match number {
        1 => FREE,
        2 => PRO,
        3 => SCALE,
        _ => dice.pick(&[FREE, FREE, FREE, PRO, PRO, SCALE], FREE),
    };
    // Within the last three months, so that a ledger by the minute stays short.
    let age = DAY_MS * (40 + dice.below(50) as i64) + MINUTE_MS * dice.below(1440) as i64;
    let created_at = at.plus_millis(-age).floor_minute();
    let id = dice.ulid(created_at);
    let mut maker = Maker { dice, created_at, at };
    let mut entitlements = Vec::new();
    for key in plan.boolean {
        entitlements.push(maker.entitlement(key, EntitlementType::Boolean));
    }
    for (key, config) in [("regions", plan.regions), ("rate_limit", plan.rate_limit)] {
        let config = Some(Config::parse(config)?);
        let entitlement = maker.entitlement(key, EntitlementType::Static);
        entitlements.push(Entitlement { config, ..entitlement });
    }
    entitlements.push(maker.api_calls(plan.calls_an_hour)?);
    entitlements.push(maker.tokens(plan.tokens_a_month)?);
    entitlements.push(maker.exports(plan.exports_a_month)?);
    let key = format!("customer-{number}");
    Ok(Customer { id, key, plan: plan.name, created_at, entitlements })
}

struct Maker {
    dice: Dice,
    created_at: Instant,
    at: Instant,
}

impl Maker {
    fn entitlement(&mut self, key: &str, kind: EntitlementType) -> Entitlement {
        Entitlement {
            active_from: Some(self.created_at.into()),
            source: Some(Source {
                system: "openmeter".into(),
                id: self.dice.ulid(self.created_at),
            }),
            ..Entitlement::new(key, kind)
        }
    }

    fn metered(&mut self, key: &str, period: &str) -> Result<Entitlement, Error> {
        let start: Timestamp = self.created_at.into();
        Ok(Entitlement {
            measure_usage_from: Some(start),
            usage_period: Some(Recurrence { interval: Interval::parse(period)?, anchor: start }),
            ..self.entitlement(key, EntitlementType::Metered)
        })
    }

    /// Calls by the day, refilled on the hour.
    fn api_calls(&mut self, hourly: i64) -> Result<Entitlement, Error> {
        let hour = self.created_at.plus_millis(-self.created_at.millis().rem_euclid(HOUR_MS));
        let every_hour = Recurrence { interval: Interval::parse("PT1H")?, anchor: hour.into() };
        let grant = Grant { recurrence: Some(every_hour), ..self.grant(hourly, 1) };
        let usage = self.usage(hourly / 4, 2 * HOUR_MS, 12);
        let metered = self.metered("api_calls", "P1D")?;
        Ok(Entitlement { grants: vec![grant], usage: Some(usage), ..metered })
    }

    /// Tokens by the month, of which half rolls over, and packs that last a year.
    fn tokens(&mut self, monthly: i64) -> Result<Entitlement, Error> {
        let mut metered = self.metered("tokens", "P1M")?;
        let mut allowance = Grant { recurrence: metered.usage_period, ..self.grant(monthly, 2) };
        allowance.max_rollover = Amount::from_units(monthly / 2);
        metered.grants.push(allowance);
        if self.dice.once_in(3) {
            let size = Amount::from_units(monthly / 5);
            let expiration = Expiration { duration: ExpirationUnit::Year, count: 1 };
            let pack = Grant { max_rollover: size, ..self.grant(monthly / 5, 1) };
            metered.grants.push(Grant { expiration: Some(expiration), ..pack });
        }
        if self.dice.once_in(10) {
            let back = DAY_MS + MINUTE_MS * self.dice.below(20 * 1440) as i64;
            let at = self.at.plus_millis(-back).floor_minute().into();
            let retain_anchor = self.dice.once_in(2);
            metered.resets.push(Reset { at, retain_anchor, preserve_overage: None });
        }
        metered.usage = Some(self.usage(monthly / 6, 35 * DAY_MS, 10));
        Ok(metered)
    }

    /// Exports by the month, issued again at each reset, never refused.
    fn exports(&mut self, monthly: i64) -> Result<Entitlement, Error> {
        let mut grant = self.grant(monthly, 1);
        grant.min_rollover = grant.amount;
        grant.max_rollover = grant.amount;
        let usage = self.usage(monthly / 2 + 1, 35 * DAY_MS, 6);
        let metered = self.metered("exports", "P1M")?;
        Ok(Entitlement {
            soft_limit: true,
            preserve_overage_at_reset: self.dice.once_in(4),
            grants: vec![grant],
            usage: Some(usage),
            ..metered
        })
    }

    fn grant(&mut self, units: i64, priority: u8) -> Grant {
        let jitter = self.dice.below(900_000) as i64;
        Grant {
            id: self.dice.ulid(self.created_at),
            amount: Amount::from_units(units),
            priority,
            effective_at: self.created_at.into(),
            expiration: None,
            expires_at: None,
            recurrence: None,
            min_rollover: Amount::ZERO,
            max_rollover: Amount::ZERO,
            voided_at: None,
            deleted_at: None,
            created_at: Some(self.created_at.plus_millis(jitter / 1000).into()),
        }
    }

    /// Sums by the minute, spread over the time before now.
    fn usage(&mut self, most: i64, span_ms: i64, events: u64) -> Usage {
        let count = self.dice.below(events + 1);
        let event = |_| {
            let back = self.dice.below((span_ms / MINUTE_MS).unsigned_abs()) as i64 + 1;
            let at = self.at.floor_minute().plus_millis(-back * MINUTE_MS);
            let units = self.dice.below(most.unsigned_abs() + 1) as i64;
            UsageEvent { at: at.max(self.created_at).into(), amount: Amount::from_units(units) }
        };
        let mut events: Vec<_> = (0..count).map(event).collect();
        events.retain(|event| event.amount.is_positive());
        events.sort_by_key(|event| event.at);
        let as_of = Some(self.at.floor_minute().into());
        let kind = UsageKind::Flow;
        Usage { kind, events, amount: None, balance: None, overage: None, as_of }
    }
}
