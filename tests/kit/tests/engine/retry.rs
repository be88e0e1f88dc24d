//! When there will be access again.

use edgegrant::engine::program::Metered;
use edgegrant::engine::{Decision, Question, UsageEvent, decide};
use edgegrant::{Amount, Instant};
use edgegrant_testkit::{engine, naive, property, question};

use super::{always, asked, facts, known, ledger};

const MINUTE: i64 = 60_000;
/// So many boundaries are looked at one by one.
const WALKED: usize = 150;

#[test]
fn the_next_access_is_the_first_that_a_walk_finds() {
    property::holds("retry", 300, |seed| {
        let facts = facts(seed);
        let ledger = ledger(&facts);
        let metered = ledger.metered.clone();
        let program = always(ledger.metered);
        let mut failures = Vec::new();
        for (place, now) in asked(&facts).into_iter().enumerate() {
            let amount = amount(&facts, seed, place);
            let extra = known(&ledger.events, now);
            let answer = |now| decide(&program, &Question { amount, extra, ..Question::at(now) });
            let first = answer(now);
            if first.has_access || first.numbers.is_none() {
                continue;
            }
            let boundaries = boundaries_after(&facts, now);
            let wanted = amount.unwrap_or(Amount::EPSILON);
            let enough = |at: &Instant| left(&metered, extra, at.ceil_minute()) >= wanted;
            let walked = boundaries.iter().copied().find(enough);
            let last = boundaries.last().copied().unwrap_or(now);
            if !agrees(first.retry_at, walked, last) {
                failures.push(format!("at {now} for {amount:?}: {first:?}, walked {walked:?}"));
            }
            let there = first.retry_at.map(|at| (answer(at.plus_millis(-1)), answer(at)));
            if there.is_some_and(|(before, then)| before.has_access || !then.has_access) {
                failures.push(format!("at {now} for {amount:?}: no access at {first:?}"));
            }
        }
        failures
    });
}

/// What is left at a minute.
fn left(metered: &Metered, extra: &[UsageEvent], at: Instant) -> Amount {
    let balances = metered.burn_down(extra, at, at).balances;
    let grants = metered.grants.iter().zip(balances);
    grants.filter(|(grant, _)| grant.is_active_at(at)).map(|(_, left)| left).sum()
}

fn agrees(retry_at: Option<Instant>, walked: Option<Instant>, last: Instant) -> bool {
    match walked {
        Some(walked) => retry_at == Some(walked),
        None => retry_at.is_none_or(|at| at > last),
    }
}

/// Nothing particular, the whole of a grant, or more than the first grant alone can give.
fn amount(facts: &question::Ledger, seed: u64, place: usize) -> Option<Amount> {
    let all = engine::compiled(facts).expect("facts that compile").metered.grants;
    let amounts = all.iter().map(|grant| grant.amount);
    match (seed as usize + place) % 4 {
        0 | 1 => None,
        2 => amounts.max(),
        _ => Some(amounts.take(2).sum()),
    }
}

/// The first milliseconds that can see each of the next boundaries, and the minutes after them.
fn boundaries_after(facts: &question::Ledger, now: Instant) -> Vec<Instant> {
    let from = facts.entitlement.measure_usage_from.to_utc();
    let mut until = engine_to_kit(now);
    let mut found = Vec::new();
    for days in [10, 100, 1000] {
        until += chrono::TimeDelta::days(days);
        let all = naive::boundaries(facts, until).expect("boundaries");
        let later = all.range(from..).map(|at| engine::instant(*at).floor_minute());
        let seen = later.flat_map(|at| [at.plus_millis(1 - MINUTE), at.plus_millis(1)]);
        found = seen.filter(|at| *at > now).collect();
        if found.len() >= WALKED {
            break;
        }
    }
    found.sort();
    found.dedup();
    found.truncate(WALKED);
    found
}

fn engine_to_kit(at: Instant) -> edgegrant_testkit::Instant {
    edgegrant_testkit::Instant::from_timestamp_millis(at.millis()).expect("within the calendar")
}

/// An exhausted monthly entitlement that nothing comes back to is answered without a walk.
#[test]
fn never_is_said_when_nothing_comes_any_more() {
    let text = r#"{
        "entitlement": {"measureUsageFrom": "2024-01-01T00:00:00Z", "usagePeriod":
            {"interval": "P1M", "anchor": "2024-01-01T00:00:00Z"}},
        "grants": [{"id": "g", "amount": 10, "maxRollover": 0,
            "effectiveAt": "2024-01-01T00:00:00Z"}],
        "usage": [{"at": "2024-01-02T00:00:00Z", "value": 10}], "resets": []}"#;
    let facts: question::Ledger = serde_json::from_str(text).expect("a ledger");
    let ledger = ledger(&facts);
    let program = always(ledger.metered);
    let now = Instant::parse("2024-01-03T00:00:00Z").expect("an instant");
    let question = Question { extra: &ledger.events, ..Question::at(now) };
    let Decision { has_access, retry_at, .. } = decide(&program, &question);
    assert_eq!((has_access, retry_at), (false, None));
}
