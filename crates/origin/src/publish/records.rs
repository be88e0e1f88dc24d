//! Facts as the records that a snapshot is made from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use edgegrant::Instant;
use edgegrant::engine::Compiled;
use edgegrant::engine::program::{Program, Rule};
use edgegrant::model::{self, Feature, Subject};
use edgegrant::snapshot::{EntitlementRecord, FeatureRecord, SubjectRecord, WhenExpired};

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
                    Entry::Feature(feature) => records.features.push(feature_record(feature)),
                    Entry::Subject(subject, programs) => records.add(subject, programs),
                }
            }
        }
        Ok(records)
    }

    fn add(&mut self, subject: Subject, programs: Vec<Compiled>) {
        let mut entitlements = Vec::with_capacity(programs.len());
        for (given, compiled) in subject.entitlements.into_iter().zip(programs) {
            if let Some(as_of) = usage_as_of(&compiled.program) {
                *self.as_of.entry(as_of).or_default() += 1;
            }
            entitlements.push(EntitlementRecord {
                feature: given.feature,
                program: compiled.program,
                config: given.config.map(|config| config.as_str().to_owned()),
                grant_ids: compiled.grant_ids,
                steady: compiled.steady,
            });
        }
        let Subject { subject: id, aliases, .. } = subject;
        self.subjects.push(SubjectRecord { id, aliases, entitlements });
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

fn feature_record(feature: Feature) -> FeatureRecord {
    let when_expired = match feature.when_expired.unwrap_or_default() {
        model::WhenExpired::LastKnown => WhenExpired::LastKnown,
        model::WhenExpired::Closed => WhenExpired::Closed,
        model::WhenExpired::Open => WhenExpired::Open,
    };
    FeatureRecord { key: feature.feature, unit: feature.unit, when_expired }
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
