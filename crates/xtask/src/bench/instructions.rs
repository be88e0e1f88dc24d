//! How many instructions the engine takes, counted by callgrind: no noise, whatever else runs.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{debian, paths, process};

/// The cases of benches/engine.rs that have budgets.
const CASES: &[&str] = &["nothing-crossed", "boundaries-crossed", "map"];

/// How often a case runs in the first count; the second has it run twice as often.
const TIMES: u64 = 2_000;

/// Prints the instructions of one answer, by case.
///
/// # Errors
/// When valgrind is missing and cannot be installed, or a count fails.
pub(super) fn run() -> Result<()> {
    debian::ensure("valgrind", "valgrind")?;
    let bench = bench()?;
    println!("| case | instructions an answer |\n| --- | ---: |");
    for case in CASES {
        // What goes before the first answer is the same in both: the difference is answers alone.
        let (once, twice) = (count(&bench, case, TIMES)?, count(&bench, case, 2 * TIMES)?);
        println!("| {case} | {} |", twice.saturating_sub(once) / TIMES);
    }
    Ok(())
}

/// Builds the engine's bench and says where it is.
fn bench() -> Result<PathBuf> {
    let build = ["bench", "-p", "edgegrant", "--bench", "engine", "--no-run", "--quiet"];
    let told = process::read(process::cargo(&build).arg("--message-format=json"))?;
    let messages = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable = |message: Value| message.get("executable")?.as_str().map(PathBuf::from);
    messages.filter_map(executable).next_back().context("cargo named no executable")
}

fn count(bench: &std::path::Path, case: &str, times: u64) -> Result<u64> {
    let arguments = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let mut valgrind = process::command("valgrind", &arguments, &paths::root());
    let output = process::output(valgrind.arg(bench).args(["--case", case, &times.to_string()]))?;
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split("Collected : ").nth(1));
    let collected = collected.with_context(|| format!("callgrind counted nothing: {told}"))?;
    collected.trim().parse().with_context(|| format!("callgrind counted {collected}"))
}
