//! Alert Logic's entitlements and subscriptions.

mod generated;
mod worked;

use edgegrant::gate::Reason;
use edgegrant::model::{Status, UsageKind};
use edgegrant_origin::sources::Ends;
use edgegrant_origin::sources::alert_logic::{Options, import};
use edgegrant_origin::sources::answers;
use serde_json::{Value, json};

use crate::kit::{Imported, NOW, amount, answers_of, at, ends};

const ACCOUNT: &str = "00000007";
const PAST: u64 = 1_600_000_000;
const SOON: u64 = 1_893_456_000;
const LATE: u64 = 1_924_992_000;

fn options() -> Options {
    Options { ends: ends(), canceled_runs_to_end: false, any_active: false }
}

fn strict() -> Options {
    Options { ends: Ends { strict: true, ..ends() }, ..options() }
}

fn list(entitlements: &[Value]) -> Value {
    json!({ "account_id": ACCOUNT, "entitlements": entitlements })
}

/// An active record with some fields written over or, as null, taken away.
fn record(family: &str, fields: Value) -> Value {
    let mut record = json!({
        "id": format!("id-{family}"), "subscription_id": "sub-1", "product_family": family,
        "status": "active", "start_date": 1_458_867_200, "end_date": LATE,
    });
    for (name, field) in fields.as_object().unwrap() {
        record[name] = field.clone();
    }
    record
}

fn imported(bodies: &[Value]) -> Imported {
    imported_with(bodies, &options())
}

fn imported_with(bodies: &[Value], options: &Options) -> Imported {
    Imported::new(|notes| import(&answers_of(bodies), options, notes))
}

fn refusal(body: Value) -> String {
    let answers = answers_of(&[body]);
    import(&answers, &options(), &mut Default::default()).map(|_| ()).unwrap_err().code
}

fn reason(import: &Imported, family: &str) -> Reason {
    import.gate().check(ACCOUNT, family).reason
}

#[test]
fn a_status_says_whether_a_family_may_be_used() {
    let statuses =
        ["active", "pending_activation", "canceled", "expired", "unknown", "paused", "null"];
    let status = |status: &str| record(status, json!({ "status": status }));
    let mut records = statuses.map(status);
    records[6]["status"] = Value::Null;
    let import = imported(&[list(&records)]);
    assert_eq!(import.codes(), ["status-unknown"; 3]);
    let gate = import.gate();
    let usable = statuses.map(|family| gate.check(ACCOUNT, family).has_access);
    assert_eq!(usable, [true, true, false, false, false, false, false]);
    let attributes = &import.entitlement(ACCOUNT, "paused").attributes;
    assert_eq!((&*attributes["status"], &*attributes["flag"]), ("paused", "status-unknown"));
}

#[test]
fn what_is_canceled_runs_to_its_end_where_that_is_asked_for() {
    let canceled =
        |family: &str, end: Value| record(family, json!({ "status": "canceled", "end_date": end }));
    let body = list(&[
        canceled("later", json!(LATE)),
        canceled("past", json!(PAST)),
        canceled("never", Value::Null),
    ]);
    let graceful = Ends { renewal_grace: 3_600_000, ..ends() };
    let runs = Options { canceled_runs_to_end: true, ends: graceful, ..options() };
    let gate = imported_with(&[body], &runs).gate();
    let later = gate.check(ACCOUNT, "later");
    // It is not renewed, so nothing puts its end off.
    assert_eq!((later.reason, later.until), (Reason::Boolean, Some(at("2031-01-01T00:00:00Z"))));
    assert_eq!(gate.check(ACCOUNT, "past").reason, Reason::Suspended);
    assert_eq!(gate.check(ACCOUNT, "never").reason, Reason::Suspended);
}

