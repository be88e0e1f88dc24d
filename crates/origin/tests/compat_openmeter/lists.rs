//! Lists of entitlements, grants and features, in both versions.

use edgegrant::model::{Entitlement, EntitlementType, Fact, Feature, Source, Subject};
use serde_json::{Value, json};

use crate::kit::{Served, at, own, read};

const NOW: &str = "2026-11-20T00:00:00Z";
const TOKENS: &str = "01K9ENTITLEMENT00000000001";
const SSO: &str = "01K9ENTITLEMENT00000000002";
const LIMITS: &str = "01K9ENTITLEMENT00000000003";
const SPENT: &str = "01K9ENTITLEMENT00000000004";
const WEEKLY: &str = "01K9ENTITLEMENT00000000005";
const FUTURE: &str = "01K9ENTITLEMENT00000000006";
const DELETED: &str = "01K9ENTITLEMENT00000000007";
const HARBOUR: &str = "01K9CUST00000000000000HARB";

fn served() -> Served {
    Served::import(&[own()], at(NOW))
}

fn recorded(file: &str) -> Vec<Value> {
    read(&own().join(file))["items"].as_array().unwrap().clone()
}

/// The record with an id, with other fields where they are said, or without them as null.
fn but(records: &[Value], id: &str, fields: Value) -> Value {
    let mut record = records.iter().find(|record| record["id"] == id).unwrap().clone();
    for (name, field) in fields.as_object().unwrap() {
        let all = record.as_object_mut().unwrap();
        match field {
            Value::Null => all.remove(name),
            field => all.insert(name.clone(), field.clone()),
        };
    }
    record
}

