//! The random ledgers are what they say: fixed by their seed, in the format of the cases, quick to
//! walk, and rich enough to reach every rule.
#![allow(clippy::expect_used, reason = "a test stops at the first broken assumption")]

use std::collections::BTreeMap;

use edgegrant_testkit::answer::{Answer, Value};
use edgegrant_testkit::case;
use edgegrant_testkit::ledger::{self, Shape};
use edgegrant_testkit::question::{Grant, Ledger, Reset};
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
        let read =
            case::parse(&ledger::text(&made).expect("writes")).expect("a file of cases").remove(0);
        assert_eq!(read.input.get(), made.input.get());
        assert_eq!(read.asked.len(), made.asked.len());
        let found = compare::check(&read, compare::Rule::EXACT, &mut naive::answer);
        assert!(found.is_empty(), "{found:?}");
    }
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
        let resets = naive::resets(&ledger, last_query(&ledger)).expect("resets");
        let reached = [
            in_entitlement(&ledger, &resets),
            in_grants(&ledger, &resets),
            in_refills(&ledger, &resets),
            in_usage(&ledger, &resets),
            in_queries(&ledger, &resets),
            in_answers(&ledger, &values),
        ];
        for (name, reached) in reached.concat() {
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

type Reached = Vec<(&'static str, bool)>;

fn last_query(ledger: &Ledger) -> Instant {
    *ledger.queries.last().expect("a query")
}

fn month_end(at: Instant) -> bool {
    at.format("%d").to_string() == "31"
}

fn leap_day(at: Instant) -> bool {
    at.format("%m-%d").to_string() == "02-29"
}

fn off_minute(at: Instant) -> bool {
    at.timestamp_millis() % 60_000 != 0
}

fn in_entitlement(ledger: &Ledger, resets: &[Instant]) -> Reached {
    let entitlement = &ledger.entitlement;
    let period = &entitlement.usage_period;
    let manual = |rule: &dyn Fn(&Reset) -> bool| ledger.resets.iter().any(rule);
    vec![
        ("soft limit", entitlement.is_soft_limit),
        ("overage preserved", entitlement.preserve_overage_at_reset),
        ("period anchored on a 31st", period.interval.months > 0 && month_end(period.anchor)),
        ("period anchored on 29 February", period.interval.years > 0 && leap_day(period.anchor)),
        ("period shorter than a day", period.interval.hours + period.interval.minutes > 0),
        ("reset: none", resets.is_empty()),
        ("reset: many", resets.len() > 5),
        ("reset: manual", manual(&|_| true)),
        ("reset: anchor retained", manual(&|reset| reset.retain_anchor)),
        ("reset: anchor moved", manual(&|reset| !reset.retain_anchor)),
        ("reset: overage forced", manual(&|reset| reset.preserve_overage == Some(true))),
        ("reset: overage dropped", manual(&|reset| reset.preserve_overage == Some(false))),
        ("reset: off the minute", manual(&|reset| off_minute(reset.at))),
        ("reset: after all queries", manual(&|reset| reset.at > last_query(ledger))),
    ]
}

fn in_grants(ledger: &Ledger, resets: &[Instant]) -> Reached {
    let start = ledger.entitlement.measure_usage_from;
    let any = |rule: &dyn Fn(&Grant) -> bool| ledger.grants.iter().any(rule);
    let on_reset = |at: Option<Instant>| at.is_some_and(|at| resets.contains(&at));
    let tie = |a: &Grant, b: &Grant| {
        a.id != b.id && a.priority == b.priority && a.created_at == b.created_at
    };
    vec![
        ("no grant", ledger.grants.is_empty()),
        ("more than nine grants", ledger.grants.len() > 9),
        ("grant: before measurement", any(&|g| g.effective_at < start)),
        ("grant: effective on a reset", any(&|g| on_reset(Some(g.effective_at)))),
        ("grant: nothing", any(&|g| g.amount == Amount::ZERO)),
        ("grant: nine digits", any(&|g| g.amount.as_nanos() % 10 != 0)),
        ("grant: expires at an instant", any(&|g| g.expires_at.is_some())),
        ("grant: expires on a reset", any(&|g| on_reset(g.expires_at))),
        ("grant: has a lifetime", any(&|g| g.expiration.is_some())),
        ("grant: voided", any(&|g| g.voided_at.is_some())),
        (
            "grant: voided before it begins",
            any(&|g| g.voided_at.is_some_and(|at| at < g.effective_at)),
        ),
        ("grant: deleted off the minute", any(&|g| g.deleted_at.is_some_and(off_minute))),
        ("grant: least above most", any(&|g| g.min_rollover > g.max_rollover)),
        ("grant: least above amount", any(&|g| g.min_rollover > g.amount)),
        ("order: creation ties", any(&|a| a.created_at.is_some() && any(&|b| tie(a, b)))),
        ("order: creation absent", any(&|a| a.created_at.is_none() && any(&|b| tie(a, b)))),
    ]
}

fn in_refills(ledger: &Ledger, resets: &[Instant]) -> Reached {
    let any = |rule: &dyn Fn(&Grant, &str, Instant) -> bool| {
        let holds = |grant: &Grant| {
            let recurrence = grant.recurrence.as_ref();
            recurrence.is_some_and(|r| rule(grant, &r.interval.to_string(), r.anchor))
        };
        ledger.grants.iter().any(holds)
    };
    vec![
        ("refill: PT1H", any(&|_, interval, _| interval == "PT1H")),
        ("refill: P1D", any(&|_, interval, _| interval == "P1D")),
        ("refill: P1W", any(&|_, interval, _| interval == "P1W")),
        ("refill: P1M", any(&|_, interval, _| interval == "P1M")),
        ("refill: P1M1D", any(&|_, interval, _| interval == "P1M1D")),
        ("refill: P1Y", any(&|_, interval, _| interval == "P1Y")),
        ("refill: P1M from a 31st", any(&|_, interval, at| interval == "P1M" && month_end(at))),
        ("refill: P1Y from 29 February", any(&|_, interval, at| interval == "P1Y" && leap_day(at))),
        ("refill: anchor before the grant", any(&|grant, _, at| at < grant.effective_at)),
        ("refill: anchor after it begins", any(&|grant, _, at| at > grant.effective_at)),
        ("refill: anchor on a reset", any(&|_, _, at| resets.contains(&at))),
    ]
}

fn in_usage(ledger: &Ledger, resets: &[Instant]) -> Reached {
    let start = ledger.entitlement.measure_usage_from;
    let used = |rule: &dyn Fn(Instant) -> bool| ledger.usage.iter().any(|event| rule(event.at));
    vec![
        ("usage: none", ledger.usage.is_empty()),
        ("usage: before measurement", used(&|at| at < start)),
        ("usage: on a reset", used(&|at| resets.contains(&at))),
        ("usage: within a second", used(&|at| at.timestamp_subsec_millis() > 0)),
    ]
}

fn in_queries(ledger: &Ledger, resets: &[Instant]) -> Reached {
    let asked = |rule: &dyn Fn(Instant) -> bool| ledger.queries.iter().any(|at| rule(*at));
    let all = naive::boundaries(ledger, last_query(ledger)).expect("boundaries");
    let begins = |at| ledger.grants.iter().any(|grant| grant.effective_at == at);
    let ends = |g: &Grant| [g.expires_at, g.voided_at, g.deleted_at].into_iter().flatten().max();
    let quiet = ledger.grants.iter().filter_map(ends).max();
    let late = |at: Instant| quiet.is_none_or(|end| end < at);
    let only_refill = |at| all.contains(&at) && !resets.contains(&at) && !begins(at) && late(at);
    vec![
        ("query: on a reset", asked(&|at| resets.contains(&at))),
        ("query: on a refill", asked(&only_refill)),
        ("query: on an activation", asked(&begins)),
        ("query: within a minute", asked(&off_minute)),
        ("history", ledger.history_query.is_some()),
    ]
}

fn in_answers(ledger: &Ledger, values: &[&Value]) -> Reached {
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
