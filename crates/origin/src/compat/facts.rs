//! The facts beside a snapshot.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use edgegrant::model::{Fact, Feature, Record, Source, Subject};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;
use crate::merge::Merge;
use crate::{facts, input};

/// Features by key, and everybody whom facts are about, with where to find them by any of their
/// names.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    features: BTreeMap<String, Feature>,
    subjects: Vec<Subject>,
    names: HashMap<String, usize>,
    digest: [u8; 32],
}

impl Facts {
    /// Reads files, whose subjects are one where they share a name.
    pub(crate) fn read(files: &[PathBuf]) -> Result<Self, Failure> {
        let mut merge = Merge::default();
        for file in files {
            merge.add(&file.display().to_string(), input::open(file)?)?;
        }
        let mut all = Self::default();
        let mut hash = Sha256::new();
        for fact in merge.into_facts() {
            hash.update(serde_json::to_vec(&fact).unwrap_or_default());
            match fact {
                Fact::Feature(feature) => {
                    all.features.insert(feature.feature.clone(), feature);
                }
                Fact::Subject(subject) => all.add(subject),
            }
        }
        all.digest = hash.finalize().into();
        Ok(all)
    }

    fn add(&mut self, subject: Subject) {
        let place = self.subjects.len();
        let names = std::iter::once(&subject.subject).chain(&subject.aliases);
        self.names.extend(names.map(|name| (name.clone(), place)));
        self.subjects.push(subject);
    }

    /// The subject with an id or alias.
    pub(crate) fn subject(&self, name: &str) -> Option<&Subject> {
        self.subjects.get(self.place(name)?)
    }

    /// Where among the subjects the one with an id or alias is.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// Tells facts apart: with the snapshot's roots, what a token of a list of records is good for.
    pub(crate) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The attributes of a feature, if it is known.
    pub(crate) fn attributes(&self, feature: &str) -> Option<&BTreeMap<String, String>> {
        let known = &self.features.get(feature)?.attributes;
        Some(known).filter(|known| !known.is_empty())
    }

    /// All features, by key.
    pub(crate) fn features(&self) -> impl Iterator<Item = &Feature> {
        self.features.values()
    }

    /// All subjects, by id.
    pub(crate) fn subjects(&self) -> &[Subject] {
        &self.subjects
    }
}

/// Whether a system says anything of a subject, which may be that of another one too.
pub(crate) fn is_of(subject: &Subject, system: &str) -> bool {
    let is = |source: &Option<Source>| source.as_ref().is_some_and(|one| one.system == system);
    is(&subject.source)
        || subject.entitlements.iter().any(|given| is(&given.source))
        || subject.records.iter().any(|record| record.system == system)
}

/// The records of a kind among those of a system, in the order in which they came.
pub(crate) fn records<'a>(
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
pub(crate) fn typed<T: DeserializeOwned>(record: &Record) -> Result<T, Failure> {
    facts::typed(record.json.as_str()).map_err(|problem| {
        let Record { system, kind, .. } = record;
        let message =
            format!("a record `{kind}` of {system}: {}: {}", problem.path, problem.message);
        Failure::bad_input(problem.code, message)
    })
}
