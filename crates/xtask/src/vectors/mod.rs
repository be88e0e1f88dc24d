//! The conformance cases: every one is asked of the engine, natively or as it is shipped.

mod native;
mod report;
mod visit;
mod wasm;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use edgegrant_testkit::answer::Answer;
use edgegrant_testkit::case::{self, Asked, Case};
use edgegrant_testkit::compare::{self, Mismatch, Rule};
use edgegrant_testkit::line;
use edgegrant_testkit::published::Published;

use native::Native;
use report::Report;
use visit::{Visit, visits};
use wasm::Wasm;

/// Which cases, and who answers them.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Ask the packed npm package, and of what it does not export a wasm for tests.
    #[arg(long)]
    wasm: bool,
    /// Files of cases, plain or `.gz`.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Whoever answers.
trait Host {
    /// Everything that each case of a file asks, for those that are asked of the engine.
    fn answers(&mut self, file: &Path, cases: &[Case]) -> Result<Vec<Vec<Result<Answer>>>>;

    /// What a gate says that has loaded the snapshot, by visit.
    fn visits(&mut self, snapshot: &Published, visits: &[Visit<'_>])
    -> Result<Vec<Result<Answer>>>;
}

/// Runs the cases, prints failures and counts, and exits with 1 when any fails.
pub(crate) fn run(options: &Options) -> ExitCode {
    let mut report = Report::default();
    match host(options) {
        Ok(mut host) => {
            for file in &options.files {
                if let Err(error) = run_file(file, host.as_mut(), &mut report) {
                    report.file_failed(file, &error);
                }
            }
        }
        Err(error) => report.file_failed(Path::new("the wasm"), &error),
    }
    report.print();
    if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn host(options: &Options) -> Result<Box<dyn Host>> {
    if options.wasm { Ok(Box::new(Wasm::build()?)) } else { Ok(Box::new(Native)) }
}

fn run_file(file: &Path, host: &mut dyn Host, report: &mut Report) -> Result<()> {
    let cases = case::read(file)?;
    let mut found: Vec<Vec<Mismatch>> = vec![Vec::new(); cases.len()];
    let mut unanswered: BTreeSet<(usize, &str)> = BTreeSet::new();
    for (index, case) in cases.iter().enumerate().filter(|(_, case)| case.skip.is_none()) {
        unanswered.extend(case.asked.iter().map(|asked| (index, asked.place.as_str())));
    }
    let answers = host.answers(file, &cases)?;
    for (index, ((case, answers), found)) in cases.iter().zip(answers).zip(&mut found).enumerate() {
        for (asked, answer) in case.asked.iter().zip(answers) {
            found.extend(compared(asked, Rule::FLOATS, answer));
            unanswered.remove(&(index, asked.place.as_str()));
        }
    }
    let visits = visits(&cases, &mut found);
    let records = visits.iter().map(|visit| visit.publication.entitlement.clone());
    let snapshot = line::publish(records.collect())?;
    let answers = host.visits(&snapshot, &visits)?;
    for (visit, answer) in visits.iter().zip(answers) {
        let mismatches = compared(visit.asked, Rule::FLOATS.without_segments(), answer);
        unanswered.remove(&(visit.case, visit.asked.place.as_str()));
        if let Some(found) = found.get_mut(visit.case) {
            found.extend(mismatches.into_iter().map(|mismatch| visit.by_its_way(mismatch)));
        }
    }
    if !unanswered.is_empty() {
        bail!("{}: {} questions were not answered", file.display(), unanswered.len());
    }
    for (case, found) in cases.iter().zip(found) {
        report.add(case, &found);
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(expected: &str) -> Result<(u64, String)> {
        let text = format!(
            r#"{{"cases": [{{"id": "p1", "kind": "grant.activeAt", "input":
                {{"effectiveAt": "2024-06-01T12:00:00Z", "at": "2024-06-01T12:00:00Z"}},
                "expected": {{"active": {expected}}}}}]}}"#
        );
        let folder = std::env::temp_dir().join(format!("edgegrant-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{expected}.json"));
        std::fs::write(&file, text)?;
        let mut report = Report::default();
        run_file(&file, &mut Native, &mut report)?;
        std::fs::remove_file(&file)?;
        Ok((report.failed(), report.summary()))
    }

    #[test]
    fn a_wrong_answer_is_a_failure() -> Result<()> {
        assert_eq!(outcome("true")?, (0, "1 passed, 0 failed".to_owned()));
        assert_eq!(outcome("false")?, (1, "0 passed, 1 failed".to_owned()));
        Ok(())
    }
}
