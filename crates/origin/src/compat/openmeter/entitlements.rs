//! Entitlements: all there are, those of a customer or subject, and single ones.

use edgegrant::model::Subject;
use edgegrant::time::Timestamp;
use serde_json::Value;

use super::list::{self, Key, Keys, Wanted, flag};
use super::shelf::{Listed, Owner, has};
use super::wire::Entitlement;
use super::{Asked, ENTITLEMENT_UNKNOWN, OWNER_DELETED, OWNER_UNKNOWN, Problem, Version, shape};
use crate::compat::present::Present;

const KEYS: &Keys<Listed<Entitlement>> = &[("createdAt", created), ("updatedAt", updated)];
const KINDS: [&str; 3] = ["boolean", "metered", "static"];

fn created(listed: &Listed<Entitlement>) -> Key<'_> {
    (listed.record.created_at, &listed.record.id)
}

fn updated(listed: &Listed<Entitlement>) -> Key<'_> {
    (listed.record.updated_at, &listed.record.id)
}

/// Whoever is asked about.
pub(super) struct Whose<'a> {
    place: usize,
    pub(super) subject: &'a Subject,
}

impl<'a> Whose<'a> {
    /// Whoever is asked about in the path.
    pub(super) fn asked(present: &'a Present, asked: &Asked) -> Result<Self, Problem> {
        match asked.version {
            Version::One => Self::named(present, asked.owner(), |_| true),
            Version::Two => Self::customer(present, asked.owner()),
        }
    }

    /// The customer with an id or a key.
    pub(super) fn customer(present: &'a Present, name: &str) -> Result<Self, Problem> {
        Self::named(present, name, |owner| owner.is_customer(name))
    }

    fn named(
        present: &'a Present,
        name: &str,
        fits: impl Fn(&Owner) -> bool,
    ) -> Result<Self, Problem> {
        let known = present.known();
        let place = known.facts.place(name).ok_or(OWNER_UNKNOWN)?;
        let owner = known.openmeter.owners.get(place).filter(|owner| owner.is_ours && fits(owner));
        let subject = known.facts.subjects().get(place);
        let (owner, subject) = owner.zip(subject).ok_or(OWNER_UNKNOWN)?;
        if owner.deleted_at.is_some_and(|end| end <= now(present)) {
            return Err(OWNER_DELETED);
        }
        Ok(Self { place, subject })
    }

    /// Whether an entitlement that the snapshot does not have was in force at an instant: with this
    /// id or to this feature, of which an import keeps the one that counts then.
    pub(super) fn has_other(&self, present: &Present, name: &str, at: Timestamp) -> bool {
        let shelf = &present.known().openmeter;
        shelf.entitlements_of(self.place).iter().any(|listed| {
            let Entitlement { id, feature_key, .. } = &listed.record;
            (id == name || feature_key == name)
                && !has(self.subject, id)
                && listed.record.is_active(at)
                && !shelf.is_deleted(listed, at)
        })
    }

    /// The entitlement with an id, or the one to a feature that is active now.
    pub(super) fn entitlement(
        &self,
        present: &'a Present,
        name: &str,
    ) -> Option<&'a Listed<Entitlement>> {
        let (shelf, now) = (&present.known().openmeter, now(present));
        let of_id = shelf.entitlement(name).filter(|listed| listed.owner == self.place);
        let active = |listed: &&Listed<Entitlement>| {
            listed.record.feature_key == name && listed.record.is_active(now)
        };
        let lasts = |listed: &&Listed<Entitlement>| !shelf.is_deleted(listed, now);
        let mut of_key = shelf.entitlements_of(self.place).iter().filter(active);
        of_id.filter(lasts).or_else(|| of_key.find(lasts))
    }
}

pub(super) fn now(present: &Present) -> Timestamp {
    present.now().into()
}

/// Those of all customers.
pub(super) fn all(present: &Present, asked: &Asked) -> Result<Value, Problem> {
    let (shelf, now) = (&present.known().openmeter, now(present));
    let query = &asked.query;
    let active_only = flag(query, "excludeInactive")?;
    if !are_kinds(asked) {
        return Err(Problem::bad("entitlementType must be boolean, metered or static"));
    }
    let kinds = Wanted::new(query, "entitlementType");
    let features = Wanted::new(query, "feature");
    let owners = ["subject", "customerKeys", "customerIds"].map(|name| Wanted::new(query, name));
    let fits = |listed: &&Listed<Entitlement>| {
        let record = &listed.record;
        !shelf.is_deleted(listed, now)
            && (!active_only || record.is_active(now))
            && kinds.any([&*record.kind])
            && is_of_feature(&features, record)
            && shelf.owner(listed).is_some_and(|owner| is_of_owner(&owners, owner))
    };
    let found = shelf.entitlements.iter().filter(fits).collect();
    list::answer(found, asked, KEYS, |listed| Ok(shape::entitlement(present, asked, listed)))
}

/// Those of a customer or subject that are active now.
pub(super) fn of_owner(present: &Present, asked: &Asked) -> Result<Value, Problem> {
    let (shelf, now) = (&present.known().openmeter, now(present));
    let deleted_too = flag(&asked.query, "includeDeleted")?;
    let whose = Whose::asked(present, asked)?;
    let fits = |listed: &&Listed<Entitlement>| {
        listed.record.is_active(now) && (deleted_too || !shelf.is_deleted(listed, now))
    };
    let found = shelf.entitlements_of(whose.place).iter().filter(fits).collect();
    let shape = |listed: &Listed<Entitlement>| Ok(shape::entitlement(present, asked, listed));
    match asked.version {
        Version::One => list::whole(found, asked, KEYS, shape),
        Version::Two => list::answer(found, asked, KEYS, shape),
    }
}

/// One of a customer or subject.
pub(super) fn of_owner_one(present: &Present, asked: &Asked) -> Result<Value, Problem> {
    let whose = Whose::asked(present, asked)?;
    let found = whose.entitlement(present, asked.id()).ok_or(ENTITLEMENT_UNKNOWN)?;
    Ok(shape::entitlement(present, asked, found))
}

/// The one with an id.
pub(super) fn one(present: &Present, asked: &Asked) -> Result<Value, Problem> {
    let shelf = &present.known().openmeter;
    let found = shelf.entitlement(asked.id());
    let found = found.filter(|listed| !shelf.is_deleted(listed, now(present)));
    Ok(shape::entitlement(present, asked, found.ok_or(ENTITLEMENT_UNKNOWN)?))
}

fn are_kinds(asked: &Asked) -> bool {
    let kinds = asked.query.all("entitlementType").unwrap_or_default();
    kinds.iter().all(|kind| KINDS.contains(kind))
}

/// Features are named by id or key.
pub(super) fn is_of_feature(features: &Wanted<'_>, record: &Entitlement) -> bool {
    features.any([&*record.feature_key].into_iter().chain(record.feature_id.as_deref()))
}

fn is_of_owner([subjects, keys, ids]: &[Wanted<'_>; 3], owner: &Owner) -> bool {
    subjects.any(owner.subject_names())
        && keys.any(owner.key.as_deref())
        && ids.any(owner.id.as_deref())
}
