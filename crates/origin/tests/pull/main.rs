//! `edgegrant pull` against servers that speak each API: pages, patience, and what breaks off.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod broken;
mod run;
mod server;
mod troubled;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Asked, Given, Server};

/// What must never be seen outside of a request.
///
/// The last one is how basic authentication writes the first.
const SECRETS: [&str; 4] = [
    "s3cret-of-the-test",
    "t0ken-of-the-session",
    "t0ken-of-the-identity-service",
    "YWNjZXNzLWtleTpzM2NyZXQtb2YtdGhlLXRlc3Q=",
];

struct Shell(TempDir);

impl Shell {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, line: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edgegrant"));
        command.current_dir(self.0.path()).args(line.split_whitespace());
        for name in [
            "AWS_SECRET_ACCESS_KEY",
            "MERAKI_DASHBOARD_API_KEY",
            "ASTRA_API_TOKEN",
            "ALERTLOGIC_SECRET_KEY",
            "OPENMETER_TOKEN",
        ] {
            command.env(name, SECRETS[0]);
        }
        command.env("AWS_ACCESS_KEY_ID", "AKIDTEST").env("AWS_SESSION_TOKEN", SECRETS[1]);
        command.env("ALERTLOGIC_ACCESS_KEY_ID", "access-key");
        // What is on this machine is not asked by way of another.
        command.env("ALL_PROXY", "http://127.0.0.1:9").env_remove("NO_PROXY");
        let output = command.output().unwrap();
        self.assert_no_secret(&output);
        output
    }

    /// Standard output and the answers are looked through, and every file that was made.
    fn assert_no_secret(&self, output: &Output) {
        let mut seen = vec![output.stdout.clone(), output.stderr.clone()];
        files(self.0.path(), &mut seen);
        for bytes in seen {
            let text = String::from_utf8_lossy(&bytes);
            for secret in SECRETS {
                assert!(!text.contains(secret), "a secret was written");
            }
        }
    }

    fn pulled(&self, line: &str) -> Value {
        let output = self.run(&format!("--json pull {line}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn refused(&self, line: &str) -> (i32, Value) {
        let output = self.run(&format!("--json pull {line}"));
        let errors = String::from_utf8(output.stderr).unwrap();
        let error: Value = serde_json::from_str(errors.lines().last().unwrap()).unwrap();
        (output.status.code().unwrap(), error["error"].clone())
    }

    /// The facts that an import makes of a folder, by subject.
    fn imported(&self, line: &str) -> BTreeMap<String, Value> {
        let output = self.run(&format!("import {line}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{errors}");
        let facts = String::from_utf8(output.stdout).unwrap();
        let facts = facts.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let named =
            facts.filter_map(|fact| Some((fact.get("subject")?.as_str()?.to_owned(), fact)));
        named.collect()
    }
}

fn files(folder: &Path, seen: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, seen) } else { seen.push(fs::read(path).unwrap()) }
    }
}

fn aws_page(dimension: Option<&str>, token: Option<&str>) -> Value {
    let entitlement = |dimension| {
        json!({ "ProductCode": "prod", "Dimension": dimension, "CustomerIdentifier": "c",
                "Value": { "IntegerValue": 5 }, "ExpirationDate": 4_000_000_000_u64 })
    };
    let entitlements: Vec<Value> = dimension.into_iter().map(entitlement).collect();
    json!({ "Entitlements": entitlements, "NextToken": token })
}

fn aws(asked: &Asked) -> Value {
    match asked.json().get("NextToken").and_then(Value::as_str) {
        None => aws_page(Some("users"), Some("1")),
        Some("1") => aws_page(None, Some("2")),
        Some(_) => aws_page(Some("storage"), None),
    }
}

#[test]
fn aws_pages_are_followed_through_an_empty_one_and_throttling() {
    let server = Server::new(|asked, before| {
        let given = Given::json(&aws(asked));
        match (asked.json().get("NextToken").and_then(Value::as_str), before) {
            (Some("1"), 0) => {
                let thrown = json!({ "__type": "ThrottlingException", "message": "Rate exceeded" });
                Given::status(400, &thrown).with("retry-after", "0")
            }
            (Some("2"), 0) => given.broken(),
            _ => given,
        }
    });
    let shell = Shell::new();
    let endpoint = &server.address;
    let pulled =
        shell.pulled(&format!("aws-marketplace --product prod --out got --endpoint {endpoint}"));
    assert_eq!((&pulled["answers"], &pulled["resumed"]), (&json!(3), &json!(0)));
    let asked = server.asked();
    assert_eq!(asked.len(), 5);
    for asked in &asked {
        assert_eq!(asked.line, "POST /");
        assert_eq!(asked.header("x-amz-target"), "AWSMPEntitlementService.GetEntitlements");
        assert_eq!(asked.header("content-type"), "application/x-amz-json-1.1");
        assert_eq!(asked.header("x-amz-security-token"), SECRETS[1]);
        let signed = asked.header("authorization");
        assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDTEST/"), "{signed}");
        assert!(signed.contains("/us-east-1/aws-marketplace/aws4_request"), "{signed}");
        assert_eq!(asked.json()["MaxResults"], 25);
    }
    let facts = shell.imported("aws-marketplace got");
    assert_eq!(facts["c"]["entitlements"].as_array().unwrap().len(), 2);
}

