//! Thousands of generated records come back whole, page by page.

use std::fs;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::kit::{Served, at};

const NOON: &str = "2026-03-10T12:00:00Z";
const CUSTOMERS: usize = 1_000;

/// An instant of the day before, to the microsecond.
fn instant(random: &mut Rng) -> String {
    let (minute, second, micros) = (random.u32(0..60), random.u32(0..60), random.u32(0..1_000_000));
    format!("2026-03-09T10:{minute:02}:{second:02}.{micros:06}Z")
}

#[derive(Default)]
struct Export {
    entitlements: Vec<Value>,
    grants: Vec<Value>,
    values: Vec<Value>,
}

impl Export {
    fn add(&mut self, random: &mut Rng, customer: usize) {
        let base = |random: &mut Rng, feature: &str, kind: &str| {
            let created = instant(random);
            json!({ "id": format!("{customer:04}-{feature}"), "type": kind,
                    "featureId": format!("id-{feature}"), "featureKey": feature,
                    "customerId": format!("id-{customer:04}"),
                    "customerKey": format!("c-{customer:04}"),
                    "activeFrom": created, "createdAt": created, "updatedAt": instant(random) })
        };
        self.entitlements.push(base(random, "sso", "boolean"));
        let mut limits = base(random, "limits", "static");
        limits["config"] = json!({ "rows": random.u32(..) }).to_string().into();
        self.entitlements.push(limits);
        let mut tokens = base(random, "tokens", "metered");
        let start = "2026-03-09T10:00:00Z";
        let more = json!({
            "isSoftLimit": random.bool(), "preserveOverageAtReset": false,
            "measureUsageFrom": start, "lastReset": start,
            "currentUsagePeriod": { "from": start, "to": "2026-04-09T10:00:00Z" },
            "usagePeriod": { "anchor": start, "interval": "MONTH", "intervalISO": "P1M" },
            "metadata": { "note": "\u{e9} \"x\"", "n": random.u8(..).to_string() }
        });
        tokens.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (amount, left) = (random.u32(100..), random.u32(0..100));
        let id = format!("{customer:04}-grant");
        self.grants.push(json!({
            "id": id, "entitlementId": tokens["id"], "amount": amount, "priority": 1,
            "effectiveAt": start, "minRolloverAmount": 0, "maxRolloverAmount": amount,
            "createdAt": instant(random), "updatedAt": instant(random),
        }));
        let value = json!({
            "hasAccess": left > 0, "balance": left, "usage": amount - left, "overage": 0,
            "totalAvailableGrantAmount": amount, "grantBalances": { id: left }
        });
        self.values.push(json!({ "entitlementId": tokens["id"], "time": NOON, "value": value }));
        self.entitlements.push(tokens);
    }
}

/// All items of a list, `size` at a time.
fn pages(served: &Served, path: &str, size: usize) -> Vec<Value> {
    let mut found = Vec::new();
    for number in 1.. {
        let page = served.get(&format!("{path}page={number}&pageSize={size}"));
        let items = page["items"].as_array().unwrap();
        found.extend(items.iter().cloned());
        if items.len() < size {
            assert_eq!(page["totalCount"], found.len());
            break;
        }
    }
    found
}

fn sorted(mut records: Vec<Value>, name: &str) -> Vec<Value> {
    let key = |record: &Value| {
        [&record[name], &record["id"]].map(|text| text.as_str().unwrap().to_owned())
    };
    records.sort_by_key(key);
    records
}

#[test]
fn thousands_of_records_come_back_whole() {
    let (mut random, mut export) = (Rng::with_seed(4), Export::default());
    (0..CUSTOMERS).for_each(|customer| export.add(&mut random, customer));
    let Export { entitlements, grants, values } = export;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("entitlements.json", json!({ "items": entitlements }).to_string());
    write("grants.json", json!(grants).to_string());
    write("values.ndjson", values.iter().map(|value| format!("{value}\n")).collect());
    let served = Served::import(&[folder.path().to_owned()], at(NOON));

    let expected = sorted(entitlements, "createdAt");
    assert_eq!(pages(&served, "/api/v2/entitlements?", 1000), expected);
    assert_eq!(pages(&served, "/api/v2/entitlements?", 97), expected);
    let descending: Vec<Value> = sorted(expected, "updatedAt").into_iter().rev().collect();
    let path = "/api/v2/entitlements?orderBy=updatedAt&order=DESC&";
    assert_eq!(pages(&served, path, 999), descending);
    let path = "/api/v2/grants?orderBy=createdAt&";
    assert_eq!(pages(&served, path, 300), sorted(grants, "createdAt"));
    for line in values {
        let customer = line["entitlementId"].as_str().unwrap().split('-').next().unwrap();
        let path = format!("/api/v2/customers/c-{customer}/entitlements/tokens/value");
        let mut expected = line["value"].clone();
        let soft =
            served.get(&format!("/api/v2/entitlements/{customer}-tokens"))["isSoftLimit"] == true;
        expected["hasAccess"] = (soft || expected["hasAccess"] == true).into();
        assert_eq!(served.get(&path), expected);
    }
}
