//! Cisco Meraki's subscriptions, compliance, catalogue and licences.

mod generated;
mod licenses;
mod worked;

use edgegrant::gate::Reason;
use edgegrant::model::UsageKind;
use edgegrant_origin::sources::Ends;
use edgegrant_origin::sources::meraki::{Options, import};
use serde_json::{Value, json};

use crate::kit::{Imported, NOW, answers_of, at, ends, left_and_over};

pub(crate) const ORGANIZATION: &str = "77";

pub(crate) fn options() -> Options {
    Options { organization: Some(ORGANIZATION.into()), ends: ends() }
}

fn imported(bodies: &[Value]) -> Imported {
    Imported::new(|notes| import(&answers_of(bodies), &options(), notes))
}

fn refusal(body: Value) -> String {
    refusal_with(body, &options())
}

fn refusal_with(body: Value, options: &Options) -> String {
    let answers = answers_of(&[body]);
    import(&answers, options, &mut Default::default()).map(|_| ()).unwrap_err().code
}

/// An active subscription of this year and the next, with some fields written over.
fn subscription(id: &str, seats: &[(&str, i64, i64)], fields: Value) -> Value {
    let entitlement = |(sku, assigned, limit): &(&str, i64, i64)| {
        let available = (limit - assigned).max(0);
        json!({ "sku": sku, "seats":
            { "assigned": assigned, "available": available, "limit": limit } })
    };
    let entitlements: Vec<Value> = seats.iter().map(entitlement).collect();
    let mut record = json!({
        "subscriptionId": id, "name": format!("number {id}"), "status": "active", "type": "termed",
        "startDate": "2026-01-01T00:00:00Z", "endDate": "2028-01-01T00:00:00Z",
        "lastUpdatedAt": "2026-09-01T00:00:00Z", "productTypes": ["wireless", "switch"],
        "entitlements": entitlements,
    });
    for (name, field) in fields.as_object().unwrap() {
        if field.is_null() {
            record.as_object_mut().unwrap().remove(name);
        } else {
            record[name] = field.clone();
        }
    }
    record
}

fn violation(id: &str, class: &str, sku: &str, until: &str) -> Value {
    json!([{
        "subscription": { "id": id, "name": "x", "status": "out_of_compliance" },
        "violations": { "byProductClass": [{
            "productClass": class, "gracePeriodEndsAt": until,
            "missing": { "entitlements": [{ "sku": sku, "quantity": 1 }] }
        }] }
    }])
}

fn numbers(balance: &str, overage: &str) -> [Option<String>; 2] {
    [Some(balance.into()), Some(overage.into())]
}

#[test]
fn an_organization_has_the_seats_of_all_its_subscriptions() {
    let later = json!({ "status": "inactive", "startDate": "2027-01-01T00:00:00Z" });
    let import = imported(&[json!([
        subscription("1", &[("AP", 4, 10), ("SW", 1, 1)], json!({})),
        subscription("2", &[("AP", 5, 6)], json!({})),
        subscription("3", &[("AP", 0, 100)], later),
        subscription("4", &[("AP", 50, 1000)], json!({ "status": "canceled" })),
    ])]);
    assert_eq!(import.codes(), Vec::<&str>::new());
    let gate = import.gate();
    let all = gate.check(ORGANIZATION, "AP");
    assert_eq!((all.reason, left_and_over(&all)), (Reason::WithinBalance, numbers("7", "0")));
    assert_eq!(all.unit.as_deref(), Some("seat"));
    let then = gate.ask(ORGANIZATION, "AP", "2027-02-01T00:00:00Z", None, None);
    assert_eq!(left_and_over(&then), numbers("107", "0"));
    assert_eq!(left_and_over(&gate.check("1", "AP")), numbers("6", "0"));
    assert_eq!(left_and_over(&gate.check("2", "AP")), numbers("1", "0"));
    assert_eq!(gate.check("3", "AP").reason, Reason::NotYet);
    assert_eq!(gate.check("4", "AP").reason, Reason::Suspended);
    assert_eq!(gate.check(ORGANIZATION, "SW").reason, Reason::Exhausted);
    let ended = gate.ask(ORGANIZATION, "AP", "2028-01-01T00:00:00Z", None, None);
    assert_eq!(ended.reason, Reason::Ended);
    let ids: Vec<_> =
        import.entitlement(ORGANIZATION, "AP").grants.iter().map(|grant| &*grant.id).collect();
    assert_eq!(ids, ["1/AP", "2/AP", "3/AP"]);
    let usage = import.entitlement(ORGANIZATION, "AP").usage.clone().unwrap();
    assert_eq!(usage.kind, UsageKind::Level);
    assert_eq!(usage.as_of, Some(at("2026-09-01T00:00:00Z").into()));
}