#[test]
fn what_broke_off_goes_on_where_it_stood() {
    let fails = Arc::new(AtomicBool::new(true));
    let does = Arc::clone(&fails);
    let server = Server::new(move |asked, _| match asked.json().get("NextToken") {
        Some(token) if token == "2" && does.load(Ordering::SeqCst) => {
            Given::status(500, &json!({})).with("retry-after", "0")
        }
        _ => Given::json(&aws(asked)),
    });
    let shell = Shell::new();
    let pull = format!("aws-marketplace --product prod --out got --endpoint {}", server.address);
    let (code, error) = shell.refused(&pull);
    assert_eq!((code, &error["code"]), (3, &json!("pull-failed")));
    assert_eq!(server.asked().len(), 2 + 8);
    assert!(!shell.path("got").exists() && shell.path("got.partial").exists());

    fails.store(false, Ordering::SeqCst);
    let pulled = shell.pulled(&pull);
    assert_eq!((&pulled["answers"], &pulled["resumed"]), (&json!(3), &json!(2)));
    assert_eq!(server.asked().len(), 2 + 8 + 1);
    assert!(!shell.path("got.partial").exists());
    let facts = shell.imported("aws-marketplace got");
    assert_eq!(facts["c"]["entitlements"].as_array().unwrap().len(), 2);

    // What was complete is there until the next one is.
    fails.store(true, Ordering::SeqCst);
    let (_, error) = shell.refused(&pull);
    assert_eq!(error["code"], "pull-failed");
    assert_eq!(shell.imported("aws-marketplace got").len(), 1);
}

#[test]
fn what_was_asked_with_other_options_is_asked_again() {
    let server = Server::new(|asked, before| match asked.json()["ProductCode"].as_str() {
        Some("other") if before == 0 => Given::status(403, &json!({})),
        Some("prod") => Given::json(&aws_page(Some("users"), None)),
        _ => Given::json(&json!({ "Entitlements": [] })),
    });
    let shell = Shell::new();
    let endpoint = &server.address;
    let line =
        format!("aws-marketplace --product prod --product other --out got --endpoint {endpoint}");
    let (code, error) = shell.refused(&line);
    assert_eq!((code, &error["code"]), (3, &json!("pull-refused")));
    let line = format!("aws-marketplace --product other --out got --endpoint {endpoint}");
    assert_eq!(shell.pulled(&line)["resumed"], 0);
    assert_eq!(server.asked().len(), 3);
}

fn subscription(id: &str) -> Value {
    json!({ "subscriptionId": id, "name": id, "status": "active", "type": "termed",
            "startDate": "2026-01-01T00:00:00Z", "endDate": "2099-01-01T00:00:00Z",
            "lastUpdatedAt": "2026-09-21T00:00:00Z",
            "entitlements": [{ "sku": "LIC-MR-A",
                               "seats": { "assigned": 10, "available": 15, "limit": 25 } }] })
}

#[test]
fn meraki_links_are_followed_and_what_an_organization_lacks_is_left_out() {
    let subscriptions = "/administered/licensing/subscription/subscriptions";
    let server = Server::new(move |asked, before| {
        let path = asked.line.trim_start_matches("GET /api/v1");
        let next = format!("<{subscriptions}?organizationIds%5B%5D=42&startingAfter=1>; rel=next");
        match path.split_once('?').unwrap_or((path, "")) {
            (path, query) if path == subscriptions => {
                match (query.contains("startingAfter"), before) {
                    (false, 0) => {
                        Given::status(429, &json!({ "errors": [] })).with("retry-after", "1")
                    }
                    (false, _) => {
                        let first = format!("<{subscriptions}?first>; rel=first, {next}");
                        Given::json(&json!([subscription("1001")])).with("link", first)
                    }
                    (true, _) => Given::json(&json!([subscription("1002")])),
                }
            }
            (path, _) if path.ends_with("/statuses") => Given::json(&json!([])),
            (path, _) if path.ends_with("subscription/entitlements") => Given::json(&json!([
                { "sku": "LIC-MR-A", "name": "MR", "productType": "wireless", "productClass": "MR",
                  "featureTier": "advantage", "isAddOn": false, "isFree": false }
            ])),
            _ => Given::status(400, &json!({ "errors": ["subscription licensing"] })),
        }
    });
    let shell = Shell::new();
    let endpoint = format!("{}/api/v1", server.address);
    let pull = format!("meraki --organization 42 --out got --endpoint {endpoint}");
    let pulled = shell.pulled(&pull);
    assert_eq!(pulled["answers"], 7);
    for asked in server.asked() {
        assert_eq!(asked.header("authorization"), format!("Bearer {}", SECRETS[0]));
    }
    let facts = shell.imported("meraki got");
    assert_eq!(facts["42"]["entitlements"][0]["grants"].as_array().unwrap().len(), 2);
    assert_eq!(facts.len(), 3);
    let asked = server.lines().into_iter().find(|line| line.contains("perPage")).unwrap();
    assert!(asked.contains("organizationIds%5B%5D=42"), "{asked}");
}

