//! The records of an export, each once and with what belongs to it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use edgegrant::model::{self, Feature, Source, Subject};
use edgegrant::time::Timestamp;

use super::files::Export;
use super::metered::Ledger;
use super::owners::Owners;
use super::usage::UsageIndex;
use super::wire::{Entitlement, Grant, ValueAnswer};
use super::{Options, Reason, SYSTEM};
use crate::sources::Notes;

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
    pub(super) fn new(export: Export, options: &Options, notes: &mut Notes) -> Self {
        let not_additive = not_additive(&export);
        let features = features(&export);
        warn_of_strays(&export, notes);
        let mut owners = Owners::new(export.customers, notes);
        let entitlements = chosen(export.entitlements, &mut owners, options, notes);
        let usage = UsageIndex::new(export.usage, &owners, notes);
        let mut values = HashMap::<String, Vec<ValueAnswer>>::new();
        // Without a balance it says only that the entitlement was not active then.
        for answer in export.values.into_iter().filter(|answer| answer.value.balance.is_some()) {
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

/// Says what belongs to entitlements that are not there.
fn warn_of_strays(export: &Export, notes: &mut Notes) {
    let ids: HashSet<&str> = export.entitlements.iter().map(|given| &*given.id).collect();
    let grants = export.grants.iter().map(|grant| (&grant.entitlement_id, &grant.id));
    let values =
        export.values.iter().map(|answer| (&answer.entitlement_id, &answer.entitlement_id));
    for (_, record) in grants.chain(values).filter(|(owner, _)| !ids.contains(owner.as_str())) {
        notes.warn(record, ENTITLEMENT_MISSING);
    }
}

/// Features by key. An archived one may share its key with its successor and still be in use.
fn features(export: &Export) -> Vec<Feature> {
    let mut ids = BTreeMap::<&str, Option<&str>>::new();
    for entitlement in &export.entitlements {
        ids.entry(&entitlement.feature_key).or_default();
    }
    for feature in &export.features {
        let live = feature.archived_at.is_none() && feature.deleted_at.is_none();
        let id = ids.entry(&feature.key).or_default();
        if live || id.is_none() {
            *id = Some(&feature.id);
        }
    }
    let source = |id: &str| Source { system: SYSTEM.into(), id: id.into() };
    let feature =
        |(key, id): (&str, Option<&str>)| Feature { source: id.map(source), ..Feature::new(key) };
    ids.into_iter().map(feature).collect()
}

/// Features whose meters do not add up, as far as the meters are exported.
fn not_additive(export: &Export) -> HashMap<String, Reason> {
    let aggregations: HashMap<&str, &str> =
        export.meters.iter().map(|meter| (&*meter.slug, &*meter.aggregation)).collect();
    let reason = |slug: &str| match aggregations.get(slug).copied() {
        Some("SUM" | "COUNT") | None => None,
        Some(_) => Some(NOT_ADDITIVE),
    };
    let of_feature = |feature: &super::wire::Feature| {
        Some((feature.key.clone(), reason(feature.meter_slug.as_deref()?)?))
    };
    export.features.iter().filter_map(of_feature).collect()
}

/// One entitlement for each owner and feature, in the order of the export.
fn chosen(
    mut entitlements: Vec<Entitlement>,
    owners: &mut Owners,
    options: &Options,
    notes: &mut Notes,
) -> Vec<(Entitlement, usize)> {
    // The latest version of each record, then the one that counts first of all for a feature.
    entitlements.sort_by_key(|entitlement| Reverse(entitlement.updated_at));
    let mut seen = HashSet::new();
    entitlements.retain(|entitlement| seen.insert(entitlement.id.clone()));
    entitlements
        .sort_by_cached_key(|entitlement| (rank(entitlement, options), entitlement.id.clone()));
    let mut taken = HashSet::new();
    let mut kept = Vec::with_capacity(entitlements.len());
    for entitlement in entitlements {
        let Some(owner) = owners.of(&entitlement) else {
            notes.warn(&entitlement.id, OWNER_MISSING);
            continue;
        };
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

/// Grants by entitlement, the latest version of each.
fn by_entitlement(mut grants: Vec<Grant>) -> HashMap<String, Vec<Grant>> {
    grants.sort_by_key(|grant| Reverse(grant.updated_at));
    let mut seen = HashSet::new();
    let mut index = HashMap::<String, Vec<Grant>>::new();
    for grant in grants {
        if seen.insert(grant.id.clone()) {
            index.entry(grant.entitlement_id.clone()).or_default().push(grant);
        }
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
