//! Running other programs, with errors that say how to get a missing one.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::paths;

/// A command that runs in `folder`.
pub(crate) fn command(program: &str, arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command
}

/// A cargo command at the repository's root, of the same toolchain that built this program.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    command("cargo", arguments, &paths::root())
}

/// Runs a command whose output the reader should see, on standard error: standard output is for
/// results.
///
/// # Errors
/// When it cannot be started or does not exit with 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.stdout(io::stderr()).status();
    let status = status.map_err(|error| cannot_start(command, &error))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs a command for its standard output.
///
/// # Errors
/// As [`run`], or when the output is not UTF-8.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = output(command.stderr(Stdio::inherit()))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", line(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("output of `{}`", line(command)))
}

/// Runs a command and hands back whatever came of it.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    command.output().map_err(|error| cannot_start(command, &error))
}

/// The error for a command that did not start, with the cure when the program is missing.
pub(crate) fn cannot_start(command: &Command, error: &std::io::Error) -> anyhow::Error {
    let program = command.get_program().to_string_lossy();
    if error.kind() != ErrorKind::NotFound {
        return anyhow::anyhow!("cannot start `{program}`: {error}");
    }
    let cure = match program.as_ref() {
        "node" | "npm" | "npx" => {
            "install Node.js 20 or newer, for example with `apt-get install nodejs npm` or \
             `nvm install 20`"
        }
        "git" => "install it, for example with `apt-get install git`",
        "cargo" | "rustc" | "rustup" => "install Rust with rustup, see https://rustup.rs",
        _ => "install it",
    };
    anyhow::anyhow!("`{program}` is missing: {cure}")
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
