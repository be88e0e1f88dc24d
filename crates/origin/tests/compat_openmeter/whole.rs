//! Owners with many entitlements, with several to one feature, and lists of everybody that are
//! asked for by many names.

use std::time::{Duration, Instant as Clock};

use serde_json::{Value, json};

use crate::kit::{Served, at};

const NOW: &str = "2026-11-20T00:00:00Z";
const MANY: usize = 150;

/// A record as facts keep it.
fn record(kind: &str, feature: &str, json: &Value) -> Value {
    json!({ "system": "openmeter", "kind": kind, "feature": feature, "json": json })
}

fn entitlement(id: &str, feature: &str) -> Value {
    json!({ "id": id, "type": "boolean", "featureKey": feature, "subjectKey": "mill",
            "createdAt": "2026-11-01T00:00:00Z" })
}

/// A subject with many entitlements, and many grants to the first of them.
fn many() -> Served {
    let of_feature = |n: usize| {
        let key = format!("f{n:03}");
        record("entitlement", &key, &entitlement(&format!("e{n:03}"), &key))
    };
    let grant = |n: usize| {
        let grant = json!({ "id": format!("g{n:03}"), "entitlementId": "e000", "amount": 1 });
        record("grant", "f000", &grant)
    };
    let features = (0..MANY).map(|n| json!({ "feature": format!("f{n:03}") }));
    let records: Vec<Value> = (0..MANY).map(of_feature).chain((0..MANY).map(grant)).collect();
    let subject = json!({ "subject": "mill", "records": records });
    Served::publish(&features.chain([subject]).collect::<Vec<_>>(), at(NOW))
}

#[test]
fn version_1_lists_all_that_one_owner_has() {
    let served = many();
    let count = |path: &str| {
        let list = served.get(&format!("/api/{path}"));
        list.get("items").unwrap_or(&list).as_array().unwrap().len()
    };
    assert_eq!(count("v1/subjects/mill/entitlements"), MANY);
    assert_eq!(count("v1/subjects/mill/entitlements?limit=2"), MANY);
    assert_eq!(count("v1/subjects/mill/entitlements/f000/grants"), MANY);
    assert_eq!(count("v1/subjects/mill/entitlements/f000/grants?limit=2"), 2);
    assert_eq!(count("v1/entitlements"), 100);
    assert_eq!(count("v2/customers/mill/entitlements"), 100);
    assert_eq!(count("v2/customers/mill/entitlements/f000/grants"), 100);
}

#[test]
fn thousands_of_names_are_read_once() {
    let records =
        (0..20_000).map(|n| record("entitlement", "f", &entitlement(&n.to_string(), "f")));
    let records: Vec<Value> = records.collect();
    let facts = [json!({ "feature": "f" }), json!({ "subject": "mill", "records": records })];
    let served = Served::publish(&facts, at(NOW));
    let names: String = (0..4_000).map(|n| format!("&subject=s{n}")).collect();
    let begun = Clock::now();
    let list = served.get(&format!("/api/v1/entitlements?subject=mill{names}"));
    assert_eq!(list.as_array().unwrap().len(), 100);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}
