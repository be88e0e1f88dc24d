//! Alert Logic's subscriptions service.

use serde_json::{Value, json};

use super::{imported, query, sorted, texts};
use crate::shell::{NOW, Shell};

const LATE: u64 = 1_924_992_000;
const RECORDS: &str = "records --facts facts.ndjson --kind";

/// Two accounts: one with a trial beside its subscription, one with a trial alone.
fn security() -> Shell {
    let entitlement = |family: &str, subscription: &str, fields: Value| {
        let mut record = json!({
            "id": "e", "subscription_id": subscription, "product_family": family,
            "status": "active", "start_date": 1_458_867_200, "end_date": LATE,
        });
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        record
    };
    let none = || json!({});
    let retention = json!({ "value": 12, "value_type": "months" });
    let canceled = json!({ "status": "canceled" });
    imported(
        "alert-logic --renewal-grace 0",
        &[
            json!({ "account_id": "01", "legacy_features": ["pci_scan"], "entitlements": [
                entitlement("detect", "s-1", none()), entitlement("respond", "s-1", canceled),
                entitlement("log_data_retention", "s-1", retention),
                entitlement("assess", "s-2", none()),
            ] }),
            json!({ "account_id": "02", "entitlements": [entitlement("detect", "s-3", none())] }),
            json!({ "subscriptions": [
                { "id": "s-1", "account_id": "01", "active": true, "type": "standard" },
                { "id": "s-2", "account_id": "01", "active": true, "type": "manual" },
            ] }),
            json!({ "subscriptions": [
                { "id": "s-3", "account_id": "02", "active": true, "type": "manual" },
            ] }),
        ],
    )
}

#[test]
fn row_alert_logic_get_entitlements_by_family_and_status() {
    let shell = security();
    let families = |line: &str| {
        let listed = query(&shell, &format!("{RECORDS} entitlement --subject 01 {line}"), 0);
        let families = texts(&listed, "/record/product_family").into_iter().map(str::to_owned);
        sorted(families.collect())
    };
    assert_eq!(families("--where status=canceled"), ["respond"]);
    let two = "--where product_family=detect --where product_family=respond";
    assert_eq!(families(two), ["detect", "respond"]);
    assert_eq!(families(&format!("{two} --where status!=canceled")), ["detect"]);
    let all = query(&shell, "find --subject 01 --feature detect --feature respond", 0);
    let reasons: Vec<_> = sorted(texts(&all, "/reason"));
    assert_eq!(reasons, ["boolean", "suspended"]);
}

#[test]
fn row_alert_logic_entitled_now() {
    let shell = security();
    shell.run(&format!("check 01 detect --now {NOW}"), 0);
    let later = shell.json(&format!("check 01 detect --now {NOW} --at 2032-01-01T00:00:00Z"), 1);
    assert_eq!(later["reason"], "ended");
}

#[test]
fn row_alert_logic_legacy_features() {
    let shell = security();
    shell.run(&format!("check 01 legacy:pci_scan --now {NOW}"), 0);
    shell.run(&format!("check 02 legacy:pci_scan --now {NOW}"), 1);
}

#[test]
fn row_alert_logic_accounts_by_family_use_and_subscription_type() {
    let shell = security();
    let entitled = query(&shell, "entitled detect", 0);
    assert_eq!(entitled["items"].as_array().unwrap().len(), 2);
    assert_eq!(query(&shell, "entitled respond --access-only", 0), json!({ "items": [] }));
    // A snapshot has no subscriptions; the entitlement's attributes in the facts name their types.
    let of_type = |family: &str, kind: &str| {
        let wanted = format!("--feature {family} --access true --where subscriptionType={kind}");
        let listed = query(&shell, &format!("{RECORDS} entitlement {wanted}"), 0);
        texts(&listed, "/subject").join(" ")
    };
    assert_eq!(of_type("detect", "manual"), "02");
    assert_eq!(of_type("detect", "standard"), "01");
    assert_eq!(of_type("respond", "standard"), "");
}

#[test]
fn row_alert_logic_by_subscription() {
    let shell = security();
    let one = query(&shell, &format!("{RECORDS} subscription --subject 01 --where id=s-1"), 0);
    assert_eq!(one["count"], 1);
    assert_eq!(one.pointer("/items/0/record/type").unwrap(), "standard");
    let of = "--subject 01 --where subscription_id=s-1 --order-by product_family";
    let entitlements = query(&shell, &format!("{RECORDS} entitlement {of}"), 0);
    let families = ["detect", "log_data_retention", "respond"];
    assert_eq!(texts(&entitlements, "/record/product_family"), families);
    assert_eq!(texts(&entitlements, "/reason"), ["boolean", "static", "suspended"]);
    let later = query(&shell, &format!("{RECORDS} entitlement {of} --at 2032-01-01T00:00:00Z"), 0);
    assert_eq!(texts(&later, "/reason"), ["ended", "ended", "suspended"]);
}

#[test]
fn row_alert_logic_expression() {
    let shell = security();
    for (expression, code) in [("detect|respond&!trial", 0), ("!detect", 1), ("respond|*", 0)] {
        query(&shell, &format!("satisfies 01 {expression}"), code);
    }
}

#[test]
fn row_alert_logic_retention() {
    let shell = security();
    let decision = shell.json(&format!("check 01 log_data_retention --now {NOW}"), 0);
    assert_eq!(decision["config"], json!({ "value": 12, "value_type": "months" }));
}
