//! Ten thousand entitlements, generated apart from the importer.

use std::collections::BTreeMap;

use edgegrant::Amount;
use edgegrant_origin::sources::astra::import;
use serde_json::{Value, json};

use super::options;
use crate::kit::{Imported, answers_of};

/// What a pool must hold, in thousandths.
#[derive(Default)]
struct Sum {
    granted: i64,
    grants: usize,
    used: Option<i64>,
}

const COLUMNS: [&str; 8] = [
    "id",
    "product",
    "entitlementType",
    "entitlementValue",
    "entitlementConsumption",
    "allocation",
    "validFromTimestamp",
    "validUntilTimestamp",
];

#[test]
fn ten_thousand_records_arrive_whole() {
    let mut random = fastrand::Rng::with_seed(43);
    let mut pages = Vec::new();
    let mut records = BTreeMap::<String, Vec<Value>>::new();
    let mut sums = BTreeMap::<(String, String), Sum>::new();
    for account in 0..100 {
        let account = format!("account-{account:02}");
        // Half of the accounts were asked with `include`, the others without.
        let rows = random.bool();
        for page in 0..4 {
            let mut items = Vec::new();
            for place in 0..25 {
                let id = format!("{account}-{page}-{place}");
                let record = generated(&mut random, &id, &account, &mut sums);
                let row = COLUMNS.map(|name| record[name].clone());
                items.push(if rows { json!(row) } else { record.clone() });
                records.entry(account.clone()).or_default().push(record);
            }
            let path = format!("/accounts/{account}/core/v1/entitlements");
            let query = format!("include={}", COLUMNS.join(","));
            let query = if rows { query } else { String::new() };
            let more = (page < 3).then_some("next");
            pages.push(json!({
                "request": { "path": path, "query": query }, "http_status": 200,
                "body": { "type": "application/astra-entitlements", "version": "1.0",
                    "items": items, "metadata": { "continue": more } }
            }));
        }
    }
    let import = Imported::new(|notes| import(&answers_of(&pages), &options(), notes));
    assert_eq!(import.codes(), Vec::<&str>::new());
    for (account, records) in &records {
        let kept = &import.subject(account).records;
        assert_eq!(kept.len(), records.len());
        for (kept, record) in kept.iter().zip(records) {
            assert_eq!(serde_json::from_str::<Value>(kept.json.as_str()).unwrap(), *record);
            let product = record["product"].as_str().unwrap();
            let kind = record["entitlementType"].as_str().unwrap();
            assert_eq!(kept.feature.as_deref(), Some(&*format!("{product}/{kind}")));
        }
    }
    assert_eq!(records.values().map(Vec::len).sum::<usize>(), 10_000);
    for ((subject, key), sum) in &sums {
        let given = import.entitlement(subject, key);
        let granted: Amount = given.grants.iter().map(|grant| grant.amount).sum();
        assert_eq!((granted, given.grants.len()), (thousandths(sum.granted), sum.grants));
        assert_eq!(given.usage.as_ref().unwrap().amount, sum.used.map(thousandths));
    }
    let entitlements: usize =
        import.subjects().iter().map(|subject| subject.entitlements.len()).sum();
    assert_eq!(entitlements, sums.len());
    import.gate();
}

fn thousandths(number: i64) -> Amount {
    Amount::from_nanos(i128::from(number) * 1_000_000)
}

fn decimal(thousandths: i64) -> String {
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

fn generated(
    random: &mut fastrand::Rng,
    id: &str,
    account: &str,
    sums: &mut BTreeMap<(String, String), Sum>,
) -> Value {
    let product = random.choice(["Center", "SDS"]).unwrap();
    let kind = random.choice(["vcpus", "capacity", "clusters"]).unwrap();
    let allocation = (random.u8(0..8) == 0).then(|| format!("object-{}", random.u8(0..4)));
    let value = random.i64(0..1_000_000);
    let used = (random.u8(0..16) > 0).then(|| random.i64(0..1_000_000));
    let subject = allocation.as_ref().map_or(account.to_owned(), |one| format!("{account}/{one}"));
    let fresh = Sum { used: Some(0), ..Sum::default() };
    let sum = sums.entry((subject, format!("{product}/{kind}"))).or_insert(fresh);
    sum.granted += value;
    sum.grants += 1;
    sum.used = sum.used.zip(used).map(|(sum, used)| sum + used);
    let month = random.u8(1..13);
    json!({
        "id": id, "product": product, "entitlementType": kind, "allocation": allocation,
        "entitlementValue": decimal(value), "entitlementConsumption": used.map(decimal),
        "validFromTimestamp": format!("2025-{month:02}-01T00:00:00.123456Z"),
        "validUntilTimestamp": format!("2027-{month:02}-01T00:00:00.123456Z")
    })
}
