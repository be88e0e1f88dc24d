//! Ledger mode: the opening, what comes after it, and instants at which it cannot be had.

use edgegrant::engine::Reason;
use serde_json::{Value, json};

use crate::kit::{amount, answer, at, export, grant, imported, metered, usage, value, with};

/// An export of the usual entitlement with other values.
fn of_values(values: Value) -> crate::kit::Imported {
    imported(&export(metered(json!({})), json!([grant(json!({}))]), values, json!([])))
}

#[test]
fn a_value_opens_the_ledger_and_usage_after_it_burns() {
    let rows = [
        ("2026-03-10T12:00:00Z", "2026-03-10T12:01:00Z", json!(5)),
        ("2026-03-10T12:30:00Z", "2026-03-10T12:31:00Z", json!(7.25)),
        ("2026-03-10T12:31:00Z", "2026-03-10T12:32:00Z", json!(0)),
    ];
    let grants = json!([grant(json!({}))]);
    let import = imported(&export(
        metered(json!({})),
        grants,
        json!([value(json!({}))]),
        json!([usage(&rows)]),
    ));
    let opening = import.only().opening.as_ref().unwrap();
    assert_eq!(opening.at.ceil_millis(), at("2026-03-10T12:00:00Z"));
    assert_eq!(opening.period_start.ceil_millis(), at("2026-03-01T00:00:00Z"));
    assert_eq!((opening.usage, opening.grant_usage), (amount("60"), amount("60")));
    assert_eq!(import.only().usage.as_ref().unwrap().events.len(), 2);
    assert_eq!(import.numbers("2026-03-10T13:00:00Z"), ["27.75", "72.25", "0"]);
    // The reset keeps what is left, and usage starts again.
    assert_eq!(import.numbers("2026-04-01T00:00:00Z"), ["27.75", "0", "0"]);
    assert_eq!(import.codes(), Vec::<&str>::new());
}

#[test]
fn an_event_exactly_at_the_value_is_not_in_it() {
    let row = ("2026-03-10T12:00:00Z", "2026-03-10T12:01:00Z", json!(40));
    let before = ("2026-03-10T11:59:00Z", "2026-03-10T12:00:00Z", json!(60));
    let mut answer = usage(&[before, row]);
    *answer.pointer_mut("/usage/from").unwrap() = json!("2026-03-10T11:00:00Z");
    let grants = json!([grant(json!({}))]);
    let import =
        imported(&export(metered(json!({})), grants, json!([value(json!({}))]), json!([answer])));
    assert_eq!(import.numbers("2026-03-10T13:00:00Z"), ["0", "100", "0"]);
    assert_eq!(import.decide("2026-03-10T13:00:00Z").reason, Reason::Exhausted);
}

#[test]
fn float_dust_is_rounded() {
    let dusty = json!({
        "balance": 0.700_000_000_000_002_8, "usage": 99.300_000_000_000_01,
        "totalAvailableGrantAmount": 100.000_000_000_000_01,
        "grantBalances": { "01HG0000000000000000000001": 0.700_000_000_000_002_8 }
    });
    let import = of_values(json!([value(dusty)]));
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["0.7", "99.3", "0"]);
    let opening = import.only().opening.as_ref().unwrap();
    assert_eq!(opening.grant_usage, amount("99.3"));
    let gone = json!({
        "balance": 5.551_115_123_125_783e-17, "usage": 100,
        "grantBalances": { "01HG0000000000000000000001": 5.551_115_123_125_783e-17 }
    });
    let import = of_values(json!([value(gone)]));
    assert_eq!(import.decide("2026-03-10T12:00:00Z").reason, Reason::Exhausted);
}

#[test]
fn a_value_on_a_reset_or_refill_is_refused_and_another_taken() {
    let reset = answer(
        "2026-03-01T00:00:00Z",
        json!({ "balance": 100, "usage": 0, "overage": 0, "totalAvailableGrantAmount": 100,
                "grantBalances": { "01HG0000000000000000000001": 100 } }),
    );
    assert_eq!(of_values(json!([reset])).errors(), ["value-on-boundary"]);

    let import = of_values(json!([reset, value(json!({}))]));
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["40", "60", "0"]);

    // An hourly refill at noon: what was carried into it cannot be seen any more.
    let hourly = json!({ "recurrence": { "anchor": "2026-01-01T00:00:00Z", "interval": "PT1H" } });
    let grants = json!([grant(hourly)]);
    let values = json!([value(json!({}))]);
    let refused = imported(&export(metered(json!({})), grants.clone(), values, json!([])));
    assert_eq!(refused.errors(), ["value-on-boundary"]);

    // A refill that nothing was burnt from is exact.
    let full = json!({ "balance": 100, "totalAvailableGrantAmount": 160,
                       "grantBalances": { "01HG0000000000000000000001": 100 } });
    let import = imported(&export(metered(json!({})), grants, json!([value(full)]), json!([])));
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["100", "60", "0"]);
}

