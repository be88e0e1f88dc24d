//! Astra Control's entitlements, licences and subscriptions.

mod generated;
mod worked;

use edgegrant::gate::Reason;
use edgegrant::model::UsageKind;
use edgegrant_origin::sources::astra::{Options, import};
use serde_json::{Value, json};

use crate::kit::{Imported, NOW, amount, answers_of, at, left_and_over};

const ACCOUNT: &str = "4185d09b-6687-4801-a832-c005a9d94f41";

fn options() -> Options {
    Options { at: at(NOW), account: Some(ACCOUNT.into()), include: Vec::new() }
}

fn imported(bodies: &[Value]) -> Imported {
    imported_with(bodies, &options())
}

fn imported_with(bodies: &[Value], options: &Options) -> Imported {
    Imported::new(|notes| import(&answers_of(bodies), options, notes))
}

fn refusal(body: Value) -> String {
    refusal_with(&[body], &options())
}

fn refusal_with(bodies: &[Value], options: &Options) -> String {
    let answers = answers_of(bodies);
    import(&answers, options, &mut Default::default()).map(|_| ()).unwrap_err().code
}

fn list(kind: &str, items: &[Value]) -> Value {
    json!({ "type": format!("application/astra-{kind}"), "version": "1.0", "items": items,
        "metadata": { "labels": [] } })
}

