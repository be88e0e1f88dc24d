//! Records as a version of the API answers them at an instant.
//!
//! What is recorded is answered as it came, but for what the server computes when it is asked, and
//! for what the other version calls differently. What no record says is left out.

use edgegrant::engine::Period;
use edgegrant::time::{ExpirationUnit, expiration};
use serde_json::{Value, json};

use super::shelf::{Listed, Owner, has};
use super::wire::{Entitlement, Grant, Json};
use super::{Asked, Version};
use crate::compat::present::Present;
use crate::compat::world::Unavailable;
use crate::sources::openmeter::{Recurrence, recurrence};

/// The lifetime in years that version 1 gives to grants that never expire.
const ENDLESS_YEARS: u32 = 100;

pub(super) fn entitlement(present: &Present, asked: &Asked, listed: &Listed<Entitlement>) -> Value {
    let mut json = listed.json();
    let owner = present.known().openmeter.owner(listed);
    match (asked.version, listed.record.is_of_version_1()) {
        (Version::One, false) => into_version_1(&mut json, owner),
        (Version::Two, true) => into_version_2(&mut json, owner),
        _ => {}
    }
    match current_period(present, listed) {
        Ok(Some(period)) => _ = json.insert("currentUsagePeriod".into(), period),
        Ok(None) => {}
        // What was recorded is of another time.
        Err(Unavailable(_)) => _ = json.remove("currentUsagePeriod"),
    }
    Value::Object(json)
}

pub(super) fn grant(present: &Present, asked: &Asked, listed: &Listed<Grant>) -> Value {
    let mut json = listed.json();
    if let Some(next) = next_recurrence(present, &json) {
        json.insert("nextRecurrence".into(), next);
    }
    let given = present.known().openmeter.entitlement(&listed.record.entitlement_id);
    let is_of_version_2 = given.is_some_and(|given| !given.record.is_of_version_1());
    if asked.version == Version::One && is_of_version_2 {
        expire(present, &mut json);
    }
    Value::Object(json)
}

/// Version 1 names the customer's first subject. Unlimited is nobody (`driver/parser.go`).
fn into_version_1(json: &mut Json, owner: Option<&Owner>) {
    json.remove("customerId");
    json.remove("customerKey");
    if let Some(keys) = owner.and_then(|owner| owner.subject_keys.as_ref()) {
        let first = keys.first().cloned().unwrap_or_default();
        json.insert("subjectKey".into(), first.into());
    }
    let issue = json.remove("issue").unwrap_or_default();
    for (name, of_issue) in [("issueAfterReset", "amount"), ("issueAfterResetPriority", "priority")]
    {
        if let (None, Some(said)) = (json.get(name), issue.get(of_issue)) {
            json.insert(name.into(), said.clone());
        }
    }
    if is_metered(json) {
        json.insert("isUnlimited".into(), false.into());
    }
}

/// Version 2 names the customer, as far as it is known (`driver/v2/mapping.go`).
fn into_version_2(json: &mut Json, owner: Option<&Owner>) {
    json.remove("subjectKey");
    json.remove("isUnlimited");
    let names = owner.map(|owner| [("customerId", &owner.id), ("customerKey", &owner.key)]);
    for (name, said) in names.into_iter().flatten() {
        json.extend(said.clone().map(|said| (name.to_owned(), said.into())));
    }
    if let Some(amount) = json.get("issueAfterReset") {
        let mut issue = Json::from_iter([("amount".to_owned(), amount.clone())]);
        let priority = json.get("issueAfterResetPriority").cloned();
        issue.extend(priority.map(|priority| ("priority".to_owned(), priority)));
        json.insert("issue".into(), issue.into());
    }
}

fn is_metered(json: &Json) -> bool {
    json.get("type").is_some_and(|kind| kind == "metered")
}

/// The usage period at present, where the snapshot has this entitlement and it is active.
fn current_period(
    present: &Present,
    listed: &Listed<Entitlement>,
) -> Result<Option<Value>, Unavailable> {
    let subject = present.known().facts.subjects().get(listed.owner);
    let Entitlement { id, feature_key, .. } = &listed.record;
    let Some(subject) = subject.filter(|subject| has(subject, id)) else { return Ok(None) };
    let answer = present.check(&subject.subject, feature_key)?;
    let ends = answer.period.and_then(|Period { from, to }| Some((from, to?)));
    Ok(ends.map(|(from, to)| json!({ "from": from.to_string(), "to": to.to_string() })))
}

/// The next refill at or after the present (`entitlement/metered/entitlement_grant.go`).
fn next_recurrence(present: &Present, json: &Json) -> Option<Value> {
    let wire: Recurrence = serde_json::from_value(json.get("recurrence")?.clone()).ok()?;
    let next = recurrence(&wire).ok()?.at_or_after(present.now())?;
    Some(next.to_string().into())
}

/// Gives a grant that never expires the end that version 1 gives it (`driver/metered.go`).
fn expire(present: &Present, json: &mut Json) {
    let years = json!({ "count": ENDLESS_YEARS, "duration": "YEAR" });
    json.entry("expiration").or_insert(years);
    let end = expiration(present.now(), ExpirationUnit::Year, ENDLESS_YEARS);
    if let Some(end) = end {
        json.entry("expiresAt").or_insert_with(|| end.to_string().into());
    }
}
