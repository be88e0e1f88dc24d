//! The wasm files, the same bytes from every folder and machine.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::paths;
use crate::process;

/// What a wasm answers from, as options of cargo.
pub(crate) const SNAPSHOTS: &[&str] = &[];
pub(crate) const SLICES: &[&str] = &["--no-default-features"];

/// Compiles the root package alone, because cargo unifies features over a workspace. What is
/// compiled next takes the place of the file.
///
/// # Errors
/// When cargo fails.
pub(crate) fn build(answers_from: &[&str]) -> Result<PathBuf> {
    let mut cargo = process::cargo(&["build", "-p", "edgegrant", "--lib", "--locked"]);
    cargo.args(answers_from);
    cargo.args(["--target", TARGET, "--profile", "wasm"]);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags().join("\u{1f}"));
    process::run(&mut cargo)?;
    Ok(paths::target().join(TARGET).join("wasm/edgegrant.wasm"))
}

/// Compiles the wasm that only tests ask.
///
/// # Errors
/// When cargo fails.
pub(crate) fn build_for_tests() -> Result<PathBuf> {
    let mut cargo = process::cargo(&["build", "-p", "edgegrant-testwasm", "--locked"]);
    process::run(cargo.args(["--target", TARGET, "--release"]))?;
    Ok(paths::target().join(TARGET).join("release/edgegrant_testwasm.wasm"))
}

const TARGET: &str = "wasm32-unknown-unknown";

/// Paths of this machine must not end up in panic messages: they differ and they tell.
fn flags() -> Vec<String> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    vec![
        remap(&home("CARGO_HOME", ".cargo").join("registry/src"), "crates"),
        remap(&home("RUSTUP_HOME", ".rustup"), "rust"),
        remap(&paths::root(), "edgegrant"),
    ]
}

fn home(variable: &str, folder: &str) -> PathBuf {
    let default = || std::env::home_dir().unwrap_or_default().join(folder);
    std::env::var_os(variable).map_or_else(default, PathBuf::from)
}
