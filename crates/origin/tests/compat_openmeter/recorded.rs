//! Answers recorded from a real server are answered again as they were, where they are at hand.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::kit::{Served, at, read, root};

const ENTITLEMENT: &str = "01M29VSK0VVYPCDHYX951C2T9W";
const CUSTOMER: &str = "om0506-20260912-v2cust";
const METERED: &str = "01-entitlement-metered-v2-LIVE.json";

fn folder() -> PathBuf {
    root().join("../shared/sources/fixtures/openmeter")
}

fn is_here() -> bool {
    let is_here = folder().exists();
    if !is_here {
        println!("skipped: {} is not there", folder().display());
    }
    is_here
}

fn recorded(name: &str) -> Value {
    read(&folder().join(name))
}

/// Imports, publishes and serves answers that are written to files of these names.
fn serve(files: &[(&str, Value)], now: &str) -> Served {
    let folder = tempfile::tempdir().unwrap();
    for (name, answer) in files {
        fs::write(folder.path().join(name), answer.to_string()).unwrap();
    }
    Served::import(&[folder.path().to_owned()], at(now))
}

fn with(mut record: Value, fields: Value) -> Value {
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    record
}

fn value_at(time: &str, value: &Value) -> Value {
    json!({ "entitlementId": ENTITLEMENT, "time": time, "value": value })
}

fn page_of(items: Vec<Value>) -> Value {
    json!({ "totalCount": items.len(), "items": items, "page": 1, "pageSize": 100 })
}

#[test]
fn recorded_01_02_and_03_are_answered_again() {
    if !is_here() {
        return;
    }
    let (given, grants) = (recorded(METERED), recorded("02-grants-page-v2-LIVE.json"));
    let value = recorded("03-value-v2-LIVE.json");
    let time = "2026-09-12T03:52:00Z";
    let files = [
        ("entitlements.json", given.clone()),
        ("grants.json", grants.clone()),
        ("values.ndjson", value_at(time, &value)),
    ];
    let served = serve(&files, time);
    for owner in [CUSTOMER, "01M29VSJVY1C3M6XBB9WESS011"] {
        let path = format!("/api/v2/customers/{owner}/entitlements");
        assert_eq!(served.get(&path), page_of(vec![given.clone()]));
        for name in [ENTITLEMENT, "om02_tokens"] {
            assert_eq!(served.get(&format!("{path}/{name}")), given);
            assert_eq!(served.get(&format!("{path}/{name}/grants")), grants);
            assert_eq!(served.get(&format!("{path}/{name}/value")), value);
        }
    }
    assert_eq!(served.get("/api/v2/entitlements"), page_of(vec![given.clone()]));
    assert_eq!(served.get(&format!("/api/v2/entitlements/{ENTITLEMENT}")), given);
    assert_eq!(served.get("/api/v2/grants"), grants);
    assert_eq!(served.get("/api/v1/grants"), grants["items"]);
}

#[test]
fn recorded_04_follows_from_its_first_value_and_the_usage() {
    if !is_here() {
        return;
    }
    let period = json!({ "from": "2026-09-12T03:54:00Z", "to": "2026-09-13T03:50:00Z" });
    let reset = json!({ "lastReset": "2026-09-12T03:54:00Z", "currentUsagePeriod": period });
    let steps = recorded("04-value-sequence-burn-order-LIVE.json");
    let row = |minute: usize, value: u64| {
        json!({ "value": value, "windowStart": format!("2026-09-12T03:{minute}:00Z"),
                "windowEnd": format!("2026-09-12T03:{}:00Z", minute + 1), "groupBy": {} })
    };
    let usage = json!({ "entitlementId": ENTITLEMENT, "usage": {
        "from": "2026-09-12T03:55:00Z", "to": "2026-09-12T03:57:00Z", "windowSize": "MINUTE",
        "data": [row(55, 100), row(56, 800)]
    } });
    let files = [
        ("entitlements.json", with(recorded(METERED), reset)),
        ("grants.json", recorded("02-grants-page-v2-LIVE.json")),
        ("values.ndjson", value_at("2026-09-12T03:55:00Z", &steps[0]["value"])),
        ("usage.ndjson", usage),
    ];
    let served = serve(&files, "2026-09-12T03:57:00Z");
    let path = format!("/api/v2/customers/{CUSTOMER}/entitlements/om02_tokens");
    for (step, minute) in [55, 56, 57].into_iter().enumerate() {
        let value = served.get(&format!("{path}/value?time=2026-09-12T03:{minute}:00Z"));
        assert_eq!(value, steps[step]["value"], "step {step}");
    }
    let history = served.get(&format!("{path}/history?from=2026-09-12T03:55:00Z&windowSize=HOUR"));
    let phase = &history["burndownHistory"][0];
    assert_eq!(phase["grantBalancesAtStart"], steps[0]["value"]["grantBalances"]);
    assert_eq!(phase["grantBalancesAtEnd"], steps[2]["value"]["grantBalances"]);
    assert_eq!(phase["usage"], 900);
}

