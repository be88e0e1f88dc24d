//! Measures the packed package in Node.js, beside a plain lookup and beside other packages; the
//! engine alone is `cargo bench`.

mod instructions;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::{build, debian, paths, process};

/// What to measure, and with how much.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The largest snapshot's subjects; smaller ones go by powers of ten from 10,000.
    #[arg(long, default_value_t = 100_000)]
    subjects: u64,
    /// Measure other packages, installed for this, instead.
    #[arg(long)]
    peers: bool,
    /// Count the instructions of the engine with callgrind instead.
    #[arg(long, conflicts_with = "peers")]
    instructions: bool,
    /// Measure publishing at the origin instead, also with ten times fewer subjects and so on.
    #[arg(long, conflicts_with_all = ["peers", "instructions"])]
    origin: bool,
    /// Run only this measurement, by its name in benches/node; may be repeated.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["peers", "instructions"])]
    only: Vec<String>,
    /// Draw or write what was measured into docs, or what was measured of peers into the README.
    #[arg(long)]
    write: bool,
    /// Write all figures to target/bench/figures.json.
    #[arg(long)]
    json: bool,
}

/// The measurements, each a program of its own in `benches/node`.
const PROGRAMS: &[&str] = &["check", "first-answer", "size", "refresh", "scale", "cold-start"];

/// Those that write into a document, and those of which graphs are drawn.
const WRITTEN: &[&str] = &["size", "scale", "cold-start"];
const DRAWN: &[&str] = &["check", "first-answer"];

/// Builds, installs the packed package and runs every measurement.
///
/// # Errors
/// When something cannot be built, or a measurement meets a wrong answer.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.instructions {
        return instructions::run();
    }
    if options.origin {
        return origin(options.subjects);
    }
    build::run()?;
    build::install_tarball_into(&installed())?;
    let tool = ["build", "--quiet", "--release", "-p", "edgegrant-origin", "--bin", "edgegrant"];
    process::run(&mut process::cargo(&tool))?;
    measure(options)?;
    if options.json {
        gather()?;
    }
    Ok(())
}

/// Publishes facts of growing size, each in a process of its own.
fn origin(subjects_max: u64) -> Result<()> {
    let sizes = std::iter::successors(Some(10_000), |size| Some(size * 10));
    for subjects in sizes.take_while(|size| *size <= subjects_max.max(10_000)) {
        let bench = ["bench", "--quiet", "-p", "edgegrant-origin", "--bench", "throughput", "--"];
        let mut cargo = process::cargo(&bench);
        process::run(cargo.arg(subjects.to_string()))?;
    }
    Ok(())
}

fn measure(options: &Options) -> Result<()> {
    let subjects = options.subjects.to_string();
    if options.peers {
        build::install(&folder().join("peers"))?;
        build::install(&paths::js_tests())?;
        program("peers", &[])?;
        return if options.write { program("readme", &[]) } else { Ok(()) };
    }
    let chosen = chosen(&options.only)?;
    build::install(&folder())?;
    if chosen.contains(&"cold-start") {
        debian::ensure("chromium", "chromium")?;
        build::install(&paths::js_tests())?;
    }
    for name in &chosen {
        program(name, &[&subjects])?;
    }
    if options.write { write(&chosen) } else { Ok(()) }
}

/// Puts what was measured into docs, each in its way.
fn write(chosen: &[&str]) -> Result<()> {
    for name in chosen.iter().filter(|name| WRITTEN.contains(name)) {
        program("document", &[name])?;
    }
    if chosen.iter().any(|name| DRAWN.contains(name)) { program("graphs", &[]) } else { Ok(()) }
}

fn chosen(only: &[String]) -> Result<Vec<&'static str>> {
    if let Some(name) = only.iter().find(|name| !PROGRAMS.contains(&name.as_str())) {
        bail!("there is no measurement `{name}`: choose from {}", PROGRAMS.join(", "));
    }
    let wanted = |name: &&str| only.is_empty() || only.iter().any(|only| only == name);
    Ok(PROGRAMS.iter().copied().filter(wanted).collect())
}

fn program(name: &str, arguments: &[&str]) -> Result<()> {
    let status = node(name, arguments).status()?;
    ensure!(status.success(), "benches/node/{name}.mjs failed ({status})");
    Ok(())
}

fn node(name: &str, arguments: &[&str]) -> Command {
    let mut node = process::command("node", &[&format!("{name}.mjs")], &folder());
    node.args(arguments)
        .env("EDGEGRANT", paths::target().join("release/edgegrant"))
        .env("PACKAGE", installed().join("node_modules/edgegrant"))
        .env("TARBALL", paths::tarball())
        .env("BENCH", bench());
    node
}

/// All that has been measured, in one file, each under its program's name.
fn gather() -> Result<()> {
    let mut all = serde_json::Map::new();
    for entry in fs::read_dir(bench().join("figures"))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        all.insert(name, serde_json::from_str(&fs::read_to_string(&path)?)?);
    }
    let file = bench().join("figures.json");
    fs::write(&file, serde_json::to_string_pretty(&all)? + "\n")?;
    println!("\nfigures in {}", file.display());
    Ok(())
}

fn folder() -> PathBuf {
    paths::root().join("benches/node")
}

fn bench() -> PathBuf {
    paths::target().join("bench")
}

/// Where the packed package is installed for measuring.
fn installed() -> PathBuf {
    bench().join("package")
}
