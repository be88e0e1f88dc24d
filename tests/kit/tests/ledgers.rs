//! The random ledgers are what they say: fixed by their seed, in the format of the cases, quick to
//! walk, and rich enough to reach every rule.
#![allow(clippy::expect_used, reason = "a test stops at the first broken assumption")]

use std::collections::BTreeMap;

use edgegrant_testkit::answer::{Answer, Value};
use edgegrant_testkit::case::{self, Case};
use edgegrant_testkit::ledger::{self, Shape};
use edgegrant_testkit::question::{Grant, Ledger};
use edgegrant_testkit::{Amount, Instant, compare, naive};

const PLAIN: Shape = Shape { negative_usage: false };

#[test]
fn a_seed_fixes_the_ledger() {
    let text = |seed| ledger::case(seed, PLAIN).expect("a ledger").input.get().to_owned();
    for seed in 0..50 {
        assert_eq!(text(seed), text(seed));
        assert_ne!(text(seed), text(seed + 1));
    }
}

#[test]
fn a_ledger_goes_through_the_format_of_the_cases() {
    for seed in 0..50 {
        let made = ledger::case(seed, PLAIN).expect("a ledger");
        let read = case::parse(&file(&made)).expect("a file of cases").remove(0);
        assert_eq!(read.input.get(), made.input.get());
        assert_eq!(read.asked.len(), made.asked.len());
        let found = compare::check(&read, compare::Rule::EXACT, &mut naive::answer);
        assert!(found.is_empty(), "{found:?}");
    }
}

/// The case as a file that holds only it.
fn file(case: &Case) -> String {
    let json = |answer| serde_json::to_string(answer).expect("writes");
    let of = |place: &str| {
        let chosen = case.asked.iter().filter(|asked| asked.place.starts_with(place));
        chosen.map(|asked| json(&asked.expected)).collect::<Vec<_>>().join(",")
    };
    let (queries, history) = (of("queries"), of("history"));
    let history = if history.is_empty() { "null" } else { &history };
    format!(
        r#"{{"cases":[{{"id":"{}","kind":"{}","input":{},"expected":{{"queries":[{queries}],"history":{history}}}}}]}}"#,
        case.id,
        case.kind,
        case.input.get(),
    )
}

#[test]
fn negative_usage_only_where_asked_for() {
    let negative = |shape| {
        let ledgers = (0..100).map(|seed| ledger::random(seed, shape).expect("a ledger"));
        ledgers.flat_map(|ledger| ledger.usage).filter(|event| event.value < Amount::ZERO).count()
    };
    assert_eq!(negative(PLAIN), 0);
    assert!(negative(Shape { negative_usage: true }) > 50);
}

#[test]
fn every_rule_is_reached() {
    let mut counts = BTreeMap::new();
    for seed in 0..600 {
        let case = ledger::case(seed, PLAIN).expect("a ledger");
        let ledger = ledger::random(seed, PLAIN).expect("a ledger");
        let values: Vec<&Value> =
            case.asked.iter().filter_map(|asked| value(&asked.expected)).collect();
        let both = |v: &Value| v.overage > Amount::ZERO && v.balance > Amount::ZERO;
        assert!(!values.iter().any(|value| both(value)), "seed {seed}: overage beside balance");
        for (name, reached) in in_facts(&ledger).into_iter().chain(in_answers(&ledger, &values)) {
            *counts.entry(name).or_insert(0) += u32::from(reached);
        }
    }
    for (name, count) in &counts {
        println!("{count:6}  {name}");
    }
    let rare: Vec<_> = counts.iter().filter(|(_, count)| **count < 5).collect();
    assert!(rare.is_empty(), "hardly reached: {rare:?}");
}

fn value(answer: &Answer) -> Option<&Value> {
    if let Answer::Value(value) = answer { Some(value) } else { None }
}