/// An entitlement of this year, with some fields written over or, as null, taken away.
fn entitlement(id: u32, kind: &str, value: Value, fields: Value) -> Value {
    let mut record = json!({
        "type": "application/astra-entitlement", "version": "1.0", "id": format!("id-{id}"),
        "product": "Center", "entitlementType": kind, "entitlementValue": value,
        "validFromTimestamp": "2026-01-01T00:00:00.000000Z",
        "validUntilTimestamp": "2027-01-01T00:00:00.000000Z",
        "metadata": { "labels": [] }
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

fn subscription(status: &str, fields: Value) -> Value {
    let mut record = json!({
        "type": "application/astra-subscription", "version": "1.1", "id": "sub-1",
        "status": status, "gracePeriod": 7, "appLimit": 0, "namespaceLimit": -1,
        "metadata": { "modificationTimestamp": "2026-11-18T12:00:00.256624Z" }
    });
    for (name, field) in fields.as_object().unwrap() {
        record[name] = field.clone();
    }
    record
}

fn numbers(balance: &str, overage: &str) -> [Option<String>; 2] {
    [Some(balance.into()), Some(overage.into())]
}

#[test]
fn a_value_says_what_type_an_entitlement_is() {
    let used = json!({ "entitlementConsumption": "1.25" });
    let import = imported(&[list(
        "entitlements",
        &[
            entitlement(1, "capacity", json!("2.5"), used.clone()),
            entitlement(2, "apps", json!("-1"), json!({ "entitlementConsumption": "37" })),
            entitlement(3, "support", json!("premium"), json!({})),
            entitlement(4, "clusters", json!(100), json!({})),
            entitlement(5, "zero", json!("0"), used.clone()),
            entitlement(6, "bare", Value::Null, json!({ "entitlementValue": null })),
            entitlement(7, "odd", json!("5"), json!({ "entitlementConsumption": "much" })),
            entitlement(8, "nothing", json!("5"), json!({ "entitlementConsumption": "-1" })),
        ],
    )]);
    let unreadable = "consumption-unreadable";
    assert_eq!(import.codes(), ["value-missing", unreadable, unreadable]);
    assert_eq!(import.feature("Center/capacity").attributes["product"], "Center");
    let gate = import.gate();
    let check = |kind: &str| gate.check(ACCOUNT, &format!("Center/{kind}"));
    assert_eq!(left_and_over(&check("capacity")), numbers("1.25", "0"));
    assert_eq!(
        (check("apps").reason, check("apps").usage),
        (Reason::Unlimited, Some(amount("37")))
    );
    assert_eq!(check("support").config.as_deref(), Some(r#"{"value":"premium"}"#));
    for kind in ["clusters", "odd", "nothing"] {
        assert_eq!(
            (check(kind).has_access, check(kind).usage_known),
            (true, Some(false)),
            "{kind}"
        );
    }
    assert_eq!(check("zero").reason, Reason::Exhausted);
    assert_eq!(left_and_over(&check("zero")), numbers("0", "1.25"));
    assert_eq!(check("bare").reason, Reason::Boolean);
    assert_eq!(import.entitlement(ACCOUNT, "Center/bare").attributes["flag"], "value-missing");
    assert_eq!(import.subject(ACCOUNT).records.len(), 8);
}

#[test]
fn a_pool_adds_up_what_holds_and_all_that_is_used() {
    let of = |used: &str, from: &str, until: &str| {
        json!({ "entitlementConsumption": used, "validFromTimestamp": from,
            "validUntilTimestamp": until })
    };
    let (past, now, then, end) = (
        "2025-01-01T00:00:00.000000Z",
        "2026-01-01T00:00:00.000000Z",
        "2027-01-01T00:00:00.000000Z",
        "2028-01-01T00:00:00.000000Z",
    );
    let import = imported(&[list(
        "entitlements",
        &[
            entitlement(1, "vcpus", json!("100"), of("10", past, now)),
            entitlement(2, "vcpus", json!("50"), of("20", now, then)),
            entitlement(3, "vcpus", json!("200"), of("0", then, end)),
        ],
    )]);
    let gate = import.gate();
    let ask = |when| gate.ask(ACCOUNT, "Center/vcpus", when, None, None);
    assert_eq!(left_and_over(&ask(NOW)), numbers("20", "0"));
    assert_eq!(left_and_over(&ask("2027-01-02T00:00:00Z")), numbers("170", "0"));
    assert_eq!(ask("2028-01-01T00:00:00Z").reason, Reason::Ended);
    let usage = import.entitlement(ACCOUNT, "Center/vcpus").usage.clone().unwrap();
    assert_eq!((usage.kind, usage.as_of), (UsageKind::Level, Some(at(NOW).into())));
    let unknown = entitlement(4, "vcpus", json!("1"), json!({}));
    let known = entitlement(5, "vcpus", json!("1"), json!({ "entitlementConsumption": "1" }));
    let import = imported(&[list("entitlements", &[unknown, known])]);
    assert_eq!(import.gate().check(ACCOUNT, "Center/vcpus").usage_known, Some(false));
}

#[test]
fn what_is_reserved_for_an_object_is_a_pool_of_its_own() {
    let reserved = json!({ "allocation": "cluster-1", "entitlementConsumption": "1" });
    let free = json!({ "allocation": "", "entitlementConsumption": "2" });
    let import = imported(&[list(
        "entitlements",
        &[
            entitlement(1, "clusters", json!("5"), free),
            entitlement(2, "clusters", json!("100"), reserved),
        ],
    )]);
    let gate = import.gate();
    let object = format!("{ACCOUNT}/cluster-1");
    assert_eq!(left_and_over(&gate.check(ACCOUNT, "Center/clusters")), numbers("3", "0"));
    assert_eq!(left_and_over(&gate.check(&object, "Center/clusters")), numbers("99", "0"));
    assert_eq!(import.subject(&object).attributes["allocation"], "cluster-1");
    assert_eq!(import.subject(&object).records.len(), 1);
    assert_eq!(import.subject(ACCOUNT).records.len(), 2);
}

#[test]
fn without_limit_is_so_while_it_holds() {
    let over = json!({ "validUntilTimestamp": "2026-06-01T00:00:00.000000Z" });
    let five = entitlement(1, "apps", json!("5"), json!({ "entitlementConsumption": "9" }));
    let endless = |fields| entitlement(2, "apps", json!("-1"), fields);
    let import = imported(&[list("entitlements", &[five.clone(), endless(json!({}))])]);
    assert_eq!(import.codes(), ["entitlement-superseded"]);
    assert_eq!(import.gate().check(ACCOUNT, "Center/apps").reason, Reason::Unlimited);
    let import = imported(&[list("entitlements", &[five, endless(over.clone())])]);
    assert_eq!(import.codes(), ["entitlement-superseded"]);
    let unknown = import.gate().check(ACCOUNT, "Center/apps");
    assert_eq!((unknown.reason, unknown.usage_known), (Reason::WithinBalance, Some(false)));
    let alone = imported(&[list("entitlements", &[endless(over)])]);
    assert_eq!(alone.gate().check(ACCOUNT, "Center/apps").reason, Reason::Ended);
}

#[test]
fn of_several_texts_the_one_that_holds_longest_decides() {
    let until = |until: &str| json!({ "validUntilTimestamp": until });
    let text = |id, text: &str, fields| entitlement(id, "support", json!(text), fields);
    let import = imported(&[list(
        "entitlements",
        &[
            text(1, "premium", until("2029-01-01T00:00:00.000000Z")),
            text(2, "basic", json!({ "validUntilTimestamp": "2026-12-01T00:00:00.000000Z" })),
            text(3, "old", until("2026-02-01T00:00:00.000000Z")),
        ],
    )]);
    assert_eq!(import.codes(), ["entitlement-superseded"; 2]);
    let answer = import.gate().check(ACCOUNT, "Center/support");
    assert_eq!(answer.config.as_deref(), Some(r#"{"value":"premium"}"#));
    assert_eq!(answer.until, Some(at("2029-01-01T00:00:00Z")));
    let mixed = list(
        "entitlements",
        &[text(1, "premium", json!({})), entitlement(2, "support", json!("5"), json!({}))],
    );
    assert_eq!(imported(&[mixed]).errors(), ["values-mixed"]);
    let negative = list("entitlements", &[entitlement(1, "apps", json!("-2"), json!({}))]);
    assert_eq!(imported(&[negative]).errors(), ["value-negative"]);
}

#[test]
fn an_inactive_subscription_is_borne_for_its_grace() {
    let from = json!({ "sourceSubscription": "sub-1", "entitlementConsumption": "3" });
    let entitled = list("entitlements", &[entitlement(1, "apps", json!("2"), from)]);
    let with =
        |subscription: Value| imported(&[entitled.clone(), list("subscriptions", &[subscription])]);
    let lone = imported(&[subscription("inactive", json!({})), entitled.clone()]);
    for import in [with(subscription("inactive", json!({}))), lone] {
        assert_eq!(import.codes(), Vec::<&str>::new());
        let gate = import.gate();
        let ask = |when, more| gate.ask(ACCOUNT, "Center/apps", when, more, None);
        assert_eq!(ask(NOW, None).reason, Reason::Grace);
        assert_eq!(ask(NOW, Some("1")).reason, Reason::Exhausted);
        assert_eq!(ask("2026-11-25T12:00:00.999Z", None).reason, Reason::Ended);
        assert_eq!(import.entitlement(ACCOUNT, "Center/apps").attributes["status"], "inactive");
        assert_eq!(import.subject(ACCOUNT).records.len(), 2);
    }
    let reason = |subscription| {
        let import = with(subscription);
        let codes = import.codes().join(" ");
        (import.gate().check(ACCOUNT, "Center/apps").reason, codes)
    };
    assert_eq!(reason(subscription("active", json!({}))), (Reason::Exhausted, String::new()));
    let short = subscription("inactive", json!({ "gracePeriod": 1 }));
    assert_eq!(reason(short), (Reason::Suspended, String::new()));
    let unknown = subscription("inactive", json!({ "gracePeriod": -1 }));
    assert_eq!(reason(unknown), (Reason::Suspended, "grace-unknown".into()));
    let odd = subscription("paused", json!({}));
    assert_eq!(reason(odd), (Reason::Suspended, "status-unknown".into()));
}

#[test]
fn what_a_lapsed_subscription_gave_does_not_count_beside_others() {
    let of = |id, fields| entitlement(id, "apps", json!("5"), fields);
    let lapsed = json!({ "sourceSubscription": "sub-1", "entitlementConsumption": "1" });
    let entitled = [of(1, lapsed), of(2, json!({ "entitlementConsumption": "2" }))];
    let over = subscription("inactive", json!({ "gracePeriod": 0 }));
    let import = imported(&[list("entitlements", &entitled), list("subscriptions", &[over])]);
    assert_eq!(left_and_over(&import.gate().check(ACCOUNT, "Center/apps")), numbers("2", "0"));
}

const COLUMNS: &str = "product,entitlementType,entitlementValue,allocation";

#[test]
fn rows_are_named_by_what_was_asked_for() {
    let row = json!(["Center", "capacity", "2", null]);
    let body = list("entitlements", std::slice::from_ref(&row));
    assert_eq!(refusal(body.clone()), "include-missing");
    let include =
        |text: &str| Options { include: text.split(',').map(str::to_owned).collect(), ..options() };
    let short = refusal_with(std::slice::from_ref(&body), &include("product,entitlementType"));
    assert_eq!(short, "include-mismatch");
    let twice = include("product,product,entitlementType,allocation");
    assert_eq!(refusal_with(std::slice::from_ref(&body), &twice), "duplicate-field");
    let request = json!({ "query": format!("limit=5&include={}", COLUMNS.replace(',', "%2C")) });
    let asked = json!({ "request": request, "body": body });
    for import in
        [imported_with(std::slice::from_ref(&body), &include(COLUMNS)), imported(&[asked])]
    {
        let answer = import.gate().check(ACCOUNT, "Center/capacity");
        assert_eq!((answer.has_access, answer.usage_known), (true, Some(false)));
        let json = import.subject(ACCOUNT).records[0].json.as_str().to_owned();
        assert!(json.starts_with(r#"{"product":"Center","#), "{json}");
    }
    let reserved = json!(["Center", "capacity", "3", "x"]);
    let rows = list("entitlements", &[row.clone(), row, reserved]);
    let import = imported_with(&[rows], &include(COLUMNS));
    assert_eq!(import.codes(), ["row-twice"]);
    let grants = &import.entitlement(ACCOUNT, "Center/capacity").grants;
    assert_eq!((grants.len(), grants[0].amount), (1, amount("2")));
    assert!(grants[0].id.starts_with("row-") && grants[0].id.len() == 36, "{}", grants[0].id);
}

#[test]
fn a_row_keeps_its_name_while_its_consumption_changes() {
    let columns = "product,entitlementType,entitlementValue,entitlementConsumption";
    let include = columns.split(',').map(str::to_owned).collect();
    let options = Options { include, ..options() };
    let ids = |rows: &[Value]| {
        let import = imported_with(&[list("entitlements", rows)], &options);
        let grants = &import.entitlement(ACCOUNT, "Center/vcpus").grants;
        grants.iter().map(|grant| grant.id.clone()).collect::<Vec<_>>()
    };
    let row = |used: &str| json!(["Center", "vcpus", "5", used]);
    assert_eq!(ids(&[row("1")]), ids(&[row("2")]));
    let both = ids(&[row("1"), row("2")]);
    assert_eq!(both.len(), 2);
    assert_ne!(both[0], both[1]);
}

#[test]
fn pages_are_joined_and_a_missing_one_is_missed() {
    let page = |items: &[Value], more: Option<&str>| {
        let mut page = list("entitlements", items);
        page["metadata"] = json!({ "continue": more, "count": 3 });
        page
    };
    let of = |id, value: &str| entitlement(id, "vcpus", json!(value), json!({}));
    let first = page(&[of(1, "1"), of(2, "2")], Some("token"));
    assert_eq!(refusal(first.clone()), "pages-missing");
    let import = imported(&[first.clone(), page(&[of(2, "20"), of(3, "3")], None)]);
    let amounts: Vec<String> = import
        .entitlement(ACCOUNT, "Center/vcpus")
        .grants
        .iter()
        .map(|grant| grant.amount.to_string())
        .collect();
    assert_eq!(amounts, ["1", "20", "3"]);
    assert_eq!(import.subject(ACCOUNT).records.len(), 3);
    let elsewhere = json!({
        "request": { "path": "/accounts/other/core/v1/entitlements" },
        "body": page(&[of(2, "2")], None)
    });
    assert_eq!(refusal_with(&[first, elsewhere.clone()], &options()), "pages-missing");
    let nobody = Options { account: None, ..options() };
    let import = imported_with(&[elsewhere], &nobody);
    assert_eq!(import.subjects()[0].subject, "other");
    assert_eq!(refusal_with(&[page(&[], None)], &nobody), "account-missing");
    let empty = imported(&[page(&[], None)]);
    assert_eq!(empty.subject(ACCOUNT).entitlements, []);
}

#[test]
fn what_is_none_of_the_three_kinds_is_refused() {
    let problem = json!({ "type": "https://astra.netapp.io/problems/3", "title": "Missing bearer \
        token", "detail": "…", "status": "401" });
    assert_eq!(refusal(problem), "error-answer");
    assert_eq!(refusal(json!({ "type": "application/astra-app" })), "answer-unknown");
    assert_eq!(refusal(json!({ "type": "about:blank" })), "answer-unknown");
    assert_eq!(refusal(json!([])), "answer-unknown");
    let typed =
        |fields| refusal(list("entitlements", &[entitlement(1, "apps", json!("1"), fields)]));
    assert_eq!(typed(json!({ "validFromTimestamp": "now" })), "instant-malformed");
    assert_eq!(typed(json!({ "product": 5 })), "wrong-type");
    let much = json!({ "entitlementValue": "9999999999999999999" });
    assert_eq!(typed(much), "amount-out-of-range");
    let nameless = entitlement(1, "apps", json!("1"), json!({ "product": null }));
    let import = imported(&[list("entitlements", &[nameless])]);
    assert_eq!(import.codes(), ["record-without-key"]);
    let license =
        json!({ "type": "application/astra-license", "id": "l", "isEvaluation": "false" });
    assert_eq!(imported(&[license]).subject(ACCOUNT).records[0].kind, "license");
}

#[test]
fn the_last_page_may_be_read_before_others() {
    let page = |id: u32, more: &str| {
        let mut page = list("entitlements", &[entitlement(id, "vcpus", json!("1"), json!({}))]);
        page["metadata"] = json!({ "continue": more });
        page
    };
    let import = imported(&[page(1, "2"), page(10, ""), page(2, "3")]);
    assert_eq!(import.entitlement(ACCOUNT, "Center/vcpus").grants.len(), 3);
    assert_eq!(refusal(page(1, "2")), "pages-missing");
}

#[test]
fn thousands_of_rows_that_differ_in_consumption_alone_take_no_time() {
    let row = |used: u32| json!(["Center", "vcpus", "1", used.to_string()]);
    let rows: Vec<Value> = (0..4000).map(row).collect();
    let include = "product,entitlementType,entitlementValue,entitlementConsumption";
    let include = include.split(',').map(Into::into).collect();
    let import = imported_with(&[list("entitlements", &rows)], &Options { include, ..options() });
    let grants = &import.entitlement(ACCOUNT, "Center/vcpus").grants;
    let ids: std::collections::HashSet<&String> = grants.iter().map(|grant| &grant.id).collect();
    assert_eq!((grants.len(), ids.len()), (4000, 4000));
}
