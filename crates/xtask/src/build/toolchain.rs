//! The Rust toolchain as `rust-toolchain.toml` names it, completed when a part is missing.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::paths;
use crate::process;

const TARGET: &str = "wasm32-unknown-unknown";
const NODE_MAJOR_MIN: u32 = 20;

/// Installs the wasm target, clippy and rustfmt unless they are there.
///
/// # Errors
/// When a part is missing and rustup is not there or cannot install it.
pub(crate) fn ensure() -> Result<()> {
    let missing = missing()?;
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("the toolchain lacks {}: running `rustup toolchain install`", missing.join(", "));
    let mut install = process::command("rustup", &["toolchain", "install"], &paths::root());
    // Under this variable rustup looks no further and would not read rust-toolchain.toml.
    install.env_remove("RUSTUP_TOOLCHAIN");
    process::run(&mut install).with_context(|| {
        format!(
            "install by hand: `rustup target add {TARGET}`, `rustup component add clippy rustfmt`"
        )
    })
}

fn missing() -> Result<Vec<&'static str>> {
    let libraries = ask(&["--print", "target-libdir", "--target", TARGET])?;
    let programs = ask(&["--print", "sysroot"])?.join("bin");
    let has =
        |name: &str| programs.join(name).with_extension(std::env::consts::EXE_EXTENSION).exists();
    let mut missing = Vec::new();
    if !holds_core(&libraries) {
        missing.push(TARGET);
    }
    missing.extend((!has("cargo-clippy")).then_some("clippy"));
    missing.extend((!has("cargo-fmt")).then_some("rustfmt"));
    Ok(missing)
}

fn ask(arguments: &[&str]) -> Result<PathBuf> {
    let answer = process::read(&mut process::command("rustc", arguments, &paths::root()))?;
    Ok(PathBuf::from(answer.trim()))
}

/// Makes sure of Node.js and npm.
///
/// # Errors
/// When one is missing or too old.
pub(crate) fn ensure_node() -> Result<()> {
    let version =
        |program| process::read(&mut process::command(program, &["--version"], &paths::root()));
    version("npm")?;
    let node = version("node")?;
    let major = node.trim().trim_start_matches('v').split('.').next().unwrap_or_default();
    if major.parse::<u32>().is_ok_and(|major| major >= NODE_MAJOR_MIN) {
        return Ok(());
    }
    bail!("Node.js is {}, older than {NODE_MAJOR_MIN}: `nvm install {NODE_MAJOR_MIN}`", node.trim())
}

/// An uninstalled target may leave its empty folder behind.
fn holds_core(libraries: &Path) -> bool {
    libraries.read_dir().is_ok_and(|mut entries| entries.next().is_some())
}