fn in_facts(ledger: &Ledger) -> Vec<(&'static str, bool)> {
    let entitlement = &ledger.entitlement;
    let period = &entitlement.usage_period;
    let start = entitlement.measure_usage_from;
    let grant = |rule: &dyn Fn(&Grant) -> bool| ledger.grants.iter().any(rule);
    let resets = naive::resets(ledger, *ledger.queries.last().expect("a query")).expect("resets");
    let last = *ledger.queries.last().expect("a query");
    let all = naive::boundaries(ledger, last).expect("boundaries");
    let ends = |g: &Grant| [g.expires_at, g.voided_at, g.deleted_at].into_iter().flatten().max();
    let quiet = ledger.grants.iter().filter_map(ends).max();
    let refills = |at: &Instant| {
        let begins = grant(&|g| g.effective_at == *at);
        all.contains(at) && !resets.contains(at) && !begins && quiet.is_none_or(|end| end < *at)
    };
    let refilled = |grant: &Grant, text: &str| {
        grant.recurrence.as_ref().is_some_and(|recurrence| recurrence.interval.to_string() == text)
    };
    let anchored = |grant: &Grant, rule: &dyn Fn(Instant) -> bool| {
        grant.recurrence.as_ref().is_some_and(|recurrence| rule(recurrence.anchor))
    };
    let month_end = |at: Instant| at.format("%d").to_string() == "31";
    let leap_day = |at: Instant| at.format("%m-%d").to_string() == "02-29";
    let off_minute = |at: Instant| at.timestamp_millis() % 60_000 != 0;
    let tie = |a: &Grant, b: &Grant| {
        a.id != b.id && a.priority == b.priority && a.created_at == b.created_at
    };
    vec![
        ("soft limit", entitlement.is_soft_limit),
        ("overage preserved", entitlement.preserve_overage_at_reset),
        ("no grant", ledger.grants.is_empty()),
        ("more than nine grants", ledger.grants.len() > 9),
        ("period anchored on a 31st", period.interval.months > 0 && month_end(period.anchor)),
        ("period anchored on 29 February", period.interval.years > 0 && leap_day(period.anchor)),
        ("period shorter than a day", period.interval.hours + period.interval.minutes > 0),
        ("reset: none", resets.is_empty()),
        ("reset: many", resets.len() > 5),
        ("reset: manual", !ledger.resets.is_empty()),
        ("reset: anchor retained", ledger.resets.iter().any(|reset| reset.retain_anchor)),
        ("reset: anchor moved", ledger.resets.iter().any(|reset| !reset.retain_anchor)),
        ("reset: overage forced", ledger.resets.iter().any(|r| r.preserve_overage == Some(true))),
        ("reset: overage dropped", ledger.resets.iter().any(|r| r.preserve_overage == Some(false))),
        ("reset: off the minute", ledger.resets.iter().any(|reset| off_minute(reset.at))),
        (
            "reset: after all queries",
            ledger.resets.iter().any(|r| ledger.queries.iter().all(|q| *q < r.at)),
        ),
        ("grant: before measurement", grant(&|g| g.effective_at < start)),
        ("grant: effective on a reset", grant(&|g| resets.contains(&g.effective_at))),
        ("grant: nothing", grant(&|g| g.amount == Amount::ZERO)),
        ("grant: nine digits", grant(&|g| g.amount.as_nanos() % 10 != 0)),
        ("grant: expires at an instant", grant(&|g| g.expires_at.is_some())),
        (
            "grant: expires on a reset",
            grant(&|g| g.expires_at.is_some_and(|at| resets.contains(&at))),
        ),
        ("grant: has a lifetime", grant(&|g| g.expiration.is_some())),
        ("grant: voided", grant(&|g| g.voided_at.is_some())),
        (
            "grant: voided before it begins",
            grant(&|g| g.voided_at.is_some_and(|at| at < g.effective_at)),
        ),
        ("grant: deleted off the minute", grant(&|g| g.deleted_at.is_some_and(off_minute))),
        ("grant: least above most", grant(&|g| g.min_rollover > g.max_rollover)),
        ("grant: least above amount", grant(&|g| g.min_rollover > g.amount)),
        ("grant: refill PT1H", grant(&|g| refilled(g, "PT1H"))),
        ("grant: refill P1D", grant(&|g| refilled(g, "P1D"))),
        ("grant: refill P1W", grant(&|g| refilled(g, "P1W"))),
        ("grant: refill P1M", grant(&|g| refilled(g, "P1M"))),
        ("grant: refill P1M1D", grant(&|g| refilled(g, "P1M1D"))),
        ("grant: refill P1Y", grant(&|g| refilled(g, "P1Y"))),
        ("grant: P1M from a 31st", grant(&|g| refilled(g, "P1M") && anchored(g, &month_end))),
        ("grant: P1Y from 29 February", grant(&|g| refilled(g, "P1Y") && anchored(g, &leap_day))),
        ("grant: anchor before it begins", grant(&|g| anchored(g, &|at| at < g.effective_at))),
        ("grant: anchor after it begins", grant(&|g| anchored(g, &|at| at > g.effective_at))),
        ("grant: anchor on a reset", grant(&|g| anchored(g, &|at| resets.contains(&at)))),
        ("order: creation ties", grant(&|a| a.created_at.is_some() && grant(&|b| tie(a, b)))),
        ("order: creation absent", grant(&|a| a.created_at.is_none() && grant(&|b| tie(a, b)))),
        ("usage: none", ledger.usage.is_empty()),
        ("usage: before measurement", ledger.usage.iter().any(|event| event.at < start)),
        ("usage: on a reset", ledger.usage.iter().any(|event| resets.contains(&event.at))),
        (
            "usage: beside a full second",
            ledger.usage.iter().any(|e| e.at.timestamp_subsec_millis() > 0),
        ),
        ("query: on a reset", ledger.queries.iter().any(|at| resets.contains(at))),
        ("query: on a refill", ledger.queries.iter().any(refills)),
        ("query: on an activation", grant(&|g| ledger.queries.contains(&g.effective_at))),
        ("query: within a minute", ledger.queries.iter().any(|at| off_minute(*at))),
        ("history", ledger.history_query.is_some()),
    ]
}

