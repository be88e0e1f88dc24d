//! Lists, and questions about several features at once.

use std::fs;

use serde_json::{Value, json};

use crate::shell::{NOW, Shell};

const SINCE: &str = "2026-01-01T00:00:00Z";

fn seats(used: f64, more: &Value) -> Value {
    let grants = json!([
        { "id": "base", "amount": "10.5", "effectiveAt": SINCE },
        {
            "id": "promo", "amount": 5, "effectiveAt": SINCE,
            "expiresAt": "2026-12-01T00:00:00Z",
        },
    ]);
    let mut seats = json!({
        "feature": "seats", "type": "metered", "measureUsageFrom": SINCE, "grants": grants,
        "usage": { "kind": "level", "amount": used },
    });
    let fields = more.as_object().unwrap().clone();
    seats.as_object_mut().unwrap().extend(fields);
    seats
}

fn shell() -> Shell {
    let shell = Shell::new();
    let sso = json!({ "feature": "sso", "type": "boolean" });
    let trial =
        json!({ "feature": "trial", "type": "boolean", "activeTo": "2026-12-24T00:00:00Z" });
    let lines = [
        json!({ "feature": "seats", "unit": "seat" }),
        json!({ "feature": "sso", "whenExpired": "closed" }),
        json!({ "feature": "trial" }),
        json!({ "subject": "a", "aliases": ["alias"], "entitlements": [
            seats(3.2, &json!({})), sso,
        ] }),
        json!({ "subject": "b", "entitlements": [
            seats(17.5, &json!({ "graceUntil": "2026-12-07T00:00:00Z" })), trial,
        ] }),
        json!({ "subject": "c", "entitlements": [
            seats(16.0, &json!({ "status": "suspended" })), sso,
        ] }),
    ];
    fs::write(shell.path("facts.ndjson"), lines.map(|line| format!("{line}\n")).concat()).unwrap();
    let key = shell.run("keygen --out key", 0);
    fs::write(shell.path("key.pub"), key).unwrap();
    shell.run(&format!("publish facts.ndjson --out out --key-file key --at {NOW}"), 0);
    shell
}

fn query(shell: &Shell, line: &str, code: i32) -> Value {
    shell.json(&format!("query {line} --now {NOW}"), code)
}

/// Subject and feature of each item, sorted.
fn found(listed: &Value) -> Vec<String> {
    let items = listed.get("items").unwrap().as_array().unwrap();
    let text = |item: &Value, name| item.get(name).unwrap().as_str().unwrap().to_owned();
    let name = |item| text(item, "subject") + " " + &text(item, "feature");
    let mut names: Vec<_> = items.iter().map(name).collect();
    names.sort();
    names
}

#[test]
fn what_fits_a_filter_is_listed() {
    let shell = shell();
    let cases: [(&str, &[&str]); 6] = [
        ("", &["a seats", "a sso", "b seats", "b trial", "c seats", "c sso"]),
        ("--subject alias --subject c --feature sso", &["a sso", "c sso"]),
        ("--grant promo --access true", &["a seats", "b seats"]),
        ("--access false", &["c seats"]),
        ("--feature what", &[]),
        ("--at 2026-12-25T00:00:00Z --access false", &["b seats", "b trial", "c seats"]),
    ];
    for (options, expected) in cases {
        assert_eq!(found(&query(&shell, &format!("find {options}"), 0)), expected, "{options}");
    }
    let one = query(&shell, "find --subject a --feature seats", 0);
    let decision = shell.json(&format!("check a seats --now {NOW}"), 0);
    let mut expected = json!({ "subject": "a", "feature": "seats" });
    expected.as_object_mut().unwrap().extend(decision.as_object().unwrap().clone());
    assert_eq!(one, json!({ "items": [expected] }));
}

#[test]
fn a_list_goes_on_with_its_token_in_its_snapshot() {
    let shell = shell();
    let mut all = Vec::new();
    let mut after = String::new();
    for _ in 0..3 {
        let part = query(&shell, &format!("find --limit 2 {after}"), 0);
        all.extend(found(&part));
        let Some(next) = part.get("next") else { break };
        after = format!("--after {}", next.as_str().unwrap());
    }
    assert_eq!(all.len(), 6);
    let first = query(&shell, "find --limit 2", 0);
    let token = first.get("next").unwrap().as_str().unwrap().to_owned();
    let code = |line: &str| {
        let error = shell.error(&format!("query {line} --now {NOW}"), 2);
        error.pointer("/error/code").unwrap().as_str().unwrap().to_owned()
    };
    assert_eq!(code("find --after 12"), "token-malformed");
    assert_eq!(code("find --limit 1001"), "list-limit");
    let facts = fs::read_to_string(shell.path("facts.ndjson")).unwrap();
    fs::write(shell.path("facts.ndjson"), facts.replace("\"subject\":\"c\"", "\"subject\":\"d\""))
        .unwrap();
    shell.run("publish facts.ndjson --out out --key-file key --at 2026-11-20T12:34:30Z", 0);
    assert_eq!(code(&format!("find --after {token}")), "token-outdated");
    assert_eq!(code(&format!("entitled sso --after {token}")), "token-outdated");
}

