//! The worked answers, out of what a real server answered.

use edgegrant::engine::{self, Question, Reason};
use edgegrant::model::Status;
use edgegrant::{Amount, Instant};
use serde_json::{Value, json};

use crate::kit::{Imported, at, grant, imported, metered, with};
use crate::recorded::recorded;

/// Usage in minutes after 03:50, the start of the recorded period.
fn usage(entitlement: &Value, from: u64, rows: &[(u64, u64)]) -> Value {
    let minute = |minute: u64| format!("2026-09-12T03:{minute}:00Z");
    let row = |&(start, value): &(u64, u64)| {
        json!({ "value": value, "windowStart": minute(start), "windowEnd": minute(start + 1),
                "groupBy": {} })
    };
    let data: Vec<Value> = rows.iter().map(row).collect();
    json!([{ "entitlementId": entitlement["id"], "usage": {
        "from": minute(from), "windowSize": "MINUTE", "data": data
    } }])
}

/// What is left of each grant, in the order listed.
fn left(import: &Imported, now: &str) -> Vec<Amount> {
    let now: Instant = at(now);
    let compiled = engine::compile(import.only(), Status::Active, now).unwrap();
    let question = Question { now, amount: None, used: Amount::ZERO, extra: &[] };
    let mut grants = engine::explain(&compiled.program, &question).grants;
    grants.sort_by_key(|account| account.index);
    grants.iter().map(|account| account.balance).collect()
}

fn units(units: &[i64]) -> Vec<Amount> {
    units.iter().copied().map(Amount::from_units).collect()
}

#[test]
fn worked_openmeter_01_and_02_used_250() {
    let (Some(entitlement), Some(grants)) =
        (recorded("01-entitlement-metered-v2-LIVE.json"), recorded("02-grants-page-v2-LIVE.json"))
    else {
        return;
    };
    let usage = usage(&entitlement, 50, &[(51, 250)]);
    let import = imported(&[
        ("entitlements.json", entitlement),
        ("grants.json", grants),
        ("usage.ndjson", usage),
    ]);
    assert_eq!(import.numbers("2026-09-12T03:52:00Z"), ["1250", "250", "0"]);
    assert_eq!(left(&import, "2026-09-12T03:52:00Z"), units(&[750, 500]));
}

#[test]
fn worked_openmeter_04_burn_order() {
    let (Some(entitlement), Some(grants), Some(steps)) = (
        recorded("01-entitlement-metered-v2-LIVE.json"),
        recorded("02-grants-page-v2-LIVE.json"),
        recorded("04-value-sequence-burn-order-LIVE.json"),
    ) else {
        return;
    };
    // The reset before the sequence.
    let entitlement = with(
        entitlement,
        json!({
            "lastReset": "2026-09-12T03:52:00Z",
            "currentUsagePeriod": { "from": "2026-09-12T03:52:00Z", "to": "2026-09-13T03:50:00Z" }
        }),
    );
    let value = json!([{ "entitlementId": entitlement["id"], "time": "2026-09-12T03:53:00Z",
                         "value": steps[0]["value"] }]);
    let rows = [(53, 100), (54, 800)];
    for (step, now) in ["03:53:00", "03:54:00", "03:55:00"].into_iter().enumerate() {
        let import = imported(&[
            ("entitlements.json", entitlement.clone()),
            ("grants.json", grants.clone()),
            ("values.ndjson", value.clone()),
            ("usage.ndjson", usage(&entitlement, 53, &rows[..step])),
        ]);
        let now = format!("2026-09-12T{now}Z");
        let value = &steps[step]["value"];
        let number = |name: &str| value[name].to_string();
        let expected = [number("balance"), number("usage"), number("overage")];
        assert_eq!(import.numbers(&now), expected);
        let balances = &value["grantBalances"];
        let ids = ["01M29VSK19VD2YMYGJ5J87K7W3", "01M29VSK24NCCZ35Q51JP86XQ3"];
        assert_eq!(left(&import, &now), units(&ids.map(|id| balances[id].as_i64().unwrap())));
    }
}

#[test]
fn worked_openmeter_05_overage() {
    let Some(value) = recorded("05-value-exhausted-overage-LIVE.json") else { return };
    let only = grant(json!({ "id": "01M29TEFH4M2QSDX21SXX5Q4NQ", "amount": 1 }));
    let entitlement = metered(json!({}));
    let answer = json!([{ "entitlementId": entitlement["id"], "time": "2026-03-10T12:00:00Z",
                          "value": value }]);
    let import = imported(&[
        ("entitlements.json", json!([entitlement])),
        ("grants.json", json!([only])),
        ("values.ndjson", answer),
    ]);
    // The recorded answer lacks `hasAccess`, so it is derived and not taken as given.
    let decision = import.decide("2026-03-10T12:01:00Z");
    assert_eq!((decision.has_access, decision.reason), (false, Reason::Exhausted));
    assert_eq!(import.numbers("2026-03-10T12:01:00Z"), ["0", "250", "249"]);
}