#[test]
fn a_status_says_whether_a_subscription_counts() {
    let of = |id: &str, fields| subscription(id, &[("AP", 1, 2)], fields);
    let import = imported(&[json!([
        of("1", json!({ "status": "expired", "endDate": "2026-02-01T00:00:00Z" })),
        of("2", json!({ "status": "inactive" })),
        of("3", json!({ "status": "dormant" })),
        of("4", json!({ "status": null })),
        of("5", json!({ "status": "out_of_compliance" })),
    ])]);
    let unknown = "status-unknown";
    assert_eq!(import.codes(), ["inactive-after-start", unknown, unknown]);
    let gate = import.gate();
    for id in ["1", "2", "3", "4"] {
        assert_eq!(gate.check(id, "AP").reason, Reason::Suspended, "{id}");
    }
    assert_eq!(import.entitlement("3", "AP").attributes["status"], "dormant");
    assert!(gate.check("5", "AP").has_access);
    assert_eq!(left_and_over(&gate.check(ORGANIZATION, "AP")), numbers("1", "0"));
}

#[test]
fn a_status_wins_at_import_and_the_clock_afterwards() {
    let past = json!({ "endDate": "2026-11-01T00:00:00Z" });
    let bodies = [json!([subscription("1", &[("AP", 1, 2)], past)])];
    let lenient = imported(&bodies);
    assert_eq!(lenient.codes(), ["past-end-at-import"]);
    for holder in ["1", ORGANIZATION] {
        assert_eq!(lenient.entitlement(holder, "AP").attributes["flag"], "past-end-at-import");
        let answer = lenient.gate().check(holder, "AP");
        assert!(answer.has_access && answer.until.is_none());
    }
    let strict = Options { ends: Ends { strict: true, ..ends() }, ..options() };
    let denied = Imported::new(|notes| import(&answers_of(&bodies), &strict, notes));
    assert_eq!(denied.gate().check("1", "AP").reason, Reason::Ended);
}

#[test]
fn a_violation_is_borne_for_its_class_until_its_grace_ends() {
    let catalogue = |sku: &str, class: &str| {
        json!({ "sku": sku, "name": sku, "productType": "switch", "productClass": class,
            "featureTier": null, "isAddOn": false, "isFree": false })
    };
    let listed = subscription("1", &[("S-E", 3, 2), ("S-A", 1, 1), ("L-A", 9, 9)], json!({}));
    let short = violation("1", "small", "S-E", "2026-12-07T00:00:00Z");
    let skus = json!([catalogue("S-E", "small"), catalogue("S-A", "small"), catalogue("L-A", "l")]);
    // In any order, and without the catalogue only what is named.
    for (bodies, other) in [
        (vec![json!([listed]), short.clone(), skus.clone()], Reason::Grace),
        (vec![skus, short.clone(), json!([listed])], Reason::Grace),
        (vec![short, json!([listed])], Reason::Exhausted),
    ] {
        let import = imported(&bodies);
        assert_eq!(import.codes(), Vec::<&str>::new());
        let gate = import.gate();
        for holder in ["1", ORGANIZATION] {
            let check = |sku| gate.check(holder, sku);
            assert_eq!(check("S-E").reason, Reason::Grace);
            assert_eq!(left_and_over(&check("S-E")), numbers("0", "1"));
            assert_eq!(check("S-E").until, Some(at("2026-12-07T00:00:00Z")));
            assert_eq!(check("S-A").reason, other);
            assert_eq!(check("L-A").reason, Reason::Exhausted);
            let more = gate.ask(holder, "S-E", NOW, Some("1"), None);
            assert_eq!(more.reason, Reason::Exhausted);
            let after = gate.ask(holder, "S-E", "2026-12-07T00:00:00Z", None, None);
            assert_eq!(after.reason, Reason::Exhausted);
        }
        let kinds: Vec<_> =
            import.subject("1").records.iter().map(|record| &*record.kind).collect();
        assert_eq!(kinds, ["subscription", "compliance"]);
        assert_eq!(import.subject(ORGANIZATION).records.len(), 2);
    }
}

#[test]
fn what_is_null_is_as_if_it_were_absent() {
    let listed = subscription("1", &[("AP", 4, 10)], json!({}));
    let named = json!({ "id": "1", "name": "1", "status": "active" });
    let of = |classes: Value| json!([{ "subscription": named, "violations": classes }]);
    let unnamed = json!([{ "productClass": "AP", "gracePeriodEndsAt": "2026-12-07T00:00:00Z",
        "missing": { "entitlements": null } }]);
    for violations in
        [json!({ "byProductClass": null }), json!({ "byProductClass": unnamed }), Value::Null]
    {
        let import = imported(&[json!([listed]), of(violations)]);
        assert_eq!(import.codes(), Vec::<&str>::new());
        assert_eq!(left_and_over(&import.gate().check("1", "AP")), numbers("6", "0"));
    }
}

