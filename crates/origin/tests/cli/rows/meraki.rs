//! Cisco Meraki's licensing.

use serde_json::{Value, json};

use super::{imported, query, texts};
use crate::shell::{NOW, Shell};

const RECORDS: &str = "records --facts facts.ndjson --kind";

fn subscription(id: &str, seats: &[(&str, u32, u32)], fields: &Value) -> Value {
    let entitlement = |(sku, assigned, limit): &(&str, u32, u32)| {
        let available = limit.saturating_sub(*assigned);
        json!({ "sku": sku, "seats":
            { "assigned": assigned, "available": available, "limit": limit } })
    };
    let entitlements: Vec<Value> = seats.iter().map(entitlement).collect();
    let mut record = json!({
        "subscriptionId": id, "name": format!("Quay {id}"), "status": "active", "type": "termed",
        "startDate": "2026-01-01T00:00:00Z", "endDate": "2028-01-01T00:00:00Z",
        "lastUpdatedAt": "2026-09-01T00:00:00Z", "productTypes": ["wireless"],
        "entitlements": entitlements,
    });
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    record
}

/// An organization with two subscriptions, of which one is over in one class.
fn network() -> Shell {
    let wireless = subscription("1001", &[("AP", 10, 25)], &json!({}));
    let switching = json!({
        "name": "Depot", "status": "out_of_compliance", "productTypes": ["switch"],
        "startDate": "2026-06-01T00:00:00Z",
    });
    let switching = subscription("1002", &[("SW", 21, 10)], &switching);
    let entry = |sku: &str, kind: &str, class: &str| {
        json!({ "sku": sku, "name": sku, "productType": kind, "productClass": class,
            "featureTier": "advantage", "isAddOn": false, "isFree": false })
    };
    let over = json!([{
        "subscription": { "id": "1002", "name": "Depot", "status": "out_of_compliance" },
        "violations": { "byProductClass": [{
            "productClass": "MS", "gracePeriodEndsAt": "2026-12-07T00:00:00Z",
            "missing": { "entitlements": [{ "sku": "SW", "quantity": 11 }] },
        }] },
    }]);
    let catalogue = json!([entry("AP", "wireless", "MR"), entry("SW", "switch", "MS")]);
    let answers = [json!([wireless, switching]), catalogue, over];
    imported("meraki --organization 77", &answers)
}

#[test]
fn row_meraki_seats() {
    let shell = network();
    let seats = shell.json(&format!("check 77 AP --amount 15 --now {NOW}"), 0);
    assert_eq!((&seats["balance"], &seats["usage"]), (&json!(15), &json!(10)));
    shell.run(&format!("check 1001 AP --amount 16 --now {NOW}"), 1);
    // What each subscription gives the organization.
    let grants = query(&shell, "grants 77 AP", 0);
    let grant = grants.pointer("/grants/0").unwrap();
    assert_eq!((&grant["id"], &grant["amount"]), (&json!("1001/AP"), &json!(25)));
    assert_eq!(grant.get("balance"), None);
}

#[test]
fn seats_are_told_in_words() {
    let shell = network();
    let words = "access: within-balance\n  balance: 15 seat\n  usage: 10 seat\n  \
                 overage: 0 seat\n  holds until: ";
    let text = shell.run(&format!("check 77 AP --now {NOW}"), 0);
    assert!(text.starts_with(words), "{text}");
    // Seats are held against what is granted, not burnt from it.
    let text = shell.run(&format!("explain 77 AP --now {NOW}"), 0);
    assert!(text.contains("  grant 1001/AP: active, gives 25\n"), "{text}");
}

#[test]
fn row_meraki_bind_validate() {
    let shell = network();
    let missing = json!([{ "feature": "AP", "amount": 5, "reason": "exhausted" }]);
    let fit = query(&shell, "fit 1001 AP=20", 1);
    assert_eq!(fit, json!({ "fits": false, "missing": missing, "unknown": [] }));
}

