//! `edgegrant run`

mod plan;
mod round;
mod work;

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use self::plan::{Plan, or};
use self::round::{Round, SourceOutcome};
use super::publish::keys;
use super::{Outcome, output};
use crate::disk;
use crate::facts::typed;
use crate::failure::{Exit, Failure};

/// Pull from sources, compile and publish, again and again.
///
/// A source that fails is left as it last was, with a warning; what is published stays in place
/// until something better is complete.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plan, a JSON file: docs/RUNNING.md describes it.
    plan: PathBuf,
    /// A file with a signing key, else EDGEGRANT_SIGNING_KEY has it.
    #[arg(long, value_name = "FILE")]
    key_file: Vec<PathBuf>,
    /// End after one round. Exits 3 if a source failed, also where a snapshot was published.
    #[arg(long)]
    once: bool,
    /// Accept that more than half of the subjects or of their entitlements are gone, of a source or
    /// of all, in one round.
    #[arg(long, requires = "once")]
    allow_shrink: bool,
}

const PLAN_BYTES: u64 = 1 << 20;

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let text = disk::read(&args.plan, PLAN_BYTES)?;
    let plan: Plan = typed(&String::from_utf8_lossy(&text)).map_err(|problem| {
        let message = format!("{}: {}: {}", args.plan.display(), problem.path, problem.message);
        Failure::bad_input(problem.code, message)
    })?;
    plan.check()?;
    let _lock = work::take(&plan)?;
    let pause = Duration::from_millis(or(plan.every, "PT5M")?.millis());
    loop {
        let round = round::play(&plan, &keys(&args.key_file)?, args.allow_shrink, json);
        tell(&round, args.once, json)?;
        if args.once {
            let failed = round.sources.iter().any(|source| source.failure.is_some());
            return round.published.map(|_| if failed { Exit::Io } else { Exit::Ok });
        }
        thread::sleep(pause);
    }
}

/// Tells of a round, but not why it ends the command: that is told with the exit code.
fn tell(round: &Round, ends: bool, json: bool) -> Result<(), Failure> {
    if json {
        return super::print_json(&round.as_json());
    }
    for SourceOutcome { name, failure, subjects } in &round.sources {
        match failure {
            None => say!("{name}: {subjects} subjects"),
            Some(failure) => {
                output::warn(&failure.code, &format!("{name}: {}", failure.message), json);
            }
        }
    }
    match &round.published {
        Ok(published) => {
            let (version, subjects) = (published.version, published.subjects);
            say!("version {version}: {subjects} subjects, until {}", published.expires_at);
        }
        Err(_) if ends => {}
        Err(failure) => output::warn(&failure.code, &failure.message, json),
    }
    Ok(())
}
