//! All agreements of a buyer about one dimension, as one entitlement.

use edgegrant::model::{Config, Entitlement, EntitlementType, Grant, Status, Usage, UsageKind};
use edgegrant::time::Timestamp;
use edgegrant::{Amount, Instant};
use serde::Serialize;

use super::wire::{self, Said};
use super::{Ends, Notes, Reason};

/// The agreements, in the order listed.
#[derive(Debug, Default)]
pub(super) struct Group {
    agreements: Vec<Agreement>,
}

/// What one agreement says.
#[derive(Debug)]
pub(super) struct Agreement {
    place: String,
    license: Option<String>,
    said: Option<Said>,
    /// The date as it came.
    expires: Option<Timestamp>,
    /// The end that is enforced.
    ends: Option<Timestamp>,
}

impl Agreement {
    pub(super) fn new(
        place: String,
        entitlement: wire::Entitlement,
        ends: &Ends,
        notes: &mut Notes,
    ) -> Self {
        let expires = entitlement.expiration_date.map(|date| date.0);
        let ends = ends.of(expires, &place, notes);
        let said = entitlement.value.said();
        Self { license: entitlement.license_arn, said, expires, ends, place }
    }

    /// Orders what ends first before what ends later and what never ends.
    fn order(&self) -> (bool, Option<Timestamp>, Option<&str>) {
        (self.expires.is_none(), self.expires, self.license.as_deref())
    }
}

impl Group {
    pub(super) fn add(&mut self, agreement: Agreement) {
        self.agreements.push(agreement);
    }

    /// One entitlement of the type that all agreements have; without one, a note says why.
    pub(super) fn into_entitlement(mut self, key: &str, notes: &mut Notes) -> Option<Entitlement> {
        self.agreements.sort_by(|one, other| one.order().cmp(&other.order()));
        let Some(kind) = self.kind() else {
            let last = self.agreements.last()?;
            notes.error(&last.place, VALUES_MIXED);
            return None;
        };
        let mut target = Entitlement::new(key, kind);
        match kind {
            EntitlementType::Boolean => self.fill_boolean(&mut target, notes),
            EntitlementType::Static => self.fill_static(&mut target, notes),
            EntitlementType::Metered => self.fill_metered(&mut target, notes),
        }
        Some(target)
    }

    fn kind(&self) -> Option<EntitlementType> {
        let kind = |agreement: &Agreement| match agreement.said.as_ref()? {
            Said::Boolean(_) | Said::Nothing => Some(EntitlementType::Boolean),
            Said::Text(_) => Some(EntitlementType::Static),
            Said::Number(_) => Some(EntitlementType::Metered),
        };
        let first = kind(self.agreements.first()?)?;
        self.agreements.iter().all(|agreement| kind(agreement) == Some(first)).then_some(first)
    }

    /// The end of the last of them; none where one never ends.
    fn end<'a>(agreements: impl Iterator<Item = &'a Agreement>) -> Option<Timestamp> {
        let ends: Option<Vec<_>> = agreements.map(|agreement| agreement.ends).collect();
        ends?.into_iter().max()
    }

    /// One agreement that allows is enough.
    fn fill_boolean(&self, target: &mut Entitlement, notes: &mut Notes) {
        let allows = |agreement: &&Agreement| agreement.said != Some(Said::Boolean(false));
        for agreement in &self.agreements {
            if agreement.said == Some(Said::Nothing) {
                notes.warn(&agreement.place, VALUE_MISSING);
                target.attributes.insert("flag".into(), VALUE_MISSING.0.into());
            }
        }
        target.active_to = Self::end(self.agreements.iter().filter(allows));
        if !self.agreements.iter().any(|agreement| allows(&agreement)) {
            target.status = Status::Suspended;
            target.active_to = None;
        }
    }

    /// The agreement that lasts longest decides; the config tells of all.
    fn fill_static(&self, target: &mut Entitlement, notes: &mut Notes) {
        let told = |agreement: &Agreement| {
            let Some(Said::Text(value)) = agreement.said.clone() else { return None };
            let until = agreement.ends.map(|end| end.to_string());
            Some(Told { value, license: agreement.license.clone(), until })
        };
        let agreements: Vec<Told> = self.agreements.iter().rev().filter_map(told).collect();
        let value = agreements.first().map(|told| told.value.clone()).unwrap_or_default();
        let json = serde_json::json!({ "value": value, "agreements": agreements });
        match Config::parse(&json.to_string()) {
            Ok(config) => target.config = Some(config),
            Err(error) => notes.error(&target.feature, (error.code(), error.message())),
        }
        target.active_to = Self::end(self.agreements.iter());
    }

    /// One grant for each agreement. The one that ends first is listed, and so burnt, first.
    fn fill_metered(&self, target: &mut Entitlement, notes: &mut Notes) {
        for (index, agreement) in self.agreements.iter().enumerate() {
            let Some(Said::Number(number)) = agreement.said else { continue };
            let id =
                agreement.license.clone().unwrap_or_else(|| format!("agreement-{}", index + 1));
            if target.grants.iter().any(|grant| grant.id == id) {
                notes.error(&agreement.place, AGREEMENT_TWICE);
            }
            target.grants.push(grant(id, number.0, agreement.ends));
        }
        target.active_to = Self::end(self.agreements.iter());
        target.usage = Some(Usage::new(UsageKind::Unknown));
    }
}

/// What an agreement says of a static entitlement, as its config tells.
#[derive(Serialize)]
struct Told {
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// The service does not say when an agreement began, only that it has.
const BEGUN: Instant = Instant::EPOCH;

fn grant(id: String, amount: Amount, expires_at: Option<Timestamp>) -> Grant {
    Grant { expires_at, ..Grant::new(id, amount, BEGUN.into()) }
}

const VALUES_MIXED: Reason = (
    "values-mixed",
    "the agreements about one dimension have values of several types; ask the seller which counts",
);
const VALUE_MISSING: Reason =
    ("value-missing", "it says nothing of a value; it is taken as access without a number");
const AGREEMENT_TWICE: Reason = (
    "agreement-twice",
    "an agreement has two values for one dimension; list the entitlements again",
);
