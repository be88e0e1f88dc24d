//! The engine answers every case at hand, and random ledgers as the naive reference does: from the
//! whole ledger, and from openings at any earlier instant.

use std::fs;
use std::path::PathBuf;

use chrono::TimeDelta;
use edgegrant_testkit::answer::{Answer, Value};
use edgegrant_testkit::case::{self, Case};
use edgegrant_testkit::compare::{self, Mismatch, Rule, check};
use edgegrant_testkit::engine::Path;
use edgegrant_testkit::ledger::{self, Shape};
use edgegrant_testkit::question::{Ledger, Question};
use edgegrant_testkit::{Instant, KitError, engine, naive, property};

use super::{is_corrected, is_parted};

fn files(directory: &std::path::Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("a directory entry").path());
    let mut files: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "json" || e == "gz")).collect();
    files.sort();
    files
}

fn cases() -> Vec<Case> {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [here.join("../vectors"), here.join("../../../shared/conformance")];
    let files = folders.iter().flat_map(|folder| files(folder));
    files.flat_map(|file| case::read(&file).expect("a file of cases")).collect()
}

#[test]
fn vectors_from_the_whole_ledger() {
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.skip.is_none()).collect();
    for case in &cases {
        let found = mismatches(case, Rule::FLOATS, &mut engine::answer);
        assert!(found.is_empty(), "{}: {found:?}", case.id);
    }
    assert!(cases.len() > 600, "the committed vectors are missing");
}

fn mismatches(case: &Case, rule: Rule, answerer: &mut compare::Answerer<'_>) -> Vec<String> {
    check(case, rule, answerer).iter().map(Mismatch::to_string).collect()
}

fn ledger_of(seed: u64) -> Case {
    let shape = Shape { negative_usage: seed.is_multiple_of(4) };
    ledger::case(seed, shape).expect("a ledger")
}

#[test]
fn random_ledgers_as_the_reference_answers() {
    property::holds("as the reference", 1_000, |seed| {
        mismatches(&ledger_of(seed), Rule::EXACT, &mut engine::answer)
    });
}

/// A grant that expires inside a minute burns until the next phase, but a history that is asked for
/// from then on does not show it.
#[test]
fn ledgers_that_once_disagreed() {
    for seed in [11_235, 41_498] {
        let found = mismatches(&ledger_of(seed), Rule::EXACT, &mut engine::answer);
        assert!(found.is_empty(), "seed {seed}: {found:?}");
    }
}

/// Ways to an answer that begin later than the ledger does: exactly on boundaries, one minute
/// beside them, and anywhere between.
///
/// A phase's usage is burnt as one sum, so an opening inside of a phase would part usage from what
/// corrects it; there, snapshots that are published at these instants are asked, which open on the
/// boundary before.
fn ways(ledger: &Ledger, at: Instant, seed: u64) -> Vec<Path> {
    let boundaries: Vec<_> =
        naive::boundaries(ledger, at).expect("boundaries").into_iter().collect();
    let start = ledger.entitlement.measure_usage_from;
    let last = boundaries.iter().rev().take(3);
    let some = boundaries.iter().skip(seed as usize % 5).step_by(boundaries.len() / 4 + 1);
    let on = last.chain(some).copied();
    let beside = on.clone().flat_map(|at| [at + TimeDelta::minutes(1), at - TimeDelta::minutes(1)]);
    let between = (1..4).map(|part| start + (at - start) * part / 4);
    let all = on.chain(beside).chain(between).map(|at| engine::instant(at).floor_minute());
    let asked = engine::instant(at).ceil_minute();
    let way = if is_corrected(ledger) { Path::Published } else { Path::Opening };
    let serves = |at: &edgegrant::Instant| !is_parted(ledger, *at);
    all.filter(|opening| *opening <= asked).filter(serves).map(way).collect()
}

#[test]
fn random_ledgers_resumed_from_openings() {
    property::holds("resumed from openings", 500, resumed_wrongly);
}

fn resumed_wrongly(seed: u64) -> Vec<String> {
    let rule = Rule::EXACT.without_segments();
    mismatches(&ledger_of(seed), rule, &mut |question| match question {
        Question::Value { ledger, at } => resumed(ledger, *at, seed),
        other => engine::answer(other),
    })
}

/// Corrections on both sides of an opening, which was once inside of their phase.
#[test]
fn ledgers_that_once_resumed_wrongly() {
    for seed in [43_632, 73_524, 82_196] {
        assert_eq!(resumed_wrongly(seed), Vec::<String>::new(), "seed {seed}");
    }
}

/// The value, which has to be the same from each opening.
fn resumed(ledger: &Ledger, at: Instant, seed: u64) -> Result<Answer, KitError> {
    let at_engine = engine::instant(at);
    let compiled = engine::compiled(ledger)?;
    let whole = engine::value(compiled.clone(), at_engine, Path::Ledger)?;
    let whole = Value { segments: None, ..whole };
    for way in ways(ledger, at, seed) {
        let value = engine::value(compiled.clone(), at_engine, way)?;
        if value != whole {
            return Err(KitError(format!("at {at} by {way:?}: {value:?} instead of {whole:?}")));
        }
    }
    Ok(Answer::Value(whole))
}
