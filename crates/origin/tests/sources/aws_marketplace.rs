//! AWS Marketplace's GetEntitlements.

use edgegrant::gate::Reason;
use edgegrant_origin::sources::Ends;
use edgegrant_origin::sources::aws_marketplace::import;
use serde_json::{Value, json};

use crate::kit::{Imported, NOW, answers_of, at, ends, left_and_over, recorded};

const PRODUCT: &str = "prod-1";
const LATE: u64 = 1_893_456_000;
const SOON: u64 = 1_830_297_600;

fn page(entitlements: &[Value]) -> Value {
    json!({ "Entitlements": entitlements })
}

fn entitlement(dimension: &str, value: Value, fields: Value) -> Value {
    let mut record = json!({
        "ProductCode": PRODUCT, "Dimension": dimension, "CustomerIdentifier": "cust-1",
        "Value": value, "ExpirationDate": LATE,
    });
    for (name, field) in fields.as_object().unwrap() {
        record[name] = field.clone();
    }
    record
}

fn imported(bodies: &[Value]) -> Imported {
    Imported::new(|notes| import(&answers_of(bodies), &ends(), notes))
}

fn refusal(bodies: &[Value]) -> String {
    let answers = answers_of(bodies);
    import(&answers, &ends(), &mut Default::default()).map(|_| ()).unwrap_err().code
}

fn key(dimension: &str) -> String {
    format!("{PRODUCT}/{dimension}")
}

#[test]
fn a_value_says_what_type_an_entitlement_is() {
    let import = imported(&[page(&[
        entitlement("users", json!({ "IntegerValue": 25 }), json!({})),
        entitlement("storage", json!({ "DoubleValue": 1.5 }), json!({})),
        entitlement("sso", json!({ "BooleanValue": true }), json!({})),
        entitlement("audit", json!({ "BooleanValue": false }), json!({})),
        entitlement("tier", json!({ "StringValue": "Enterprise" }), json!({})),
        entitlement("zero", json!({ "IntegerValue": 0 }), json!({})),
        entitlement("nothing", json!({}), json!({})),
        entitlement("null", Value::Null, json!({})),
    ])]);
    assert_eq!(import.codes(), ["value-missing", "value-missing"]);
    assert_eq!(import.feature(&key("users")).attributes["dimension"], "users");
    let gate = import.gate();
    let check = |dimension: &str| gate.check("cust-1", &key(dimension));
    assert_eq!(left_and_over(&check("users")), [None, None]);
    assert_eq!(check("users").usage_known, Some(false));
    assert_eq!(check("storage").reason, Reason::WithinBalance);
    assert!(check("sso").has_access && check("nothing").has_access);
    assert_eq!(check("audit").reason, Reason::Suspended);
    assert_eq!(check("zero").reason, Reason::Exhausted);
    assert_eq!(check("sso").until, Some(at("2030-01-01T00:00:00Z")));
    let config = check("tier").config.unwrap();
    let config: Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["value"], "Enterprise");
    assert_eq!(config["agreements"].as_array().unwrap().len(), 1);
}

#[test]
fn agreements_add_up_until_each_of_them_ends() {
    let license = |name: &str| json!({ "LicenseArn": format!("arn:{name}") });
    let soon = json!({ "LicenseArn": "arn:b", "ExpirationDate": SOON });
    let import = imported(&[page(&[
        entitlement("users", json!({ "IntegerValue": 25 }), license("a")),
        entitlement("users", json!({ "IntegerValue": 10 }), soon.clone()),
        entitlement("tier", json!({ "StringValue": "Basic" }), soon),
        entitlement("tier", json!({ "StringValue": "Enterprise" }), license("a")),
    ])]);
    let grants = &import.entitlement("cust-1", &key("users")).grants;
    assert_eq!(grants.iter().map(|grant| &*grant.id).collect::<Vec<_>>(), ["arn:b", "arn:a"]);
    let gate = import.gate();
    let used = |when| gate.ask("cust-1", &key("users"), when, None, Some("30"));
    assert_eq!(left_and_over(&used(NOW)), [Some("5".into()), Some("0".into())]);
    let later = used("2028-01-02T00:00:00Z");
    assert_eq!(left_and_over(&later), [Some("0".into()), Some("5".into())]);
    assert_eq!(used("2030-01-02T00:00:00Z").reason, Reason::Ended);
    let config: Value =
        serde_json::from_str(&gate.check("cust-1", &key("tier")).config.unwrap()).unwrap();
    assert_eq!(config["value"], "Enterprise");
    assert_eq!(config["agreements"][1]["value"], "Basic");
    assert_eq!(config["agreements"][1]["license"], "arn:b");
}

