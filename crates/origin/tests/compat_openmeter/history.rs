//! Histories, and values of times that a snapshot has summed up.

use edgegrant::model::{
    Entitlement, EntitlementType, Fact, Feature, Grant, Recurrence, Reset, Source, Subject, Usage,
    UsageEvent, UsageKind,
};
use edgegrant::{Amount, Instant, Interval};
use serde_json::{Value, json};

use crate::kit::{Served, at, own};

const NOW: &str = "2026-11-20T00:00:00Z";
const HOUR: i64 = 3_600_000;

fn imported() -> Served {
    Served::import(&[own()], at(NOW))
}

#[test]
fn usage_since_the_import_has_a_history() {
    let served = imported();
    let range = "from=2026-11-19T22:00:00Z&windowSize=HOUR&windowTimeZone=UTC";
    let (daily, issued) = ("01K9GRANT000000000000000004", "01K9GRANT000000000000000007");
    let balances = |first: f64, second: f64| json!({ daily: first, issued: second });
    let expected = json!({
        "windowedHistory": [
            { "period": { "from": "2026-11-19T22:00:00Z", "to": "2026-11-19T23:00:00Z" },
              "usage": 2.0, "balanceAtStart": 9.0 },
            { "period": { "from": "2026-11-19T23:00:00Z", "to": "2026-11-20T00:00:00Z" },
              "usage": 3.5, "balanceAtStart": 7.0 },
        ],
        "burndownHistory": [
            { "period": { "from": "2026-11-19T22:00:00Z", "to": "2026-11-20T00:00:00Z" },
              "usage": 5.5, "overage": 0.0,
              "balanceAtStart": 9.0, "grantBalancesAtStart": balances(4.0, 5.0),
              "balanceAtEnd": 3.5, "grantBalancesAtEnd": balances(0.0, 3.5),
              "grantUsages": [{ "grantId": daily, "usage": 4.0 },
                              { "grantId": issued, "usage": 1.5 }] },
            { "period": { "from": "2026-11-20T00:00:00Z", "to": "2026-11-20T00:00:00Z" },
              "usage": 0.0, "overage": 0.0,
              "balanceAtStart": 13.5, "grantBalancesAtStart": balances(10.0, 3.5),
              "balanceAtEnd": 13.5, "grantBalancesAtEnd": balances(10.0, 3.5),
              "grantUsages": [{ "grantId": daily, "usage": 0.0 },
                              { "grantId": issued, "usage": 0.0 }] },
        ],
    });
    for path in ["v2/customers/mill/entitlements/tokens", "v1/subjects/mill/entitlements/tokens"] {
        let told = served.get(&format!("/api/{path}/history?{range}"));
        assert_eq!(as_floats(&told), as_floats(&expected), "{path}");
    }
    let id = "01K9ENTITLEMENT00000000005";
    let told = served.get(&format!("/api/v1/subjects/mill/entitlements/{id}/history?{range}"));
    assert_eq!(as_floats(&told), as_floats(&expected));
}

/// Numbers as floats, which whole ones are not when they are written short.
fn as_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(as_floats).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), as_floats(field))).collect()
        }
        other => other.clone(),
    }
}

/// The facts begin at T0, and nothing since is left out.
#[test]
fn the_window_that_the_facts_begin_in_is_told_from_there() {
    let served = imported();
    let path = "/api/v2/customers/mill/entitlements/tokens/history?windowSize=DAY";
    let windows = |from: &str| {
        let told = served.get(&format!("{path}&from=2026-11-19T{from}:00Z&to={NOW}"));
        as_floats(&told["windowedHistory"])
    };
    let period = json!({ "from": "2026-11-19T22:00:00Z", "to": NOW });
    let since = |usage: f64| json!([{ "period": period, "usage": usage, "balanceAtStart": 9.0 }]);
    assert_eq!(windows("22:00"), since(5.5));
    assert_eq!(windows("22:30"), since(3.5));
}

