//! What the snapshot says of entitlements now. It has them in pools, all of one type together.

use std::collections::BTreeMap;

use edgegrant::Amount;
use edgegrant::engine::GrantState;
use edgegrant::gate::{Explained, Kind, Reason};
use serde_json::Value;

use crate::compat::present::{Present, is_gone};
use crate::compat::world::Unavailable;
use crate::select::Json;

const VALUE: &str = "entitlementValue";
const CONSUMPTION: &str = "entitlementConsumption";

/// Writes values and consumptions of now. What the snapshot does not have is left out.
pub(super) fn renew(
    present: &Present,
    account: &str,
    found: Vec<(Option<&str>, Json)>,
) -> Result<Vec<Json>, Unavailable> {
    let mut pools = BTreeMap::new();
    let keys: Vec<_> = found.iter().map(|(feature, json)| key(account, *feature, json)).collect();
    for key in keys.iter().flatten() {
        if !pools.contains_key(key) {
            let (subject, feature) = key;
            pools.insert(key.clone(), present.explain(subject, feature)?);
        }
    }
    let mut listed = Vec::new();
    for ((_, mut json), key) in found.into_iter().zip(&keys) {
        if let Some((key, explained)) = key.as_ref().and_then(|key| pools.get_key_value(key)) {
            if is_unknown(explained.answer.reason) {
                continue;
            }
            write_value(&mut json, explained);
            if keys.iter().flatten().filter(|other| *other == key).count() == 1 {
                write_consumption(&mut json, explained);
            }
        }
        listed.push(json);
    }
    Ok(listed)
}

/// The subject and the feature of an entitlement; what is reserved for an object is that object's.
fn key(account: &str, feature: Option<&str>, json: &Json) -> Option<(String, String)> {
    let subject = match json.get("allocation").and_then(Value::as_str) {
        Some(allocation) => format!("{account}/{allocation}"),
        None => account.to_owned(),
    };
    Some((subject, feature?.to_owned()))
}

const fn is_unknown(reason: Reason) -> bool {
    matches!(reason, Reason::UnknownSubject | Reason::UnknownFeature | Reason::NotEntitled)
}

/// An entitlement is a grant of its pool. Those that do not count keep what was recorded.
fn write_value(json: &mut Json, explained: &Explained) {
    let id = json.get("id").and_then(Value::as_str);
    let granted = explained.explanation.iter().flat_map(|explanation| &explanation.grants);
    let mut counting = granted.filter(|grant| {
        matches!(grant.state, GrantState::Active | GrantState::Exhausted)
            && id
                .is_some_and(|id| explained.grant_ids.get(grant.index).is_some_and(|own| own == id))
    });
    if let Some(grant) = counting.next() {
        write(json, VALUE, grant.balance);
    }
}

/// What is used of a pool is known of all its entitlements together, so of one that is alone.
fn write_consumption(json: &mut Json, explained: &Explained) {
    let answer = &explained.answer;
    let known = answer.kind == Some(Kind::Metered) && !is_gone(answer.reason);
    if let Some(used) = answer.usage.filter(|_| known) {
        write(json, CONSUMPTION, used);
    }
}

/// Numbers stand in text. One that says the same already stays as it is written.
fn write(json: &mut Json, name: &str, now: Amount) {
    let Some(field) = json.get_mut(name) else { return };
    let before = match &*field {
        Value::String(text) => Amount::parse_rounded(text),
        other => Amount::parse_rounded(&other.to_string()),
    };
    if before.ok() != Some(now) {
        *field = Value::String(now.to_string());
    }
}