#[test]
fn row_meraki_compliance_by_product_class() {
    let shell = network();
    let over = query(&shell, "violations --subject 77 --facts facts.ndjson", 0);
    assert_eq!(texts(&over, "/attributes/productClass"), ["MS"]);
    assert_eq!(texts(&over, "/graceUntil"), ["2026-12-07T00:00:00Z"]);
    assert_eq!(over.pointer("/items/0/overage").unwrap(), 11);
    let line = "query violations --subject 77 --facts facts.ndjson";
    let text = shell.run(&format!("{line} --now {NOW}"), 0);
    assert!(text.contains("productClass MS, "), "{text}");
    assert!(text.ends_with("): 11 over, in grace until 2026-12-07T00:00:00Z\n"), "{text}");
    // Without the facts nobody knows the class.
    let over = query(&shell, "violations --subject 77", 0);
    assert_eq!(over.pointer("/items/0/attributes"), None);
}

#[test]
fn row_meraki_catalogue() {
    let shell = network();
    let told = query(&shell, "catalogue SW --facts facts.ndjson", 0);
    assert_eq!(told.pointer("/features/0/attributes/productClass").unwrap(), "MS");
    let text = shell.run(&format!("query catalogue SW --facts facts.ndjson --now {NOW}"), 0);
    assert!(text.starts_with("SW (") && text.contains(", productClass MS,"), "{text}");
    let listed = query(&shell, &format!("{RECORDS} catalogue-entry --where productClass=MS"), 0);
    assert_eq!(texts(&listed, "/record/sku"), ["SW"]);
    assert_eq!(listed.pointer("/items/0/subject"), None);
}

#[test]
fn row_meraki_list_subscriptions() {
    let shell = network();
    let ids = |line: &str| {
        let listed = query(&shell, &format!("{RECORDS} subscription --subject 77 {line}"), 0);
        texts(&listed, "/record/subscriptionId").join(" ")
    };
    assert_eq!(ids("--order-by subscriptionId --descending"), "1002 1001");
    assert_eq!(ids("--where status=active --where status=expired"), "1001");
    assert_eq!(ids("--where productTypes=switch"), "1002");
    assert_eq!(ids("--where entitlements.sku=AP"), "1001");
    assert_eq!(ids("--where name~QUAY"), "1001");
    assert_eq!(ids("--where startDate>=2026-06-01"), "1002");
    assert_eq!(ids("--where startDate>2026-06-01"), "");
    assert_eq!(ids("--where startDate<2026-06-01T00:00:00Z --where endDate>2027-01-01"), "1001");
}

#[test]
fn row_meraki_coterm() {
    let license = |key: &str, expired: bool| {
        json!({ "key": key, "organizationId": "88", "duration": 365, "mode": "addDevices",
            "startedAt": "2026-01-01T00:00:00Z", "claimedAt": "2026-01-01T00:00:00Z",
            "invalidated": false, "expired": expired, "editions": [], "counts": [] })
    };
    let overview = json!({ "status": "OK", "expirationDate": "Mar 13, 2027 UTC",
        "licensedDeviceCounts": { "MR-ADV": 3 } });
    let answers = [overview, json!([license("k-1", false), license("k-2", true)])];
    let shell = imported("meraki --organization 88", &answers);
    let expired =
        format!("{RECORDS} coterm-license --where expired=true --where invalidated=false");
    assert_eq!(texts(&query(&shell, &expired, 0), "/record/key"), ["k-2"]);
    // The date is the whole organization's, thirty days later at the end of the grace.
    let grant = query(&shell, "grants 88 MR-ADV", 0);
    assert_eq!(grant.pointer("/grants/0/amount").unwrap(), 3);
    shell.run(&format!("check 88 MR-ADV --amount 3 --now {NOW} --at 2027-04-01T00:00:00Z"), 0);
    shell.run(&format!("check 88 MR-ADV --now {NOW} --at 2027-04-12T00:00:00Z"), 1);
}