#[test]
fn a_page_at_another_address_is_not_asked_for() {
    let elsewhere = "<https://elsewhere.example.com/subscriptions>; rel=\"next\"";
    let server = Server::new(move |_, _| Given::json(&json!([])).with("link", elsewhere));
    let shell = Shell::new();
    let (code, error) =
        shell.refused(&format!("meraki --organization 42 --out got --endpoint {}", server.address));
    assert_eq!((code, &error["code"]), (2, &json!("link-elsewhere")));
}

#[test]
fn pages_without_an_end_are_given_up() {
    let server = Server::new(|asked, _| {
        let path = asked.line.trim_start_matches("GET ").to_owned();
        Given::json(&json!([])).with("link", format!("<{path}>; rel=next"))
    });
    let shell = Shell::new();
    let (code, error) =
        shell.refused(&format!("meraki --organization 42 --out got --endpoint {}", server.address));
    assert_eq!((code, &error["code"]), (3, &json!("pull-loop")));
}

#[test]
fn astra_goes_on_with_its_token() {
    let item = |id: &str| {
        json!({ "id": id, "product": "Astra Control Center", "entitlementType": "vcpus",
                "entitlementValue": "100", "entitlementConsumption": "10" })
    };
    let server = Server::new(move |asked, _| {
        let page = |items: Value, metadata: Value| {
            let kind = "application/astra-entitlements";
            Given::json(
                &json!({ "type": kind, "version": "1.0", "items": items, "metadata": metadata }),
            )
        };
        match () {
            () if !asked.line.contains("/entitlements") => Given::status(404, &json!({})),
            () if asked.line.contains("continue=more") => {
                page(json!([item("e2")]), json!({ "count": 2 }))
            }
            () => page(json!([item("e1")]), json!({ "continue": "more", "count": 2 })),
        }
    });
    let shell = Shell::new();
    let pulled =
        shell.pulled(&format!("astra --account acc --out got --endpoint {}", server.address));
    assert_eq!(pulled["answers"], 4);
    assert_eq!(server.asked()[0].header("authorization"), format!("Bearer {}", SECRETS[0]));
    let facts = shell.imported("astra got");
    assert_eq!(facts["acc"]["entitlements"][0]["grants"].as_array().unwrap().len(), 2);
}

#[test]
fn alert_logic_asks_for_a_token_and_for_another_when_it_ends() {
    let server = Server::new(|asked, before| {
        let token = asked.header("x-aims-auth-token").to_owned();
        match &*asked.line {
            "POST /aims/v1/authenticate" => {
                // user "access-key" with the secret, as basic authentication writes it
                assert!(asked.header("authorization").starts_with("Basic YWNjZXNzLWtleTpz"));
                Given::json(&json!({ "authentication": { "token": format!("token-{before}") } }))
            }
            line if line.ends_with("/1/entitlements") && token == "token-0" => {
                let kind = json!({ "product_family": "detect", "status": "active" });
                Given::json(&json!({ "account_id": "1", "entitlements": [kind] }))
            }
            line if line.ends_with("/entitlements") && token == "token-0" => {
                Given::status(401, &json!({}))
            }
            line if line.ends_with("/entitlements") => {
                Given::json(&json!({ "account_id": "2", "entitlements": [] }))
            }
            _ => Given::status(404, &json!({})),
        }
    });
    let shell = Shell::new();
    let line =
        format!("alert-logic --account 1 --account 2 --out got --endpoint {}", server.address);
    assert_eq!(shell.pulled(&line)["answers"], 4);
    let authentications = server.lines().iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(authentications, 2);
    let facts = shell.imported("alert-logic got");
    assert_eq!(facts["1"]["entitlements"][0]["feature"], "detect");
}