#[test]
fn dates_may_be_absent_null_or_in_milliseconds() {
    let body = list(&[
        record("ends", json!({ "start_date": null, "end_date": LATE * 1000 })),
        record("lasts", json!({ "start_date": null, "end_date": null })),
        record("begins", json!({ "start_date": SOON, "end_date": LATE })),
        record("ended", json!({ "end_date": PAST })),
    ]);
    let import = imported(std::slice::from_ref(&body));
    assert_eq!(import.codes(), ["past-end-at-import"]);
    assert_eq!(import.entitlement(ACCOUNT, "ended").attributes["flag"], "past-end-at-import");
    let gate = import.gate();
    let until = |family: &str| gate.check(ACCOUNT, family).until;
    assert_eq!(until("ends"), Some(at("2031-01-01T00:00:00Z")));
    assert_eq!((until("lasts"), until("ended")), (None, None));
    assert_eq!(gate.check(ACCOUNT, "begins").reason, Reason::NotYet);
    assert_eq!(reason(&imported_with(&[body], &strict()), "ended"), Reason::Ended);
}

#[test]
fn the_latest_end_decides_among_records_of_a_family() {
    let canceled = |end: Value| record("detect", json!({ "status": "canceled", "end_date": end }));
    let active = |end: Value| record("detect", json!({ "end_date": end }));
    let cases = [
        (vec![active(json!(SOON)), canceled(json!(LATE))], false),
        (vec![canceled(json!(SOON)), active(json!(LATE))], true),
        (vec![active(json!(LATE)), canceled(json!(LATE))], true),
        (vec![active(json!(LATE)), canceled(Value::Null)], false),
        (vec![active(Value::Null), canceled(Value::Null)], true),
    ];
    let any_active = Options { any_active: true, ..options() };
    for (mut records, expected) in cases {
        for _ in 0..2 {
            let import = imported(&[list(&records)]);
            assert_eq!(reason(&import, "detect") == Reason::Boolean, expected, "{records:?}");
            assert_eq!(import.subject(ACCOUNT).entitlements.len(), 1);
            // What does not decide is still told.
            assert_eq!(import.subject(ACCOUNT).records.len(), 3);
            let any = imported_with(&[list(&records)], &any_active);
            assert_eq!(reason(&any, "detect"), Reason::Boolean);
            records.reverse();
        }
    }
}

