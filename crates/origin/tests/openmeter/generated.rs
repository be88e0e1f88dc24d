//! Ten thousand generated entitlements, each of which arrives with its grants and its state.

use std::collections::BTreeMap;

use edgegrant::model::{Entitlement, EntitlementType};
use edgegrant::{Amount, Instant};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::kit::{amount, answer, at, imported, metered, with};

const NOON: &str = "2026-03-10T12:00:00Z";

/// What a generated entitlement is expected to become.
enum Expected {
    Boolean,
    Static(Value),
    Metered { grants: Vec<Given>, usage: i64, overage: i64, soft: bool },
}

/// A grant with what is left of it, in billionths of a unit.
struct Given {
    id: String,
    amount: i64,
    left: i64,
    max: Option<i64>,
    priority: u8,
    effective_at: Instant,
}

/// Billionths as a decimal, as the server writes it or as a string.
fn number(random: &mut Rng, nanos: i64) -> Value {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    if random.bool() { json!(text) } else { serde_json::from_str(&text).unwrap() }
}

fn exact(nanos: i64) -> Amount {
    Amount::from_nanos(i128::from(nanos))
}

#[derive(Default)]
struct Export {
    customers: Vec<Value>,
    entitlements: Vec<Value>,
    grants: Vec<Value>,
    values: Vec<Value>,
    expected: BTreeMap<(String, String), Expected>,
}

impl Export {
    fn add(&mut self, random: &mut Rng, customer: usize, feature: usize) {
        let (customer, feature) = (format!("c-{customer:05}"), format!("f-{feature}"));
        let id = format!("{customer}/{feature}");
        let fields = json!({ "id": id, "featureKey": feature,
                             "customerId": format!("id-{customer}"),
                             "customerKey": customer });
        let (record, expected) = match random.u8(0..3) {
            0 => (with(fields, json!({ "type": "boolean" })), Expected::Boolean),
            1 => {
                let config = json!({ "limit": random.u32(..), "name": "\u{e9} \"x\"" });
                let text = json!({ "type": "static", "config": config.to_string() });
                (with(fields, text), Expected::Static(config))
            }
            _ => {
                let soft = random.bool();
                let fields = with(fields, json!({ "isSoftLimit": soft }));
                (metered(fields), self.ledger(random, &id, soft))
            }
        };
        self.entitlements.push(record);
        self.expected.insert((customer, feature), expected);
    }

    /// Some grants, and a value that says what is left of each.
    fn ledger(&mut self, random: &mut Rng, id: &str, soft: bool) -> Expected {
        let count = random.usize(1..4);
        let grants: Vec<Given> = (0..count).map(|n| given(random, format!("{id}/{n}"))).collect();
        for grant in &grants {
            let record = json!({
                "id": grant.id, "entitlementId": id, "amount": number(random, grant.amount),
                "priority": grant.priority, "effectiveAt": grant.effective_at.to_string(),
                "createdAt": grant.effective_at.to_string(), "minRolloverAmount": 0,
                "maxRolloverAmount": grant.max.map(|max| number(random, max)),
            });
            self.grants.push(record);
        }
        let left: i64 = grants.iter().map(|grant| grant.left).sum();
        let (usage, overage) = (random.i64(0..1 << 50), random.i64(0..1 << 40));
        let balances = grants.iter().map(|grant| (grant.id.clone(), number(random, grant.left)));
        let balances: serde_json::Map<String, Value> = balances.collect();
        let value = json!({
            "balance": number(random, left), "usage": number(random, usage),
            "overage": number(random, overage), "grantBalances": balances,
        });
        self.values.push(with(answer(NOON, value), json!({ "entitlementId": id })));
        Expected::Metered { grants, usage, overage, soft }
    }
}

fn given(random: &mut Rng, id: String) -> Given {
    let amount = random.i64(1..1 << 50);
    let minutes = random.i64(0..60 * 24 * 60);
    let start = at("2026-01-01T00:00:00Z").millis();
    Given {
        id,
        amount,
        left: random.i64(0..=amount),
        max: random.bool().then(|| random.i64(0..=amount)),
        priority: random.u8(..),
        effective_at: Instant::from_millis(start + minutes * 60_000).unwrap(),
    }
}

#[test]
fn ten_thousand_records_arrive_whole() {
    let mut random = Rng::with_seed(4);
    let mut export = Export::default();
    for customer in 0..2_500 {
        let (key, id) = (format!("c-{customer:05}"), format!("id-c-{customer:05}"));
        export.customers.push(json!({ "id": id, "key": key, "name": "x" }));
        for feature in 0..4 {
            export.add(&mut random, customer, feature);
        }
    }
    let import = imported(&[
        ("customers.json", json!({ "items": export.customers })),
        ("entitlements.json", json!({ "items": export.entitlements })),
        ("grants.json", json!(export.grants)),
        ("values.ndjson", json!(export.values)),
    ]);
    assert_eq!(import.codes(), Vec::<&str>::new());
    let mut found = 0;
    for subject in import.subjects() {
        for entitlement in &subject.entitlements {
            let key = (subject.subject.clone(), entitlement.feature.clone());
            agrees(entitlement, &export.expected[&key]);
            found += 1;
        }
    }
    assert_eq!(found, 10_000);
    let kept: usize = import.subjects().iter().map(|subject| subject.records.len()).sum();
    let said = export.grants.len() + export.values.len() + 2_500 + 10_000;
    assert_eq!(kept, said);
    import.assert_sound();
}

fn agrees(entitlement: &Entitlement, expected: &Expected) {
    match expected {
        Expected::Boolean => assert_eq!(entitlement.kind, EntitlementType::Boolean),
        Expected::Static(config) => {
            let text = entitlement.config.as_ref().unwrap().as_str();
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), *config);
        }
        Expected::Metered { grants, usage, overage, soft } => {
            assert_eq!(entitlement.soft_limit, *soft);
            let opening = entitlement.opening.as_ref().unwrap();
            assert_eq!((opening.usage, opening.overage), (exact(*usage), exact(*overage)));
            assert_eq!(entitlement.grants.len(), grants.len());
            for expected in grants {
                let is_it = |grant: &&edgegrant::model::Grant| grant.id == expected.id;
                let grant = entitlement.grants.iter().find(is_it).unwrap();
                assert_eq!(grant.amount, exact(expected.amount));
                assert_eq!(grant.max_rollover, exact(expected.max.unwrap_or(expected.amount)));
                assert_eq!(grant.min_rollover, amount("0"));
                assert_eq!(grant.priority, expected.priority);
                assert_eq!(grant.effective_at, expected.effective_at.into());
                assert_eq!(opening.balances[&grant.id], exact(expected.left));
            }
        }
    }
}
