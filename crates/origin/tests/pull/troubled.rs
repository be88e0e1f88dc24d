//! Every API with pages, when it throttles, breaks connections off and fails in the middle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::server::{Asked, Given, Server};
use crate::{SECRETS, Shell, aws, subscription};

/// Makes each request harder: the first attempt is throttled, the second breaks off, and what the
/// test says fails for as long as it lasts.
fn troubled(
    answer: fn(&Asked) -> Given,
    throttled: fn() -> Given,
    fails: &'static str,
) -> (Server, Arc<AtomicBool>) {
    let failing = Arc::new(AtomicBool::new(true));
    let does = Arc::clone(&failing);
    let server = Server::new(move |asked, before| {
        let is_told = |part: &str| asked.line.contains(part) || asked.body.contains(part);
        match before {
            _ if is_told(fails) && does.load(Ordering::SeqCst) => {
                Given::status(503, &json!({})).with("retry-after", "0")
            }
            0 => throttled().with("retry-after", "0"),
            1 => answer(asked).broken(),
            _ => answer(asked),
        }
    });
    (server, failing)
}

fn too_many() -> Given {
    Given::status(429, &json!({ "errors": ["API rate limit exceeded"] }))
}

/// What names a request: its line, and what is sent with it.
type Name = (String, String);

/// How often each thing was asked, but for the tokens of sessions.
fn counts(server: &Server) -> BTreeMap<Name, usize> {
    let mut counts = BTreeMap::new();
    for asked in server.asked().into_iter().filter(|asked| !asked.line.contains("/aims/")) {
        *counts.entry((asked.line, asked.body)).or_default() += 1;
    }
    counts
}

/// A pull fails in the middle, goes on behind what it has, and gives what an undisturbed one gives.
fn goes_on(line: &str, system: &str, answer: fn(&Asked) -> Given, fails: &'static str) {
    goes_on_after(line, system, answer, too_many, fails);
}

fn goes_on_after(
    line: &str,
    system: &str,
    answer: fn(&Asked) -> Given,
    throttled: fn() -> Given,
    fails: &'static str,
) {
    let (server, failing) = troubled(answer, throttled, fails);
    let shell = Shell::new();
    let pull =
        |out: &str, server: &Server| format!("{line} --out {out} --endpoint {}", server.address);
    let (code, error) = shell.refused(&pull("got", &server));
    assert_eq!((code, &error["code"]), (3, &json!("pull-failed")));
    assert!(!shell.path("got").exists(), "a part was taken for the whole");
    let before = counts(&server);

    failing.store(false, Ordering::SeqCst);
    let pulled = shell.pulled(&pull("got", &server));
    let answered =
        before.keys().filter(|(line, body)| !line.contains(fails) && !body.contains(fails));
    assert_eq!(pulled["resumed"], answered.clone().count(), "{before:?}");
    let after = counts(&server);
    for name in answered {
        assert_eq!(after[name], before[name], "{name:?} was asked again");
    }
    assert_eq!(pulled["answers"], after.len());

    let healthy = Server::new(move |asked, _| answer(asked));
    let undisturbed = shell.pulled(&pull("undisturbed", &healthy));
    assert_eq!((&undisturbed["answers"], &undisturbed["resumed"]), (&pulled["answers"], &json!(0)));
    let facts = |folder: &str, pulled: &Value| {
        let facts = json!(shell.imported(&format!("{system} {folder}"))).to_string();
        // What was so at one instant, or at its minute, is told of it.
        let begun = pulled["begunAt"].as_str().unwrap();
        facts.replace(begun, "T0").replace(&begun[..16], "T0")
    };
    let (got, wanted) = (facts("got", &pulled), facts("undisturbed", &undisturbed));
    assert_ne!(got, "{}");
    assert_eq!(got, wanted);
}

fn aws_throttled() -> Given {
    let thrown = json!({ "__type": "ThrottlingException", "message": "Rate exceeded" });
    Given::status(400, &thrown)
}

#[test]
fn aws_is_complete_in_spite_of_everything() {
    let line = "aws-marketplace --product prod";
    goes_on_after(
        line,
        "aws-marketplace",
        |asked| Given::json(&aws(asked)),
        aws_throttled,
        r#""2""#,
    );
}

fn meraki(asked: &Asked) -> Given {
    let path = asked.line.trim_start_matches("GET ");
    let next = |id: &str| {
        format!("<{}&startingAfter={id}>; rel=next", path.split("&startingAfter").next().unwrap())
    };
    let list = "/administered/licensing/subscription/subscriptions?";
    match path {
        _ if path.starts_with(list) && path.ends_with("startingAfter=1001") => {
            Given::json(&json!([subscription("1002")])).with("link", next("1002"))
        }
        _ if path.starts_with(list) && path.ends_with("startingAfter=1002") => {
            Given::json(&json!([subscription("1003")]))
        }
        _ if path.starts_with(list) => {
            Given::json(&json!([subscription("1001")])).with("link", next("1001"))
        }
        _ if path.contains("/compliance/statuses") => Given::json(&json!([])),
        _ if path.ends_with("/subscription/entitlements") => Given::json(&json!([
            { "sku": "LIC-MR-A", "name": "MR", "productType": "wireless", "productClass": "MR",
              "featureTier": "advantage", "isAddOn": false, "isFree": false }
        ])),
        _ => Given::status(400, &json!({ "errors": ["subscription licensing"] })),
    }
}

