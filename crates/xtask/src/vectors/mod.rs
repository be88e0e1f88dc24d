//! The conformance cases: every one is asked of the engine, natively or as it is shipped.

mod native;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use edgegrant_testkit::answer::Answer;
use edgegrant_testkit::case::{self, Asked, Case};
use edgegrant_testkit::compare::{self, Mismatch, Rule};
use edgegrant_testkit::line::{self, Way};
use edgegrant_testkit::published::Published;
use edgegrant_testkit::question::Question;

use report::Report;

/// Which cases, and who answers them.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Files of cases, plain or `.gz`.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Whoever answers.
trait Host {
    /// Everything a case asks, from the whole ledger where there is one.
    fn answers(&mut self, case: &Case) -> Vec<Result<Answer>>;

    /// What a gate says that has loaded the snapshot, by visit.
    fn visits(&mut self, snapshot: &Published, visits: &[Visit<'_>])
    -> Result<Vec<Result<Answer>>>;
}

/// A question to a gate about the subject of its own.
struct Visit<'a> {
    /// The place of the case in its file.
    case: usize,
    asked: &'a Asked,
    way: Way,
    publication: line::Publication,
}

/// Runs the cases, prints failures and counts, and exits with 1 when any fails.
pub(crate) fn run(options: &Options) -> ExitCode {
    let mut report = Report::default();
    for file in &options.files {
        if let Err(error) = run_file(file, &mut native::Native, &mut report) {
            report.file_failed(file, &error);
        }
    }
    report.print();
    if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_file(file: &Path, host: &mut dyn Host, report: &mut Report) -> Result<()> {
    let cases = case::read(file)?;
    let mut found: Vec<Vec<Mismatch>> = cases.iter().map(|case| answered(case, host)).collect();
    let visits = visits(&cases, &mut found);
    let records = visits.iter().map(|visit| Some(visit.publication.entitlement.clone()));
    let snapshot = line::publish(records.collect())?;
    let answers = host.visits(&snapshot, &visits)?;
    for (visit, answer) in visits.iter().zip(answers) {
        let rule = Rule::FLOATS.without_segments();
        let mismatches = compared(visit.asked, rule, answer);
        let named = mismatches.into_iter().map(|mismatch| by(visit.way, mismatch));
        if let Some(found) = found.get_mut(visit.case) {
            found.extend(named);
        }
    }
    for (case, found) in cases.iter().zip(found) {
        report.add(case, &found);
    }
    Ok(())
}

fn answered(case: &Case, host: &mut dyn Host) -> Vec<Mismatch> {
    if case.skip.is_some() {
        return Vec::new();
    }
    let answers = case.asked.iter().zip(host.answers(case));
    answers.flat_map(|(asked, answer)| compared(asked, Rule::FLOATS, answer)).collect()
}

fn compared(asked: &Asked, rule: Rule, answer: Result<Answer>) -> Vec<Mismatch> {
    match answer {
        Ok(answer) => compare::compare(asked, rule, &answer),
        Err(error) => vec![refused(asked, &format!("{error:#}"))],
    }
}

fn refused(asked: &Asked, error: &str) -> Mismatch {
    let expected = "an answer".to_owned();
    Mismatch { field: asked.place.clone(), expected, got: error.to_owned() }
}

fn by(way: Way, mismatch: Mismatch) -> Mismatch {
    Mismatch { field: format!("{} {way}", mismatch.field), ..mismatch }
}

/// Each value of each ledger, by every way to a gate.
fn visits<'a>(cases: &'a [Case], found: &mut [Vec<Mismatch>]) -> Vec<Visit<'a>> {
    let mut visits = Vec::new();
    for ((place, case), found) in cases.iter().enumerate().zip(found) {
        for asked in &case.asked {
            let Question::Value { ledger, at } = &asked.question else { continue };
            for way in Way::ALL {
                match line::publication(ledger, *at, way) {
                    Ok(publication) => visits.push(Visit { case: place, asked, way, publication }),
                    Err(error) => found.push(by(way, refused(asked, &error.to_string()))),
                }
            }
        }
    }
    visits
}
