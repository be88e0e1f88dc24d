//! What each system is asked, asked here: a test for each row of the table in docs/QUERIES.md that
//! no client asks.

mod alert_logic;
mod astra;
mod meraki;
mod openmeter;

use std::fs;

use serde_json::{Value, json};

use crate::shell::{NOW, Shell};

/// A shell in which what a system answers is imported and published.
fn imported(import: &str, answers: &[Value]) -> Shell {
    let shell = Shell::new();
    fs::create_dir(shell.path("export")).unwrap();
    for (number, answer) in answers.iter().enumerate() {
        fs::write(shell.path(&format!("export/{number}.json")), answer.to_string()).unwrap();
    }
    shell.run(&format!("import {import} export --at {NOW} --out facts.ndjson"), 0);
    let key = shell.run("keygen --out key", 0);
    fs::write(shell.path("key.pub"), key).unwrap();
    shell.run(&format!("publish facts.ndjson --out out --key-file key --at {NOW}"), 0);
    shell
}

fn query(shell: &Shell, line: &str, code: i32) -> Value {
    shell.json(&format!("query {line} --now {NOW}"), code)
}

/// Text at a path of each item, in the order listed.
fn texts<'a>(listed: &'a Value, path: &str) -> Vec<&'a str> {
    let items = listed.get("items").unwrap().as_array().unwrap();
    items.iter().map(|item| item.pointer(path).unwrap().as_str().unwrap()).collect()
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}

/// Two agreements of a buyer about seats, and one text.
fn marketplace() -> Shell {
    let entitlement = |dimension: &str, license: &str, value: Value, expires: &str| {
        json!({
            "ProductCode": "p", "Dimension": dimension, "CustomerAWSAccountId": "310000000007",
            "CustomerIdentifier": "buyer", "LicenseArn": license, "Value": value,
            "ExpirationDate": expires,
        })
    };
    let page = json!({ "Entitlements": [
        entitlement("users", "arn:1", json!({ "IntegerValue": 25 }), "2030-01-01T00:00:00Z"),
        entitlement("users", "arn:2", json!({ "IntegerValue": 30 }), "2028-01-01T00:00:00Z"),
        entitlement("tier", "arn:1", json!({ "StringValue": "Gold" }), "2030-01-01T00:00:00Z"),
    ] });
    imported("aws-marketplace --renewal-grace 0", &[page])
}

#[test]
fn row_aws_get_entitlements_with_filter() {
    let shell = marketplace();
    let find = |line: &str| {
        let found = query(&shell, &format!("find {line}"), 0);
        sorted(texts(&found, "/feature").into_iter().map(str::to_owned).collect())
    };
    assert_eq!(find("--subject buyer --subject nobody"), ["p/tier", "p/users"]);
    assert_eq!(find("--subject 310000000007 --feature p/users --feature p/sso"), ["p/users"]);
    assert_eq!(find("--grant arn:2 --grant arn:3 --feature p/users"), ["p/users"]);
    assert_eq!(find("--grant arn:3"), Vec::<String>::new());
    // The product is a field of the records, as everything that no snapshot holds.
    let records = "records --facts facts.ndjson --where ProductCode=p";
    let listed = query(&shell, &format!("{records} --where LicenseArn=arn:1"), 0);
    assert_eq!(sorted(texts(&listed, "/feature")), ["p/tier", "p/users"]);
    assert_eq!(query(&shell, &format!("{records} --where ProductCode=q"), 0)["count"], 3);
    assert_eq!(query(&shell, &format!("{records} --where ProductCode!=p"), 0)["count"], 0);
}

