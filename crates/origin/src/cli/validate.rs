//! `edgegrant validate`

use std::path::{Path, PathBuf};

use edgegrant::Instant;

use super::bar::Bar;
use super::{Outcome, output};
use crate::facts::{Checker, Entry, Facts, Problem, ReadError};
use crate::failure::{Exit, Failure};
use crate::input;
use crate::progress::Stage;

/// Check facts: every problem with its line and its place in the JSON.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of facts that belong together, in this order; `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Stop after this many problems.
    #[arg(long, default_value_t = 20)]
    max_problems: usize,
    /// The instant that publishing would take; now when absent.
    #[arg(long, value_parser = output::instant)]
    at: Option<Instant>,
}

#[derive(Default)]
struct Summary {
    subjects: u64,
    entitlements: u64,
    problems: usize,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let at = args.at.unwrap_or_else(output::now);
    let mut checker = Checker::default();
    let mut summary = Summary::default();
    let bar = Bar::new(None, json);
    let checked = args
        .files
        .iter()
        .try_for_each(|file| check_file(args, json, at, file, &mut checker, &mut summary, &bar));
    bar.clear();
    checked?;
    print(&summary, checker.features(), json);
    Ok(if summary.problems == 0 { Exit::Ok } else { Exit::BadInput })
}

fn check_file(
    args: &Args,
    json: bool,
    at: Instant,
    file: &Path,
    checker: &mut Checker,
    summary: &mut Summary,
    bar: &Bar,
) -> Result<(), Failure> {
    for fact in Facts::new(input::open(file)?, at, checker) {
        bar.add(Stage::Checking, 1);
        match fact {
            Ok(Entry::Feature(_)) => {}
            Ok(Entry::Subject(subject)) => {
                summary.subjects += 1;
                summary.entitlements += subject.entitlements.len() as u64;
            }
            Err(ReadError::Io(error)) => return Err(Failure::io(file, &error)),
            Err(ReadError::Refused(problem)) if summary.problems < args.max_problems => {
                summary.problems += 1;
                bar.clear();
                show(file, &problem, json);
            }
            Err(ReadError::Refused(_)) => {
                summary.problems += 1;
                return Ok(());
            }
        }
    }
    Ok(())
}

fn show(file: &Path, problem: &Problem, json: bool) {
    if json {
        let mut line = serde_json::json!(problem);
        if let Some(object) = line.as_object_mut() {
            object.insert("file".into(), file.display().to_string().into());
        }
        eprintln!("{}", serde_json::json!({ "problem": line }));
    } else {
        eprintln!("{}: {problem}", file.display());
    }
}

fn print(summary: &Summary, features: usize, json: bool) {
    let Summary { subjects, entitlements, problems } = summary;
    if json {
        let counts = serde_json::json!({
            "valid": *problems == 0, "features": features, "subjects": subjects,
            "entitlements": entitlements, "problems": problems,
        });
        say!("{counts}");
    } else {
        say!(
            "{features} features, {subjects} subjects, {entitlements} entitlements, \
             {problems} problems"
        );
    }
}