#[test]
fn buyers_are_found_by_account_and_by_identifier() {
    let account = json!({ "CustomerAWSAccountId": "123456789012" });
    let only_account =
        json!({ "CustomerAWSAccountId": "210987654321", "CustomerIdentifier": null });
    let import = imported(&[page(&[
        entitlement("sso", json!({ "BooleanValue": true }), json!({})),
        entitlement("audit", json!({ "BooleanValue": true }), account),
        entitlement("sso", json!({ "BooleanValue": true }), only_account),
    ])]);
    let ids: Vec<_> = import.subjects().iter().map(|subject| &*subject.subject).collect();
    assert_eq!(ids, ["123456789012", "210987654321"]);
    let gate = import.gate();
    for name in ["123456789012", "cust-1"] {
        assert!(gate.check(name, &key("sso")).has_access, "{name}");
        assert!(gate.check(name, &key("audit")).has_access, "{name}");
    }
}

#[test]
fn an_identifier_beside_two_accounts_names_the_first() {
    let of = |account: &str| {
        let fields = json!({ "CustomerAWSAccountId": account });
        entitlement("sso", json!({ "BooleanValue": true }), fields)
    };
    let import = imported(&[page(&[of("111111111111"), of("222222222222")])]);
    assert_eq!(import.codes(), ["alias-taken"]);
    assert_eq!(import.subject("111111111111").aliases, ["cust-1"]);
    assert!(import.subject("222222222222").aliases.is_empty());
}

#[test]
fn what_is_listed_is_usable_also_after_its_minimum() {
    let ended = [page(&[
        entitlement(
            "users",
            json!({ "IntegerValue": 5 }),
            json!({ "ExpirationDate": 1_485_477_404 }),
        ),
        // Milliseconds, as old documentation has them.
        entitlement(
            "old",
            json!({ "BooleanValue": true }),
            json!({ "ExpirationDate": 1_485_477_404_000_u64 }),
        ),
        entitlement("sso", json!({ "BooleanValue": true }), json!({ "ExpirationDate": null })),
        // As the command line writes it.
        entitlement(
            "text",
            json!({ "BooleanValue": true }),
            json!({ "ExpirationDate": "2017-01-27T00:36:44+00:00" }),
        ),
    ])];
    let lenient = imported(&ended);
    assert_eq!(lenient.codes(), ["past-end-at-import"; 3]);
    let gate = lenient.gate();
    for dimension in ["users", "old", "sso", "text"] {
        let answer = gate.check("cust-1", &key(dimension));
        assert!(answer.has_access && answer.until.is_none(), "{dimension}");
    }
    let strict = Ends { strict: true, ..ends() };
    let denied = Imported::new(|notes| import(&answers_of(&ended), &strict, notes));
    assert_eq!(denied.codes(), Vec::<&str>::new());
    assert_eq!(denied.gate().check("cust-1", &key("old")).reason, Reason::Ended);
    assert_eq!(denied.gate().check("cust-1", &key("users")).reason, Reason::Ended);
}

#[test]
fn an_end_is_put_off_until_a_renewal_can_be_seen() {
    let listed = [page(&[entitlement("sso", json!({ "BooleanValue": true }), json!({}))])];
    let a_day = Ends { renewal_grace: 86_400_000, ..ends() };
    let import = Imported::new(|notes| import(&answers_of(&listed), &a_day, notes));
    let until = import.gate().check("cust-1", &key("sso")).until;
    assert_eq!(until, Some(at("2030-01-02T00:00:00Z")));
}

#[test]
fn pages_are_joined_and_a_missing_one_is_missed() {
    let users = entitlement("users", json!({ "IntegerValue": 10 }), json!({}));
    let first = json!({ "Entitlements": [users], "NextToken": "1" });
    let empty = json!({ "Entitlements": [], "NextToken": "2" });
    let last =
        page(&[entitlement("sso", json!({ "BooleanValue": true }), json!({})), users.clone()]);
    let import = imported(&[first.clone(), empty.clone(), last]);
    assert_eq!(import.subject("cust-1").entitlements.len(), 2);
    assert_eq!(import.subject("cust-1").records.len(), 2);
    assert_eq!(refusal(std::slice::from_ref(&first)), "pages-missing");
    assert_eq!(refusal(&[first, empty]), "pages-missing");
    assert_eq!(imported(&[page(&[])]).facts, []);
}

