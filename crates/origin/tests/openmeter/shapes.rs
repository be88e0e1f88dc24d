//! The shapes that servers answer, and whose each record is.

use edgegrant::Amount;
use edgegrant::engine::Reason;
use edgegrant::model::{Fact, Record};
use edgegrant_origin::sources::Notes;
use edgegrant_origin::sources::openmeter::{Options, import};
use serde_json::{Value, json};

use crate::kit::{amount, at, export, grant, imported, metered, refusal, usage, value, with};

fn boolean(fields: Value) -> Value {
    let record = json!({
        "id": "01HB0000000000000000000001", "type": "boolean", "featureKey": "sso",
        "featureId": "01HF0000000000000000000002",
        "customerId": "01HC0000000000000000000001", "customerKey": "acme",
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"
    });
    with(record, fields)
}

fn customer(fields: Value) -> Value {
    let record = json!({
        "id": "01HC0000000000000000000001", "key": "acme", "name": "Acme",
        "usageAttribution": { "subjectKeys": ["acme", "acme-eu"] }
    });
    with(record, fields)
}

#[test]
fn pages_arrays_lines_and_single_records_are_one() {
    let record = boolean(json!({}));
    let page = json!({ "items": [record], "page": 1, "pageSize": 100, "totalCount": 1 });
    for content in [page.clone(), json!([record]), record.clone(), json!([page])] {
        imported(&[("entitlements.json", content)]).assert_sound();
    }
    let import = imported(&[("entitlements/page-1.ndjson", json!([page, record]))]);
    assert!(import.only().opening.is_none());
    assert_eq!(imported(&[("entitlements.json", json!({ "items": [] }))]).facts, []);
}

#[test]
fn records_say_what_they_are_where_the_file_does_not() {
    let feature = json!({ "id": "01HF0000000000000000000001", "key": "tokens", "meterSlug": "t" });
    let meter = json!({ "slug": "t", "aggregation": "SUM" });
    let row = ("2026-03-10T12:00:00Z", "2026-03-10T12:01:00Z", json!(5));
    let page = json!({ "items": [metered(json!({}))], "page": 1 });
    let envelope = json!({ "request": { "path": "/api/v1/meters" }, "body": [meter] });
    let import = imported(&[
        ("1.json", json!([customer(json!({}))])),
        ("2.json", feature),
        ("3.json", envelope),
        ("4.json", page),
        ("5.json", grant(json!({}))),
        ("6.ndjson", json!([value(json!({}))])),
        ("7.ndjson", json!([usage(&[row])])),
        ("8.json", json!({ "items": [] })),
    ]);
    assert_eq!(import.codes(), Vec::<&str>::new());
    assert_eq!(import.subjects()[0].aliases.len(), 2);
    assert_eq!(import.numbers("2026-03-10T12:01:00Z"), ["35", "65", "0"]);
    for unclear in [json!({ "id": "1", "key": "a", "name": "A" }), json!([{}]), json!(7)] {
        assert_eq!(refusal(&[("9.json", unclear)]), "answer-unknown");
    }
}

#[test]
fn what_the_server_said_is_kept() {
    let feature = json!({ "id": "01HF0000000000000000000001", "key": "tokens", "meterSlug": "t" });
    let meter = json!({ "slug": "t", "aggregation": "SUM", "valueProperty": "$.n" });
    let old = metered(json!({ "updatedAt": "2025-12-31T00:00:00Z" }));
    let (customer, grant, value) = (customer(json!({})), grant(json!({})), value(json!({})));
    let import = imported(&[
        ("customers.json", json!([customer])),
        ("features.json", json!([feature])),
        ("meters.json", json!([meter])),
        ("entitlements.json", json!([old, metered(json!({}))])),
        ("grants.json", json!([grant, grant])),
        ("values.ndjson", json!([value])),
    ]);
    let told = |records: &[Record]| -> Vec<(String, Option<String>, Value)> {
        let told = |record: &Record| {
            let json = serde_json::from_str(record.json.as_str()).unwrap();
            (record.kind.clone(), record.feature.clone(), json)
        };
        records.iter().map(told).collect()
    };
    let of = |kind: &str, json: Value| (kind.to_owned(), Some("tokens".to_owned()), json);
    let expected = [
        ("customer".to_owned(), None, customer),
        of("entitlement", metered(json!({}))),
        of("grant", grant),
        of("value", value),
    ];
    assert_eq!(told(&import.subjects()[0].records), expected);
    let Some(Fact::Feature(declared)) = import.facts.first() else { panic!("no feature") };
    assert_eq!(told(&declared.records), [of("feature", feature), of("meter", meter)]);
}

#[test]
fn what_belongs_to_no_entitlement_is_said() {
    let files = export(boolean(json!({})), json!([grant(json!({}))]), json!([]), json!([]));
    assert_eq!(imported(&files).codes(), ["entitlement-missing"]);
    let values = json!([value(json!({}))]);
    let files = export(boolean(json!({})), json!([]), values, json!([]));
    assert_eq!(imported(&files).codes(), ["entitlement-missing"]);
}

