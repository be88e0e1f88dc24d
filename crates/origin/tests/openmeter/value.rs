//! Value mode: the source's own answer, until the next boundary.

use edgegrant::model::UsageKind;
use serde_json::{Value, json};

use crate::kit::{Imported, export, grant, imported, imported_with, metered, value};

fn with_meter(aggregation: &str, values: Value) -> Imported {
    let mut files =
        export(metered(json!({})), json!([grant(json!({}))]), values, json!([])).to_vec();
    files.push(("meters.json", json!([{ "slug": "m", "aggregation": aggregation }])));
    let feature = json!({ "id": "01HF0000000000000000000001", "key": "tokens", "name": "Tokens",
                          "meterSlug": "m" });
    files.push(("features.json", json!({ "items": [feature], "totalCount": 1 })));
    imported(&files)
}

#[test]
fn meters_that_do_not_add_up_are_taken_as_they_answer() {
    for aggregation in ["LATEST", "UNIQUE_COUNT", "MAX"] {
        let import = with_meter(aggregation, json!([value(json!({}))]));
        assert_eq!(import.codes(), ["meter-not-additive"]);
        assert_eq!(import.only().usage.as_ref().unwrap().kind, UsageKind::Value);
        assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["40", "60", "0"]);
        assert!(!import.decide("2026-03-31T23:58:00Z").lapsed);
        assert!(import.decide("2026-04-01T00:00:00Z").lapsed);
    }
    for aggregation in ["SUM", "COUNT"] {
        let import = with_meter(aggregation, json!([value(json!({}))]));
        assert_eq!(import.only().usage.as_ref().unwrap().kind, UsageKind::Flow);
    }
    let none = with_meter("LATEST", json!([]));
    assert_eq!(none.codes(), ["meter-not-additive", "usage-unknown"]);
    assert_eq!(none.only().usage.as_ref().unwrap().kind, UsageKind::Unknown);
}

#[test]
fn subscriptions_may_convert_units() {
    let entitlement = metered(json!({ "annotations": { "subscription.id": "01HS", "n": 1 } }));
    let files =
        export(entitlement, json!([grant(json!({}))]), json!([value(json!({}))]), json!([]));
    let import = imported(&files);
    assert_eq!(import.codes(), ["subscription-units"]);
    assert_eq!(import.only().usage.as_ref().unwrap().kind, UsageKind::Value);
    let trusted = imported_with(&files, true);
    assert_eq!(trusted.codes(), Vec::<&str>::new());
    assert_eq!(trusted.only().usage.as_ref().unwrap().kind, UsageKind::Flow);
}

#[test]
fn version_1_values_tell_the_balances_of_one_grant_or_of_none_left() {
    let v1 = || metered(json!({ "customerId": null, "customerKey": null, "subjectKey": "acme" }));
    let sum_only = json!({ "grantBalances": null, "totalAvailableGrantAmount": null });
    let one = json!([grant(json!({}))]);
    let import = imported(&export(v1(), one, json!([value(sum_only.clone())]), json!([])));
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["40", "60", "0"]);
    assert_eq!(import.only().usage.as_ref().unwrap().kind, UsageKind::Flow);

    let two = json!([grant(json!({})), grant(json!({ "id": "01HG0000000000000000000002" }))]);
    let import = imported(&export(v1(), two.clone(), json!([value(sum_only)]), json!([])));
    assert_eq!(import.codes(), ["no-grant-balances"]);
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["40", "60", "0"]);

    let gone = json!({ "grantBalances": null, "balance": 0, "usage": 220, "overage": 20 });
    let import = imported(&export(v1(), two, json!([value(gone)]), json!([])));
    assert_eq!(import.only().usage.as_ref().unwrap().kind, UsageKind::Flow);
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["0", "220", "20"]);
}
