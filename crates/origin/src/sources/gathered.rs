//! Facts while an importer gathers them.

use std::collections::BTreeMap;

use edgegrant::model::{Entitlement, Fact, Feature, Subject};

/// Features by key, and subjects by id.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    features: BTreeMap<String, Feature>,
    subjects: BTreeMap<String, Subject>,
}

impl Gathered {
    /// The feature with a key, declared when it is first met.
    pub(super) fn feature(&mut self, key: &str) -> &mut Feature {
        self.features.entry(key.to_owned()).or_insert_with(|| Feature::new(key))
    }

    /// The subject with an id, made when it is first met.
    pub(super) fn subject(&mut self, id: &str) -> &mut Subject {
        self.subjects.entry(id.to_owned()).or_insert_with(|| Subject::new(id))
    }

    /// Gives a subject an entitlement, and declares its feature.
    pub(super) fn entitle(&mut self, subject: &str, entitlement: Entitlement) {
        self.feature(&entitlement.feature);
        self.subject(subject).entitlements.push(entitlement);
    }

    /// All facts, features first.
    pub(super) fn into_facts(self) -> impl Iterator<Item = Fact> + use<> {
        let features = self.features.into_values().map(Fact::Feature);
        features.chain(self.subjects.into_values().map(Fact::Subject))
    }
}
