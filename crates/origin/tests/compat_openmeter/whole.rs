//! Owners with many entitlements, with several to one feature, and lists of everybody that are
//! asked for by many names.

use std::fs;

use serde_json::{Value, json};

use crate::kit::{Served, at, own, read};

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
fn thousands_of_names_may_be_asked_for_at_once() {
    let records =
        (0..20_000).map(|n| record("entitlement", "f", &entitlement(&n.to_string(), "f")));
    let records: Vec<Value> = records.collect();
    let facts = [json!({ "feature": "f" }), json!({ "subject": "mill", "records": records })];
    let served = Served::publish(&facts, at(NOW));
    let names: String = (0..4_000).map(|n| format!("&subject=s{n}")).collect();
    let list = served.get(&format!("/api/v1/entitlements?subject=mill{names}"));
    assert_eq!(list.as_array().unwrap().len(), 100);
    let list = served.get(&format!("/api/v1/entitlements?{}", names.trim_start_matches('&')));
    assert_eq!(list.as_array().unwrap().len(), 0);
}

const OLD: &str = "01K9ENTOLDSSO0000000000001";
const NEW: &str = "01K9ENTNEWSSO0000000000001";

/// Three entitlements of one customer to one feature, one after another.
fn succession() -> Served {
    let mut page = read(&own().join("entitlements.json"));
    let items = page["items"].as_array_mut().unwrap();
    let place = items.iter().position(|item| item["id"] == "01K9ENTITLEMENT00000000002").unwrap();
    let mut with = |id: &str, from: &str, to: Option<&str>| {
        let mut given = items[place].clone();
        given["id"] = id.into();
        given["activeFrom"] = from.into();
        given["createdAt"] = "2026-10-31T00:00:00Z".into();
        given.as_object_mut().unwrap().extend(to.map(|to| ("activeTo".to_owned(), to.into())));
        items.push(given);
    };
    with(OLD, "2026-11-01T00:00:00Z", Some("2026-11-10T00:00:00Z"));
    with(NEW, "2026-11-25T00:00:00Z", None);
    items[place]["activeFrom"] = "2026-11-10T00:00:00Z".into();
    items[place]["activeTo"] = "2026-11-25T00:00:00Z".into();
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(own()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    fs::write(folder.path().join("entitlements.json"), page.to_string()).unwrap();
    Served::import(&[folder.path().to_owned()], at(NOW))
}

#[test]
fn what_another_entitlement_allowed_is_not_denied() {
    let served = succession();
    let value = |name: &str, time: &str| {
        format!("/api/v2/customers/harbour/entitlements/{name}/value?time=2026-11-{time}T00:00:00Z")
    };
    assert_eq!(served.get(&value("sso", "20")), json!({ "hasAccess": true }));
    for path in [value("sso", "05"), value("sso", "26"), value(OLD, "05"), value(NEW, "26")] {
        let (status, detail) = served.refusal(&path);
        assert_eq!(status, 400, "{path}");
        assert!(detail.contains("another entitlement"), "{detail}");
    }
    let before = value("sso", "05").replace("2026-11-05", "2026-10-05");
    assert_eq!(served.get(&before), json!({ "hasAccess": false }));
    let by_subject = value("sso", "05").replace("v2/customers/harbour", "v1/subjects/harbour-eu");
    assert_eq!(served.refusal(&by_subject).0, 400);
}

#[test]
fn access_is_not_denied_where_another_entitlement_has_begun() {
    let served = succession();
    let access = "/api/v1/customers/harbour/access";
    assert_eq!(served.get(access)["entitlements"]["sso"], json!({ "hasAccess": true }));
    served.set("2026-11-26T00:00:00Z");
    let (status, detail) = served.refusal(access);
    assert_eq!(status, 400);
    assert!(detail.contains("another entitlement"), "{detail}");
    let sso = "/api/v2/customers/harbour/entitlements/sso/value";
    assert_eq!(served.refusal(sso).0, 400);
}

/// An import does not read what only orders lists, and leaves it as it came.
#[test]
fn what_only_orders_lists_may_be_unreadable() {
    let entitlement = json!({ "id": "e", "type": "boolean", "featureKey": "f", "featureId": 7,
        "subjectKey": "mill", "createdAt": "2026-11-01T00:00:00Z" });
    let feature = json!({ "id": "F", "key": "f", "name": 7, "createdAt": "today" });
    let served = Served::publish(
        &[
            json!({ "feature": "f", "records": [
                { "system": "openmeter", "kind": "feature", "json": feature }] }),
            json!({ "subject": "mill", "records": [record("entitlement", "f", &entitlement)] }),
        ],
        at(NOW),
    );
    assert_eq!(served.get("/api/v1/features?orderBy=name"), json!([feature]));
    assert_eq!(served.get("/api/v1/entitlements?orderBy=createdAt"), json!([entitlement]));
}
