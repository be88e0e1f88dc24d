//! The naive reference answers every case that is at hand: those committed here and, where the
//! project's shared material is checked out beside it, that as well.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first broken assumption"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use edgegrant_testkit::answer::{Active, Answer};
use edgegrant_testkit::question::Question;
use edgegrant_testkit::{Amount, case, compare, naive};
use flate2::Compression;
use flate2::write::GzEncoder;

fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("a directory entry").path());
    let is_cases = |path: &PathBuf| {
        let name = path.to_string_lossy();
        name.ends_with(".json") || name.ends_with(".json.gz")
    };
    let mut files: Vec<_> = paths.filter(is_cases).collect();
    files.sort();
    files
}

/// The lines that fail, and how many cases passed and were skipped.
fn run(file: &Path) -> (Vec<String>, usize, usize) {
    let (mut lines, mut passed, mut skipped) = (Vec::new(), 0, 0);
    for case in case::read(file).expect("a file of cases") {
        if case.skip.is_some() {
            skipped += 1;
            continue;
        }
        let found = compare::check(&case, compare::Rule::FLOATS, &mut naive::answer);
        passed += usize::from(found.is_empty());
        lines.extend(found.iter().map(|mismatch| format!("{}: {mismatch}", case.id)));
    }
    (lines, passed, skipped)
}

fn assert_all(directory: &Path, at_most_skipped: usize) -> usize {
    let (mut lines, mut passed, mut skipped) = (Vec::new(), 0, 0);
    for file in files(directory) {
        let (failed, ok, left_out) = run(&file);
        lines.extend(failed);
        passed += ok;
        skipped += left_out;
    }
    println!("{}: {passed} passed, {skipped} skipped", directory.display());
    assert!(lines.is_empty(), "{} mismatches:\n{}", lines.len(), lines.join("\n"));
    assert!(skipped <= at_most_skipped, "{skipped} skipped");
    passed
}

#[test]
fn committed_vectors() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    assert!(assert_all(&directory, 1) > 600, "the committed vectors are missing");
}

#[test]
fn a_compressed_file_reads_the_same() {
    let plain = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/time.json");
    let packed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("time.json.gz");
    let file = fs::File::create(&packed).expect("a temporary file");
    let mut encoder = GzEncoder::new(file, Compression::fast());
    encoder.write_all(&fs::read(&plain).expect("a file of cases")).expect("writes");
    encoder.finish().expect("writes");
    let ids = |path| {
        let cases = case::read(path).expect("a file of cases");
        cases.into_iter().map(|case| case.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&packed), ids(&plain));
}

/// Questions leave for other languages as JSON, and answers come back so.
#[test]
fn questions_and_answers_go_through_json() {
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")) {
        for case in case::read(&file).expect("a file of cases") {
            let over_json = &mut |question: &Question| {
                let sent = serde_json::to_string(question).expect("writes");
                assert!(sent.starts_with(r#"{"kind":""#), "{sent}");
                let answer = serde_json::to_string(&naive::answer(question)?).expect("writes");
                Answer::parse(question, &answer)
            };
            let found = compare::check(&case, compare::Rule::FLOATS, over_json);
            assert!(case.skip.is_some() || found.is_empty(), "{}: {found:?}", case.id);
        }
    }
}

#[test]
fn a_wrong_answer_is_seen() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let rule = compare::Rule::FLOATS;
    let mut fields = BTreeSet::new();
    for case in case::read(&directory.join("hand.json")).expect("a file of cases") {
        let found = compare::check(&case, rule, &mut |question| naive::answer(question).map(spoil));
        let field = |path: String| path.split(['.', '[']).next_back().map(str::to_owned);
        fields.extend(found.into_iter().filter_map(|mismatch| field(mismatch.field)));
    }
    for field in ["balance", "hasAccess", "overage", "to", "balanceAtStart", "active", "order"] {
        assert!(fields.contains(field), "{field} is not compared: {fields:?}");
    }
}

/// Changes an answer in each of the fields that the test looks for.
fn spoil(answer: Answer) -> Answer {
    match answer {
        Answer::Value(mut value) => {
            value.balance += Amount::nanos(3_000_000);
            value.has_access = !value.has_access;
            value.overage += Amount::units(1);
            value.current_usage_period.to += TimeDelta::seconds(1);
            Answer::Value(value)
        }
        Answer::History(mut history) => {
            history.windows[0].balance_at_start += Amount::units(1);
            Answer::History(history)
        }
        Answer::Active(Active { active }) => Answer::Active(Active { active: !active }),
        Answer::Order(mut order) => {
            order.order.reverse();
            Answer::Order(order)
        }
        other => other,
    }
}

#[test]
fn shared_cases_where_present() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    assert_all(&root.join("shared/conformance"), 1);
}