#[test]
fn what_has_no_history_is_refused() {
    let served = imported();
    let cases = [
        (400, "mill/entitlements/tokens/history?windowSize=HOUR"),
        (400, "mill/entitlements/tokens/history?from=2026-11-19T21:59:59Z&windowSize=DAY"),
        (400, "mill/entitlements/tokens/history?from=2026-11-19T22:00:00Z"),
        (400, "mill/entitlements/tokens/history?from=2026-11-19T22:00:00Z&windowSize=MINUTE"),
        (400, "mill/entitlements/tokens/history?from=2026-11-19T22:00:00Z&windowSize=MONTH"),
        (400, "mill/entitlements/tokens/history?from=soon&windowSize=HOUR"),
        (
            400,
            "mill/entitlements/tokens/history?from=2026-11-19T22:00:00Z&to=2026-11-19T22:00:00Z\
             &windowSize=HOUR",
        ),
        (
            400,
            "mill/entitlements/tokens/history?from=2026-11-19T22:00:00Z&windowSize=HOUR\
             &windowTimeZone=Europe/Budapest",
        ),
        (400, "harbour/entitlements/sso/history?windowSize=HOUR"),
        (404, "mill/entitlements/limits/history?windowSize=HOUR"),
        (404, "mill/entitlements/sso/history?windowSize=HOUR"),
        (404, "nobody/entitlements/tokens/history?windowSize=HOUR"),
    ];
    for (status, path) in cases {
        assert_eq!(served.refusal(&format!("/api/v2/customers/{path}")).0, status, "{path}");
    }
    let early = served.refusal("/api/v2/customers/mill/entitlements/tokens/history?windowSize=DAY");
    let begins = "2026-11-19T22:00:00Z";
    assert!(early.1.starts_with(&format!("from must not be before {begins}")), "{}", early.1);
}

#[test]
fn past_values_are_those_of_the_ledger() {
    let served = imported();
    let value = |time: &str| {
        let path = "/api/v2/customers/mill/entitlements/tokens/value";
        let value = served.get(&format!("{path}?time=2026-11-{time}Z"));
        [&value["usage"], &value["balance"]].map(|number| number.as_f64().unwrap())
    };
    assert_eq!(value("19T22:00:00"), [16.0, 9.0]);
    assert_eq!(value("19T22:10:00"), [16.0, 9.0]);
    assert_eq!(value("19T22:10:01"), [18.0, 7.0]);
    assert_eq!(value("19T23:59:00"), [21.5, 3.5]);
    assert_eq!(value("20T00:00:00"), [21.5, 13.5]);
    assert_eq!(value("22T00:00:00"), [21.5, 13.5]);
    let early = "/api/v2/customers/mill/entitlements/tokens/value?time=2026-11-19T21:59:00Z";
    assert_eq!(served.refusal(early).0, 400);
}

/// A subject whose ledger is known from the beginning of 2026 on: weekly resets, refills every
/// five days, a grant that ends, a reset by hand, and usage of 7 every 50 minutes.
fn ledger() -> Served {
    let start = at("2026-01-01T00:00:00Z");
    let every =
        |text: &str| Recurrence { interval: Interval::parse(text).unwrap(), anchor: start.into() };
    let events = (0..5_000).map(|n| UsageEvent {
        at: start.plus_millis(n * 50 * 60_000 + 90_000).into(),
        amount: Amount::from_units(7),
    });
    let grant = |id: &str, from: Instant| Grant {
        max_rollover: Amount::from_units(300),
        ..Grant::new(id, Amount::from_units(900), from.into())
    };
    let given = Entitlement {
        measure_usage_from: Some(start.into()),
        usage_period: Some(every("P1W")),
        preserve_overage_at_reset: true,
        grants: vec![
            Grant { recurrence: Some(every("P5D")), ..grant("refilled", start) },
            Grant {
                expires_at: Some(at("2026-03-01T10:00:00Z").into()),
                ..grant("ending", at("2026-02-11T16:00:00Z"))
            },
        ],
        resets: vec![Reset {
            at: at("2026-02-20T05:30:00Z").into(),
            retain_anchor: true,
            preserve_overage: None,
        }],
        usage: Some(Usage { events: events.collect(), ..Usage::new(UsageKind::Flow) }),
        source: Some(Source { system: "openmeter".into(), id: "one".into() }),
        ..Entitlement::new("tokens", EntitlementType::Metered)
    };
    let subject = Subject { entitlements: vec![given], ..Subject::new("mill") };
    Served::publish(&[Fact::Feature(Feature::new("tokens")), Fact::Subject(subject)], at(NOW))
}

