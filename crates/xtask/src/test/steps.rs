//! The steps of `cargo xtask test`, the quick ones first.

use anyhow::{Context as _, Result};

use super::Options;
use super::compat;
use super::tally::{self, Tally};
use crate::{build, debian, demo, paths, process, size, sources, tidy};

/// How long a step takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speed {
    Quick,
    Full,
}

/// One check, or one program that runs many tests.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) speed: Speed,
    pub(crate) run: fn(&Options) -> Result<Tally>,
}

const fn quick(name: &'static str, run: fn(&Options) -> Result<Tally>) -> Step {
    Step { name, speed: Speed::Quick, run }
}

const fn full(name: &'static str, run: fn(&Options) -> Result<Tally>) -> Step {
    Step { name, speed: Speed::Full, run }
}

pub(crate) const STEPS: &[Step] = &[
    quick("toolchain", toolchain),
    quick("format", |_| tally::check(&mut process::cargo(&["fmt", "--all", "--check"]))),
    quick("tidy", tidy),
    quick("check alone", |_| alone(&[])),
    quick("clippy", |_| clippy(&["--workspace", "--all-targets"])),
    quick("rust tests", rust_tests),
    quick("recorded answers", |_| told(sources::differences()?)),
    full("check alone, wasm", |_| alone(WASM)),
    full("clippy, wasm", |_| clippy(&[&["-p", "edgegrant"], WASM].concat())),
    full("clippy, slices", |_| clippy(&[&["-p", "edgegrant"], build::SLICES, WASM].concat())),
    full("wasm tests", wasm_tests),
    full("package", package),
    full("prettier", prettier),
    full("records", |_| told(size::differences()?)),
    full("browser", |_| browser()),
    full("javascript tests", javascript_tests),
    full("compat", |_| compat::run()),
];

const WASM: &[&str] = &["--target", "wasm32-unknown-unknown"];

fn toolchain(_: &Options) -> Result<Tally> {
    build::ensure_toolchain().map(|()| Tally::PASSED)
}

fn tidy(_: &Options) -> Result<Tally> {
    let all = tidy::RULES_AND_FAULTS as u64;
    let failed = tidy::broken_rules()? as u64;
    Ok(Tally { passed: all - failed, failed })
}

/// The root package by itself: a check of the workspace would lend it the others' features.
fn alone(target: &[&str]) -> Result<Tally> {
    let mut check = process::cargo(&["check", "-p", "edgegrant"]);
    let output = process::output(check.args(target))?;
    let messages = String::from_utf8_lossy(&output.stderr);
    let warned = messages.lines().any(|line| line.starts_with("warning"));
    if output.status.success() && !warned {
        return Ok(Tally::PASSED);
    }
    println!("{messages}");
    Ok(Tally::FAILED)
}

fn clippy(what: &[&str]) -> Result<Tally> {
    let mut clippy = process::cargo(&["clippy", "--quiet"]);
    tally::check(clippy.args(what).args(["--", "-D", "warnings"]))
}

fn rust_tests(options: &Options) -> Result<Tally> {
    let mut tests = process::cargo(&["test", "--workspace", "--no-fail-fast"]);
    if options.quick {
        tests.args(["--lib", "--bins", "--tests"]).env("EDGEGRANT_FUZZ_SECONDS", "1");
    }
    let mut tally = tally::count(&mut tests)?;
    if options.properties.is_some() || options.seed.is_some() {
        tally += properties(options)?;
    }
    Ok(tally)
}

/// The properties of the engine once more, optimised, as often as asked for.
fn properties(options: &Options) -> Result<Tally> {
    let mut tests =
        process::cargo(&["test", "--release", "-p", "edgegrant-testkit", "--test", "engine"]);
    let given = [("EDGEGRANT_PROPERTIES", options.properties), ("EDGEGRANT_SEED", options.seed)];
    for (variable, number) in given {
        tests.envs(number.map(|number| (variable, number.to_string())));
    }
    tally::count(&mut tests)
}

/// The wasm as its own tests see it, in Node.js.
fn wasm_tests(_: &Options) -> Result<Tally> {
    let runner = std::env::current_exe().context("finding this program for cargo's runner")?;
    let runner = format!("{} wasm-test-runner", runner.display());
    let mut tests = process::cargo(&["test", "-p", "edgegrant", "--test", "wasm"]);
    tests.args(WASM).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
    tally::count(&mut tests)
}

fn package(_: &Options) -> Result<Tally> {
    build::run().map(|()| Tally::PASSED)
}

fn prettier(_: &Options) -> Result<Tally> {
    let mut prettier = build::tool("prettier", &["--check", "--log-level=warn"])?;
    tally::check(prettier.args([
        "src",
        "*.json",
        "*.md",
        "../tests/js",
        "../tests/compat",
        "../www",
        "../crates/**/*.mjs",
        "../benches",
    ]))
}

/// One check for each thing that is compared with its record: nothing, or how it differs.
fn told(differences: Vec<Option<String>>) -> Result<Tally> {
    let mut tally = Tally::default();
    for difference in differences {
        tally += match difference {
            None => Tally::PASSED,
            Some(text) => {
                println!("{text}");
                Tally::FAILED
            }
        };
    }
    Ok(tally)
}

/// What tests open slices in; `CHROMIUM` may name another one.
fn browser() -> Result<Tally> {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    debian::ensure(&chromium, "chromium").map(|()| Tally::PASSED)
}

/// The packed tarball, installed as a user would, in Node.js, in workerd and in a browser.
fn javascript_tests(_: &Options) -> Result<Tally> {
    build::install_tarball()?;
    let mut node =
        process::command("node", &["--test", "--test-reporter=spec"], &paths::js_tests());
    tally::count(node.env("EDGEGRANT", demo::edgegrant()?))
}