#[test]
fn recorded_05_is_answered_again_with_the_access_that_it_leaves_out() {
    if !is_here() {
        return;
    }
    let value = recorded("05-value-exhausted-overage-LIVE.json");
    let grant = with(
        recorded("02-grants-page-v2-LIVE.json")["items"][0].clone(),
        json!({ "id": "01M29TEFH4M2QSDX21SXX5Q4NQ", "amount": 1, "maxRolloverAmount": 1 }),
    );
    let time = "2026-09-12T03:52:00Z";
    let files = [
        ("entitlements.json", recorded(METERED)),
        ("grants.json", grant),
        ("values.ndjson", value_at(time, &value)),
    ];
    let served = serve(&files, time);
    let path = format!("/api/v2/customers/{CUSTOMER}/entitlements/om02_tokens/value");
    assert_eq!(served.get(&path), with(value, json!({ "hasAccess": false })));
}

#[test]
fn refusals_have_the_members_of_recorded_06() {
    if !is_here() {
        return;
    }
    let served = serve(&[("entitlements.json", recorded(METERED))], "2026-09-12T03:52:00Z");
    let problem = &recorded("06-error-reset-not-after-last-LIVE.json")["body"];
    let (_, refusal) = served.ask("/api/v2/entitlements?page=0");
    for member in ["type", "title", "status"] {
        assert_eq!(refusal[member], problem[member]);
    }
    assert!(refusal["detail"].is_string() && problem["detail"].is_string());
}

#[test]
fn recorded_07_is_answered_again() {
    if !is_here() {
        return;
    }
    let grants = recorded("07-duplicate-grants-LIVE.json");
    let id = grants[0]["entitlementId"].as_str().unwrap();
    let files = [
        ("entitlements.json", with(recorded(METERED), json!({ "id": id }))),
        ("grants.json", grants.clone()),
    ];
    let served = serve(&files, "2026-09-12T03:52:00Z");
    let path = format!("/api/v2/customers/{CUSTOMER}/entitlements/{id}/grants");
    assert_eq!(served.get(&path)["items"], grants);
    assert_eq!(served.get("/api/v1/grants"), grants);
}

/// Usage by the day cannot be burnt down by the minute.
#[test]
fn recorded_08_is_refused_as_too_coarse() {
    if !is_here() {
        return;
    }
    let usage = json!({ "entitlementId": ENTITLEMENT, "usage": recorded("08-meter-query.json") });
    let since = json!({ "measureUsageFrom": "2023-01-01T00:00:00Z" });
    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, answer: Value| {
        fs::write(files.path().join(name), answer.to_string()).unwrap();
    };
    write("entitlements.json", with(recorded(METERED), since));
    write("usage.ndjson", usage);
    let now = at("2023-01-02T00:00:00Z");
    let codes = crate::kit::import_codes(&[files.path().to_owned()], now);
    assert_eq!(codes, ["usage-window-too-wide"]);
}