#[test]
fn a_grant_that_begins_or_ends_with_the_value_is_exact() {
    let begins = grant(json!({
        "id": "01HG0000000000000000000002", "effectiveAt": "2026-03-10T12:00:00Z", "amount": 10
    }));
    let ends = grant(json!({
        "id": "01HG0000000000000000000003", "expiresAt": "2026-03-10T12:00:00Z", "amount": 50
    }));
    let voided = grant(json!({
        "id": "01HG0000000000000000000004", "voidedAt": "2026-03-10T12:00:59Z", "amount": 50
    }));
    let grants = json!([grant(json!({})), begins, ends, voided]);
    let listed = json!({ "grantBalances": {
        "01HG0000000000000000000001": 40, "01HG0000000000000000000002": 0
    } });
    let import = imported(&export(metered(json!({})), grants, json!([value(listed)]), json!([])));
    // As the server has it: nothing at the very instant, the full amount a minute later.
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["40", "60", "0"]);
    assert_eq!(import.numbers("2026-03-10T12:01:00Z"), ["50", "60", "0"]);
}

#[test]
fn overage_is_carried_into_the_next_grant() {
    let next = grant(json!({
        "id": "01HG0000000000000000000002", "effectiveAt": "2026-03-20T00:00:00Z", "amount": 30
    }));
    let over = json!({ "hasAccess": null, "balance": 0, "usage": 120, "overage": 20,
                       "grantBalances": { "01HG0000000000000000000001": 0 } });
    let grants = json!([grant(json!({})), next]);
    let import = imported(&export(metered(json!({})), grants, json!([value(over)]), json!([])));
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["0", "120", "20"]);
    assert_eq!(import.numbers("2026-03-20T00:01:00Z"), ["10", "120", "0"]);
    assert!(!import.decide("2026-03-10T12:00:00Z").has_access, "an absent hasAccess is derived");
}

#[test]
fn values_that_do_not_fit_the_export_are_refused() {
    let cases = [
        (json!({ "balance": 41 }), "value-inconsistent"),
        (json!({ "grantBalances": {}, "balance": 0 }), "grant-not-in-value"),
        (json!({ "grantBalances": { "01HG0000000000000000000009": 40 } }), "grant-not-exported"),
    ];
    for (fields, code) in cases {
        assert_eq!(of_values(json!([value(fields)])).errors(), [code]);
    }
    let within = with(value(json!({})), json!({ "time": "2026-03-10T12:00:10Z" }));
    assert_eq!(of_values(json!([within])).errors(), ["value-time-not-a-minute"]);
    let before = with(value(json!({})), json!({ "time": "2025-12-10T12:00:00Z" }));
    assert_eq!(of_values(json!([before])).errors(), ["value-before-period"]);
}

#[test]
fn a_value_of_the_period_before_is_resumed_across_automatic_resets() {
    let before = with(value(json!({})), json!({ "time": "2026-02-10T12:00:00Z" }));
    let import = of_values(json!([before]));
    let opening = import.only().opening.as_ref().unwrap();
    assert_eq!(opening.period_start.ceil_millis(), at("2026-02-01T00:00:00Z"));
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["40", "0", "0"]);

    let reset = json!({
        "lastReset": "2026-03-05T00:00:00Z",
        "currentUsagePeriod": { "from": "2026-03-05T00:00:00Z", "to": "2026-04-01T00:00:00Z" }
    });
    let values = json!([with(value(json!({})), json!({ "time": "2026-03-04T12:00:00Z" }))]);
    let import = imported(&export(metered(reset), json!([grant(json!({}))]), values, json!([])));
    assert_eq!(import.errors(), ["value-before-period"]);
}

#[test]
fn usage_must_be_by_the_minute_and_without_a_gap() {
    let grants = json!([grant(json!({}))]);
    let values = json!([value(json!({}))]);
    let hour = [("2026-03-10T12:00:00Z", "2026-03-10T13:00:00Z", json!(5))];
    let wide = export(metered(json!({})), grants.clone(), values.clone(), json!([usage(&hour)]));
    assert_eq!(imported(&wide).errors(), ["usage-window-too-wide"]);
    let mut late = usage(&[]);
    *late.pointer_mut("/usage/from").unwrap() = json!("2026-03-10T12:30:00Z");
    let gap = export(metered(json!({})), grants, values, json!([late]));
    assert_eq!(imported(&gap).errors(), ["usage-gap"]);
}

