//! The records of an export, each once and with what belongs to it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use edgegrant::model::{self, Feature, Source, Subject};
use edgegrant::time::Timestamp;

use super::files::Export;
use super::metered::Ledger;
use super::owners::Owners;
use super::usage::UsageIndex;
use super::wire::{self, Entitlement, Grant, ValueAnswer};
use super::{Options, Reason, SYSTEM};
use crate::sources::Notes;
use crate::sources::listed::Item;

/// An export, indexed.
#[derive(Debug)]
pub(super) struct Records {
    owners: Owners,
    features: Vec<Feature>,
    /// By feature key, why the usage of its meter cannot be added up.
    not_additive: HashMap<String, Reason>,
    entitlements: Vec<(Entitlement, usize)>,
    grants: HashMap<String, Vec<Grant>>,
    values: HashMap<String, Vec<ValueAnswer>>,
    usage: UsageIndex,
    given: BTreeMap<usize, Vec<model::Entitlement>>,
}

impl Records {
    pub(super) fn new(mut export: Export, options: &Options, notes: &mut Notes) -> Self {
        let not_additive = not_additive(&export);
        let features = features(&export);
        newest(&mut export.entitlements, |given| (&given.id, given.updated_at));
        newest(&mut export.grants, |grant| (&grant.id, grant.updated_at));
        let mut owners = Owners::new(export.customers.take(), notes);
        let owned = owned(&export.entitlements, &mut owners, notes);
        keep(&export, &owned, &mut owners, notes);
        let entitlements = chosen(export.entitlements, &owned, options, notes);
        let usage = UsageIndex::new(export.usage, &owners, notes);
        let mut values = HashMap::<String, Vec<ValueAnswer>>::new();
        // Without a balance it says only that the entitlement was not active then.
        let answers = export.values.into_iter().map(|answer| answer.value);
        for answer in answers.filter(|answer| answer.value.balance.is_some()) {
            values.entry(answer.entitlement_id.clone()).or_default().push(answer);
        }
        for answers in values.values_mut() {
            answers.sort_by_key(|answer| Reverse(answer.time));
        }
        let grants = by_entitlement(export.grants);
        let given = BTreeMap::new();
        Self { owners, features, not_additive, entitlements, grants, values, usage, given }
    }

    pub(super) fn take_features(&mut self) -> Vec<Feature> {
        std::mem::take(&mut self.features)
    }

    pub(super) fn take_entitlements(&mut self) -> Vec<(Entitlement, usize)> {
        std::mem::take(&mut self.entitlements)
    }

    /// Everything about a metered entitlement beside itself.
    pub(super) fn take_ledger(
        &mut self,
        entitlement: &Entitlement,
        owner: usize,
        options: &Options,
    ) -> Ledger {
        let Entitlement { id, feature_key, .. } = entitlement;
        let converted = !options.trust_units && entitlement.has_annotation("subscription.id");
        let not_additive = self.not_additive.get(feature_key).copied();
        Ledger {
            grants: self.grants.remove(id).unwrap_or_default(),
            values: self.values.remove(id).unwrap_or_default(),
            usage: self.usage.take(id, feature_key, owner),
            not_additive: not_additive.or(converted.then_some(MAYBE_CONVERTED)),
        }
    }

    /// Adds an entitlement to its owner, whose own end is also its end.
    pub(super) fn give(&mut self, owner: usize, mut entitlement: model::Entitlement) {
        let deleted = self.owners.get(owner).and_then(|owner| owner.deleted_at);
        entitlement.deleted_at = entitlement.deleted_at.into_iter().chain(deleted).min();
        self.given.entry(owner).or_default().push(entitlement);
    }

    pub(super) fn into_subjects(self) -> impl Iterator<Item = Subject> + use<> {
        let mut given = self.given;
        self.owners.into_subjects().enumerate().map(move |(index, mut subject)| {
            subject.entitlements = given.remove(&index).unwrap_or_default();
            subject
        })
    }
}

/// Leaves the latest version of each record, which pages without isolation may show twice.
fn newest<T>(items: &mut Vec<Item<T>>, version: impl Fn(&T) -> (&String, Option<Timestamp>)) {
    let mut latest = HashMap::<String, Option<Timestamp>>::new();
    for item in items.iter() {
        let (id, at) = version(&item.value);
        let known = latest.entry(id.clone()).or_insert(at);
        *known = at.max(*known);
    }
    let mut seen = HashSet::new();
    items.retain(|item| {
        let (id, at) = version(&item.value);
        latest.get(id) == Some(&at) && seen.insert(id.clone())
    });
}

/// Whose each entitlement is, by its id.
fn owned(
    entitlements: &[Item<Entitlement>],
    owners: &mut Owners,
    notes: &mut Notes,
) -> HashMap<String, usize> {
    let mut owned = HashMap::with_capacity(entitlements.len());
    for entitlement in entitlements.iter().map(|item| &item.value) {
        match owners.of(entitlement) {
            Some(owner) => {
                owned.insert(entitlement.id.clone(), owner);
            }
            None => notes.warn(&entitlement.id, OWNER_MISSING),
        }
    }
    owned
}

