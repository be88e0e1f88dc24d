//! Values: whether something may be used, and how much is left.

use edgegrant::engine::GrantState;
use edgegrant::gate::{Explained, Reason};
use edgegrant::model::{Entitlement, Source};
use edgegrant::time::Timestamp;
use serde_json::{Map, Value, json};

use super::entitlements::{Whose, now};
use super::ledger::Ledger;
use super::{Asked, ENTITLEMENT_UNKNOWN, OWNER_UNKNOWN, Problem, SYSTEM, Version};
use crate::compat::answer::number;
use crate::compat::present::{Present, is_gone};

pub(super) fn value(present: &Present, asked: &Asked) -> Result<Value, Problem> {
    let time = asked.query.one("time").map(Timestamp::parse).transpose();
    let at = time.map_err(|_| Problem::bad(TIME))?.map(Timestamp::ceil_millis);
    let whose = Whose::asked(present, asked)?;
    let feature = whose.feature(asked.id());
    let explained = present.explain_at(&whose.subject.subject, feature, at)?;
    let ledger = || whose.given(feature).and_then(Ledger::new);
    let explained = match at.and_then(|at| Some((at, ledger()?))) {
        Some((at, ledger)) => ledger.explain(explained, at),
        None => explained,
    };
    // An id of the snapshot's stands for nothing else, whatever was in force instead.
    let is_named = feature != asked.id();
    if !is_named && is_gone(explained.answer.reason) {
        let time = at.unwrap_or_else(|| present.now()).into();
        if whose.has_other(present, feature, time) {
            return Err(Problem::bad(OTHER));
        }
        // Version 1 knows no feature that nothing is active for.
        if asked.version == Version::One {
            return Err(ENTITLEMENT_UNKNOWN);
        }
    }
    told(&explained, asked.version)
}

/// The values of what is active now, by feature.
pub(super) fn access(present: &Present, asked: &Asked) -> Result<Value, Problem> {
    let whose = Whose::asked(present, asked)?;
    let mut values = Map::new();
    for given in &whose.subject.entitlements {
        let Ok(explained) = present.explain(&whose.subject.subject, &given.feature) else {
            // The snapshot has expired, and decides nothing more for a feature that is closed then.
            values.insert(given.feature.clone(), json!({ "hasAccess": false }));
            continue;
        };
        if !is_gone(explained.answer.reason) {
            values.insert(given.feature.clone(), told(&explained, Version::Two)?);
        } else if whose.has_other(present, &given.feature, now(present)) {
            return Err(Problem::bad(OTHER));
        }
    }
    Ok(json!({ "entitlements": values }))
}

impl<'a> Whose<'a> {
    /// The facts about the entitlement to a feature.
    pub(super) fn given(&self, feature: &str) -> Option<&'a Entitlement> {
        self.subject.entitlements.iter().find(|given| given.feature == feature)
    }

    /// The feature that an entitlement's id stands for, or the one with this key.
    pub(super) fn feature(&self, name: &'a str) -> &'a str {
        let is_named = |source: &Source| source.system == SYSTEM && source.id == name;
        let mut given = self.subject.entitlements.iter();
        let by_id = given.find(|given| given.source.as_ref().is_some_and(is_named));
        by_id.map_or(name, |given| given.feature.as_str())
    }
}

/// A decision as a value. What is not active has no numbers.
fn told(explained: &Explained, version: Version) -> Result<Value, Problem> {
    let answer = &explained.answer;
    match answer.reason {
        Reason::BeforeOpening => return Err(Problem::bad(TOO_EARLY)),
        Reason::UnknownSubject => return Err(OWNER_UNKNOWN),
        reason if is_gone(reason) => return Ok(json!({ "hasAccess": false })),
        _ => {}
    }
    let mut value = Map::new();
    value.insert("hasAccess".into(), answer.has_access.into());
    let numbers = [
        ("balance", answer.balance),
        ("usage", answer.usage),
        ("overage", answer.overage),
        ("totalAvailableGrantAmount", answer.total_available),
    ];
    let known = numbers.into_iter().filter_map(|(name, amount)| Some((name, amount?)));
    value.extend(known.map(|(name, amount)| (name.to_owned(), number(amount))));
    value.extend(answer.config.iter().map(|config| ("config".to_owned(), config.clone().into())));
    if version == Version::Two && answer.balance.is_some() {
        value.insert("grantBalances".into(), grant_balances(explained));
    }
    Ok(Value::Object(value))
}

fn grant_balances(explained: &Explained) -> Value {
    let grants = explained.explanation.iter().flat_map(|explanation| &explanation.grants);
    let counting =
        grants.filter(|grant| matches!(grant.state, GrantState::Active | GrantState::Exhausted));
    let named = counting.filter_map(|grant| {
        Some((explained.grant_ids.get(grant.index)?.clone(), number(grant.balance)))
    });
    Value::Object(named.collect())
}

const TIME: &str = "time must be an instant of RFC 3339";
const OTHER: &str = "another entitlement to the feature was in force then, and the snapshot has \
    only the one that counted at the import; import again, or ask the server itself";
const TOO_EARLY: &str = "time is before anything that the facts hold; ask the server itself";