fn in_answers(ledger: &Ledger, values: &[&Value]) -> Vec<(&'static str, bool)> {
    let any = |rule: &dyn Fn(&Value) -> bool| values.iter().any(|value| rule(value));
    let segments = |value: &Value| value.segments.clone().unwrap_or_default();
    let owing = |value: &Value| {
        segments(value).iter().filter(|segment| segment.overage > Amount::ZERO).count()
    };
    vec![
        ("answer: balance and access", any(&|v| v.balance > Amount::ZERO && v.has_access)),
        ("answer: no access", any(&|v| !v.has_access)),
        ("answer: access without balance", any(&|v| v.balance == Amount::ZERO && v.has_access)),
        (
            "answer: exhausted without overage",
            any(&|v| {
                v.balance == Amount::ZERO && v.usage > Amount::ZERO && v.overage == Amount::ZERO
            }),
        ),
        ("answer: overage", any(&|v| v.overage > Amount::ZERO)),
        ("answer: overage over ten segments", any(&|v| owing(v) > 10)),
        ("answer: overage repaid", any(&|v| v.overage == Amount::ZERO && owing(v) > 0)),
        (
            "answer: grant with nothing left",
            any(&|v| v.grant_balances.values().any(|b| *b == Amount::ZERO)),
        ),
        ("answer: more than fifty segments", any(&|v| segments(v).len() > 50)),
        (
            "answer: burnt more than used",
            any(&|v| v.total_available_grant_amount - v.balance > v.usage),
        ),
        (
            "answer: balance above all amounts",
            any(&|v| v.balance > ledger.grants.iter().map(|grant| grant.amount).sum()),
        ),
    ]
}
