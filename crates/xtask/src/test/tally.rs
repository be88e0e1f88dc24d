//! How many tests a program says it ran.

use std::io::{BufRead as _, BufReader};
use std::ops::AddAssign;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::process;

/// Tests that were really executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    pub(crate) const PASSED: Self = Self { passed: 1, failed: 0 };
    pub(crate) const FAILED: Self = Self { passed: 0, failed: 1 };
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs a command that is one check: its exit code tells.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn check(command: &mut Command) -> Result<Tally> {
    let status = command.status().map_err(|error| process::cannot_start(command, &error))?;
    Ok(if status.success() { Tally::PASSED } else { Tally::FAILED })
}

/// Runs a command that runs tests, shows its output and adds up the results in it.
///
/// # Errors
/// When it cannot be started or read.
pub(crate) fn count(command: &mut Command) -> Result<Tally> {
    let spawned = command.stdout(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| process::cannot_start(command, &error))?;
    let output = child.stdout.take().context("a child without an output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        tally += results(&line);
    }
    let succeeded = child.wait()?.success();
    Ok(settle(tally, succeeded))
}

/// A program that fails without a failed test did not compile or died; one that ran no test
/// proves nothing. Both count as a failure.
fn settle(mut tally: Tally, succeeded: bool) -> Tally {
    if tally.failed == 0 && (!succeeded || tally.passed == 0) {
        tally += Tally::FAILED;
    }
    tally
}

/// What one line says, if it is a summary: `test result: ok. 3 passed; 1 failed; …` of cargo and
/// of wasm-bindgen, `ℹ pass 3`, `ℹ fail 1` and `ℹ cancelled 1` of Node.
fn results(line: &str) -> Tally {
    let words: Vec<&str> = line.split([' ', ';']).filter(|word| !word.is_empty()).collect();
    let number = |word: &str| word.parse::<u64>().unwrap_or_default();
    match words.as_slice() {
        ["test", "result:", _, passed, "passed", failed, "failed", ..] => {
            Tally { passed: number(passed), failed: number(failed) }
        }
        ["ℹ" | "#", "pass", passed] => Tally { passed: number(passed), failed: 0 },
        ["ℹ" | "#", "fail" | "cancelled", failed] => Tally { passed: 0, failed: number(failed) },
        _ => Tally::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_read() {
        let cargo = "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured";
        assert_eq!(results(cargo), Tally { passed: 3, failed: 1 });
        assert_eq!(results("ℹ pass 12"), Tally { passed: 12, failed: 0 });
        assert_eq!(results("# fail 2"), Tally { passed: 0, failed: 2 });
        assert_eq!(results("ℹ cancelled 1"), Tally { passed: 0, failed: 1 });
        assert_eq!(results("test engine::a ... ok"), Tally::default());
    }

    #[test]
    fn a_silent_failure_and_an_empty_run_count() {
        let passed = Tally { passed: 2, failed: 0 };
        assert_eq!(settle(passed, true), passed);
        assert_eq!(settle(passed, false), Tally { passed: 2, failed: 1 });
        assert_eq!(settle(Tally::default(), true), Tally::FAILED);
        assert_eq!(settle(Tally::FAILED, false), Tally::FAILED);
    }
}
