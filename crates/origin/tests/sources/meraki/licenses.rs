//! Organizations whose licences end together, or that have one for each device.

use edgegrant::gate::Reason;
use edgegrant::model::UsageKind;
use serde_json::{Value, json};

use super::{ORGANIZATION, imported, numbers, refusal};
use crate::kit::{at, left_and_over};

fn overview(status: &str, date: Value) -> Value {
    json!({ "status": status, "expirationDate": date,
        "licensedDeviceCounts": { "MR-ADV": 3, "MS220-8P": 0 } })
}

#[test]
fn all_licences_end_thirty_days_after_their_date() {
    let import = imported(&[overview("OK", json!("Mar 13, 2027 UTC"))]);
    assert_eq!(import.codes(), Vec::<&str>::new());
    let entitlement = import.entitlement(ORGANIZATION, "MR-ADV");
    assert_eq!(entitlement.attributes["expirationDate"], "2027-03-13T00:00:00Z");
    assert_eq!(entitlement.usage.as_ref().unwrap().kind, UsageKind::Unknown);
    let gate = import.gate();
    let ask = |when, more| gate.ask(ORGANIZATION, "MR-ADV", when, more, None);
    let now = gate.check(ORGANIZATION, "MR-ADV");
    assert_eq!((now.reason, now.usage_known), (Reason::WithinBalance, Some(false)));
    // Metered instants are rounded up to the minute, so the answer may differ that much earlier.
    assert_eq!(now.until, Some(at("2027-04-11T23:59:00.001Z")));
    assert!(ask("2027-04-01T00:00:00Z", Some("3")).has_access);
    assert!(!ask("2027-04-01T00:00:00Z", Some("4")).has_access);
    assert_eq!(ask("2027-04-12T00:00:00Z", None).reason, Reason::Ended);
    assert_eq!(gate.check(ORGANIZATION, "MS220-8P").reason, Reason::Exhausted);
    let inventory = gate.ask(ORGANIZATION, "MR-ADV", "2026-11-20T00:00:00Z", None, Some("5"));
    assert_eq!(left_and_over(&inventory), numbers("0", "2"));
}

#[test]
fn after_their_date_licences_are_in_grace() {
    let import = imported(&[overview("License Expired", json!("Nov 1, 2026 UTC"))]);
    assert_eq!(import.codes(), Vec::<&str>::new());
    let answer = import.gate().check(ORGANIZATION, "MR-ADV");
    assert_eq!(
        (answer.reason, answer.until),
        (Reason::Grace, Some(at("2026-11-30T23:59:00.001Z")))
    );
    let over = imported(&[overview("License Expired", json!("Oct 1, 2026 UTC"))]);
    assert_eq!(over.gate().check(ORGANIZATION, "MR-ADV").reason, Reason::Ended);
    let listed = imported(&[overview("OK", json!("Oct 1, 2026 UTC"))]);
    assert_eq!(listed.codes(), ["past-end-at-import"]);
    assert!(listed.gate().check(ORGANIZATION, "MR-ADV").has_access);
}

#[test]
fn a_status_other_than_ok_gives_no_access() {
    for date in [json!("Mar 13, 2027 UTC"), json!("N/A"), Value::Null] {
        let import = imported(&[overview("License Required", date)]);
        assert_eq!(import.codes(), ["status-unknown"]);
        assert_eq!(import.gate().check(ORGANIZATION, "MR-ADV").reason, Reason::Suspended);
    }
}

#[test]
fn a_date_is_read_as_it_stands_or_refused() {
    for date in ["Feb 30, 2027 UTC", "anF 3, 2027 UTC", "13 Mar 2027", "Mar 13, 2027", ""] {
        assert_eq!(refusal(overview("OK", json!(date))), "date-malformed", "{date}");
    }
}