fn history(served: &Served, query: &str) -> (Vec<Value>, Vec<Value>) {
    let path = "/api/v2/customers/mill/entitlements/tokens/history";
    let body = served.get(&format!("{path}?{query}"));
    let list = |name: &str| body[name].as_array().unwrap().clone();
    (list("windowedHistory"), list("burndownHistory"))
}

#[test]
fn long_histories_are_told_whole() {
    let served = ledger();
    let range = "from=2026-01-01T00:00:00Z&to=2026-06-01T00:00:00Z";
    let (days, of_days) = history(&served, &format!("{range}&windowSize=DAY"));
    let (hours, of_hours) = history(&served, &format!("{range}&windowSize=HOUR"));
    assert_eq!((days.len(), hours.len()), (151, 151 * 24));
    assert_eq!(of_days, of_hours);
    assert!(of_days.len() > 60, "{} phases", of_days.len());
    for (day, hours) in days.iter().zip(hours.chunks(24)) {
        let used: f64 = hours.iter().map(|hour| hour["usage"].as_f64().unwrap()).sum();
        assert_eq!(day["usage"].as_f64(), Some(used));
        assert_eq!(day["balanceAtStart"], hours[0]["balanceAtStart"]);
    }
    let path = "/api/v2/customers/mill/entitlements/tokens/history?windowSize=HOUR";
    for end in ["2028-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        let long = format!("{path}&from=2026-01-01T00:00:00Z&to={end}");
        assert_eq!(served.refusal(&long).0, 400);
    }
}

#[test]
fn a_history_begins_with_the_window_that_it_begins_in() {
    let served = ledger();
    let (windows, phases) =
        history(&served, "from=2026-01-02T10:41:00Z&to=2026-01-02T13:15:00Z&windowSize=HOUR");
    let starts: Vec<&Value> = windows.iter().map(|window| &window["period"]["from"]).collect();
    assert_eq!(starts.len(), 4);
    assert_eq!(starts[0], "2026-01-02T10:00:00Z");
    assert_eq!(phases[0]["period"]["from"], "2026-01-02T10:00:00Z");
    assert_eq!(phases.last().unwrap()["period"]["to"], "2026-01-02T13:15:00Z");
    let used: Vec<f64> = windows.iter().map(|w| w["usage"].as_f64().unwrap()).collect();
    let counted = |from: i64, to: i64| {
        let day = at("2026-01-01T00:00:00Z").millis();
        let within = |n: &i64| (from..to).contains(&(day + n * 50 * 60_000 + 90_000));
        7.0 * (0..100).filter(within).count() as f64
    };
    let ten = at("2026-01-02T10:00:00Z").millis();
    let minute = HOUR / 60;
    assert_eq!(used[0], counted(ten + 41 * minute, ten + HOUR));
    assert_eq!(used[1], counted(ten + HOUR, ten + 2 * HOUR));
    assert_eq!(used[3], counted(ten + 3 * HOUR, ten + 3 * HOUR + 15 * minute));
    assert_ne!(used[0], counted(ten, ten + HOUR));
}

#[test]
fn a_history_without_a_beginning_begins_at_the_last_reset() {
    let served = ledger();
    let (windows, _) = history(&served, "to=2026-02-21T00:00:00Z&windowSize=HOUR");
    assert_eq!(windows[0]["period"]["from"], "2026-02-20T05:00:00Z");
}
