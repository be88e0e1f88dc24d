//! Facts of any size: ten features, three plans, usage that differs by subject.

use edgegrant::model::{
    Config, Entitlement, EntitlementType, Fact, Feature, Grant, Recurrence, Subject, Usage,
    UsageEvent, UsageKind,
};
use edgegrant::{Amount, Error, Instant, Interval};

use super::Dice;

/// What to generate.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// How many subjects.
    pub subjects: u64,
    /// Chooses the data.
    pub seed: u64,
    /// The instant that usage lies before.
    pub at: Instant,
    /// How grants are named.
    pub grant_ids: GrantIds,
}

/// How grants are named, which decides how many bytes a snapshot spends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum GrantIds {
    /// By feature and number, with one anchor for all.
    Derived,
    /// ULIDs, with an anchor for each subject.
    Ulid,
}

const BOOLEAN: [&str; 4] = ["sso", "audit_log", "custom_domain", "priority_support"];
const STATIC: [&str; 3] = ["regions", "retention", "integrations"];
const METERED: [(&str, &str); 3] =
    [("api_calls", "request"), ("tokens", "token"), ("exports", "export")];
/// Units a period by plan, for each metered feature.
const AMOUNTS: [[i64; 3]; 3] =
    [[1_000, 50_000, 2_000_000], [20_000, 1_000_000, 50_000_000], [5, 100, 5_000]];
const DAY_MS: i64 = 86_400_000;

/// Generates features, then subjects `subject-1` and so on.
///
/// # Errors
/// None with the built-in data; they would be those of its intervals and configs.
///
/// ```
/// use edgegrant::Instant;
/// use edgegrant_origin::generate::{Facts, GrantIds, facts};
///
/// let at = Instant::parse("2026-11-20T00:00:00Z")?;
/// let options = Facts { subjects: 3, seed: 1, at, grant_ids: GrantIds::Derived };
/// assert_eq!(facts(options)?.count(), 10 + 3);
/// # Ok::<(), edgegrant::Error>(())
/// ```
pub fn facts(options: Facts) -> Result<impl Iterator<Item = Fact>, Error> {
    let template = Template::new(options)?;
    let plain = BOOLEAN.into_iter().chain(STATIC).map(|key| feature(key, None));
    let metered = METERED.into_iter().map(|(key, unit)| feature(key, Some(unit)));
    let subjects = (1..=options.subjects).map(move |number| template.subject(number));
    Ok(plain.chain(metered).map(Fact::Feature).chain(subjects.map(Fact::Subject)))
}

fn feature(key: &str, unit: Option<&str>) -> Feature {
    Feature { unit: unit.map(Into::into), ..Feature::new(key) }
}

/// What all subjects share.
struct Template {
    options: Facts,
    month: Interval,
    /// By feature and plan.
    configs: [[Config; 3]; 3],
}

impl Template {
    fn new(options: Facts) -> Result<Self, Error> {
        let config = Config::parse;
        let configs = [
            [config(r#"["eu"]"#)?, config(r#"["eu","us"]"#)?, config(r#"["eu","us","ap"]"#)?],
            [config(r#"{"days":7}"#)?, config(r#"{"days":90}"#)?, config(r#"{"days":730}"#)?],
            [config("[]")?, config(r#"["github"]"#)?, config(r#"["github","jira","slack"]"#)?],
        ];
        Ok(Self { options, month: Interval::parse("P1M")?, configs })
    }

    fn subject(&self, number: u64) -> Subject {
        let mut dice = Dice::new(self.options.seed, number);
        let plan = dice.pick(&[0, 0, 0, 1, 1, 2], 0);
        let mut entitlements = Vec::with_capacity(10);
        let boolean = |key| Entitlement::new(key, EntitlementType::Boolean);
        entitlements.extend(BOOLEAN.map(boolean));
        for (key, configs) in STATIC.into_iter().zip(&self.configs) {
            let config = configs.get(plan).cloned();
            entitlements
                .push(Entitlement { config, ..Entitlement::new(key, EntitlementType::Static) });
        }
        let anchor = self.anchor(&mut dice);
        for ((key, _), amounts) in METERED.into_iter().zip(AMOUNTS) {
            let amount = amounts.get(plan).copied().unwrap_or_default();
            entitlements.push(self.metered(&mut dice, key, amount, anchor));
        }
        Subject { entitlements, ..Subject::new(format!("subject-{number}")) }
    }

    /// The first of a year for everybody, or a minute of the last year for each.
    fn anchor(&self, dice: &mut Dice) -> Instant {
        let shared = self.options.at.plus_millis(-400 * DAY_MS).floor_minute();
        match self.options.grant_ids {
            GrantIds::Derived => shared,
            GrantIds::Ulid => shared.plus_millis(dice.below(365 * 1440) as i64 * 60_000),
        }
    }

    /// A monthly allowance that is refilled, and something of it used.
    fn metered(&self, dice: &mut Dice, key: &str, amount: i64, anchor: Instant) -> Entitlement {
        let recurrence = Recurrence { interval: self.month, anchor: anchor.into() };
        let id = match self.options.grant_ids {
            GrantIds::Derived => format!("{key}-1"),
            GrantIds::Ulid => dice.ulid(anchor),
        };
        let grant = Grant {
            id,
            amount: Amount::from_units(amount),
            priority: 1,
            effective_at: anchor.into(),
            expiration: None,
            expires_at: None,
            recurrence: Some(recurrence),
            min_rollover: Amount::ZERO,
            max_rollover: Amount::ZERO,
            voided_at: None,
            deleted_at: None,
            created_at: None,
        };
        Entitlement {
            measure_usage_from: Some(anchor.into()),
            usage_period: Some(recurrence),
            grants: vec![grant],
            usage: Some(self.usage(dice, amount, anchor)),
            ..Entitlement::new(key, EntitlementType::Metered)
        }
    }

    /// A few sums within the last days. Half of the subjects did nothing lately, and of the others
    /// every fourth has used up all that it is granted.
    fn usage(&self, dice: &mut Dice, amount: i64, anchor: Instant) -> Usage {
        let events = if dice.once_in(2) { 0 } else { dice.below(3) + 1 };
        let event = |_| {
            let back = dice.below(20 * 86_400) as i64 * 1000 + 1000;
            let at = self.options.at.plus_millis(-back).max(anchor);
            let units = dice.below(amount.unsigned_abs() / 2 + 1);
            UsageEvent { at: at.into(), amount: Amount::from_units(units as i64) }
        };
        let mut events: Vec<_> = (0..events).map(event).collect();
        if !events.is_empty() && dice.once_in(4) {
            let at = self.options.at.plus_millis(-1000).max(anchor).into();
            events.push(UsageEvent { at, amount: Amount::from_units(amount) });
        }
        events.sort_by_key(|event| event.at);
        Usage {
            kind: UsageKind::Flow,
            events,
            amount: None,
            balance: None,
            overage: None,
            as_of: Some(self.options.at.into()),
        }
    }
}