#[test]
fn licences_with_one_end_are_kept_and_the_overview_counts() {
    let license = json!([{
        "key": "Z2AA-BBBB-CCCC", "organizationId": "88", "duration": 365, "mode": "addDevices",
        "invalidated": false, "expired": false, "counts": [{ "model": "MR Enterprise", "count": 2 }]
    }]);
    let import = imported(&[license.clone(), license.clone()]);
    assert_eq!(import.codes(), ["overview-missing"]);
    assert_eq!(import.subject("88").records.len(), 1);
    assert!(import.subject("88").entitlements.is_empty());
    import.gate();
    let path = json!({ "path": "/organizations/88/licenses/overview" });
    let overview = json!({ "request": path, "body": overview("OK", json!("Mar 13, 2027 UTC")) });
    let import = imported(&[license, overview]);
    assert_eq!(import.codes(), Vec::<&str>::new());
    assert_eq!(import.subject("88").records.len(), 2);
    assert!(import.gate().check("88", "MR-ADV").has_access);
}

#[test]
fn licences_of_devices_count_while_they_are_on_or_off_one() {
    let license = |id: &str, state: &str, end: Value| {
        let kind = "ENT";
        json!({ "id": id, "licenseType": kind, "state": state, "expirationDate": end })
    };
    let end = json!("2027-03-13T00:00:00Z");
    let import = imported(&[json!([
        license("1", "active", end.clone()),
        license("2", "expiring", json!("2026-12-01T00:00:00Z")),
        license("3", "unused", Value::Null),
        license("4", "unusedActive", end.clone()),
        license("4", "unusedActive", end.clone()),
        license("5", "expired", json!("2020-01-01T00:00:00Z")),
        license("6", "recentlyQueued", Value::Null),
        license("7", "lost", Value::Null),
        json!({ "state": "active", "expirationDate": end }),
    ])]);
    assert_eq!(import.codes(), ["status-unknown", "record-without-key"]);
    let gate = import.gate();
    let ask = |when| gate.ask(ORGANIZATION, "ENT", when, None, None);
    assert_eq!(left_and_over(&gate.check(ORGANIZATION, "ENT")), numbers("2", "0"));
    assert_eq!(left_and_over(&ask("2026-12-02T00:00:00Z")), numbers("1", "0"));
    assert_eq!(left_and_over(&ask("2027-04-01T00:00:00Z")), numbers("0", "1"));
    assert_eq!(import.subject(ORGANIZATION).records.len(), 8);
}

#[test]
fn seats_of_a_licence_are_had_without_knowing_who_sits() {
    let seats = json!([{ "id": "1", "licenseType": "SM", "state": "active", "seatCount": 25,
        "expirationDate": "2027-03-13T00:00:00Z", "networkId": "N_1" }]);
    let import = imported(&[seats]);
    let answer = import.gate().check(ORGANIZATION, "SM");
    assert_eq!((answer.has_access, answer.usage_known), (true, Some(false)));
    assert_eq!(
        import.entitlement(ORGANIZATION, "SM").active_to,
        Some(at("2027-03-13T00:00:00Z").into())
    );
    let expired = json!([{ "id": "1", "licenseType": "SM", "state": "expired" }]);
    let answer = imported(&[expired]).gate().check(ORGANIZATION, "SM");
    assert_eq!(answer.reason, Reason::Suspended);
}

#[test]
fn an_overview_of_states_says_nothing_of_models() {
    let states = json!({ "licenseCount": 1, "states": { "active": { "count": 1 } } });
    let import = imported(std::slice::from_ref(&states));
    assert_eq!(import.codes(), ["licenses-missing"]);
    assert_eq!(import.subject(ORGANIZATION).records[0].kind, "licenses-overview");
    let license = json!([{ "id": "1", "licenseType": "ENT", "state": "unused" }]);
    let import = imported(&[states, license]);
    assert_eq!(import.codes(), Vec::<&str>::new());
    assert!(import.gate().check(ORGANIZATION, "ENT").has_access);
}