#[test]
fn a_renewal_that_has_not_begun_takes_nothing_away() {
    let months = |value: u64, start: u64, end: u64, status: &str| {
        let fields = json!({ "value": value, "value_type": "months", "status": status,
                             "start_date": start, "end_date": end });
        record("log_data_retention", fields)
    };
    let runs = months(12, PAST, SOON, "active");
    let renewed = months(24, SOON, LATE, "active");
    let import = imported(&[list(&[runs.clone(), renewed.clone()])]);
    let answer = import.gate().check(ACCOUNT, "log_data_retention");
    assert_eq!(answer.config.as_deref(), Some(r#"{"value":12,"value_type":"months"}"#));
    // Without anything usable before it, it begins at its own time.
    let canceled = months(12, PAST, SOON - 1, "canceled");
    let import = imported(&[list(&[canceled, renewed])]);
    assert_eq!(reason(&import, "log_data_retention"), Reason::NotYet);
    let import = imported(&[list(&[runs, months(24, SOON, LATE, "canceled")])]);
    assert_eq!(reason(&import, "log_data_retention"), Reason::Suspended);
}

#[test]
fn a_value_is_a_setting_or_billed_by_use() {
    let body = list(&[
        record("kept", json!({ "value": 12, "value_type": "months", "usage_based": true })),
        record("years", json!({ "value": 2, "value_type": "years" })),
        record("plain", json!({ "value": "x\u{e9}", "usage_based": false })),
        record("billed", json!({ "value": 500.5, "value_type": "GB", "usage_based": true })),
        record("bare", json!({ "usage_based": true, "value": null })),
    ]);
    let import = imported(&[body]);
    assert_eq!(import.codes(), ["usage-without-value"]);
    assert_eq!(import.entitlement(ACCOUNT, "bare").attributes["flag"], "usage-without-value");
    assert_eq!(import.feature("billed").unit.as_deref(), Some("GB"));
    let billed = import.entitlement(ACCOUNT, "billed");
    assert!(billed.soft_limit);
    assert_eq!(billed.usage.as_ref().unwrap().kind, UsageKind::Unknown);
    let [grant] = billed.grants.as_slice() else { panic!("{billed:?}") };
    assert_eq!((&*grant.id, grant.amount), ("id-billed", amount("500.5")));
    assert_eq!(grant.expires_at, Some(at("2031-01-01T00:00:00Z").into()));
    let gate = import.gate();
    let config = |family: &str| gate.check(ACCOUNT, family).config.unwrap();
    assert_eq!(config("kept"), r#"{"value":12,"value_type":"months"}"#);
    assert_eq!(config("years"), r#"{"value":2,"value_type":"years"}"#);
    assert_eq!(config("plain"), "{\"value\":\"x\u{e9}\"}");
    let used = gate.ask(ACCOUNT, "billed", NOW, None, Some("600"));
    assert_eq!((used.reason, used.overage), (Reason::SoftLimit, Some(amount("99.5"))));
    assert_eq!(gate.check(ACCOUNT, "billed").usage, None);
    // Soft as the limit is, the end is one.
    let after = gate.ask(ACCOUNT, "billed", "2031-01-01T00:00:00Z", None, None);
    assert_eq!(after.reason, Reason::Ended);
    assert_eq!(gate.check(ACCOUNT, "bare").reason, Reason::Boolean);
}

#[test]
fn what_is_wrong_is_skipped_or_refused() {
    let nameless = record("x", json!({ "product_family": null }));
    let import = imported(&[list(&[nameless, record("detect", json!({}))])]);
    assert_eq!(import.codes(), ["record-without-key"]);
    assert_eq!(import.subject(ACCOUNT).entitlements.len(), 1);
    let value = json!({ "value": "many", "value_type": "GB", "usage_based": true });
    assert_eq!(imported(&[list(&[record("x", value)])]).errors(), ["value-not-a-number"]);
    assert_eq!(refusal(json!({ "account_id": 7, "entitlements": [] })), "wrong-type");
    assert_eq!(refusal(list(&[record("x", json!({ "end_date": "soon" }))])), "amount-malformed");
    assert_eq!(refusal(list(&[json!("x")])), "wrong-type");
    assert_eq!(refusal(json!({ "error": "forbidden" })), "error-answer");
    assert_eq!(refusal(json!({ "account_ids": [ACCOUNT] })), "answer-unknown");
    assert_eq!(refusal(json!({ "entitlements": [], "type": "manual" })), "answer-unknown");
    assert_eq!(refusal(json!({ "id": "s", "account_id": ACCOUNT, "active": 1 })), "wrong-type");
}

#[test]
fn legacy_features_and_the_vendor_itself_never_end() {
    let body = json!({ "account_id": "2", "entitlements": [], "legacy_features": ["pci_scan"] });
    let import = imported(&[body]);
    let gate = import.gate();
    for feature in ["legacy:pci_scan", "al_internal_user"] {
        let answer = gate.ask("2", feature, "2026-11-20T12:00:00Z", None, None);
        assert_eq!((answer.reason, answer.until), (Reason::Boolean, None));
    }
    let others = json!({ "account_id": "22", "entitlements": [], "legacy_features": null });
    assert!(imported(&[others]).subject("22").entitlements.is_empty());
}

#[test]
fn subscriptions_say_what_an_entitlement_belongs_to() {
    let carried = [record("detect", json!({})), record("assess", json!({ "id": "other" }))];
    let single = json!({ "id": "sub-1", "account_id": ACCOUNT, "active": true, "type": "standard",
                         "entitlements": carried });
    let listed = json!({ "subscriptions": [
        { "id": "sub-1", "account_id": ACCOUNT, "active": true, "type": "standard" },
        { "id": "sub-2", "account_id": "8", "status": "canceled", "type": "manual" },
    ] });
    let canceled = record("detect", json!({ "status": "canceled" }));
    let import = imported(&[single, listed, list(&[canceled])]);
    assert_eq!(import.codes(), Vec::<&str>::new());
    let account = import.subject(ACCOUNT);
    // The account's own list says more of an entitlement than its subscription does.
    assert_eq!(account.entitlements.len(), 2);
    assert_eq!(import.entitlement(ACCOUNT, "detect").status, Status::Suspended);
    let attributes = &import.entitlement(ACCOUNT, "assess").attributes;
    assert_eq!(attributes["subscriptionType"], "standard");
    assert_eq!(attributes["subscriptionActive"], "true");
    assert_eq!(account.attributes["subscriptionTypes"], "standard");
    let kinds: Vec<&str> = account.records.iter().map(|record| &*record.kind).collect();
    assert_eq!(kinds, ["account", "entitlement", "entitlement", "subscription"]);
    assert!(account.records[3].json.as_str().contains("assess"));
    let other = import.subject("8");
    assert!(other.entitlements.is_empty() && other.attributes.is_empty());
    assert_eq!(other.records.len(), 1);
}

#[test]
fn a_later_list_counts_where_it_says_something_else() {
    let before = list(&[record("detect", json!({})), record("assess", json!({}))]);
    let after = list(&[record("detect", json!({ "status": "canceled" }))]);
    let import = imported(&[before.clone(), after]);
    assert_eq!(import.codes(), ["entitlement-replaced"]);
    assert_eq!(reason(&import, "detect"), Reason::Suspended);
    assert_eq!(reason(&import, "assess"), Reason::Boolean);
    let twice = imported(&[before.clone(), before]);
    assert_eq!(twice.codes(), Vec::<&str>::new());
    assert_eq!(twice.subject(ACCOUNT).records.len(), 3);
}

#[test]
fn amounts_of_several_units_are_told_apart() {
    let billed = |account: &str, unit: &str| {
        let fields = json!({ "value": 5, "value_type": unit, "usage_based": true });
        json!({ "account_id": account, "entitlements": [record("analysis", fields)] })
    };
    let import = imported(&[billed("7", "GB"), billed("8", "TB")]);
    assert_eq!(import.codes(), ["unit-differs"]);
    assert_eq!(import.entitlement("8", "analysis").attributes["unit"], "TB");
}

#[test]
fn an_answer_about_another_account_is_refused() {
    let answered = |asked: &str, body: Value| {
        let path = format!("/subscriptions/v1/{asked}/entitlements");
        json!({ "request": { "path": path }, "http_status": 200, "body": body })
    };
    let list = || json!({ "account_id": "01", "entitlements": [] });
    let held = json!({ "subscriptions": [{ "id": "s", "account_id": "01" }] });
    assert_eq!(imported(&[answered("01", list())]).subjects().len(), 1);
    assert_eq!(refusal(answered("02", list())), "account-differs");
    assert_eq!(refusal(answered("02", held)), "account-differs");
}

/// Whoever asked and failed may have left an empty file behind.
#[test]
fn where_there_is_no_answer_nobody_takes_it_for_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let code = |path: &std::path::Path| answers::read(&[path.to_owned()]).unwrap_err().code;
    assert_eq!(code(folder.path()), "answers-missing");
    std::fs::write(folder.path().join("notes.txt"), "{}").unwrap();
    assert_eq!(code(folder.path()), "answers-missing");
    std::fs::write(folder.path().join("1.json"), list(&[]).to_string()).unwrap();
    assert_eq!(answers::read(&[folder.path().to_owned()]).unwrap().len(), 1);
    let empty = folder.path().join("2.json");
    std::fs::write(&empty, "\n").unwrap();
    assert_eq!([code(&empty), code(folder.path())], ["answers-missing"; 2]);
}
