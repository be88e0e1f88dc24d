//! A program that is published at any instant answers as the whole ledger does.

use edgegrant::engine::program::{Metered, Rule};
use edgegrant::engine::{Numbers, Question, UsageEvent, decide, decide_with};
use edgegrant::snapshot::EntitlementRecord;
use edgegrant::{Amount, Instant};
use edgegrant_testkit::ledger::{Shape, random};
use edgegrant_testkit::line::{Publication, published_at};
use edgegrant_testkit::{engine, naive, property, question};

use super::{always, asked, is_parted, ledger};

const MINUTE: i64 = 60_000;

/// An opening inside of a phase splits its usage, which matters where some of it is negative.
fn facts(seed: u64) -> question::Ledger {
    random(seed, Shape { negative_usage: false }).expect("a ledger")
}

fn record(publication: &Publication) -> &EntitlementRecord {
    publication.entitlement.as_ref().expect("an entitlement")
}

fn metered(publication: &Publication) -> &Metered {
    match &record(publication).program.rule {
        Rule::Metered(metered) => metered,
        Rule::Boolean | Rule::Static => panic!("a ledger is metered"),
    }
}

#[test]
fn published_at_any_instant_it_answers_as_the_whole_ledger() {
    property::holds("published", 300, published_wrongly);
}

/// A voided grant, left out, once parted no phase where it would have expired.
#[test]
fn a_ledger_that_once_was_published_wrongly() {
    assert_eq!(published_wrongly(777_069_134), Vec::<String>::new());
}

fn published_wrongly(seed: u64) -> Vec<String> {
    let facts = facts(seed);
    let whole = ledger(&facts);
    let program = always(whole.metered);
    let mut failures = Vec::new();
    for (publish_at, as_of) in instants(&facts, seed) {
        let publication = published_at(&facts, publish_at, as_of).expect("it is published");
        for now in asked(&facts).into_iter().filter(|now| *now >= publish_at) {
            let question = |extra| Question { extra, ..Question::at(now) };
            let expected = decide(&program, &question(&whole.events));
            let got = decide(&record(&publication).program, &question(&publication.later));
            let figures = |numbers: Option<Numbers>| numbers.expect("numbers");
            if (got.has_access, figures(got.numbers))
                != (expected.has_access, figures(expected.numbers))
            {
                failures.push(format!("{publish_at} asked at {now}: {got:?}, not {expected:?}"));
            }
        }
    }
    failures
}

#[test]
fn between_boundaries_the_steady_state_is_the_decision() {
    property::holds("steady", 300, |seed| {
        let facts = facts(seed);
        let mut failures = Vec::new();
        for (publish_at, as_of) in instants(&facts, seed) {
            let publication = published_at(&facts, publish_at, as_of).expect("it is published");
            let Some(steady) = record(&publication).steady else { continue };
            let after = steady.after;
            let last = steady.until.min(after.plus_millis(500_000 * MINUTE));
            let middle = after.plus_millis((last.millis() - after.millis()) / 2);
            let nows = [after.plus_millis(1), middle, last.plus_millis(-MINUTE)];
            let holds = |now: &Instant| (after < *now) && now.ceil_minute() < steady.until;
            for now in nows.into_iter().filter(holds) {
                let used = extra(metered(&publication), now, seed);
                let question = Question { extra: &used, ..Question::at(now) };
                let decision = decide(&record(&publication).program, &question);
                let numbers = decision.numbers.expect("numbers");
                let sum: Amount = used.iter().map(|event| event.amount).sum();
                let net = numbers.balance.zip(numbers.overage).map(|(left, over)| left - over);
                if net != Some(steady.net - sum) {
                    failures.push(format!("{publish_at} at {now}: {net:?}, {sum} on {steady:?}"));
                }
                let program = &record(&publication).program;
                for asked in varied(&question, seed) {
                    let (got, expected) =
                        (decide_with(program, Some(&steady), &asked), decide(program, &asked));
                    if got != expected {
                        failures.push(format!("{publish_at} {asked:?}: {got:?}, not {expected:?}"));
                    }
                }
                if decision.until != steady.changes_at {
                    failures.push(format!("{publish_at} at {now}: until {:?}", decision.until));
                }
            }
        }
        failures
    });
}

/// The question, and others at its instant.
fn varied<'a>(question: &Question<'a>, seed: u64) -> [Question<'a>; 4] {
    let some = Amount::from_units((seed % 40) as i64);
    let later = Question { now: question.now.plus_millis((seed % 60_000) as i64), ..*question };
    [
        *question,
        later,
        Question { amount: Some(some), ..later },
        Question { extra: &[], used: some, ..later },
    ]
}

/// Now and then some usage that the program does not include, as late as it may come.
fn extra(metered: &Metered, now: Instant, seed: u64) -> Vec<UsageEvent> {
    let at = metered.usage_as_of;
    let used = Amount::parse("2.5").expect("an amount");
    let event = UsageEvent { at, amount: used };
    if seed.is_multiple_of(3) || at >= now.ceil_minute() { Vec::new() } else { vec![event] }
}

/// Instants of publishing: on boundaries, in the minute after them, and anywhere. Now and then
/// usage is known up to an earlier one only.
fn instants(facts: &question::Ledger, seed: u64) -> Vec<(Instant, Option<Instant>)> {
    let end = *facts.queries.last().expect("a query");
    let start = engine::instant(facts.entitlement.measure_usage_from);
    let boundaries = naive::boundaries(facts, end).expect("boundaries");
    let on = boundaries.iter().map(|at| engine::instant(*at));
    let some = on.skip(seed as usize % 7).step_by(boundaries.len() / 5 + 1);
    let offsets = [0, 1, 10_000, 30_000, MINUTE, 5 * MINUTE];
    let offset = offsets.into_iter().nth(seed as usize % 6).expect("six offsets");
    let length = engine::instant(end).millis() - start.millis();
    let between = (0..4).map(|part| start.plus_millis(length * part / 4 + part));
    let all = some.flat_map(|at| [at, at.plus_millis(offset)]).chain(between);
    let earlier = |at: Instant| at.plus_millis(-length / 20).max(start);
    let as_of = |at| seed.is_multiple_of(5).then(|| earlier(at));
    let serves = |(at, as_of): &(Instant, Option<Instant>)| {
        !is_parted(facts, at.ceil_minute())
            && as_of.is_none_or(|at| !is_parted(facts, at.ceil_minute()))
    };
    all.map(|at| (at, as_of(at))).filter(serves).collect()
}

#[test]
fn usage_that_is_corrected_is_counted_by_the_program() {
    property::holds("corrected", 300, |seed| {
        let facts = facts(seed);
        let mut failures = Vec::new();
        for (publish_at, as_of) in instants(&facts, seed) {
            let publication = published_at(&facts, publish_at, as_of).expect("it is published");
            let Some(steady) = record(&publication).steady else { continue };
            let at = metered(&publication).usage_as_of;
            let event = |minutes: i64, units: i64| UsageEvent {
                at: at.plus_millis(minutes * MINUTE),
                amount: Amount::from_units(units),
            };
            let used = [event(0, 1_000_000), event(1, -8)];
            let now = steady.after.plus_millis(5 * MINUTE);
            let question = Question { extra: &used, ..Question::at(now) };
            let program = &record(&publication).program;
            if decide_with(program, Some(&steady), &question) != decide(program, &question) {
                failures.push(format!("{publish_at}"));
            }
        }
        failures
    });
}