#[test]
fn who_is_entitled_is_listed() {
    let shell = shell();
    let sorted = |line: &str| {
        let listed = query(&shell, line, 0);
        let items = listed.get("items").unwrap().as_array().unwrap();
        let mut ids: Vec<_> = items.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(sorted("entitled seats"), ["a", "b", "c"]);
    assert_eq!(sorted("entitled seats --access-only"), ["a", "b"]);
    assert_eq!(sorted("entitled what"), Vec::<String>::new());
}

#[test]
fn a_demand_fits_or_what_is_missing_is_told() {
    let shell = shell();
    let fits = json!({ "fits": true, "missing": [], "unknown": [] });
    assert_eq!(query(&shell, "fit a seats=12.3 sso=1", 0), fits);
    let missing = json!([
        { "feature": "seats", "amount": 0.1, "reason": "exhausted" },
        { "feature": "trial", "amount": 2, "reason": "not-entitled" },
    ]);
    let expected = json!({ "fits": false, "missing": missing, "unknown": [] });
    assert_eq!(query(&shell, "fit alias seats=12.4 trial=2", 1), expected);
    let text = shell.run(&format!("query fit a seats=12.4 --now {NOW}"), 1);
    assert_eq!(text, "does not fit\n  seats: 0.1 missing, exhausted\n");
    for line in ["fit a seats", "fit a seats=-1", "fit a seats=1 seats=2", "fit a"] {
        assert_eq!(shell.output(&format!("query {line} --now {NOW}")).status.code(), Some(2));
    }
}

#[test]
fn overage_and_what_ends_are_listed() {
    let shell = shell();
    let over = json!({
        "subject": "b", "feature": "seats", "overage": 2,
        "graceUntil": "2026-12-07T00:00:00Z",
    });
    assert_eq!(query(&shell, "violations", 0), json!({ "items": [over] }));
    assert_eq!(query(&shell, "violations --subject a", 0), json!({ "items": [] }));
    let later = query(&shell, "violations --subject a --at 2026-12-08T00:00:00Z", 0);
    assert_eq!(later, json!({ "items": [] }));
    let text = shell.run(&format!("query violations --now {NOW}"), 0);
    assert_eq!(text, "b seats: 2 over, in grace until 2026-12-07T00:00:00Z\n");

    let ends = json!([{ "at": "2026-12-01T00:00:00Z", "grant": "promo", "amount": 5 }]);
    let promo = json!({ "subject": "a", "feature": "seats", "ends": ends });
    let expiring = |line: &str| query(&shell, &format!("expiring {line}"), 0);
    assert_eq!(expiring("2026-12-01T00:00:00Z --subject a"), json!({ "items": [promo] }));
    assert_eq!(expiring("2026-11-30T23:59:59Z"), json!({ "items": [] }));
    let all = expiring("2026-12-24T00:00:00Z --access true");
    assert_eq!(found(&all), ["a seats", "b seats", "b trial"]);
    let trial = expiring("2026-12-24T00:00:00Z --feature trial");
    let ends = json!([{ "at": "2026-12-24T00:00:00Z" }]);
    assert_eq!(trial.pointer("/items/0/ends").unwrap(), &ends);
}

#[test]
fn an_expression_holds_or_not() {
    let shell = shell();
    for (line, code) in [("a seats|trial&!what", 0), ("a seats&trial", 1), ("nobody !sso", 0)] {
        let (subject, expression) = line.split_once(' ').unwrap();
        let told = query(&shell, &format!("satisfies {subject} {expression}"), code);
        assert_eq!(told, json!({ "satisfied": code == 0 }), "{line}");
    }
    let error = shell.error(&format!("query satisfies a seats||sso --now {NOW}"), 2);
    assert_eq!(error.pointer("/error/code").unwrap(), "expression-malformed");
}

#[test]
fn the_catalogue_is_told() {
    let shell = shell();
    let seats = json!({ "feature": "seats", "unit": "seat", "whenExpired": "last-known" });
    let sso = json!({ "feature": "sso", "whenExpired": "closed" });
    let trial = json!({ "feature": "trial", "whenExpired": "last-known" });
    assert_eq!(query(&shell, "catalogue", 0), json!({ "features": [seats, sso, trial] }));
    assert_eq!(query(&shell, "catalogue sso what", 0), json!({ "features": [sso] }));
}