#[test]
fn recorded_20_21_and_23_are_answered_again() {
    if !is_here() {
        return;
    }
    let array = recorded("20-generated-entitlements-list-v1-array.json");
    let page = recorded("21-generated-entitlements-page.json");
    let grants = recorded("23-generated-grant-recurring-voided.json");
    let now = "2024-01-01T12:00:00Z";
    for entitlements in [&array, &page] {
        let files = [("entitlements.json", entitlements.clone()), ("grants.json", grants.clone())];
        let served = serve(&files, now);
        assert_eq!(served.get("/api/v1/entitlements"), array);
        assert_eq!(served.get("/api/v1/entitlements?page=1"), page);
        assert_eq!(served.get("/api/v1/subjects/customer-1/entitlements"), array);
        assert_eq!(served.get("/api/v1/grants"), grants);
        let path = "/api/v1/subjects/customer-1/entitlements/gpt_4_tokens";
        assert_eq!(served.get(&format!("{path}/grants")), grants);
        assert_eq!(served.get(path), array[2]);
        let of_customer = served.get("/api/v2/entitlements")["items"][2].clone();
        let mut expected = with(array[2].clone(), json!({ "issue": { "amount": 0 } }));
        for name in ["subjectKey", "isUnlimited"] {
            expected.as_object_mut().unwrap().remove(name);
        }
        assert_eq!(of_customer, expected);
        served.set("2024-03-01T00:00:00Z");
        let left = served.refusal("/api/v1/entitlements");
        assert_eq!(left.0, 503, "a snapshot that old answers nothing");
    }
    let files = [("entitlements.json", array.clone()), ("grants.json", grants)];
    let served = serve(&files, "2024-03-01T00:00:00Z");
    assert_eq!(served.get("/api/v1/entitlements").as_array().unwrap().len(), 3);
    let path = "/api/v1/subjects/customer-1/entitlements?includeDeleted=true";
    assert_eq!(served.get(path)[3], array[3]);
}

#[test]
fn recorded_22_is_answered_again() {
    if !is_here() {
        return;
    }
    let page = recorded("22-generated-entitlements-empty.json");
    let served = serve(&[("entitlements.json", page.clone())], "2024-01-01T12:00:00Z");
    assert_eq!(served.get("/api/v2/entitlements"), page);
    assert_eq!(served.get("/api/v1/entitlements?page=1"), page);
    assert_eq!(served.get("/api/v1/entitlements"), json!([]));
}

#[test]
fn recorded_24_is_answered_again() {
    if !is_here() {
        return;
    }
    let values = recorded("24-generated-value-variants.json");
    let array = recorded("20-generated-entitlements-list-v1-array.json");
    for (variant, soft) in [(&values[3], false), (&values[4], true)] {
        let mut entitlements = array.clone();
        entitlements[2]["isSoftLimit"] = soft.into();
        let value = json!({ "entitlementId": entitlements[2]["id"],
                            "time": "2024-01-01T12:00:00Z", "value": variant });
        let files = [
            ("entitlements.json", entitlements),
            ("grants.json", recorded("23-generated-grant-recurring-voided.json")),
            ("values.ndjson", value),
        ];
        let served = serve(&files, "2024-01-01T12:00:00Z");
        let value = |feature: &str| {
            served.get(&format!("/api/v1/subjects/customer-1/entitlements/{feature}/value"))
        };
        assert_eq!(value("sso"), values[0]);
        let (said, config) = (value("integrations"), &values[1]["config"]);
        let parsed =
            |text: &Value| -> Value { serde_json::from_str(text.as_str().unwrap()).unwrap() };
        assert_eq!((&said["hasAccess"], parsed(&said["config"])), (&json!(true), parsed(config)));
        let told = value("gpt_4_tokens");
        for (member, said) in variant.as_object().unwrap() {
            assert_eq!(&told[member], said, "{member}");
        }
        let unknown = served.get("/api/v1/customers/customer-1/entitlements/nothing/value");
        assert_eq!(unknown, values[2]);
    }
}
