//! Ten thousand subscriptions, generated apart from the importer.

use std::collections::BTreeMap;

use edgegrant::Amount;
use edgegrant::model::{Entitlement, Status};
use edgegrant_origin::sources::meraki::import;
use serde_json::{Value, json};

use super::options;
use crate::kit::{Imported, answers_of};

const STATUSES: [&str; 5] = ["active", "out_of_compliance", "inactive", "expired", "canceled"];

/// What an organization must have of a sku.
#[derive(Default)]
struct Sum {
    granted: i64,
    grants: usize,
    assigned: i64,
}

#[test]
fn ten_thousand_records_arrive_whole() {
    let mut random = fastrand::Rng::with_seed(41);
    let mut pages = Vec::new();
    let mut records = Vec::new();
    let mut sums = BTreeMap::<(String, String), Sum>::new();
    for organization in 0..100 {
        let mut page = Vec::new();
        for place in 0..100 {
            let id = format!("S{organization}-{place}");
            let record = generated(&mut random, &id, organization, &mut sums);
            page.push(record.clone());
            records.push((id, record));
        }
        let query = format!("organizationIds%5B%5D=O{organization}&perPage=100");
        pages.push(json!({ "request": { "query": query }, "headers": {}, "body": page }));
    }
    let import = Imported::new(|notes| import(&answers_of(&pages), &options(), notes));
    assert_eq!(import.codes(), Vec::<&str>::new());
    let subjects: BTreeMap<&str, _> =
        import.subjects().into_iter().map(|subject| (&*subject.subject, subject)).collect();
    assert_eq!(subjects.len(), 10_100);
    for (id, record) in &records {
        let subject = subjects[id.as_str()];
        let kept: Value = serde_json::from_str(subject.records[0].json.as_str()).unwrap();
        assert_eq!(kept, *record);
        let listed = record["entitlements"].as_array().unwrap();
        assert_eq!(subject.entitlements.len(), listed.len());
        for entitlement in listed {
            let given = of(&subject.entitlements, entitlement["sku"].as_str().unwrap());
            let figure = |name: &str| units(entitlement["seats"][name].as_i64().unwrap());
            assert_eq!(given.grants[0].amount, figure("limit"));
            assert_eq!(given.usage.as_ref().unwrap().amount, Some(figure("assigned")));
            let usable = ["active", "out_of_compliance", "inactive"];
            let suspended = !usable.contains(&record["status"].as_str().unwrap());
            assert_eq!(given.status == Status::Suspended, suspended);
            assert_eq!(given.grants[0].effective_at.to_string(), record["startDate"]);
            assert_eq!(given.active_to.unwrap().to_string(), record["endDate"]);
        }
    }
    for ((organization, sku), sum) in &sums {
        let given = of(&subjects[organization.as_str()].entitlements, sku);
        if sum.grants == 0 {
            assert_eq!(given.status, Status::Suspended);
            continue;
        }
        assert_eq!(given.grants.len(), sum.grants);
        let granted: Amount = given.grants.iter().map(|grant| grant.amount).sum();
        let assigned = given.usage.as_ref().unwrap().amount;
        assert_eq!((granted, assigned), (units(sum.granted), Some(units(sum.assigned))));
    }
    for organization in 0..100 {
        assert_eq!(subjects[format!("O{organization}").as_str()].records.len(), 100);
    }
    import.gate();
}

fn of<'a>(entitlements: &'a [Entitlement], sku: &str) -> &'a Entitlement {
    entitlements.iter().find(|given| given.feature == sku).unwrap()
}

fn units(number: i64) -> Amount {
    Amount::from_units(number)
}

fn generated(
    random: &mut fastrand::Rng,
    id: &str,
    organization: usize,
    sums: &mut BTreeMap<(String, String), Sum>,
) -> Value {
    let status = random.choice(STATUSES).unwrap();
    let (start, end) = match status {
        "inactive" => ("2027-01-01T00:00:00Z", "2029-01-01T00:00:00Z"),
        "expired" => ("2024-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        _ => ("2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
    };
    let mut entitlements = Vec::new();
    for number in 0..random.usize(1..5) {
        let sku = format!("LIC-{}", number * 8 + random.usize(0..8));
        let limit = random.i64(0..1_000);
        // Nobody sits in a subscription that has not begun.
        let assigned = if status == "inactive" { 0 } else { random.i64(0..1_200) };
        let sum = sums.entry((format!("O{organization}"), sku.clone())).or_default();
        if ["active", "out_of_compliance", "inactive"].contains(&status) {
            sum.granted += limit;
            sum.grants += 1;
            sum.assigned += assigned;
        }
        let available = (limit - assigned).max(0);
        entitlements.push(json!({ "sku": sku,
            "seats": { "assigned": assigned, "available": available, "limit": limit } }));
    }
    json!({
        "subscriptionId": id, "name": format!("name of {id}"), "status": status, "type": "termed",
        "startDate": start, "endDate": end, "lastUpdatedAt": "2026-09-21T00:00:00Z",
        "productTypes": ["wireless"], "entitlements": entitlements,
        "enterpriseAgreement": { "suites": [] }
    })
}
