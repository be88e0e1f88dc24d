//! What came out, a line for each failing field and the counts of each kind.

use std::collections::BTreeMap;
use std::path::Path;

use edgegrant_testkit::case::Case;
use edgegrant_testkit::compare::Mismatch;

/// Cases by how they came out.
#[derive(Clone, Copy, Default)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// The counts of every kind.
#[derive(Default)]
pub(super) struct Report {
    kinds: BTreeMap<String, Counts>,
}

impl Report {
    pub(super) fn add(&mut self, case: &Case, found: &[Mismatch]) {
        let counts = self.kinds.entry(case.kind.clone()).or_default();
        match (&case.skip, found) {
            (Some(reason), _) => {
                println!("{}: skipped: {reason}", case.id);
                counts.skipped += 1;
            }
            (None, []) => counts.passed += 1,
            (None, found) => {
                found.iter().for_each(|mismatch| println!("{}: {mismatch}", case.id));
                counts.failed += 1;
            }
        }
    }

    /// A file that cannot be run counts as a case that failed.
    pub(super) fn file_failed(&mut self, file: &Path, error: &anyhow::Error) {
        println!("{}: {error:#}", file.display());
        self.kinds.entry("file".to_owned()).or_default().failed += 1;
    }

    pub(super) fn failed(&self) -> u64 {
        self.kinds.values().map(|counts| counts.failed).sum()
    }

    pub(super) fn print(&self) {
        for (kind, Counts { passed, failed, skipped }) in &self.kinds {
            println!("{kind:<24} {passed:>6} passed {failed:>4} failed {skipped:>4} skipped");
        }
        println!("{}", self.summary());
    }

    pub(super) fn summary(&self) -> String {
        let passed: u64 = self.kinds.values().map(|counts| counts.passed).sum();
        format!("{passed} passed, {} failed", self.failed())
    }
}
