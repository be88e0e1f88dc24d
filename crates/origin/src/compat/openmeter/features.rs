//! Features: all there are, and single ones.

use edgegrant::time::Timestamp;
use serde_json::Value;

use super::entitlements::now;
use super::list::{self, Key, Keys, Wanted, flag};
use super::shelf::Listed;
use super::wire::Feature;
use super::{Asked, FEATURE_UNKNOWN, Problem};
use crate::compat::present::Present;

const KEYS: &Keys<Listed<Feature>> = &[
    ("key", |listed| (None, &listed.record.key)),
    ("name", |listed| (None, listed.record.name.as_deref().unwrap_or_default())),
    ("id", id),
    ("createdAt", |listed| (listed.record.created_at, &listed.record.id)),
    ("updatedAt", |listed| (listed.record.updated_at, &listed.record.id)),
];

fn id(listed: &Listed<Feature>) -> Key<'_> {
    (None, &listed.record.id)
}

pub(super) fn all(present: &Present, asked: &Asked) -> Result<Value, Problem> {
    let (archived_too, now) = (flag(&asked.query, "includeArchived")?, now(present));
    let slugs = Wanted::new(&asked.query, "meterSlug");
    let fits = |listed: &&Listed<Feature>| {
        (archived_too || is_live(listed, now)) && slugs.any(listed.record.meter_slug.as_deref())
    };
    let found = present.known().openmeter.features.iter().filter(fits).collect();
    list::answer(found, asked, KEYS, |listed| Ok(Value::Object(listed.json())))
}

/// The one with an id or key.
pub(super) fn one(present: &Present, asked: &Asked) -> Result<Value, Problem> {
    let now = now(present);
    let is_wanted = |listed: &&Listed<Feature>| {
        let Feature { id, key, .. } = &listed.record;
        (id == asked.id() || key == asked.id()) && is_live(listed, now)
    };
    let found = present.known().openmeter.features.iter().find(is_wanted);
    found.map(|listed| Value::Object(listed.json())).ok_or(FEATURE_UNKNOWN)
}

fn is_live(listed: &Listed<Feature>, at: Timestamp) -> bool {
    let ends = [listed.record.archived_at, listed.record.deleted_at];
    !ends.into_iter().flatten().any(|end| end <= at)
}