#[test]
fn the_catalogue_describes_features() {
    let one = json!({ "sku": "AP", "name": "MR", "productType": "wireless", "productClass": "MR",
        "featureTier": "advantage", "isAddOn": false, "isFree": false });
    let nameless = json!({ "productClass": "MR", "sku": null });
    // The service answers an array, the documentation shows one object.
    for body in [json!([one]), one.clone(), json!([one, nameless])] {
        let import = imported(std::slice::from_ref(&body));
        let feature = import.feature("AP");
        assert_eq!(feature.attributes["productClass"], "MR");
        assert_eq!(feature.attributes["isAddOn"], "false");
        assert_eq!(feature.records[0].kind, "catalogue-entry");
        assert_eq!(import.codes().len(), body.as_array().map_or(0, |all| all.len() - 1));
        import.gate();
    }
}

#[test]
fn seats_are_counted_as_far_as_they_are_known() {
    let counts = |seats: Value| json!({ "entitlements": null, "counts": { "seats": seats } });
    let all = counts(json!({ "limit": 10, "assigned": 4, "available": 6 }));
    let import = imported(&[json!([
        subscription("1", &[], all),
        subscription("2", &[], counts(json!({}))),
        subscription(
            "3",
            &[],
            json!({ "entitlements": [
            { "sku": "AP", "seats": { "limit": 5 } },
            { "sku": "AP", "seats": { "limit": 5, "assigned": 1 }, "webOrderLineId": "2" },
            { "sku": "SW", "seats": { "limit": "5", "assigned": 1, "available": 5 } },
            { "sku": "SW", "seats": { "limit": 5, "assigned": 2.5 }, "webOrderLineId": "2" },
            { "seats": { "limit": 5 } },
            { "sku": "X" },
        ] })
        ),
    ])]);
    let codes = ["seats-missing", "record-without-key", "seats-inconsistent", "seats-missing"];
    assert_eq!(import.codes(), codes);
    let gate = import.gate();
    assert_eq!(left_and_over(&gate.check("1", "*")), numbers("6", "0"));
    assert_eq!(left_and_over(&gate.check("3", "SW")), numbers("6.5", "0"));
    let unknown = gate.check("3", "AP");
    assert_eq!((unknown.usage_known, unknown.balance), (Some(false), None));
    assert!(gate.ask("3", "AP", NOW, Some("10"), None).has_access);
    assert!(!gate.ask("3", "AP", NOW, Some("11"), None).has_access);
}

#[test]
fn suites_are_had_or_not() {
    let suites = |suites: Value| json!({ "enterpriseAgreement": { "suites": suites } });
    let import = imported(&[json!([
        subscription("1", &[("AP", 1, 2)], suites(json!(["networking", "networking"]))),
        subscription("2", &[], suites(json!([]))),
    ])]);
    let gate = import.gate();
    for holder in ["1", ORGANIZATION] {
        let answer = gate.check(holder, "suite:networking");
        assert_eq!(
            (answer.reason, answer.until),
            (Reason::Boolean, Some(at("2028-01-01T00:00:00Z")))
        );
    }
    assert_eq!(gate.check("2", "suite:networking").reason, Reason::NotEntitled);
}

#[test]
fn the_latest_version_of_a_subscription_counts() {
    let version = |assigned, updated: &str| {
        subscription("1", &[("AP", assigned, 9)], json!({ "lastUpdatedAt": updated }))
    };
    let (old, new) = (version(1, "2026-03-01T00:00:00Z"), version(2, "2026-04-01T00:00:00Z"));
    for bodies in [[json!([old, new])], [json!([new, old])]] {
        let import = imported(&bodies);
        assert_eq!(left_and_over(&import.gate().check(ORGANIZATION, "AP")), numbers("7", "0"));
        assert_eq!(import.subject(ORGANIZATION).records.len(), 1);
    }
    let future = imported(&[json!([version(1, "2027-09-21T00:00:00Z")])]);
    let usage = future.entitlement("1", "AP").usage.clone().unwrap();
    assert_eq!(usage.as_of, Some(at(NOW).into()), "nothing is known of the future");
}

