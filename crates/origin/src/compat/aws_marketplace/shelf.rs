//! Everything that is listed, in the order of the facts.

use std::collections::{BTreeMap, HashMap};

use edgegrant::Amount;
use edgegrant::engine::{GrantAccount, GrantState};
use edgegrant::gate::{Explained, Kind, Reason};
use edgegrant::time::Timestamp;
use serde::Deserialize;

use super::SYSTEM;
use super::wire::{Entitlement, Value};
use crate::compat::facts::{Facts, records, typed};
use crate::compat::present::{Present, is_gone};
use crate::compat::world::Unavailable;
use crate::failure::Failure;

/// Records, and where those of a product or a customer are.
#[derive(Debug, Default)]
pub(in crate::compat) struct Shelf {
    listed: Vec<Listed>,
    products: BTreeMap<String, Vec<usize>>,
    /// By identifier and by account.
    customers: HashMap<String, Vec<usize>>,
}

/// One record, and which decision it stands behind.
#[derive(Debug)]
pub(super) struct Listed {
    subject: String,
    feature: String,
    pub(super) record: Entitlement,
}

impl Shelf {
    /// Gathers the records of all subjects.
    pub(in crate::compat) fn new(facts: &Facts) -> Result<Self, Failure> {
        let mut shelf = Self::default();
        for subject in facts.subjects() {
            for record in records(&subject.records, SYSTEM, "entitlement") {
                let Some(feature) = record.feature.clone() else { continue };
                let record = typed(record)?;
                shelf.add(Listed { subject: subject.subject.clone(), feature, record });
            }
        }
        Ok(shelf)
    }

    fn add(&mut self, listed: Listed) {
        let place = self.listed.len();
        let Entitlement { product_code, customer_identifier, account, .. } = &listed.record;
        self.products.entry(product_code.clone()).or_default().push(place);
        for name in [customer_identifier, account].into_iter().flatten() {
            let places = self.customers.entry(name.clone()).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
        self.listed.push(listed);
    }

    /// The places of what a product or some customers have, in order.
    pub(super) fn places(&self, product: &str, customers: Option<&[String]>) -> Vec<usize> {
        let of = |places: Option<&Vec<usize>>| places.cloned().unwrap_or_default();
        let Some(customers) = customers else { return of(self.products.get(product)) };
        let mut places: Vec<usize> =
            customers.iter().flat_map(|name| of(self.customers.get(name))).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    pub(super) fn at(&self, place: usize) -> Option<&Listed> {
        self.listed.get(place)
    }
}

impl Listed {
    /// The record with the value that the snapshot has for it now; nothing once it has ended.
    pub(super) fn now(&self, present: &Present) -> Result<Option<Entitlement>, Unavailable> {
        let explained = present.explain(&self.subject, &self.feature)?;
        let value = match explained.answer.reason {
            reason if is_gone(reason) => None,
            // A denial is listed as such; whoever is suspended otherwise has nothing.
            Reason::Suspended => {
                (self.record.value.boolean_value == Some(false)).then(|| self.record.value.clone())
            }
            _ => self.value(&explained, present),
        };
        Ok(value.map(|value| Entitlement { value, ..self.record.clone() }))
    }

    fn value(&self, explained: &Explained, present: &Present) -> Option<Value> {
        let value = self.record.value.clone();
        match explained.answer.kind {
            Some(Kind::Metered) => {
                let amount = self.amount(explained)?;
                Some(if explained.answer.usage_known == Some(false) {
                    value.with_number(amount)
                } else {
                    value
                })
            }
            Some(Kind::Static) => self.text(explained.answer.config.as_deref()?, present),
            _ => Some(value),
        }
    }

    /// What the grant of the agreement is about, while it counts.
    fn amount(&self, explained: &Explained) -> Option<Amount> {
        let grants = &explained.explanation.as_ref()?.grants;
        let id = |grant: &GrantAccount| explained.grant_ids.get(grant.index);
        let counts = |grant: &&GrantAccount| {
            matches!(grant.state, GrantState::Active | GrantState::Exhausted)
        };
        let mut counting = grants.iter().filter(counts);
        let found = match &self.record.license_arn {
            Some(license) => counting.find(|grant| id(grant) == Some(license)),
            None => counting.find(|grant| {
                id(grant).is_some_and(|id| id.starts_with("agreement-"))
                    && self.record.value.number() == Some(grant.balance)
            }),
        };
        found.map(|grant| grant.balance)
    }

    /// What the agreement says, until it ends.
    fn text(&self, config: &str, present: &Present) -> Option<Value> {
        let Ok(Agreements { agreements }) = serde_json::from_str(config) else {
            return Some(self.record.value.clone());
        };
        let now = Timestamp::from(present.now());
        let own = |agreement: &Agreement| {
            agreement.license == self.record.license_arn
                && agreement.until.is_none_or(|until| until > now)
        };
        let said = agreements.into_iter().find(own)?;
        Some(Value { string_value: Some(said.value), ..Value::default() })
    }
}

/// What the import put into the config of a static entitlement.
#[derive(Deserialize)]
struct Agreements {
    agreements: Vec<Agreement>,
}

#[derive(Deserialize)]
struct Agreement {
    value: String,
    license: Option<String>,
    until: Option<Timestamp>,
}