#[test]
fn openmeter_is_asked_for_the_state_at_one_minute_and_the_usage_since() {
    let id = |kind: &str| format!("01H{kind}000000000000000000001");
    let server = Server::new(move |asked, _| {
        let (path, query) = asked.line.split_once('?').unwrap_or((&asked.line, ""));
        let items = |items: Value| Given::json(&json!({ "items": items }));
        match path.trim_start_matches("GET ") {
            "/api/v1/customers" if query.starts_with("page=1&") => {
                let customer = |n: usize| json!({ "id": format!("c{n}"), "key": format!("k{n}") });
                items((0..1000).map(customer).collect())
            }
            "/api/v1/customers" => items(json!([{ "id": id("C"), "key": "acme" }])),
            "/api/v1/meters" => Given::json(&json!([{ "slug": "m", "aggregation": "SUM" }])),
            "/api/v1/features" => items(json!([{ "id": id("F"), "key": "tokens", "meterSlug": "m",
                                                 "meterGroupByFilters": { "model": "large" } }])),
            "/api/v2/entitlements" => items(json!([{
                "id": id("E"), "type": "metered", "featureKey": "tokens", "featureId": id("F"),
                "customerId": id("C"), "customerKey": "acme",
                "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
                "activeFrom": "2026-01-01T00:00:00Z", "measureUsageFrom": "2026-01-01T00:00:00Z",
                "lastReset": "2000-01-01T00:00:00Z",
                "currentUsagePeriod": { "from": "2000-01-01T00:00:00Z",
                                        "to": "2100-01-01T00:00:00Z" },
                "usagePeriod": { "anchor": "2000-01-01T00:00:00Z", "intervalISO": "P100Y" },
            }])),
            "/api/v2/grants" => items(json!([{
                "id": id("G"), "entitlementId": id("E"), "amount": 100, "priority": 1,
                "effectiveAt": "2026-01-01T00:00:00Z", "createdAt": "2026-01-01T00:00:00Z",
                "maxRolloverAmount": 100, "minRolloverAmount": 0,
            }])),
            path if path
                == format!("/api/v2/customers/{}/entitlements/{}/value", id("C"), id("E")) =>
            {
                assert!(query.starts_with("time=20") && query.ends_with("%3A00Z"), "{query}");
                Given::json(&json!({ "hasAccess": true, "balance": 60, "usage": 40, "overage": 0,
                                     "totalAvailableGrantAmount": 100,
                                     "grantBalances": { id("G"): 60 } }))
            }
            "/api/v1/meters/m/query" => {
                for part in [
                    "from=20",
                    "windowSize=MINUTE",
                    "groupBy=customerId",
                    "filterGroupBy%5Bmodel%5D=large",
                ] {
                    assert!(query.contains(part), "{query}");
                }
                let from = query.split('&').next().unwrap().replace("%3A", ":");
                let from = from.trim_start_matches("from=");
                Given::json(&json!({ "from": from, "windowSize": "MINUTE", "data": [] }))
            }
            other => panic!("{other}"),
        }
    });
    let shell = Shell::new();
    let pulled = shell.pulled(&format!("openmeter --out got --endpoint {}", server.address));
    assert_eq!(pulled["answers"], 8);
    let facts = shell.imported("openmeter got");
    assert_eq!(facts.len(), 1001);
    let entitlement = &facts["acme"]["entitlements"][0];
    assert_eq!(entitlement["opening"]["balances"], json!({ id("G"): 60 }));
    assert_eq!(entitlement["opening"]["usage"], 40);
}

#[test]
fn secrets_go_nowhere_else() {
    let shell = Shell::new();
    let (code, error) = shell.refused("astra --account a --out got --endpoint http://example.com");
    assert_eq!((code, &error["code"]), (2, &json!("endpoint-insecure")));
    let server = Server::new(|_, _| {
        Given::status(302, &json!({})).with("location", "http://127.0.0.1:9/elsewhere")
    });
    let (code, error) =
        shell.refused(&format!("astra --account a --out got --endpoint {}", server.address));
    assert_eq!((code, &error["code"]), (3, &json!("pull-refused")));
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("http://127.0.0.1:9;"), "{message}");
    assert!(!message.contains("elsewhere"), "{message}");
    let server = Server::new(|_, _| Given::text("<html>log in</html>"));
    let (code, error) =
        shell.refused(&format!("astra --account a --out got --endpoint {}", server.address));
    assert_eq!((code, &error["code"]), (3, &json!("pull-refused")));
}

#[test]
fn who_asks_for_too_much_patience_is_asked_another_time() {
    let server = Server::new(|_, _| Given::status(429, &json!({})).with("retry-after", "3600"));
    let shell = Shell::new();
    let (code, error) =
        shell.refused(&format!("astra --account a --out got --endpoint {}", server.address));
    assert_eq!((code, &error["code"]), (3, &json!("pull-failed")));
    assert!(error["message"].as_str().unwrap().contains("3600 s"));
    assert_eq!(server.asked().len(), 1);
}