#[test]
fn pages_that_overlap_count_once() {
    let row = [("2026-03-10T12:00:00Z", "2026-03-10T12:01:00Z", json!(5))];
    let page = json!({ "items": [grant(json!({}))], "page": 1, "pageSize": 1, "totalCount": 1 });
    let values = json!([value(json!({}))]);
    let answers = json!([usage(&row), usage(&row)]);
    let mut files = export(metered(json!({})), page.clone(), values, answers).to_vec();
    files.push(("grants/0002.json", page));
    files.push(("entitlements-2.json", json!([metered(json!({}))])));
    assert_eq!(imported(&files).numbers("2026-03-10T13:00:00Z"), ["35", "65", "0"]);
}

/// A monthly reset of a grant of 100 that rolls nothing over but is refilled each month.
#[test]
fn a_moved_anchor_is_inferred_from_the_current_period() {
    let moved = json!({
        "lastReset": "2026-03-05T10:30:00Z",
        "currentUsagePeriod": { "from": "2026-03-05T10:30:00Z", "to": "2026-04-05T10:30:00Z" }
    });
    let grants = json!([grant(json!({ "maxRolloverAmount": 7 }))]);
    let values = json!([value(json!({}))]);
    let import = imported(&export(metered(moved), grants.clone(), values.clone(), json!([])));
    let anchor = import.only().opening.as_ref().unwrap().anchor.unwrap();
    assert_eq!(anchor.ceil_millis(), at("2026-03-05T10:30:00Z"));
    assert_eq!(import.numbers("2026-04-05T10:29:00Z"), ["40", "60", "0"]);
    assert_eq!(import.numbers("2026-04-05T10:30:00Z"), ["7", "0", "0"]);

    // A period later the reset is no longer its start, but its grid still is.
    let later = json!({
        "lastReset": "2026-01-31T10:30:00Z",
        "currentUsagePeriod": { "from": "2026-02-28T10:30:00Z", "to": "2026-03-31T10:30:00Z" }
    });
    let import = imported(&export(metered(later), grants.clone(), values.clone(), json!([])));
    assert_eq!(import.numbers("2026-03-31T10:30:00Z"), ["7", "0", "0"]);
    // From the anchor, not from the clipped end of the period before.
    let period = import.decide("2026-04-01T00:00:00Z").numbers.unwrap().period;
    assert_eq!(period.to.unwrap(), at("2026-04-30T10:30:00Z"));

    // A reset that kept the anchor: a short period that ends on the original grid.
    let kept = json!({
        "lastReset": "2026-03-05T10:30:00Z",
        "currentUsagePeriod": { "from": "2026-03-05T10:30:00Z", "to": "2026-04-01T00:00:00Z" }
    });
    let import = imported(&export(metered(kept), grants.clone(), values.clone(), json!([])));
    assert!(import.only().opening.as_ref().unwrap().anchor.is_none());
    assert_eq!(import.numbers("2026-04-01T00:00:00Z"), ["7", "0", "0"]);

    // Nothing explains the period: the value holds until it ends.
    let unknown = json!({
        "lastReset": "2026-01-01T00:00:00Z",
        "currentUsagePeriod": { "from": "2026-03-05T10:30:00Z", "to": "2026-04-05T10:30:00Z" }
    });
    let import = imported(&export(metered(unknown), grants, values, json!([])));
    assert_eq!(import.codes(), ["anchor-unknown"]);
    assert!(!import.decide("2026-04-05T10:28:00Z").lapsed);
    assert!(import.decide("2026-04-05T10:30:00Z").lapsed);
}

#[test]
fn a_month_end_goes_on_from_the_anchor() {
    let month_end = json!({
        "measureUsageFrom": "2025-12-31T00:00:00Z", "lastReset": "2025-12-31T00:00:00Z",
        "currentUsagePeriod": { "from": "2026-02-28T00:00:00Z", "to": "2026-03-31T00:00:00Z" },
        "usagePeriod": { "anchor": "2025-12-31T00:00:00Z", "interval": "MONTH" }
    });
    let grants = json!([grant(json!({}))]);
    let import =
        imported(&export(metered(month_end), grants, json!([value(json!({}))]), json!([])));
    for (now, ends) in [
        ("2026-03-10T12:00:00Z", "2026-03-31T00:00:00Z"),
        ("2026-04-10T12:00:00Z", "2026-04-30T00:00:00Z"),
        ("2026-05-10T12:00:00Z", "2026-05-31T00:00:00Z"),
    ] {
        let period = import.decide(now).numbers.unwrap().period;
        assert_eq!(period.to.unwrap(), at(ends));
    }
}

