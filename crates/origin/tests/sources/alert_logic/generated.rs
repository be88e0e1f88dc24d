//! Generated records, each of which arrives with its figures.

use std::collections::BTreeMap;

use edgegrant::Instant;
use edgegrant::model::Status;
use serde_json::{Value, json};

use super::imported;
use crate::kit::amount;

/// What a generated record is expected to become.
struct Expected {
    usable: bool,
    from: Option<u64>,
    to: Option<u64>,
    figure: Option<String>,
    json: Value,
}

fn generated(random: &mut fastrand::Rng, family: &str) -> Expected {
    let status = *random.choice(&["active", "pending_activation", "canceled", "expired"]).unwrap();
    let usable = status == "active" || status == "pending_activation";
    let from = random.bool().then(|| random.u64(1_400_000_000..1_700_000_000));
    let to = random.bool().then(|| random.u64(1_800_000_000..1_990_000_000));
    let figure = random.bool().then(|| {
        format!("{}.{:09}", random.u64(0..1_000_000), random.u64(1..1_000_000_000))
            .trim_end_matches('0')
            .to_owned()
    });
    let mut json = json!({
        "id": format!("E-{family}"), "product_family": family, "status": status,
    });
    if let Some(from) = from {
        json["start_date"] = json!(from);
    }
    if let Some(to) = to {
        json["end_date"] = json!(if random.bool() { to } else { to * 1000 });
    }
    if let Some(figure) = &figure {
        json["value"] = json!(figure);
        json["value_type"] = json!("GB");
        json["usage_based"] = json!(true);
    }
    Expected { usable, from, to, figure, json }
}

#[test]
fn ten_thousand_records_arrive_whole() {
    let mut random = fastrand::Rng::with_seed(4);
    let mut accounts = BTreeMap::<String, BTreeMap<String, Expected>>::new();
    for index in 0..10_000 {
        let family = format!("family {}", index % 8);
        let expected = generated(&mut random, &family);
        accounts.entry(format!("{:08}", index / 8)).or_default().insert(family, expected);
    }
    let body = |(account, records): (&String, &BTreeMap<String, Expected>)| {
        let records: Vec<&Value> = records.values().map(|record| &record.json).collect();
        json!({ "account_id": account, "entitlements": records })
    };
    let import = imported(&accounts.iter().map(body).collect::<Vec<_>>());
    assert_eq!(import.codes(), Vec::<&str>::new());
    let seconds =
        |second: u64| Instant::from_millis(i64::try_from(second).unwrap() * 1000).unwrap().into();
    let mut found = 0;
    for subject in import.subjects() {
        let expected = &accounts[&subject.subject];
        assert_eq!(subject.entitlements.len(), expected.len());
        for given in &subject.entitlements {
            let Expected { usable, from, to, figure, json } = &expected[&given.feature];
            assert_eq!(given.status == Status::Active, *usable);
            if *usable {
                assert_eq!(given.active_from, from.map(seconds));
                assert_eq!(given.active_to, to.map(seconds));
            }
            let amounts: Vec<_> = given.grants.iter().map(|grant| grant.amount).collect();
            assert_eq!(amounts, figure.iter().map(|text| amount(text)).collect::<Vec<_>>());
            let about = subject
                .records
                .iter()
                .filter(|record| record.feature.as_deref() == Some(&given.feature));
            let told: Vec<Value> =
                about.map(|record| serde_json::from_str(record.json.as_str()).unwrap()).collect();
            assert_eq!(told.as_slice(), std::slice::from_ref(json));
            found += 1;
        }
    }
    assert_eq!(found, 10_000);
    import.gate();
}