#[test]
fn a_customer_is_known_by_key_id_and_usage_keys() {
    let other = customer(json!({
        "id": "01HC0000000000000000000002", "key": null,
        "usageAttribution": { "subjectKeys": ["acme-eu"] }
    }));
    let customers = json!([customer(json!({})), other, customer(json!({}))]);
    let v1 = json!({ "customerId": null, "customerKey": null, "subjectKey": "acme-eu" });
    let import =
        imported(&[("customers.json", customers), ("entitlements.json", json!([boolean(v1)]))]);
    let subjects = import.subjects();
    let [acme, unnamed] = subjects.as_slice() else { panic!("{subjects:?}") };
    assert_eq!(acme.subject, "acme");
    assert_eq!(acme.aliases, ["01HC0000000000000000000001", "acme-eu"]);
    assert_eq!(acme.entitlements.len(), 1);
    assert_eq!(unnamed.subject, "01HC0000000000000000000002");
    assert_eq!(import.codes(), ["alias-taken"]);
    import.assert_sound();
}

#[test]
fn an_entitlement_of_nobody_is_skipped() {
    let unlisted =
        boolean(json!({ "customerId": "01HC0000000000000000000009", "customerKey": null }));
    let files = [
        ("customers.json", json!([customer(json!({}))])),
        ("entitlements.json", json!([unlisted])),
    ];
    let import = imported(&files);
    assert_eq!(import.codes(), ["customer-missing"]);
    assert!(import.subjects().iter().all(|subject| subject.entitlements.is_empty()));
}

#[test]
fn a_deleted_customer_ends_with_its_deletion() {
    let deleted = customer(json!({ "deletedAt": "2026-03-10T10:00:00Z" }));
    let files =
        [("customers.json", json!([deleted])), ("entitlements.json", json!([boolean(json!({}))]))];
    let import = imported(&files);
    assert!(import.decide("2026-03-10T09:59:59Z").has_access);
    assert_eq!(import.decide("2026-03-10T10:00:00Z").reason, Reason::Ended);
}

#[test]
fn the_window_is_filled_as_the_server_does() {
    let window = boolean(json!({ "activeTo": "2026-03-11T00:00:00Z" }));
    let import = imported(&[("entitlements.json", json!([window]))]);
    assert_eq!(import.decide("2025-12-31T23:59:59Z").reason, Reason::NotYet);
    assert!(import.decide("2026-01-01T00:00:00Z").has_access, "activeFrom is createdAt");
    assert_eq!(import.decide("2026-03-11T00:00:00Z").reason, Reason::Ended);
}

#[test]
fn of_several_entitlements_to_a_feature_the_active_one_counts() {
    let past =
        boolean(json!({ "id": "01HB0000000000000000000002", "activeTo": "2026-02-01T00:00:00Z" }));
    let next = boolean(
        json!({ "id": "01HB0000000000000000000003", "activeFrom": "2026-05-01T00:00:00Z" }),
    );
    let import = imported(&[("entitlements.json", json!([past, next, boolean(json!({}))]))]);
    assert_eq!(import.only().source.as_ref().unwrap().id, "01HB0000000000000000000001");
    assert_eq!(import.codes(), ["entitlement-superseded", "entitlement-superseded"]);
    let import = imported(&[("entitlements.json", json!([past, next]))]);
    assert_eq!(import.only().source.as_ref().unwrap().id, "01HB0000000000000000000003");
}

