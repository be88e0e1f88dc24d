//! Every check and test; a step that fails hides none of the others.

mod compat;
mod steps;
mod tally;

use std::process::ExitCode;
use std::time::Instant;

use clap::builder::PossibleValuesParser;

use steps::{STEPS, Speed, Step};
use tally::Tally;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only what takes seconds: no wasm, no npm package, no documentation tests.
    #[arg(long)]
    quick: bool,
    /// Only the step of this name.
    #[arg(long, value_name = "STEP", conflicts_with = "quick", value_parser = names())]
    only: Option<String>,
    /// Random ledgers that each property of the engine is tried on, optimised.
    #[arg(long, value_name = "N")]
    properties: Option<u64>,
    /// Where the property tests start from; printed by a failing one.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

struct Outcome {
    name: &'static str,
    tally: Tally,
    seconds: f64,
}

/// Runs the steps and prints the sum as the last line.
pub(crate) fn run(options: &Options) -> ExitCode {
    let chosen = STEPS.iter().filter(|step| match &options.only {
        Some(name) => name == step.name,
        None => !options.quick || step.speed == Speed::Quick,
    });
    let outcomes: Vec<Outcome> = chosen.map(|step| perform(step, options)).collect();
    let mut sum = Tally::default();
    println!();
    for Outcome { name, tally, seconds } in outcomes {
        println!(
            "{name:<20} {:>6} passed {:>4} failed {seconds:>7.1} s",
            tally.passed, tally.failed
        );
        sum += tally;
    }
    println!("{} passed, {} failed", sum.passed, sum.failed);
    if sum.failed == 0 && sum.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn perform(step: &Step, options: &Options) -> Outcome {
    println!("\n{}", step.name);
    let start = Instant::now();
    let tally = (step.run)(options).unwrap_or_else(|error| {
        println!("error: {error:#}");
        Tally::FAILED
    });
    Outcome { name: step.name, tally, seconds: start.elapsed().as_secs_f64() }
}
