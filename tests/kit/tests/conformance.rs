//! The naive reference answers every case that is at hand: those committed here and, where the
//! project's shared material is checked out beside it, that as well.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first broken assumption"
)]

use std::fs;
use std::path::{Path, PathBuf};

use edgegrant_testkit::{case, compare, naive};

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
fn shared_cases_where_present() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    assert_all(&root.join("shared/conformance"), 1);
}
