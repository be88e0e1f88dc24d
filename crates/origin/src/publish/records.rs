//! Facts as the records that a snapshot is made from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use edgegrant::Instant;
use edgegrant::engine::program::{Program, Rule};
use edgegrant::snapshot::{FeatureRecord, SubjectRecord};

use crate::facts::{Checker, Entry, Facts, ReadError};
use crate::failure::Failure;
use crate::input;

/// Everything that is encoded.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) features: Vec<FeatureRecord>,
    pub(super) subjects: Vec<SubjectRecord>,
    /// How many programs know usage up to an instant.
    as_of: HashMap<Instant, u64>,
}

impl Records {
    /// Reads files of facts that belong together; the first problem refuses them all.
    pub(super) fn read(files: &[PathBuf], publish_at: Instant) -> Result<Self, Failure> {
        let mut checker = Checker::default();
        let mut records = Self::default();
        for file in files {
            for entry in Facts::new(input::open(file)?, publish_at, &mut checker) {
                match entry.map_err(|error| refused(file, error))? {
                    Entry::Feature(feature) => records.features.push(feature),
                    Entry::Subject(subject) => records.add(subject),
                }
            }
        }
        Ok(records)
    }

    fn add(&mut self, subject: SubjectRecord) {
        let programs = subject.entitlements.iter().map(|given| &given.program);
        for as_of in programs.filter_map(usage_as_of) {
            *self.as_of.entry(as_of).or_default() += 1;
        }
        self.subjects.push(subject);
    }

    /// The instant that the head states: that of most programs, which then need not say it.
    pub(super) fn usage_as_of(&self, now: Instant) -> Instant {
        let most = self.as_of.iter().max_by_key(|(instant, count)| (**count, **instant));
        most.map_or(now, |(instant, _)| *instant)
    }
}

fn usage_as_of(program: &Program) -> Option<Instant> {
    match &program.rule {
        Rule::Metered(metered) => Some(metered.usage_as_of),
        Rule::Boolean | Rule::Static => None,
    }
}

fn refused(file: &Path, error: ReadError) -> Failure {
    match error {
        ReadError::Io(error) => Failure::io(file, &error),
        ReadError::Refused(problem) => {
            let place = if problem.path.is_empty() { "" } else { ": " };
            let message = format!(
                "{}: line {}{place}{}: {}",
                file.display(),
                problem.line,
                problem.path,
                problem.message
            );
            Failure::bad_input(problem.code, message)
        }
    }
}
