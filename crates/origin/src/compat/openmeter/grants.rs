//! Grants: all there are, and those of an entitlement.

use std::collections::HashSet;

use edgegrant::time::Timestamp;
use serde_json::Value;

use super::entitlements::{Whose, is_of_feature, now};
use super::list::{self, Key, Keys, Wanted, flag};
use super::shelf::{Listed, Shelf};
use super::wire::Grant;
use super::{Asked, ENTITLEMENT_UNKNOWN, Problem, shape};
use crate::compat::present::Present;

const OF_ALL: &Keys<Listed<Grant>> =
    &[("effectiveAt", effective), ("createdAt", created), ("updatedAt", updated), ("id", id)];
const OF_ONE: &Keys<Listed<Grant>> =
    &[("createdAt", created), ("updatedAt", updated), ("effectiveAt", effective), ("id", id)];

fn effective(listed: &Listed<Grant>) -> Key<'_> {
    (listed.record.effective_at, &listed.record.id)
}

fn created(listed: &Listed<Grant>) -> Key<'_> {
    (listed.record.created_at, &listed.record.id)
}

fn updated(listed: &Listed<Grant>) -> Key<'_> {
    (listed.record.updated_at, &listed.record.id)
}

fn id(listed: &Listed<Grant>) -> Key<'_> {
    (None, &listed.record.id)
}

/// Those of all customers.
pub(super) fn all(present: &Present, asked: &Asked) -> Result<Value, Problem> {
    let (shelf, now) = (&present.known().openmeter, now(present));
    let query = &asked.query;
    let deleted_too = flag(query, "includeDeleted")?;
    let (features, subjects) = (Wanted::new(query, "feature"), Wanted::new(query, "subject"));
    let customers = query.all("customer").unwrap_or_default();
    let customers = customers.into_iter().map(|name| Whose::customer(present, name));
    let customers = customers.map(|whose| Ok(whose?.subject.subject.as_str()));
    let customers = customers.collect::<Result<HashSet<&str>, Problem>>()?;
    let fits = |listed: &&Listed<Grant>| {
        let owner = shelf.owner(listed);
        (deleted_too || !is_deleted(shelf, listed, now))
            && shelf
                .entitlement(&listed.record.entitlement_id)
                .is_some_and(|given| is_of_feature(&features, &given.record))
            && owner.is_some_and(|owner| {
                subjects.any(owner.subject_names())
                    && (customers.is_empty() || customers.contains(owner.subject.as_str()))
            })
    };
    let found = shelf.grants.iter().filter(fits).collect();
    list::answer(found, asked, OF_ALL, |listed| Ok(shape::grant(present, asked, listed)))
}

/// Those of an entitlement, of which the voided ones are.
pub(super) fn of_entitlement(present: &Present, asked: &Asked) -> Result<Value, Problem> {
    let (shelf, now) = (&present.known().openmeter, now(present));
    let deleted_too = flag(&asked.query, "includeDeleted")?;
    let whose = Whose::asked(present, asked)?;
    let given = whose.entitlement(present, asked.id()).ok_or(ENTITLEMENT_UNKNOWN)?;
    let fits = |listed: &&Listed<Grant>| {
        listed.record.entitlement_id == given.record.id
            && (deleted_too || !is_deleted(shelf, listed, now))
    };
    let found = shelf.grants_of(given.owner).iter().filter(fits).collect();
    list::of_one(found, asked, OF_ONE, |listed| Ok(shape::grant(present, asked, listed)))
}

/// Whether a grant or its entitlement is deleted.
fn is_deleted(shelf: &Shelf, listed: &Listed<Grant>, at: Timestamp) -> bool {
    let given = shelf.entitlement(&listed.record.entitlement_id);
    listed.record.deleted_at.is_some_and(|end| end <= at)
        || given.is_some_and(|given| shelf.is_deleted(given, at))
}