#[test]
fn row_aws_by_dimension() {
    let shell = marketplace();
    for (used, code) in [(50, 0), (51, 1)] {
        let line = format!("check buyer p/users --amount 5 --used {used} --now {NOW}");
        assert_eq!(shell.json(&line, code)["balance"], 55 - used);
    }
    let text = shell.run(&format!("check buyer p/users --now {NOW}"), 0);
    assert!(text.starts_with("access: within-balance\n  usage: not known\n"), "{text}");
    let text = shell.run(&format!("check buyer p/users --used 50 --now {NOW}"), 0);
    assert!(text.starts_with("access: within-balance\n  balance: 5\n  usage: 50\n"), "{text}");
    let customers = query(&shell, "entitled p/users --access-only", 0);
    assert_eq!(customers, json!({ "items": ["310000000007"] }));
}

#[test]
fn row_aws_value_types() {
    let shell = marketplace();
    let found = query(&shell, "find --subject buyer --feature p/tier", 0);
    assert_eq!(found.pointer("/items/0/type").unwrap(), "static");
    assert_eq!(found.pointer("/items/0/config/value").unwrap(), "Gold");
    let found = query(&shell, "find --subject buyer --feature p/users", 0);
    assert_eq!(found.pointer("/items/0/type").unwrap(), "metered");
    assert_eq!(found.pointer("/items/0/usageKnown").unwrap(), false);
}

#[test]
fn row_aws_expiration_date() {
    let shell = marketplace();
    let soon = query(&shell, "expiring 2029-01-01T00:00:00Z", 0);
    let ends = json!([{ "at": "2028-01-01T00:00:00Z", "grant": "arn:2", "amount": 30 }]);
    assert_eq!(soon.pointer("/items/0/ends").unwrap(), &ends);
    assert_eq!(texts(&soon, "/feature"), ["p/users"]);
}

#[test]
fn row_aws_per_agreement() {
    let shell = marketplace();
    let mut grant = json!({
        "id": "arn:2", "counts": true, "state": "active", "amount": 30,
        "effectiveAt": "1970-01-01T00:00:00Z", "endsAt": "2028-01-01T00:00:00Z",
    });
    let asked = "grants buyer p/users --grant arn:2";
    assert_eq!(query(&shell, asked, 0), json!({ "grants": [grant] }));
    grant["counts"] = false.into();
    grant["state"] = "expired".into();
    let later = format!("{asked} --at 2028-01-01T00:00:00Z");
    assert_eq!(query(&shell, &later, 0), json!({ "grants": [grant] }));
    // Which entitlements an agreement is about is found by it alone.
    let found = query(&shell, "find --grant arn:2", 0);
    assert_eq!(found.pointer("/items/0/feature").unwrap(), "p/users");
    let text = shell.run(&format!("query grants buyer p/users --now {NOW}"), 0);
    let lines = "arn:2: gives 30, active, until 2028-01-01T00:00:00Z\n\
                 arn:1: gives 25, active, until 2030-01-01T00:00:00Z\n";
    assert_eq!(text, lines);
    // A text has no grants; its config tells of the agreements.
    assert_eq!(query(&shell, "grants buyer p/tier", 0), json!({ "grants": [] }));
    let tier = shell.json(&format!("check buyer p/tier --now {NOW}"), 0);
    assert_eq!(tier.pointer("/config/agreements/0/license").unwrap(), "arn:1");
}

#[test]
fn a_slice_answers_about_its_subject() {
    let shell = marketplace();
    shell.run("slice out --subject buyer --out slice", 0);
    for (line, code) in [
        ("grants 310000000007 p/users", 0),
        ("fit 310000000007 p/users=56", 1),
        ("satisfies 310000000007 p/users&!p/sso", 0),
        ("find --subject 310000000007 --feature p/users", 0),
        ("find --subject 310000000007 --grant arn:2 --access true", 0),
        ("violations --subject 310000000007", 0),
        ("expiring 2029-01-01T00:00:00Z --subject 310000000007", 0),
    ] {
        let of_slice = query(&shell, &format!("{line} --slice slice"), code);
        assert_eq!(of_slice, query(&shell, line, code), "{line}");
    }
    // Whoever opens a slice names the subject by its id.
    let other = shell.error(&format!("query grants buyer p/users --slice slice --now {NOW}"), 4);
    assert_eq!(other.pointer("/error/code").unwrap(), "slice-subject");
}
