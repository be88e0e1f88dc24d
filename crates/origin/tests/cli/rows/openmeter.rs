//! OpenMeter's values, lists and history.

use serde_json::json;

use super::{query, sorted, texts};
use crate::shell::{NOW, published};

#[test]
fn row_openmeter_value() {
    let shell = published();
    let value =
        |line: &str| shell.json(&format!("check customer-1 api_calls --now {NOW} {line}"), 0);
    let now = value("");
    assert_eq!(value(&format!("--at {NOW}")), now);
    let refilled = value("--at 2026-11-20T13:00:00Z");
    assert!(refilled["balance"].as_f64().unwrap() >= now["balance"].as_f64().unwrap());
}

#[test]
fn row_openmeter_lists() {
    let shell = published();
    let listed = query(&shell, "find --subject customer-1", 0);
    let features = sorted(texts(&listed, "/feature"));
    assert!(features.contains(&"api_calls"), "{features:?}");
    let all = query(&shell, "catalogue", 0);
    assert!(all["features"].as_array().unwrap().len() >= features.len());
    // What is left of each grant adds up to what is left.
    let grants = query(&shell, "grants customer-1 api_calls", 0);
    let left = |grant: &serde_json::Value| grant["balance"].as_f64().unwrap_or(0.0);
    let sum: f64 = grants["grants"].as_array().unwrap().iter().map(left).sum();
    let explained = shell.json(&format!("explain customer-1 api_calls --now {NOW}"), 0);
    assert_eq!(explained["balance"].as_f64(), Some(sum));
    for name in ["id", "amount", "effectiveAt", "endsAt"] {
        let (one, other) = (&grants["grants"][0], &explained["grants"][0]);
        assert_eq!(one.get(name), other.get(name), "{name}");
    }
}

#[test]
fn row_openmeter_history() {
    let shell = published();
    let from = "--from 2026-11-20T12:30:00Z --to 2026-11-20T14:30:00Z --window hour";
    let history = shell.json(&format!("history customer-1 api_calls {from} --now {NOW}"), 0);
    let windows = history["windowedHistory"].as_array().unwrap();
    let last = windows.last().unwrap();
    assert_eq!(last["period"]["from"], "2026-11-20T14:00:00Z", "{last}");
    assert_eq!(last["balanceAtStart"], 20, "{last}");
}

#[test]
fn row_all_how_much_over() {
    let shell = published();
    let decision = shell.json(&format!("check customer-1 api_calls --used 1000 --now {NOW}"), 1);
    assert!(decision["overage"].as_f64().unwrap() > 0.0);
    let none = query(&shell, "violations --subject customer-1 --feature api_calls", 0);
    assert_eq!(none, json!({ "items": [] }));
}
