//! Everything that is listed, and whose it is.

use std::collections::HashMap;

use edgegrant::model::{Config, Record, Subject};
use edgegrant::time::Timestamp;
use serde::de::DeserializeOwned;

use super::SYSTEM;
use super::wire::{Customer, Entitlement, Feature, Grant, Json};
use crate::compat::facts::{Facts, records, typed};
use crate::facts;
use crate::failure::Failure;

/// The records of all subjects and features.
#[derive(Debug, Default)]
pub(in crate::compat) struct Shelf {
    /// In the order of the subjects.
    pub(super) owners: Vec<Owner>,
    pub(super) entitlements: Vec<Listed<Entitlement>>,
    pub(super) grants: Vec<Listed<Grant>>,
    pub(super) features: Vec<Listed<Feature>>,
    /// Where entitlements are, by their ids.
    places: HashMap<String, usize>,
}

/// A record, and the place of the subject that it is about.
#[derive(Debug)]
pub(super) struct Listed<T> {
    pub(super) owner: usize,
    pub(super) record: T,
    json: Config,
}

/// What is known of whoever is entitled.
#[derive(Debug, Default)]
pub(super) struct Owner {
    /// The subject of the facts.
    pub(super) subject: String,
    /// The customer's id and key, where they are said.
    pub(super) id: Option<String>,
    pub(super) key: Option<String>,
    /// Whose usage counts, where it is said.
    pub(super) subject_keys: Option<Vec<String>>,
    pub(super) deleted_at: Option<Timestamp>,
    /// Whether anything of it is of this system.
    pub(super) is_ours: bool,
}

impl Shelf {
    /// Gathers the records.
    pub(in crate::compat) fn new(facts: &Facts) -> Result<Self, Failure> {
        let mut shelf = Self::default();
        for feature in facts.features() {
            for record in records(&feature.records, SYSTEM, "feature") {
                shelf.features.push(Listed::new(0, record)?);
            }
        }
        for (place, subject) in facts.subjects().iter().enumerate() {
            shelf.owners.push(Owner::new(subject)?);
            for record in records(&subject.records, SYSTEM, "entitlement") {
                shelf.add(Listed::new(place, record)?);
            }
            for record in records(&subject.records, SYSTEM, "grant") {
                shelf.grants.push(Listed::new(place, record)?);
            }
        }
        Ok(shelf)
    }

    /// Entitlements say who has them where no customer is listed.
    fn add(&mut self, listed: Listed<Entitlement>) {
        if let Some(owner) = self.owners.get_mut(listed.owner) {
            owner.learn(&listed.record);
        }
        self.places.insert(listed.record.id.clone(), self.entitlements.len());
        self.entitlements.push(listed);
    }

    /// The entitlements of an owner.
    pub(super) fn entitlements_of(&self, owner: usize) -> &[Listed<Entitlement>] {
        of(&self.entitlements, owner)
    }

    /// The grants of an owner.
    pub(super) fn grants_of(&self, owner: usize) -> &[Listed<Grant>] {
        of(&self.grants, owner)
    }

    pub(super) fn owner<T>(&self, listed: &Listed<T>) -> Option<&Owner> {
        self.owners.get(listed.owner)
    }

    /// The entitlement with an id.
    pub(super) fn entitlement(&self, id: &str) -> Option<&Listed<Entitlement>> {
        self.entitlements.get(*self.places.get(id)?)
    }

    /// Whether an entitlement or whoever has it is deleted.
    pub(super) fn is_deleted(&self, listed: &Listed<Entitlement>, at: Timestamp) -> bool {
        let ends = [listed.record.deleted_at, self.owner(listed).and_then(|o| o.deleted_at)];
        ends.into_iter().flatten().any(|end| end <= at)
    }
}

/// Whether a subject has, also in the snapshot, the entitlement with an id.
pub(super) fn has(subject: &Subject, id: &str) -> bool {
    let mut sources = subject.entitlements.iter().filter_map(|given| given.source.as_ref());
    sources.any(|source| source.system == SYSTEM && source.id == id)
}

/// Those of an owner stand together.
fn of<T>(listed: &[Listed<T>], owner: usize) -> &[Listed<T>] {
    let start = listed.partition_point(|listed| listed.owner < owner);
    let end = listed.partition_point(|listed| listed.owner <= owner);
    listed.get(start..end).unwrap_or_default()
}

impl<T: DeserializeOwned> Listed<T> {
    fn new(owner: usize, record: &Record) -> Result<Self, Failure> {
        Ok(Self { owner, record: typed(record)?, json: record.json.clone() })
    }
}

impl<T> Listed<T> {
    /// All that the record says.
    pub(super) fn json(&self) -> Json {
        facts::typed(self.json.as_str()).unwrap_or_default()
    }
}

impl Owner {
    fn new(subject: &Subject) -> Result<Self, Failure> {
        let mut sources = subject.entitlements.iter().filter_map(|given| given.source.as_ref());
        let is_ours = subject.source.as_ref().is_some_and(|source| source.system == SYSTEM)
            || sources.any(|source| source.system == SYSTEM);
        let owner = Self { subject: subject.subject.clone(), is_ours, ..Self::default() };
        let Some(record) = records(&subject.records, SYSTEM, "customer").next() else {
            return Ok(owner);
        };
        let Customer { id, key, usage_attribution, deleted_at } = typed(record)?;
        let keys = usage_attribution.map(|usage| usage.subject_keys).unwrap_or_default();
        Ok(Self { id: Some(id), key, subject_keys: Some(keys), deleted_at, is_ours: true, ..owner })
    }

    fn learn(&mut self, given: &Entitlement) {
        self.is_ours = true;
        self.id = self.id.take().or_else(|| given.customer_id.clone());
        self.key = self.key.take().or_else(|| given.customer_key.clone());
        let keys = || given.subject_key.as_ref().map(|key| vec![key.clone()]);
        self.subject_keys = self.subject_keys.take().or_else(keys);
    }

    /// Whether a name is the customer's id or key, as far as they are said.
    pub(super) fn is_customer(&self, name: &str) -> bool {
        let is_said = self.id.is_some() || self.key.is_some();
        !is_said || self.id.as_deref() == Some(name) || self.key.as_deref() == Some(name)
    }

    /// The subjects whose usage is the customer's: its key counts beside the subjects named.
    pub(super) fn subject_names(&self) -> impl Iterator<Item = &str> {
        self.key.iter().chain(self.subject_keys.iter().flatten()).map(String::as_str)
    }
}