#[test]
fn meraki_is_complete_in_spite_of_everything() {
    goes_on("meraki --organization 42", "meraki", meraki, "startingAfter=1002");
}

fn astra(asked: &Asked) -> Given {
    let list = |kind: &str, items: Value, more: Option<&str>| {
        let metadata = more.map_or(json!({}), |more| json!({ "continue": more }));
        Given::json(&json!({ "type": format!("application/astra-{kind}"), "version": "1.0",
                             "items": items, "metadata": metadata }))
    };
    let entitlement = |id: &str| {
        json!([{ "id": id, "product": "Center", "entitlementType": "vcpus",
                 "entitlementValue": "100", "entitlementConsumption": "10",
                 "sourceSubscription": "s" }])
    };
    match () {
        () if asked.line.contains("/licenses") => Given::status(404, &json!({})),
        () if asked.line.contains("/subscriptions") => {
            let inactive = json!({ "id": "s", "status": "inactive", "gracePeriod": 30,
                "metadata": { "modificationTimestamp": "2026-11-01T00:00:00Z" } });
            list("subscriptions", json!([inactive]), None)
        }
        () if asked.line.contains("continue=second") => {
            list("entitlements", entitlement("e2"), Some("third/+="))
        }
        () if asked.line.contains("continue=third") => {
            list("entitlements", entitlement("e3"), None)
        }
        () => list("entitlements", entitlement("e1"), Some("second")),
    }
}

#[test]
fn astra_is_complete_in_spite_of_everything() {
    goes_on("astra --account acc", "astra", astra, "continue=third");
}

fn alert_logic(asked: &Asked) -> Given {
    let line = &*asked.line;
    if line == "POST /aims/v1/authenticate" {
        return Given::json(&json!({ "authentication": { "token": SECRETS[2] } }));
    }
    assert_eq!(asked.header("x-aims-auth-token"), SECRETS[2]);
    let account = line.split('/').nth(3).unwrap();
    match line.rsplit('/').next() {
        Some("entitlements") => Given::json(&json!({ "account_id": account, "entitlements": [
            { "product_family": "detect", "status": "active", "subscription_id": account }
        ] })),
        _ => Given::json(&json!({ "subscriptions": [
            { "id": account, "account_id": account, "active": true, "type": "standard" }
        ] })),
    }
}

#[test]
fn alert_logic_is_complete_in_spite_of_everything() {
    let line = "alert-logic --account 01 --account 02 --account 03";
    goes_on(line, "alert-logic", alert_logic, "/02/subscriptions");
}

fn metered(number: u8) -> Value {
    json!({
        "id": format!("E{number}"), "type": "metered", "featureKey": "tokens", "featureId": "F",
        "customerId": format!("C{number}"), "customerKey": format!("customer-{number}"),
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
        "activeFrom": "2026-01-01T00:00:00Z", "measureUsageFrom": "2026-01-01T00:00:00Z",
        "lastReset": "2000-01-01T00:00:00Z",
        "currentUsagePeriod": { "from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z" },
        "usagePeriod": { "anchor": "2000-01-01T00:00:00Z", "intervalISO": "P100Y" },
    })
}

fn granted(number: u8) -> Value {
    json!({
        "id": format!("G{number}"), "entitlementId": format!("E{number}"), "amount": 100,
        "priority": 1, "effectiveAt": "2026-01-01T00:00:00Z",
        "createdAt": "2026-01-01T00:00:00Z", "maxRolloverAmount": 100, "minRolloverAmount": 0,
    })
}

fn openmeter(asked: &Asked) -> Given {
    assert_eq!(asked.header("authorization"), format!("Bearer {}", SECRETS[0]));
    let (path, query) = asked.line.split_once('?').unwrap_or((&asked.line, ""));
    let number = |name: &str| {
        let values = query.split('&').filter_map(|pair| pair.split_once('='));
        values.into_iter().find_map(|(key, value)| (key == name).then(|| value.replace("%3A", ":")))
    };
    let page: u8 = number("page").map_or(0, |page| page.parse().unwrap());
    let items = |item: Value| {
        Given::json(&json!({ "items": [item], "page": page, "pageSize": 1, "totalCount": 3 }))
    };
    match path.trim_start_matches("GET ") {
        "/api/v1/customers" => {
            items(json!({ "id": format!("C{page}"), "key": format!("customer-{page}") }))
        }
        "/api/v1/meters" => Given::json(&json!([{ "slug": "m", "aggregation": "SUM" }])),
        "/api/v1/features" => {
            Given::json(&json!({ "items": [{ "id": "F", "key": "tokens", "meterSlug": "m" }] }))
        }
        "/api/v2/entitlements" => items(metered(page)),
        "/api/v2/grants" => items(granted(page)),
        "/api/v1/meters/m/query" => Given::json(
            &json!({ "from": number("from").unwrap(), "windowSize": "MINUTE", "data": [] }),
        ),
        path => {
            let entitlement = path.split('/').nth(6).unwrap();
            let grant = entitlement.replace('E', "G");
            let balances = json!({ grant: 60 });
            Given::json(&json!({ "hasAccess": true, "balance": 60, "usage": 40, "overage": 0,
                                 "totalAvailableGrantAmount": 100, "grantBalances": balances }))
        }
    }
}

#[test]
fn openmeter_is_complete_in_spite_of_everything() {
    goes_on("openmeter", "openmeter", openmeter, "/E2/value");
}