#[test]
fn two_anchors_that_differ_later_are_reported() {
    let either = json!({
        "measureUsageFrom": "2025-12-31T00:00:00Z", "lastReset": "2026-02-28T00:00:00Z",
        "currentUsagePeriod": { "from": "2026-03-28T00:00:00Z", "to": "2026-04-28T00:00:00Z" },
        "usagePeriod": { "anchor": "2025-12-28T00:00:00Z", "interval": "MONTH" }
    });
    let values = json!([with(value(json!({})), json!({ "time": "2026-04-10T12:00:00Z" }))]);
    let grants = json!([grant(json!({}))]);
    let same = imported(&export(metered(either), grants.clone(), values, json!([])));
    assert_eq!(same.codes(), Vec::<&str>::new(), "both anchors give the same grid");

    let differ = json!({
        "measureUsageFrom": "2026-01-31T00:00:00Z", "lastReset": "2026-02-28T00:00:00Z",
        "currentUsagePeriod": { "from": "2026-02-28T00:00:00Z", "to": "2027-02-28T00:00:00Z" },
        "usagePeriod": { "anchor": "2024-02-29T00:00:00Z", "interval": "YEAR" }
    });
    let values = json!([value(json!({}))]);
    let import = imported(&export(metered(differ), grants, values, json!([])));
    assert_eq!(import.codes(), ["anchor-ambiguous"]);
}

#[test]
fn without_values_the_whole_ledger_is_taken_where_usage_covers_it() {
    let rows = [
        ("2026-01-05T00:00:00Z", "2026-01-05T00:01:00Z", json!(30)),
        ("2026-03-05T00:00:00Z", "2026-03-05T00:01:00Z", json!(10)),
    ];
    let mut all = usage(&rows);
    *all.pointer_mut("/usage/from").unwrap() = json!("2026-01-01T00:00:00Z");
    let grants = json!([grant(json!({}))]);
    let import =
        imported(&export(metered(json!({})), grants.clone(), json!([]), json!([all.clone()])));
    assert!(import.only().opening.is_none());
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["60", "10", "0"]);

    let reset = json!({
        "lastReset": "2026-03-02T00:00:00Z",
        "currentUsagePeriod": { "from": "2026-03-02T00:00:00Z", "to": "2026-04-02T00:00:00Z" }
    });
    let import = imported(&export(metered(reset), grants.clone(), json!([]), json!([all])));
    assert_eq!(import.codes(), ["resets-hidden"]);
    assert_eq!(import.numbers("2026-04-01T12:00:00Z"), ["60", "10", "0"]);

    // Nothing is known: no number is guessed.
    let import = imported(&export(metered(json!({})), grants.clone(), json!([]), json!([])));
    assert_eq!(import.codes(), ["usage-unknown"]);
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["unknown", "unknown", "unknown"]);

    // Measuring begins later: the ledger is empty and complete.
    let future = json!({
        "activeFrom": "2026-05-01T00:00:00Z", "measureUsageFrom": "2026-05-01T00:00:00Z"
    });
    let inactive = answer("2026-03-10T12:00:00Z", json!({ "hasAccess": false }));
    let import = imported(&export(metered(future), grants, json!([inactive]), json!([])));
    assert_eq!(import.codes(), Vec::<&str>::new());
    assert_eq!(import.decide("2026-03-10T12:00:00Z").reason, Reason::NotYet);
    assert_eq!(import.numbers("2026-05-01T00:00:00Z"), ["100", "0", "0"]);
}

#[test]
fn grants_that_ended_long_ago_are_left_out() {
    let old = |number: usize| {
        grant(json!({
            "id": format!("01HG00000000000000000{number:05}"),
            "effectiveAt": "2026-01-01T00:00:00Z", "expiresAt": "2026-02-01T00:00:00Z"
        }))
    };
    let mut grants: Vec<Value> = (10..2000).map(old).collect();
    grants.push(grant(json!({})));
    let values = json!([value(json!({}))]);
    let import = imported(&export(metered(json!({})), json!(grants), values, json!([])));
    assert_eq!(import.only().grants.len(), 1);
    assert_eq!(import.numbers("2026-03-10T12:00:00Z"), ["40", "60", "0"]);
}
