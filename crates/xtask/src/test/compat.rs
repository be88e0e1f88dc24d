//! Other vendors' real clients against `edgegrant serve --compat`.
//!
//! Python's are installed from `tests/compat/python/<name>.txt`, each list into an environment of
//! its own, since some need versions of the same package that others cannot have. `pip-compile
//! --generate-hashes --no-annotate --no-header --allow-unsafe --strip-extras` makes a list of the
//! `.in` beside it. Node's are what `tests/compat/package-lock.json` locks.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::tally::{self, Tally};
use crate::{build, demo, paths, process};

/// Installs the clients, unless that has been done, and lets them ask.
pub(super) fn run() -> Result<Tally> {
    let tests = paths::root().join("tests/compat");
    let environments = paths::target().join("compat");
    for list in lists(&tests.join("python"))? {
        install(&list, &environments)?;
    }
    build::install(&tests)?;
    let mut node = process::command("node", &["--test", "--test-reporter=spec"], &tests);
    tally::count(node.env("EDGEGRANT", demo::edgegrant()?).env("PYTHONS", environments))
}

/// The lists of packages, each with versions and hashes.
fn lists(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let is_list = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "txt");
    Ok(paths.into_iter().filter(is_list).collect())
}

/// Makes the environment of a list. What is installed already is what the list said then.
fn install(list: &Path, environments: &Path) -> Result<()> {
    let name = list.file_stem().context("a list without a name")?;
    let (environment, wanted) = (environments.join(name), fs::read(list)?);
    let stamp = environment.join("installed.txt");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let _ = fs::remove_dir_all(&environment);
    fs::create_dir_all(environments)?;
    let python = environment.join(if cfg!(windows) { "Scripts/python" } else { "bin/python" });
    make(&environment)?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let mut pip = process::command(&python.to_string_lossy(), &install, environments);
    // A list is complete, and says what goes together where a package itself says otherwise.
    let exactly = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r"];
    process::run(pip.args(exactly).arg(list))?;
    Ok(fs::write(stamp, wanted)?)
}

fn make(environment: &Path) -> Result<()> {
    let make = || {
        let mut python = process::command("python3", &["-m", "venv"], &paths::root());
        process::run(python.arg(environment))
    };
    if crate::debian::ensure("python3", "python3-venv").and_then(|()| make()).is_ok() {
        return Ok(());
    }
    // Debian's python3 comes without what makes environments.
    let _ = fs::remove_dir_all(environment);
    crate::debian::install("python3-venv")?;
    make().or_else(|_| bail!("`python3 -m venv` fails: install Python 3 with its module venv"))
}
