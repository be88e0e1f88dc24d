//! NetApp Astra Control's entitlements.

use serde_json::{Value, json};

use super::{imported, query, texts};
use crate::shell::{NOW, Shell};

const RECORDS: &str = "records --facts facts.ndjson --subject acct --kind entitlement";

/// An account with capacity in three entitlements, and clusters reserved for an object.
fn storage() -> Shell {
    let entitlement = |id: &str, kind: &str, value: &str, fields: Value| {
        let mut record = json!({
            "type": "application/astra-entitlement", "version": "1.0", "id": id,
            "product": "Center", "entitlementType": kind, "entitlementValue": value,
            "entitlementConsumption": "1", "validFromTimestamp": "2026-01-01T00:00:00.000000Z",
            "validUntilTimestamp": "2027-01-01T00:00:00.000000Z",
            "metadata": { "labels": [], "createdBy": "ops" },
        });
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        record
    };
    let later = json!({ "validFromTimestamp": "2026-12-01T00:00:00.000000Z" });
    let reserved = json!({ "allocation": "cluster-1" });
    let items = [
        entitlement("e-1", "capacity", "2.5", json!({})),
        entitlement("e-2", "capacity", "10", json!({})),
        entitlement("e-3", "capacity", "9", later),
        entitlement("e-4", "clusters", "100", reserved),
    ];
    let list = json!({ "type": "application/astra-entitlements", "version": "1.0",
        "items": items, "metadata": { "labels": [] } });
    imported("astra --account acct", &[list])
}

#[test]
fn row_astra_include_filter_order_skip_limit_and_count() {
    let shell = storage();
    let asked = "--where product=Center --order-by entitlementValue --descending \
                 --include id,entitlementValue,metadata.createdBy,allocation";
    let listed = query(&shell, &format!("{RECORDS} {asked} --skip 1 --limit 2"), 0);
    assert_eq!(listed["count"], 4);
    // Numbers in text are numbers: 100, 10, 9, 2.5.
    assert_eq!(texts(&listed, "/record/id"), ["e-2", "e-3"]);
    let first = json!({ "id": "e-2", "entitlementValue": "10", "metadata.createdBy": "ops",
        "allocation": null });
    assert_eq!(listed.pointer("/items/0/record").unwrap(), &first);
    let end = query(&shell, &format!("{RECORDS} {asked} --skip 4"), 0);
    assert_eq!(end, json!({ "items": [], "count": 4 }));
    let large = query(&shell, &format!("{RECORDS} --where entitlementValue>9.5"), 0);
    assert_eq!(texts(&large, "/record/id"), ["e-2", "e-4"]);
}

#[test]
fn row_astra_value_and_consumption() {
    let shell = storage();
    // 2.5 and 10 hold now, and all three are used.
    let left = shell.json(&format!("check acct Center/capacity --amount 9.5 --now {NOW}"), 0);
    assert_eq!((&left["balance"], &left["usage"]), (&json!(9.5), &json!(3)));
    shell.run(&format!("check acct Center/capacity --amount 9.6 --now {NOW}"), 1);
}

#[test]
fn row_astra_by_allocation() {
    let shell = storage();
    let left = shell.json(&format!("check acct/cluster-1 Center/clusters --now {NOW}"), 0);
    assert_eq!(left["balance"], 99);
    // What is reserved for an object is not the account's.
    let account = shell.json(&format!("check acct Center/clusters --now {NOW}"), 1);
    assert_eq!(account["reason"], "not-entitled");
    let reserved = query(&shell, &format!("{RECORDS} --where allocation=cluster-1"), 0);
    assert_eq!(texts(&reserved, "/record/id"), ["e-4"]);
}

#[test]
fn row_astra_validity_window() {
    let shell = storage();
    let then = format!("check acct Center/capacity --now {NOW} --at 2026-12-02T00:00:00Z");
    assert_eq!(shell.json(&then, 0)["balance"], 18.5);
    let grants = query(&shell, "grants acct Center/capacity --grant e-3", 0);
    assert_eq!(grants.pointer("/grants/0/state").unwrap(), "not-yet");
    let ended = query(&shell, "find --subject acct --at 2027-01-01T00:00:00Z", 0);
    assert_eq!(texts(&ended, "/reason"), ["ended"]);
}