/// Gives owners what the server said of theirs, and says what is of no entitlement.
fn keep(export: &Export, owned: &HashMap<String, usize>, owners: &mut Owners, notes: &mut Notes) {
    let mut features = HashMap::<&str, &str>::new();
    for item in &export.entitlements {
        let Entitlement { id, feature_key, .. } = &item.value;
        features.insert(id, feature_key);
        if let Some(owner) = owned.get(id) {
            owners.keep(*owner, item.record(SYSTEM, "entitlement", Some(feature_key)));
        }
    }
    let mut belongs = |id: &str, stray: &str| {
        let feature = features.get(id).copied();
        if feature.is_none() {
            notes.warn(stray, ENTITLEMENT_MISSING);
        }
        owned.get(id).copied().zip(feature)
    };
    for item in &export.grants {
        if let Some((owner, feature)) = belongs(&item.value.entitlement_id, &item.value.id) {
            owners.keep(owner, item.record(SYSTEM, "grant", Some(feature)));
        }
    }
    for item in &export.values {
        let id = &item.value.entitlement_id;
        if let Some((owner, feature)) = belongs(id, id) {
            owners.keep(owner, item.record(SYSTEM, "value", Some(feature)));
        }
    }
}

/// Features by key. An archived one may share its key with its successor and still be in use.
fn features(export: &Export) -> Vec<Feature> {
    let mut features = BTreeMap::<&str, Feature>::new();
    for Item { value: entitlement, .. } in &export.entitlements {
        let key = &*entitlement.feature_key;
        features.entry(key).or_insert_with(|| Feature::new(key));
    }
    let mut seen = HashSet::new();
    for item in export.features.iter().filter(|item| seen.insert(&item.value.id)) {
        let wire::Feature { id, key, .. } = &item.value;
        let live = item.value.archived_at.is_none() && item.value.deleted_at.is_none();
        let feature = features.entry(key).or_insert_with(|| Feature::new(key));
        if live || feature.source.is_none() {
            feature.source = Some(Source { system: SYSTEM.into(), id: id.clone() });
        }
        feature.records.push(item.record(SYSTEM, "feature", Some(key)));
        let slug = item.value.meter_slug.as_ref();
        let meter = export.meters.iter().find(|meter| Some(&meter.value.slug) == slug);
        let meter = meter.map(|meter| meter.record(SYSTEM, "meter", Some(key)));
        feature.records.extend(meter);
    }
    features.into_values().collect()
}

/// Features whose meters do not add up, as far as the meters are exported.
fn not_additive(export: &Export) -> HashMap<String, Reason> {
    let aggregations: HashMap<&str, &str> =
        export.meters.iter().map(|item| (&*item.value.slug, &*item.value.aggregation)).collect();
    let reason = |slug: &str| match aggregations.get(slug).copied() {
        Some("SUM" | "COUNT") | None => None,
        Some(_) => Some(NOT_ADDITIVE),
    };
    let of_feature = |feature: &super::wire::Feature| {
        Some((feature.key.clone(), reason(feature.meter_slug.as_deref()?)?))
    };
    export.features.iter().map(|item| &item.value).filter_map(of_feature).collect()
}

/// One entitlement for each owner and feature, by id: the one that counts first of all.
fn chosen(
    entitlements: Vec<Item<Entitlement>>,
    owned: &HashMap<String, usize>,
    options: &Options,
    notes: &mut Notes,
) -> Vec<(Entitlement, usize)> {
    let owner = |item: Item<Entitlement>| Some((*owned.get(&item.value.id)?, item.value));
    let mut entitlements: Vec<_> = entitlements.into_iter().filter_map(owner).collect();
    entitlements.sort_by_cached_key(|(_, given)| (rank(given, options), given.id.clone()));
    let mut taken = HashSet::new();
    let mut kept = Vec::with_capacity(entitlements.len());
    for (owner, entitlement) in entitlements {
        if taken.insert((owner, entitlement.feature_key.clone())) {
            kept.push((entitlement, owner));
        } else {
            notes.warn(&entitlement.id, SUPERSEDED);
        }
    }
    kept.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
    kept
}

/// Active now, then the next to begin, then the last that ended.
fn rank(entitlement: &Entitlement, options: &Options) -> (u8, i64) {
    let start = entitlement.active_from.or(entitlement.created_at).map(Timestamp::ceil_millis);
    let ends = [entitlement.active_to, entitlement.deleted_at];
    let end = ends.into_iter().flatten().map(Timestamp::ceil_millis).min();
    match (start, end) {
        (_, Some(end)) if end <= options.at => (2, -end.millis()),
        (Some(start), _) if start > options.at => (1, start.millis()),
        _ => (0, 0),
    }
}

/// Grants by entitlement, in the order of their making.
fn by_entitlement(grants: Vec<Item<Grant>>) -> HashMap<String, Vec<Grant>> {
    let mut index = HashMap::<String, Vec<Grant>>::new();
    for Item { value: grant, .. } in grants {
        index.entry(grant.entitlement_id.clone()).or_default().push(grant);
    }
    for grants in index.values_mut() {
        grants.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    }
    index
}

const OWNER_MISSING: Reason = (
    "customer-missing",
    "the entitlement's customer is not among the customers; it is skipped, export all pages again",
);
const ENTITLEMENT_MISSING: Reason = (
    "entitlement-missing",
    "it belongs to an entitlement that is not among the entitlements; it is left out, export all \
     pages again unless that was deleted",
);
const SUPERSEDED: Reason = (
    "entitlement-superseded",
    "another entitlement of the customer to the same feature counts now; this one is left out",
);
const NOT_ADDITIVE: Reason = (
    "meter-not-additive",
    "the meter's values cannot be added up, so the value holds as it is until the next boundary",
);
const MAYBE_CONVERTED: Reason = (
    "subscription-units",
    "a subscription may convert units, which the API does not show, so the value holds as it is \
     until the next boundary; --trust-units if no rate card converts",
);
