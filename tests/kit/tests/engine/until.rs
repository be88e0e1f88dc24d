//! How long an answer holds.

use edgegrant::engine::program::{Grant, Metered};
use edgegrant::engine::{Question, UsageEvent, decide};
use edgegrant::{Amount, Instant};
use edgegrant_testkit::property;

use super::{always, asked, facts, known, ledger};

const MINUTE: i64 = 60_000;

#[test]
fn an_answer_holds_until_it_says_and_changes_are_announced_to_the_millisecond() {
    property::holds("until", 500, |seed| {
        let facts = facts(seed);
        let ledger = ledger(&facts);
        let metered = ledger.metered.clone();
        let program = always(ledger.metered);
        let mut failures = Vec::new();
        for now in asked(&facts) {
            let extra = known(&ledger.events, now);
            let answer = |now| decide(&program, &Question { extra, ..Question::at(now) });
            let first = answer(now);
            let expected = shown_after(&metered, now);
            if first.until != expected {
                failures.push(format!("at {now}: until {:?}, not {expected:?}", first.until));
            }
            for later in instants_between(now, first.until) {
                let same = answer(later);
                if (same.has_access, same.numbers, same.until)
                    != (first.has_access, first.numbers, first.until)
                {
                    failures.push(format!("at {later} not as at {now}: {same:?}, {first:?}"));
                }
            }
        }
        failures
    });
}

/// The last millisecond, the last before each of a few minutes, and some between.
fn instants_between(now: Instant, until: Option<Instant>) -> Vec<Instant> {
    let until = until.unwrap_or(now.plus_millis(1_000_000 * MINUTE));
    let length = until.millis() - now.millis();
    let offsets = [1, MINUTE - 1, MINUTE, MINUTE + 1, length / 3, length / 2, length - 1];
    let inside = offsets.into_iter().filter(|offset| (1..length).contains(offset));
    inside.map(|offset| now.plus_millis(offset)).collect()
}

/// When the next reset, refill, end or beginning shows, looked for one by one.
fn shown_after(metered: &Metered, now: Instant) -> Option<Instant> {
    let mut shown = Vec::new();
    let mut early = |boundary: Instant| {
        let first = boundary.ceil_minute().plus_millis(1 - MINUTE);
        shown.extend((first > now).then_some(first));
    };
    let from = now.plus_millis(-1);
    for back in [from, from.plus_millis(MINUTE)] {
        metered.timeline.reset_after(back).into_iter().for_each(|reset| early(reset.at));
    }
    for grant in &metered.grants {
        grant.end().into_iter().for_each(&mut early);
        for back in [from, from.plus_millis(MINUTE)] {
            refill_after(grant, back).into_iter().for_each(&mut early);
        }
    }
    let lone = metered.grants.iter().filter(|grant| is_lone(metered, grant.effective_at));
    let begins = lone.filter(|grant| grant.end() != Some(grant.effective_at));
    shown.extend(begins.map(|grant| grant.effective_at.plus_millis(1)).filter(|at| *at > now));
    shown.into_iter().min()
}

fn refill_after(grant: &Grant, at: Instant) -> Option<Instant> {
    let refill = grant.recurrence?.after(at.max(grant.effective_at.plus_millis(-1)))?;
    grant.is_active_at(refill).then_some(refill)
}

/// Whether nothing else happens at that minute that lets the answer there see a beginning.
fn is_lone(metered: &Metered, at: Instant) -> bool {
    let before = at.plus_millis(-1);
    let reset = metered.timeline.reset_after(before).is_some_and(|reset| reset.at == at);
    let refill = metered.grants.iter().any(|grant| refill_after(grant, before) == Some(at));
    !reset && !refill && at != metered.opening.at
}

/// A gate that has seen usage dated later answers whole minutes before it a millisecond ahead.
#[test]
fn an_answer_with_usage_that_is_dated_later_holds_until_it_says() {
    property::holds("until, dated later", 300, |seed| {
        let facts = facts(seed);
        let ledger = ledger(&facts);
        let program = always(ledger.metered);
        let mut failures = Vec::new();
        for now in asked(&facts) {
            let mut extra = known(&ledger.events, now).to_vec();
            let days = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
            let dated = now.plus_millis((days % 864_000_000) as i64);
            extra.push(UsageEvent { at: dated, amount: Amount::from_units(1) });
            let ahead = |at: Instant| {
                if dated >= at && at.floor_minute() == at { at.plus_millis(1) } else { at }
            };
            let answer = |at: Instant| {
                decide(&program, &Question { extra: &extra, ..Question::at(ahead(at)) })
            };
            let first = answer(now);
            for later in instants_between(now, first.until) {
                let same = answer(later);
                if (same.has_access, same.numbers) != (first.has_access, first.numbers) {
                    failures.push(format!("at {later} not as at {now}: {same:?}, {first:?}"));
                }
            }
        }
        failures
    });
}
