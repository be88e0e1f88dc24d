//! What the snapshot says of entitlements now. It has them in pools, all of one type together.

use std::collections::{BTreeMap, HashMap};

use edgegrant::Amount;
use edgegrant::engine::GrantState;
use edgegrant::gate::{Explained, Kind, Reason};
use edgegrant::model::Subject;
use serde_json::Value;

use crate::compat::facts::Facts;
use crate::compat::present::{Present, is_gone};
use crate::compat::world::Unavailable;
use crate::select::Json;

const VALUE: &str = "entitlementValue";
const CONSUMPTION: &str = "entitlementConsumption";

/// A pool as it is now.
struct Pool {
    explained: Explained,
    /// What its grants give that count, by their ids.
    counting: HashMap<String, Amount>,
    /// How many records are of it.
    records: usize,
}

/// Writes values and consumptions of now. What the snapshot does not have is left out.
pub(super) fn renew(
    present: &Present,
    account: &Subject,
    found: Vec<(Option<&str>, Json)>,
) -> Result<Vec<Json>, Unavailable> {
    let mut pools = BTreeMap::new();
    let facts = &present.known().facts;
    let key = |(feature, json): &(Option<&str>, Json)| key(facts, account, *feature, json);
    let keys: Vec<_> = found.iter().map(key).collect();
    for key in keys.iter().flatten() {
        if !pools.contains_key(key) {
            let (subject, feature) = key;
            pools.insert(key.clone(), Pool::new(present.explain(subject, feature)?));
        }
        if let Some(pool) = pools.get_mut(key) {
            pool.records += 1;
        }
    }
    let mut listed = Vec::new();
    for ((_, mut json), key) in found.into_iter().zip(&keys) {
        if let Some(pool) = key.as_ref().and_then(|key| pools.get(key)) {
            if is_unknown(pool.explained.answer.reason) {
                continue;
            }
            pool.write(&mut json);
        }
        listed.push(json);
    }
    Ok(listed)
}

/// The subject and the feature of an entitlement; what is reserved for an object is that object's,
/// which is named after the account as the service names it.
fn key(
    facts: &Facts,
    account: &Subject,
    feature: Option<&str>,
    json: &Json,
) -> Option<(String, String)> {
    let allocation = json.get("allocation").and_then(Value::as_str);
    let Some(allocation) = allocation.filter(|allocation| !allocation.is_empty()) else {
        return Some((account.subject.clone(), feature?.to_owned()));
    };
    let of = |name: &String| format!("{name}/{allocation}");
    let mut objects = account.aliases.iter().map(of);
    let known = objects.find(|object| facts.subject(object).is_some());
    Some((known.unwrap_or_else(|| of(&account.subject)), feature?.to_owned()))
}

const fn is_unknown(reason: Reason) -> bool {
    matches!(reason, Reason::UnknownSubject | Reason::UnknownFeature | Reason::NotEntitled)
}

impl Pool {
    fn new(explained: Explained) -> Self {
        let granted = explained.explanation.iter().flat_map(|explanation| &explanation.grants);
        let counting = granted
            .filter(|grant| matches!(grant.state, GrantState::Active | GrantState::Exhausted));
        let named = counting.filter_map(|grant| {
            Some((explained.grant_ids.get(grant.index)?.clone(), grant.amount))
        });
        let counting = named.collect();
        Self { explained, counting, records: 0 }
    }

    /// An entitlement is a grant of its pool. Those that do not count keep what was recorded. What
    /// is used of a pool is known of all its entitlements together, so of one that is alone.
    fn write(&self, json: &mut Json) {
        let id = json.get("id").and_then(Value::as_str);
        if let Some(amount) = id.and_then(|id| self.counting.get(id)) {
            write(json, VALUE, *amount);
        }
        let answer = &self.explained.answer;
        let known = answer.kind == Some(Kind::Metered) && !is_gone(answer.reason);
        if let Some(used) = answer.usage.filter(|_| known && self.records == 1) {
            write(json, CONSUMPTION, used);
        }
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