fn ids(list: &Value) -> Vec<&str> {
    let items = list.get("items").unwrap_or(list).as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

/// The last digits of the ids.
fn ends(list: &Value) -> String {
    ids(list).iter().map(|id| id.chars().last().unwrap()).collect()
}

#[test]
fn version_2_lists_entitlements_as_they_were_recorded() {
    let (served, records) = (served(), recorded("entitlements.json"));
    let page = served.get("/api/v2/entitlements");
    let named = [TOKENS, SSO, LIMITS, SPENT, WEEKLY, FUTURE];
    let expected: Vec<Value> = named.map(|id| but(&records, id, json!({}))).to_vec();
    assert_eq!(page, json!({ "items": expected, "page": 1, "pageSize": 100, "totalCount": 6 }));
    let one = served.get(&format!("/api/v2/entitlements/{WEEKLY}"));
    assert_eq!(one, expected[4]);
    let of_customer = format!("/api/v2/customers/harbour/entitlements/{TOKENS}");
    assert_eq!(served.get(&of_customer), expected[0]);
    let of_feature = format!("/api/v2/customers/{HARBOUR}/entitlements/tokens");
    assert_eq!(served.get(&of_feature), expected[0]);
}

#[test]
fn version_1_lists_arrays_by_subject() {
    let (served, records) = (served(), recorded("entitlements.json"));
    let of_subject = |subject: &str| {
        json!({ "customerId": null, "customerKey": null,
                                             "subjectKey": subject })
    };
    let all = served.get("/api/v1/entitlements");
    assert_eq!(ends(&all), "123456");
    assert_eq!(all[1], but(&records, SSO, of_subject("harbour-eu")));
    let mut weekly = of_subject("mill");
    weekly
        .as_object_mut()
        .unwrap()
        .extend([("issue".to_owned(), Value::Null), ("isUnlimited".to_owned(), json!(false))]);
    assert_eq!(all[4], but(&records, WEEKLY, weekly.clone()));
    let path = format!("/api/v1/subjects/mill/entitlements/{WEEKLY}");
    assert_eq!(served.get(&path), but(&records, WEEKLY, weekly));
    assert_eq!(ends(&served.get("/api/v1/subjects/harbour-us/entitlements")), "1234");
    let page = served.get("/api/v1/entitlements?page=2&pageSize=4");
    assert_eq!(
        (ends(&page), &page["page"], &page["totalCount"]),
        ("56".into(), &json!(2), &json!(6))
    );
}

#[test]
fn entitlements_are_filtered() {
    let served = served();
    let cases = [
        ("v2/entitlements?feature=sso", "26"),
        ("v2/entitlements?feature=01K9FEATURE000000000000002&feature=limits", "236"),
        ("v2/entitlements?excludeInactive=true", "12345"),
        ("v2/entitlements?entitlementType=boolean&entitlementType=static", "236"),
        ("v2/entitlements?customerKeys=mill", "56"),
        ("v2/entitlements?customerKeys=mill&customerKeys=harbour&feature=tokens", "15"),
        ("v2/entitlements?customerIds=01K9CUST00000000000000HARB", "1234"),
        ("v2/entitlements?customerIds=harbour", ""),
        ("v1/entitlements?subject=harbour-us", "1234"),
        ("v1/entitlements?subject=mill&feature=tokens", "5"),
        ("v1/entitlements?subject=nobody", ""),
        ("v2/customers/mill/entitlements", "5"),
        ("v2/customers/harbour/entitlements", "1234"),
        ("v2/customers/harbour/entitlements?includeDeleted=true", "12347"),
        ("v1/subjects/harbour-eu/entitlements?includeDeleted=true", "12347"),
        ("v2/entitlements?orderBy=updatedAt&order=DESC&pageSize=1", "5"),
        ("v2/entitlements?order=DESC", "654321"),
        ("v1/entitlements?limit=2&offset=3", "45"),
        ("v2/entitlements?pageSize=4&page=2", "56"),
        ("v2/entitlements?pageSize=4&page=3", ""),
        ("v2/entitlements?limit=2&offset=2", "34"),
    ];
    for (path, expected) in cases {
        assert_eq!(ends(&served.get(&format!("/api/{path}"))), expected, "{path}");
    }
}

#[test]
fn what_the_server_computes_is_computed_at_present() {
    let served = served();
    served.set("2026-11-23T12:00:30Z");
    let weekly = served.get(&format!("/api/v2/entitlements/{WEEKLY}"));
    let period = json!({ "from": "2026-11-23T00:00:00Z", "to": "2026-11-30T00:00:00Z" });
    assert_eq!(weekly["currentUsagePeriod"], period);
    assert_eq!(weekly["usagePeriod"]["anchor"], "2026-11-02T00:00:00Z");
    let grants = served.get("/api/v2/customers/mill/entitlements/tokens/grants");
    assert_eq!(grants["items"][0]["nextRecurrence"], "2026-11-24T00:00:00Z");
}

#[test]
fn grants_are_listed_in_both_versions() {
    let (served, records) = (served(), recorded("grants.json"));
    let page = served.get("/api/v2/customers/mill/entitlements/tokens/grants");
    let id = |end: u8| format!("01K9GRANT00000000000000000{end}");
    let expected: Vec<Value> = [4, 5, 7].map(|end| but(&records, &id(end), json!({}))).to_vec();
    assert_eq!(page, json!({ "items": expected, "page": 1, "pageSize": 100, "totalCount": 3 }));
    let array = served.get("/api/v1/subjects/mill/entitlements/tokens/grants");
    let endless = json!({ "expiration": { "count": 100, "duration": "YEAR" },
                          "expiresAt": "2126-11-20T00:00:00Z" });
    let expected = [
        but(&records, &id(4), endless.clone()),
        but(&records, &id(5), json!({})),
        but(&records, &id(7), endless),
    ];
    assert_eq!(array, json!(expected));
}

#[test]
fn grants_are_filtered() {
    let served = served();
    let cases = [
        ("v2/grants", "123457"),
        ("v1/grants", "123457"),
        ("v2/grants?includeDeleted=true", "1234567"),
        ("v2/grants?customer=mill", "457"),
        ("v2/grants?customer=mill&customer=01K9CUST00000000000000HARB", "123457"),
        ("v1/grants?subject=harbour-eu&feature=tokens", "12"),
        ("v2/grants?feature=01K9FEATURE000000000000004", "3"),
        ("v2/grants?orderBy=updatedAt&order=DESC&pageSize=2", "57"),
        ("v1/grants?orderBy=id&limit=2&offset=1", "23"),
        ("v2/customers/harbour/entitlements/tokens/grants", "12"),
        ("v2/customers/mill/entitlements/tokens/grants?page=2&pageSize=2", "7"),
        ("v1/subjects/mill/entitlements/tokens/grants?orderBy=updatedAt", "475"),
    ];
    for (path, expected) in cases {
        assert_eq!(ends(&served.get(&format!("/api/{path}"))), expected, "{path}");
    }
}

#[test]
fn features_are_listed() {
    let (served, records) = (served(), recorded("features.json"));
    let by_key = ["3", "4", "2", "1"]
        .map(|end| but(&records, &format!("01K9FEATURE00000000000000{end}"), json!({})));
    assert_eq!(served.get("/api/v1/features"), json!(by_key));
    let cases = [
        ("?includeArchived=true", "53421"),
        ("?meterSlug=tokens_total", "1"),
        ("?meterSlug=tokens_total&meterSlug=spent_total&includeArchived=true", "541"),
        ("?orderBy=id&order=DESC&page=2&pageSize=3", "1"),
        ("?limit=1&offset=1", "4"),
    ];
    for (query, expected) in cases {
        assert_eq!(ends(&served.get(&format!("/api/v1/features{query}"))), expected, "{query}");
    }
    for name in ["tokens", "01K9FEATURE000000000000001"] {
        assert_eq!(served.get(&format!("/api/v1/features/{name}")), by_key[3]);
    }
    assert_eq!(served.refusal("/api/v1/features/archive").0, 404);
}

#[test]
fn what_is_not_there_or_not_understood_is_refused() {
    let served = served();
    let cases = [
        (404, "v2/customers/nobody/entitlements"),
        (404, "v1/subjects/nobody/entitlements"),
        (412, "v2/customers/gone/entitlements"),
        (412, "v2/customers/gone/entitlements/sso/value"),
        (404, "v2/customers/mill/entitlements/sso"),
        (404, "v2/customers/mill/entitlements/limits"),
        (404, "v1/subjects/mill/entitlements/limits/value"),
        (404, "v1/subjects/mill/entitlements/sso/value"),
        (404, &format!("v2/customers/mill/entitlements/{TOKENS}")),
        (404, &format!("v2/entitlements/{DELETED}")),
        (404, "v2/customers/mill/entitlements/limits/grants"),
        (404, "v2/grants?customer=nobody"),
        (400, "v2/entitlements?pageSize=1001"),
        (400, "v2/entitlements?page=0"),
        (400, "v1/entitlements?limit=many"),
        (400, "v1/entitlements?offset=-1"),
        (400, "v2/entitlements?orderBy=id"),
        (400, "v2/entitlements?order=down"),
        (400, "v2/entitlements?entitlementType=free"),
        (400, "v2/entitlements?excludeInactive=yes"),
        (400, "v2/grants?orderBy=amount"),
        (400, "v1/features?includeArchived=1"),
    ];
    for (status, path) in cases {
        assert_eq!(served.refusal(&format!("/api/{path}")).0, status, "{path}");
    }
    let inactive = format!("/api/v1/subjects/mill/entitlements/{FUTURE}/value");
    assert_eq!(served.get(&inactive), json!({ "hasAccess": false }));
    let far = served.get("/api/v2/entitlements?offset=18446744073709551615&limit=1");
    assert_eq!(far["items"], json!([]));
    let wrong = served.refusal("/api/v2/entitlements?pageSize=0").1;
    assert_eq!(wrong, "pageSize must be a whole number from 1 to 1000");
    assert_eq!(served.get(&format!("/api/v2/entitlements/{FUTURE}"))["featureKey"], "sso");
}

#[test]
fn what_has_no_record_is_answered_and_not_listed() {
    let source = Some(Source { system: "openmeter".into(), id: "by hand".into() });
    let given = Entitlement { source, ..Entitlement::new("sso", EntitlementType::Boolean) };
    let of = |subject: &str, entitlements| {
        Fact::Subject(Subject { entitlements, ..Subject::new(subject) })
    };
    let sso = Fact::Feature(Feature::new("sso"));
    let strange = Entitlement::new("sso", EntitlementType::Boolean);
    let facts = [sso, of("mill", vec![given]), of("harbour", vec![strange])];
    let served = Served::publish(&facts, at(NOW));
    let value = served.get("/api/v2/customers/mill/entitlements/sso/value");
    assert_eq!(value, json!({ "hasAccess": true }));
    for path in ["v1/entitlements", "v1/subjects/mill/entitlements", "v1/grants", "v1/features"] {
        assert_eq!(served.get(&format!("/api/{path}")), json!([]), "{path}");
    }
    assert_eq!(served.refusal("/api/v2/customers/harbour/entitlements/sso/value").0, 404);
}

#[test]
fn without_a_usable_snapshot_nothing_is_listed() {
    let served = served();
    served.set("2026-11-28T00:00:00Z");
    for path in ["v2/entitlements", "v1/features", "v2/grants", "v1/customers/mill/access"] {
        assert_eq!(served.refusal(&format!("/api/{path}")).0, 503, "{path}");
    }
}