#[test]
fn configs_are_decoded_twice() {
    let config = |config: Value| {
        let fields = json!({ "type": "static", "config": config });
        let import = imported(&[("entitlements.json", json!([boolean(fields)]))]);
        import.assert_sound();
        import.only().config.as_ref().unwrap().as_str().to_owned()
    };
    assert_eq!(
        config(json!("{ \"integrations\": [\"github\"] }")),
        r#"{"integrations":["github"]}"#
    );
    assert_eq!(config(json!("\"plain\"")), r#""plain""#);
    assert_eq!(config(json!("0.10")), "0.10");
    assert_eq!(config(json!("no json")), r#""no json""#);
    assert_eq!(config(json!({ "a": 1 })), r#"{"a":1}"#);
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let fields = json!({ "type": "static", "config": deep });
    let import = imported(&[("entitlements.json", json!([boolean(fields)]))]);
    assert_eq!(import.errors(), ["config-too-deep"]);
}

#[test]
fn what_a_grant_leaves_out_depends_on_the_version() {
    let bare =
        grant(json!({ "maxRolloverAmount": null, "minRolloverAmount": null, "priority": null }));
    let values = json!([value(json!({}))]);
    let v2 = imported(&export(metered(json!({})), json!([bare]), values.clone(), json!([])));
    let first = v2.only().grants.first().unwrap();
    assert_eq!((first.priority, first.min_rollover), (0, Amount::ZERO));
    assert_eq!(first.max_rollover, amount("100"));
    assert_eq!(v2.numbers("2026-04-01T00:00:00Z"), ["40", "0", "0"]);

    let subject = json!({ "customerId": null, "customerKey": null, "subjectKey": "acme" });
    let v1 = imported(&export(metered(subject), json!([bare]), values, json!([])));
    assert_eq!(v1.only().grants.first().unwrap().max_rollover, Amount::ZERO);
    assert_eq!(v1.numbers("2026-04-01T00:00:00Z"), ["0", "0", "0"]);
}

#[test]
fn unlimited_is_ignored_and_issued_grants_are_not_added_again() {
    let issued = metered(json!({
        "isUnlimited": true, "issueAfterReset": 100, "issue": { "amount": 100, "priority": 1 }
    }));
    let of_issue = grant(json!({ "annotations": { "issueAfterReset": true } }));
    let import = imported(&export(issued, json!([of_issue]), json!([value(json!({}))]), json!([])));
    assert!(!import.only().unlimited);
    assert_eq!(import.only().grants.len(), 1);
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["40", "60", "0"]);
}

#[test]
fn a_negative_grant_is_left_out_as_the_server_does() {
    let negative = grant(json!({ "id": "01HG0000000000000000000002", "amount": -5 }));
    let grants = json!([grant(json!({})), negative]);
    let import =
        imported(&export(metered(json!({})), grants, json!([value(json!({}))]), json!([])));
    assert_eq!(import.codes(), ["grant-negative"]);
    assert_eq!(import.only().grants.len(), 1);
}

#[test]
fn features_are_declared_once_and_keep_an_archived_one_in_use() {
    let feature = |id: &str, archived: Value| {
        with(json!({ "id": id, "key": "sso", "name": "SSO" }), json!({ "archivedAt": archived }))
    };
    let features =
        json!([feature("01HF2", Value::Null), feature("01HF1", json!("2026-01-01T00:00:00Z"))]);
    let files = [("features.json", features), ("entitlements.json", json!([boolean(json!({}))]))];
    let import = imported(&files);
    let declared: Vec<_> = import
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Feature(feature) => Some(feature.source.as_ref().unwrap().id.as_str()),
            Fact::Subject(_) => None,
        })
        .collect();
    assert_eq!(declared, ["01HF2"]);
    import.assert_sound();
}

#[test]
fn usage_of_a_feature_is_divided_by_customer() {
    let row = |who: Value| {
        with(
            json!({ "value": 5, "windowStart": "2026-03-10T12:00:00Z",
                    "windowEnd": "2026-03-10T12:01:00Z", "groupBy": {} }),
            who,
        )
    };
    let rows = json!([
        row(json!({ "customerId": "01HC0000000000000000000001" })),
        row(json!({ "subject": "acme-eu" })),
        row(json!({ "customerId": "01HC0000000000000000000007" })),
    ]);
    let answer = json!({ "featureKey": "tokens", "usage": {
        "from": "2026-03-10T12:00:00Z", "windowSize": "MINUTE", "data": rows
    } });
    let values = json!([value(json!({}))]);
    let mut files =
        export(metered(json!({})), json!([grant(json!({}))]), values, json!([answer])).to_vec();
    files.push(("customers.json", json!([customer(json!({}))])));
    let import = imported(&files);
    assert_eq!(import.codes(), ["usage-owner-unknown"]);
    assert_eq!(import.numbers("2026-03-10T12:01:00Z"), ["30", "70", "0"]);
}

#[test]
fn what_is_null_is_as_if_it_were_absent() {
    let mut given = metered(json!({}));
    for name in ["isSoftLimit", "preserveOverageAtReset", "annotations", "activeTo"] {
        given[name] = Value::Null;
    }
    let mut usage = usage(&[]);
    usage["usage"]["data"] = Value::Null;
    let nobody = json!({ "subjectKeys": null });
    let import = imported(&[
        ("customers.json", json!([customer(json!({ "usageAttribution": nobody }))])),
        ("entitlements.json", json!([given])),
        ("grants.json", json!([grant(json!({}))])),
        ("values.ndjson", json!([value(json!({}))])),
        ("usage.ndjson", json!([usage])),
    ]);
    assert_eq!(import.codes(), Vec::<&str>::new());
    assert_eq!(import.numbers("2026-03-10T12:30:00Z"), ["40", "60", "0"]);
}

#[test]
fn a_file_without_an_answer_is_refused_and_one_without_lines_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { at: at("2026-03-10T12:00:00Z"), trust_units: false };
    let refused = || {
        let path = folder.path().to_owned();
        import(&[path], &options, &mut Notes::default()).map(|_| ()).err().map(|it| it.code)
    };
    assert_eq!(refused().as_deref(), Some("answers-missing"));
    std::fs::write(folder.path().join("usage.ndjson"), "").unwrap();
    assert_eq!(refused(), None);
    std::fs::write(folder.path().join("grants.json"), "").unwrap();
    assert_eq!(refused().as_deref(), Some("answers-missing"));
}
