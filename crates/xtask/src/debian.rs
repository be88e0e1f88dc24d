//! Programs of the operating system that only tests need.

use anyhow::{Context as _, Result, bail};

use crate::{paths, process};

/// Makes sure of a program, and installs its Debian package where this process may.
///
/// # Errors
/// When it is missing and cannot be installed; the message names the package.
pub(crate) fn ensure(program: &str, package: &str) -> Result<()> {
    if is_there(program) {
        return Ok(());
    }
    eprintln!("`{program}` is missing");
    install(package)?;
    if is_there(program) { Ok(()) } else { bail!("the package {package} brought no `{program}`") }
}

/// Installs a Debian package where this process may.
///
/// # Errors
/// When it may not, or apt-get fails; the message names the package.
pub(crate) fn install(package: &str) -> Result<()> {
    if !is_root() {
        bail!("a package is missing: `sudo apt-get install {package}`");
    }
    eprintln!("installing the Debian package {package}");
    apt(&["update", "-qq"])
        .and_then(|()| apt(&["install", "-qq", "--no-install-recommends", package]))
        .with_context(|| format!("install the Debian package {package} by hand"))
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    let user = process::output(&mut process::command("id", &["-u"], &paths::root()));
    user.is_ok_and(|user| user.stdout == b"0\n")
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut apt = process::command("apt-get", &["--yes"], &paths::root());
    process::run(apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_installed() {
        assert!(ensure("sh", "no-such-package").is_ok());
        assert!(!is_there("no-such-program"));
    }
}