#[test]
fn the_request_says_whose_a_body_is() {
    let asked = |path: &str, query: &str, id: &str| {
        let body = json!([subscription(id, &[("AP", 1, 2)], json!({}))]);
        json!({ "request": { "path": path, "query": query }, "http_status": 200, "body": body })
    };
    let path = "/api/v1/administered/licensing/subscription/subscriptions";
    let import = imported(&[
        asked(path, "organizationIds[]=5&perPage=3", "1"),
        asked(path, "perPage=3&organizationIds%5B%5D=6", "1"),
        asked(&format!("{path}?organizationIds[]=6&organizationIds[]=6"), "", "2"),
        json!([subscription("3", &[("AP", 1, 2)], json!({}))]),
    ]);
    let gate = import.gate();
    assert_eq!(left_and_over(&gate.check("5", "AP")), numbers("1", "0"));
    assert_eq!(left_and_over(&gate.check("6", "AP")), numbers("2", "0"));
    assert_eq!(left_and_over(&gate.check(ORGANIZATION, "AP")), numbers("1", "0"));
    assert_eq!(left_and_over(&gate.check("1", "AP")), numbers("1", "0"), "shared, counted once");
    let two = asked(path, "organizationIds[]=5&organizationIds[]=6", "1");
    assert_eq!(refusal(two), "organization-ambiguous");
    let nobody = Options { organization: None, ..options() };
    let listed = json!([subscription("1", &[], json!({}))]);
    assert_eq!(refusal_with(listed, &nobody), "organization-missing");
    let same = json!([subscription(ORGANIZATION, &[], json!({}))]);
    assert_eq!(refusal(same), "id-ambiguous");
}

#[test]
fn a_list_that_breaks_off_is_missed() {
    let page = |organization: &str, id: &str, next: bool| {
        let relation = if next { "next" } else { "first" };
        let link = format!("</subscriptions?startingAfter=1>; rel={relation}");
        let items = if id.is_empty() {
            json!([])
        } else {
            json!([subscription(id, &[("AP", 1, 2)], json!({}))])
        };
        json!({ "request": { "path": "/subscriptions",
            "query": format!("organizationIds[]={organization}") },
            "headers": { "link": link }, "body": items })
    };
    for last in ["2", ""] {
        let whole = [page("5", "1", true), page("6", "3", false), page("5", last, false)];
        assert!(imported(&whole).gate().check("5", "AP").has_access);
    }
    let broken = answers_of(&[page("5", "1", true), page("6", "3", false)]);
    let refused = import(&broken, &options(), &mut Default::default()).map(|_| ());
    assert_eq!(refused.unwrap_err().code, "pages-missing");
}

#[test]
fn what_says_nothing_of_licences_is_refused() {
    let one = subscription("1", &[("AP", 1, 2)], json!({}));
    // The result of claiming a subscription, or of looking at what a claim would give.
    assert_eq!(refusal(one), "answer-unknown");
    let bound = json!({ "subscriptionId": "1", "networks": [], "errors": [],
        "insufficientEntitlements": [] });
    assert_eq!(refusal(bound), "answer-unknown");
    assert_eq!(refusal(json!({ "remainderLicenses": [], "movedLicenses": [] })), "answer-unknown");
    assert_eq!(refusal(json!([1])), "answer-unknown");
    assert_eq!(refusal(json!({ "errors": ["Invalid API key"] })), "error-answer");
    let status = |status| json!({ "http_status": status, "body": [] });
    assert_eq!(crate::kit::refused_when_read(&status(429)), "error-answer");
    assert_eq!(imported(&[json!([]), status(200)]).facts, []);
    let typed = |fields| refusal(json!([subscription("1", &[], fields)]));
    assert_eq!(typed(json!({ "endDate": "tomorrow" })), "instant-malformed");
    assert_eq!(typed(json!({ "entitlements": 5 })), "wrong-type");
    let seats = json!({ "entitlements": [{ "sku": "AP", "seats": { "limit": "many" } }] });
    assert_eq!(typed(seats), "amount-malformed");
}

#[test]
fn what_has_no_id_is_left_out() {
    let nameless = subscription("1", &[("AP", 1, 2)], json!({ "subscriptionId": null }));
    let unnamed = subscription("", &[("AP", 1, 2)], json!({}));
    let listed = subscription("2", &[("AP", 1, 2), ("", 1, 2)], json!({}));
    let orphan = violation("9", "small", "S-E", "2026-12-07T00:00:00Z");
    let import = imported(&[json!([listed, nameless, unnamed]), orphan]);
    let missing = "record-without-key";
    assert_eq!(import.codes(), [missing, missing, "subscription-missing", missing]);
    assert_eq!(import.subjects().len(), 2);
    import.gate();
}

#[test]
fn what_was_canceled_before_its_start_stops_nobody_else() {
    let never = json!({ "status": "canceled", "startDate": "2027-01-01T00:00:00Z",
        "endDate": "2026-10-01T00:00:00Z" });
    let import = imported(&[json!([
        subscription("1", &[("AP", 4, 10)], json!({})),
        subscription("2", &[("AP", 0, 6), ("SW", 0, 1)], never),
    ])]);
    let gate = import.gate();
    assert_eq!(left_and_over(&gate.check(ORGANIZATION, "AP")), numbers("6", "0"));
    assert_eq!(gate.check(ORGANIZATION, "SW").reason, Reason::Suspended);
}
