//! `cargo xtask demo`: everything once, from an export to answers in a worker, told as a story.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{build, paths, process};

/// How to play it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Exit after the story, with 0 if everything was as told.
    #[arg(long)]
    once: bool,
    /// Print one JSON document with every request and its status, headers and decision.
    #[arg(long, requires = "once")]
    json: bool,
    /// Import this OpenMeter export, such as an earlier demo left in target/demo/openmeter.
    #[arg(long, value_name = "FOLDER")]
    export: Option<PathBuf>,
    /// Where the worker listens on 127.0.0.1; a free port when absent.
    #[arg(long)]
    port: Option<u16>,
}

/// Builds everything and plays the story.
///
/// # Errors
/// When a part cannot be built, or the story was not as told.
pub(crate) fn run(options: &Options) -> Result<()> {
    build::run()?;
    build::install_tarball()?;
    let mut story = story()?;
    story.args(options.once.then_some("--once")).args(options.json.then_some("--json"));
    if let Some(folder) = &options.export {
        let folder = std::path::absolute(folder)?;
        story.arg("--export").arg(folder);
    }
    story.args(options.port.map(|port| format!("--port={port}")));
    replace(&mut story)
}

/// The story's program, with the origin's command line built.
///
/// # Errors
/// When that cannot be built.
fn story() -> Result<Command> {
    let mut story = process::command("node", &[], &paths::root());
    story.arg(paths::root().join("crates/xtask/src/demo/main.mjs"));
    story.arg("--edgegrant").arg(edgegrant()?);
    story.arg("--folder").arg(paths::target().join("demo"));
    Ok(story)
}

/// Builds the command line `edgegrant` and says where it is.
///
/// # Errors
/// When cargo fails.
pub(crate) fn edgegrant() -> Result<PathBuf> {
    let build = ["build", "--quiet", "-p", "edgegrant-origin", "--bin", "edgegrant"];
    process::run(&mut process::cargo(&build))?;
    let program = paths::target().join("debug/edgegrant");
    Ok(program.with_extension(std::env::consts::EXE_EXTENSION))
}

/// Becomes the story's program, so that Ctrl-C and other signals reach it and nothing else.
#[cfg(unix)]
fn replace(story: &mut Command) -> Result<()> {
    let error = std::os::unix::process::CommandExt::exec(story);
    Err(process::cannot_start(story, &error)).context("playing the story")
}

#[cfg(not(unix))]
fn replace(story: &mut Command) -> Result<()> {
    process::run(story).context("playing the story")
}
