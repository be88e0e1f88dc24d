//! Customers as subjects: one id each, everything else that names them as aliases.

use std::collections::{HashMap, HashSet};

use edgegrant::model::{Record, Source, Subject};
use edgegrant::time::Timestamp;

use super::SYSTEM;
use super::wire::{Customer, Entitlement};
use crate::sources::Notes;
use crate::sources::listed::Item;

/// Subjects in the order of the export, found by any of their names.
#[derive(Debug, Default)]
pub(super) struct Owners {
    owners: Vec<Owner>,
    by_name: HashMap<String, usize>,
    /// Whether the export lists customers, so that an unlisted one is no customer.
    listed: bool,
}

/// A customer, or a subject of version 1.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) subject: Subject,
    pub(super) deleted_at: Option<Timestamp>,
}

impl Owners {
    pub(super) fn new(customers: Option<Vec<Item<Customer>>>, notes: &mut Notes) -> Self {
        let mut owners = Self { listed: customers.is_some(), ..Self::default() };
        let mut seen = HashSet::new();
        let mut customers = customers.unwrap_or_default();
        // Pages have no snapshot isolation: the same customer may stand on two of them.
        customers.retain(|customer| seen.insert(customer.value.id.clone()));
        // Keys and ids first, so that no usage key takes a name that is somebody's own.
        for customer in &customers {
            let Customer { id, key, deleted_at, .. } = &customer.value;
            let index = owners.add(id.clone(), key.clone(), *deleted_at);
            owners.keep(index, customer.record(SYSTEM, "customer", None));
        }
        for (index, customer) in customers.iter().enumerate() {
            let keys =
                customer.value.usage_attribution.iter().flat_map(|usage| &usage.subject_keys);
            for key in keys {
                if !owners.name(index, key) {
                    notes.warn(format!("customer {}", index + 1), ALIAS_TAKEN);
                }
            }
        }
        owners
    }

    /// A subject that is known by its key if it has one, and by its id also.
    fn add(&mut self, id: String, key: Option<String>, deleted_at: Option<Timestamp>) -> usize {
        let index = self.owners.len();
        let key = key.filter(|key| !key.is_empty() && !self.by_name.contains_key(key));
        let subject = Subject {
            source: Some(Source { system: SYSTEM.into(), id: id.clone() }),
            ..Subject::new(key.clone().unwrap_or_else(|| id.clone()))
        };
        self.by_name.insert(subject.subject.clone(), index);
        self.owners.push(Owner { subject, deleted_at });
        if key.is_some() {
            self.name(index, &id);
        }
        index
    }

    /// Adds what the server said of a subject.
    pub(super) fn keep(&mut self, index: usize, record: Record) {
        if let Some(owner) = self.owners.get_mut(index) {
            owner.subject.records.push(record);
        }
    }

    /// Gives a subject another name; false when somebody else has it.
    fn name(&mut self, index: usize, name: &str) -> bool {
        if let Some(owner) = self.by_name.get(name) {
            return *owner == index;
        }
        if let Some(owner) = self.owners.get_mut(index) {
            owner.subject.aliases.push(name.to_owned());
        }
        self.by_name.insert(name.to_owned(), index);
        true
    }

    /// Whose a name is.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Whose an entitlement is. Without a list of customers it introduces its own.
    pub(super) fn of(&mut self, entitlement: &Entitlement) -> Option<usize> {
        let Entitlement { customer_id: id, customer_key: key, subject_key, .. } = entitlement;
        let names = [id.as_deref(), key.as_deref(), subject_key.as_deref()];
        if let Some(index) = names.iter().flatten().find_map(|name| self.find(name)) {
            return Some(index);
        }
        if self.listed && !entitlement.is_v1() {
            return None;
        }
        let name = key.clone().or_else(|| subject_key.clone());
        let id = id.clone().or_else(|| name.clone())?;
        Some(self.add(id.clone(), name.filter(|name| *name != id), None))
    }

    pub(super) fn get(&self, index: usize) -> Option<&Owner> {
        self.owners.get(index)
    }

    pub(super) fn into_subjects(self) -> impl Iterator<Item = Subject> {
        self.owners.into_iter().map(|owner| owner.subject)
    }
}

const ALIAS_TAKEN: super::Reason = (
    "alias-taken",
    "a usage attribution key of the customer already names another; it is left out",
);