#[test]
fn what_is_no_list_of_entitlements_is_refused() {
    let notice = json!({ "action": "entitlement-updated", "product-code": PRODUCT });
    assert_eq!(refusal(&[notice]), "answer-unknown");
    assert_eq!(refusal(&[json!({ "ProductCode": PRODUCT })]), "answer-unknown");
    assert_eq!(refusal(&[json!({})]), "answer-unknown");
    let thrown = json!({ "__type": "ThrottlingException", "message": "Rate exceeded" });
    assert_eq!(refusal(&[thrown]), "error-answer");
    let users = |value| page(&[entitlement("users", value, json!({}))]);
    assert_eq!(refusal(&[users(json!({ "IntegerValue": "many" }))]), "amount-malformed");
    assert_eq!(refusal(&[users(json!({ "BooleanValue": 1 }))]), "wrong-type");
}

#[test]
fn what_cannot_be_answered_for_is_said() {
    let with = |value, fields| entitlement("users", value, fields);
    let integer = || json!({ "IntegerValue": 1 });
    let mixed = page(&[with(integer(), json!({})), with(json!({ "StringValue": "1" }), json!({}))]);
    assert_eq!(imported(&[mixed]).errors(), ["values-mixed"]);
    let both = page(&[with(json!({ "IntegerValue": 1, "BooleanValue": true }), json!({}))]);
    assert_eq!(imported(&[both]).errors(), ["values-mixed"]);
    let license = json!({ "LicenseArn": "arn:a" });
    let twice =
        page(&[with(integer(), license.clone()), with(json!({ "IntegerValue": 2 }), license)]);
    assert_eq!(imported(&[twice]).errors(), ["agreement-twice"]);
    for name in ["CustomerIdentifier", "ProductCode", "Dimension"] {
        for nothing in [Value::Null, json!("")] {
            let mut nobody = with(integer(), json!({}));
            nobody[name] = nothing;
            let import = imported(&[page(&[nobody])]);
            let outcome = (import.codes(), import.facts.len());
            assert_eq!(outcome, (vec!["record-without-key"], 0), "{name}");
        }
    }
}

fn worked(files: &[&str]) -> Option<Imported> {
    let answers = recorded("aws-marketplace", files)?.unwrap();
    Some(Imported::new(|notes| import(&answers, &ends(), notes)))
}

const SELLER: &str = "n0123EXAMPLEXXXXXXXXXXXX";

#[test]
fn worked_aws_24_users() {
    let Some(import) = worked(&["24-generated-concurrent-agreements.json"]) else { return };
    let gate = import.gate();
    let used = |when| gate.ask("X01EXAMPLEX", &format!("{SELLER}/users"), when, None, Some("30"));
    let now = used(NOW);
    assert_eq!(left_and_over(&now), [Some("5".into()), Some("0".into())]);
    // Metered instants are rounded up to the minute, so the answer may differ that much earlier.
    assert_eq!(now.until, Some(at("2027-12-31T23:59:00.001Z")));
    assert_eq!(left_and_over(&used("2028-01-02T00:00:00Z")), [Some("0".into()), Some("5".into())]);
}

#[test]
fn worked_aws_20_types() {
    let Some(import) = worked(&["20-generated-all-value-types.json"]) else { return };
    let gate = import.gate();
    let check = |dimension| gate.check("X01EXAMPLEX", &format!("{SELLER}/{dimension}"));
    assert!(check("sso").has_access);
    assert_eq!(
        (check("audit_log").has_access, check("audit_log").reason),
        (false, Reason::Suspended)
    );
    assert_eq!(
        (check("seats_zero").has_access, check("seats_zero").reason),
        (false, Reason::Exhausted)
    );
    let config: Value = serde_json::from_str(&check("tier").config.unwrap()).unwrap();
    assert_eq!(config["value"], "Enterprise");
}

