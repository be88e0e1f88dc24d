//! Owners with many entitlements, with several to one feature, and lists of everybody that are
//! asked for by many names.

use std::time::{Duration, Instant as Clock};

use serde_json::{Value, json};

use crate::kit::{Served, at};

const NOW: &str = "2026-11-20T00:00:00Z";

/// A record as facts keep it.
fn record(kind: &str, feature: &str, json: &Value) -> Value {
    json!({ "system": "openmeter", "kind": kind, "feature": feature, "json": json })
}

fn entitlement(id: &str, feature: &str) -> Value {
    json!({ "id": id, "type": "boolean", "featureKey": feature, "subjectKey": "mill",
            "createdAt": "2026-11-01T00:00:00Z" })
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
