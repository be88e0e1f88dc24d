//! The facts beside a snapshot.

use std::path::PathBuf;

use edgegrant::model::{Fact, Record, Subject};
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::merge::Merge;
use crate::{facts, input};

/// Everybody whom facts are about.
#[derive(Debug, Default)]
pub(super) struct Facts {
    subjects: Vec<Subject>,
}

impl Facts {
    /// Reads files, whose subjects are one where they share a name.
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, Failure> {
        let mut merge = Merge::default();
        for file in files {
            merge.add(&file.display().to_string(), input::open(file)?)?;
        }
        let subjects = merge.into_facts().filter_map(|fact| match fact {
            Fact::Subject(subject) => Some(subject),
            Fact::Feature(_) => None,
        });
        Ok(Self { subjects: subjects.collect() })
    }

    /// All subjects, by id.
    pub(super) fn subjects(&self) -> &[Subject] {
        &self.subjects
    }
}

/// The records of a kind among those of a system, in the order in which they came.
pub(super) fn records<'a>(
    records: &'a [Record],
    system: &str,
    kind: &str,
) -> impl Iterator<Item = &'a Record> {
    records.iter().filter(move |record| record.system == system && record.kind == kind)
}

/// A record as what it should be.
///
/// # Errors
/// The code of the field that is wrong. The record is named by its kind, not by whom it is about.
pub(super) fn typed<T: DeserializeOwned>(record: &Record) -> Result<T, Failure> {
    facts::typed(record.json.as_str()).map_err(|problem| {
        let Record { system, kind, .. } = record;
        let message =
            format!("a record `{kind}` of {system}: {}: {}", problem.path, problem.message);
        Failure::bad_input(problem.code, message)
    })
}