#[test]
fn worked_aws_21_to_23_pages() {
    let pages = [
        "21-generated-page1.json",
        "22-generated-page2-empty-with-token.json",
        "23-generated-page3-last.json",
    ];
    let Some(import) = worked(&pages) else { return };
    assert_eq!(import.subject("X01EXAMPLEX").entitlements.len(), 2);
}

/// What is generated, and what an import must make of it.
#[test]
fn ten_thousand_records_arrive_whole() {
    let mut random = fastrand::Rng::with_seed(20_261_121);
    let mut pages = Vec::new();
    let mut expected = Vec::new();
    for page_number in 0..400 {
        let mut entitlements = Vec::new();
        for place in 0..25 {
            let customer = format!("{:012}", page_number * 25 + place);
            let dimension = random.choice(["users", "tier", "sso", "storage"]).unwrap();
            let number = random.u32(0..1_000_000);
            let value = match dimension {
                "users" => json!({ "IntegerValue": number }),
                "storage" => json!({ "DoubleValue": f64::from(number) / 8.0 }),
                "sso" => json!({ "BooleanValue": number.is_multiple_of(2) }),
                _ => json!({ "StringValue": format!("tier {number}") }),
            };
            let license = format!("arn:aws:license-manager::1:license:l-{number:032x}");
            let fields = json!({
                "CustomerAWSAccountId": customer, "CustomerIdentifier": format!("id-{customer}"),
                "LicenseArn": license, "ExpirationDate": LATE + u64::from(number),
            });
            let record = entitlement(dimension, value, fields);
            expected.push((customer, key(dimension), record.clone()));
            entitlements.push(record);
        }
        let token = (page_number < 399).then(|| format!("token-{page_number}"));
        pages.push(json!({ "Entitlements": entitlements, "NextToken": token }));
    }
    let import = imported(&pages);
    assert_eq!(import.codes(), Vec::<&str>::new());
    assert_eq!(import.subjects().len(), 10_000);
    for (subject, (customer, feature, record)) in import.subjects().into_iter().zip(expected) {
        assert_eq!(
            (&subject.subject, &subject.aliases),
            (&customer, &vec![format!("id-{customer}")])
        );
        let kept: Value = serde_json::from_str(subject.records[0].json.as_str()).unwrap();
        assert_eq!(kept, record);
        let [given] = &subject.entitlements[..] else { panic!("{subject:?}") };
        assert_eq!(given.feature, feature);
        let value = &record["Value"];
        let number = value.get("IntegerValue").or(value.get("DoubleValue"));
        assert_eq!(
            given.grants.first().map(|grant| grant.amount.to_f64()),
            number.map(|n| n.as_f64().unwrap())
        );
        let denied = value.get("BooleanValue") == Some(&json!(false));
        let end = record["ExpirationDate"].as_i64().map(|seconds| seconds * 1000);
        let expected_end = if denied { None } else { end };
        assert_eq!(given.active_to.map(|end| end.ceil_millis().millis()), expected_end);
        assert_eq!(given.config.is_some(), value.get("StringValue").is_some());
    }
    import.gate();
}

#[test]
fn a_text_that_is_past_its_end_gives_way_to_one_that_is_not() {
    let past = json!({ "LicenseArn": "arn:a", "ExpirationDate": 1_500_000_000 });
    let import = imported(&[page(&[
        entitlement("tier", json!({ "StringValue": "Basic" }), past),
        entitlement("tier", json!({ "StringValue": "Enterprise" }), json!({ "LicenseArn": "b" })),
    ])]);
    assert_eq!(import.codes(), ["past-end-at-import"]);
    let config = import.gate().check("cust-1", &key("tier")).config.unwrap();
    let config: Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["value"], "Enterprise");
}

#[test]
fn a_list_that_breaks_off_is_noticed_behind_that_of_another_product() {
    let of = |product: &str| {
        entitlement("users", json!({ "IntegerValue": 1 }), json!({ "ProductCode": product }))
    };
    let broken = json!({ "Entitlements": [of("one")], "NextToken": "more" });
    assert_eq!(refusal(&[broken.clone(), page(&[of("other")])]), "pages-missing");
    let both = [broken, page(&[]), page(&[of("other")])];
    assert_eq!(imported(&both).subjects().len(), 1);
    // Nobody can ask on with nothing.
    let last = json!({ "Entitlements": [of("one")], "NextToken": "" });
    assert_eq!(imported(&[last]).subjects().len(), 1);
}
