//! Builds, tests, measures and demonstrates edgegrant: `cargo xtask <command>`.

mod bench;
mod build;
mod debian;
mod demo;
mod fuzz;
mod paths;
mod process;
mod size;
mod sources;
mod test;
mod tidy;
mod vectors;
mod wasm_test_runner;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the wasm, its glue and the TypeScript, and pack the npm package.
    Build,
    /// Play the demo: an export, signed, served, and asked in a worker.
    Demo(demo::Options),
    /// Run every check and test; ends with `N passed, M failed`.
    Test(test::Options),
    /// Look for inputs that break a reader, with libFuzzer.
    Fuzz(fuzz::Options),
    /// Check the rules of docs/ARCHITECTURE.md and docs/STYLE.md.
    Tidy,
    /// Measure what the packed package does in Node.js.
    Bench(bench::Options),
    /// Print the package's sizes and compare what is packed with the committed records.
    Size(size::Options),
    /// Import every recorded answer of other systems, and compare what becomes of each.
    Sources(sources::Options),
    /// Run files of conformance cases; ends with `N passed, M failed`.
    Vectors(vectors::Options),
    /// Run a wasm test binary; cargo calls this as its runner.
    #[command(hide = true)]
    WasmTestRunner {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Build => build::run(),
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => return test::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Tidy => tidy::run(),
        Command::Bench(options) => bench::run(&options),
        Command::Size(options) => size::run(&options),
        Command::Sources(options) => sources::run(&options),
        Command::Vectors(options) => return vectors::run(&options),
        Command::WasmTestRunner { arguments } => wasm_test_runner::run(arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
