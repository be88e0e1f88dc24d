//! Measures what the packed package does in Node.js; the engine alone is `cargo bench`.

use anyhow::Result;

use crate::{build, paths, process};

/// How much to measure with.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The subjects of the largest snapshot; the others have a tenth and a hundredth of them.
    #[arg(long, default_value_t = 1_000_000)]
    subjects: u64,
}

/// The measurements, each a program of its own in `benches/node`.
const PROGRAMS: &[&str] = &["first-answer", "refresh"];

/// Builds, installs the packed package and runs every measurement.
///
/// # Errors
/// When something cannot be built, or a measurement meets a wrong answer.
pub(crate) fn run(options: &Options) -> Result<()> {
    build::run()?;
    build::install_tarball()?;
    let tool = ["build", "--quiet", "--release", "-p", "edgegrant-origin", "--bin", "edgegrant"];
    process::run(&mut process::cargo(&tool))?;
    let folder = paths::root().join("benches/node");
    for program in PROGRAMS {
        let subjects = options.subjects.to_string();
        let arguments = [&format!("{program}.mjs"), subjects.as_str()];
        let status = process::command("node", &arguments, &folder)
            .env("EDGEGRANT", paths::target().join("release/edgegrant"))
            .env("PACKAGE", paths::js_tests().join("node_modules/edgegrant"))
            .status()?;
        anyhow::ensure!(status.success(), "benches/node/{program}.mjs failed ({status})");
    }
    Ok(())
}
