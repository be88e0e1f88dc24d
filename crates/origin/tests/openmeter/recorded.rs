//! Answers recorded from a real server, where they are at hand.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::kit::{imported, refusal};

/// A recorded answer, or nothing where the reference material is absent.
pub(crate) fn recorded(name: &str) -> Option<Value> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = root.join("../shared/sources/fixtures/openmeter").join(name);
    serde_json::from_str(&fs::read_to_string(shared).ok()?).unwrap()
}

#[test]
fn recorded_burn_order_is_reproduced() {
    let (Some(entitlement), Some(grants), Some(value)) = (
        recorded("01-entitlement-metered-v2-LIVE.json"),
        recorded("02-grants-page-v2-LIVE.json"),
        recorded("03-value-v2-LIVE.json"),
    ) else {
        return;
    };
    let id = entitlement["id"].clone();
    let row = |minute: usize, value: u64| {
        json!({ "value": value, "windowStart": format!("2026-09-12T03:{minute}:00Z"),
                "windowEnd": format!("2026-09-12T03:{}:00Z", minute + 1), "groupBy": {} })
    };
    let usage = json!({ "entitlementId": id, "usage": {
        "from": "2026-09-12T03:52:00Z", "windowSize": "MINUTE", "data": [row(52, 100), row(53, 800)]
    } });
    let answer = json!({ "entitlementId": id, "time": "2026-09-12T03:52:00Z", "value": value });
    let import = imported(&[
        ("entitlements.json", entitlement),
        ("grants.json", grants),
        ("values.ndjson", json!([answer])),
        ("usage.ndjson", json!([usage])),
    ]);
    let opening = import.only().opening.as_ref().unwrap();
    assert_eq!(opening.balances.len(), 2);
    assert_eq!(import.numbers("2026-09-12T03:54:00Z"), ["350", "1150", "0"]);
    // Both grants expire after an hour.
    assert_eq!(import.numbers("2026-09-12T04:50:00Z"), ["0", "1150", "0"]);
}

#[test]
fn recorded_lists_are_read_in_both_shapes() {
    let names =
        ["20-generated-entitlements-list-v1-array.json", "21-generated-entitlements-page.json"];
    for name in names {
        let Some(entitlements) = recorded(name) else { return };
        let grants = recorded("23-generated-grant-recurring-voided.json").unwrap();
        let import = imported(&[("entitlements.json", entitlements), ("grants.json", grants)]);
        let subjects = import.subjects();
        assert_eq!(subjects.first().unwrap().entitlements.len(), 4);
        assert_eq!(import.codes(), ["usage-unknown"]);
        import.assert_sound();
    }
}

#[test]
fn a_recorded_error_is_not_a_record() {
    let Some(error) = recorded("06-error-reset-not-after-last-LIVE.json") else { return };
    assert_eq!(refusal(&[("grants.json", error["body"].clone())]), "error-answer");
    assert_eq!(refusal(&[("grants.json", error.clone())]), "error-answer");
    assert_eq!(refusal(&[("reset.json", error)]), "error-answer");
}
