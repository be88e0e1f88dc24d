//! The fuzz targets under libFuzzer: built with coverage by the pinned compiler, started from the
//! seeds, one after the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{paths, process};

/// What to run, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// For how long each target runs.
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// How long an input may be, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 8192)]
    max_len: u64,
    /// Which targets; all of them when none is named.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// libFuzzer stops an input that takes longer, in seconds. A single one is a matter of
/// milliseconds; the rest is for a busy machine.
const TIMEOUT_SECONDS: u64 = 5;
const MEMORY_MIB: u64 = 1024;

/// What libFuzzer needs to see where an input went; `cargo fuzz` passes the same. No sanitizer is
/// asked for: nothing here is `unsafe`, and without one the pinned compiler does.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// Runs the targets and prints for each how many inputs were tried and how much was covered.
///
/// # Errors
/// When a target finds something; the input is kept.
pub(crate) fn run(options: &Options) -> Result<()> {
    let corpus = folder("corpus")?;
    let findings = folder("findings")?;
    process::run(cargo_run().arg(&corpus))?;
    let targets = chosen(&corpus, &options.targets)?;
    let driver = build()?;
    let mut failed = Vec::new();
    for target in &targets {
        println!("{target}: {} minutes", options.minutes);
        let mut command = fuzzer(&driver, options, target, &corpus, &findings);
        if process::run(&mut command).is_err() {
            failed.push(target.as_str());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!(
        "{} found something, kept in {}; fix it and keep the input in fuzz/findings/<target>",
        failed.join(", "),
        findings.display()
    )
}

fn folder(name: &str) -> Result<PathBuf> {
    let folder = paths::target().join("fuzz").join(name);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

/// The program that writes the seeds; they are made by code, so that they follow the format.
fn cargo_run() -> Command {
    process::cargo(&["run", "--quiet", "--package", "edgegrant-fuzz", "--"])
}

fn chosen(corpus: &Path, named: &[String]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(corpus)? {
        all.push(entry?.file_name().to_string_lossy().into_owned());
    }
    all.sort_unstable();
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        bail!("`{unknown}` is no target; there are {}", all.join(", "));
    }
    Ok(if named.is_empty() { all } else { named.to_vec() })
}

/// Builds the driver. Naming the target keeps the coverage out of build scripts and macros.
fn build() -> Result<PathBuf> {
    let host = host()?;
    let folder = paths::target().join("fuzz/build");
    let mut cargo = process::cargo(&["build", "--release", "--quiet"]);
    cargo.args(["--package", "edgegrant-fuzz", "--features", "libfuzzer", "--target", &host]);
    cargo.env("CARGO_TARGET_DIR", &folder);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}"));
    process::run(&mut cargo).context("building for libFuzzer, which needs a C++ compiler")?;
    Ok(folder.join(host).join("release/edgegrant-fuzz"))
}

fn host() -> Result<String> {
    let version = process::read(&mut process::command("rustc", &["-vV"], &paths::root()))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say its host")?.to_owned())
}

fn fuzzer(
    driver: &Path,
    options: &Options,
    target: &str,
    corpus: &Path,
    findings: &Path,
) -> Command {
    let mut command = Command::new(driver);
    command.env("EDGEGRANT_FUZZ_TARGET", target).current_dir(paths::root());
    command.arg(corpus.join(target));
    let kept = paths::root().join("fuzz/findings").join(target);
    if kept.is_dir() {
        command.arg(kept);
    }
    command.arg(format!("-artifact_prefix={}/{target}-", findings.display()));
    for (name, number) in [
        ("max_total_time", options.minutes * 60),
        ("max_len", options.max_len),
        ("timeout", TIMEOUT_SECONDS),
        ("rss_limit_mb", MEMORY_MIB),
        ("print_final_stats", 1),
    ] {
        command.arg(format!("-{name}={number}"));
    }
    command
}
