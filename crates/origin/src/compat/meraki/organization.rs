//! The catalogue of skus, and organizations that have licences without subscriptions.

use edgegrant::Amount;
use edgegrant::engine::{GrantAccount, GrantState};
use edgegrant::model::Subject;
use serde_json::Value;

use super::page::{Records, page};
use super::wire::Json;
use super::{Asked, Refused, Reply, SYSTEM};
use crate::compat::answer::number;
use crate::compat::facts::{records, typed};
use crate::compat::present::Present;
use crate::compat::world::Unavailable;

/// Lists what can be bought.
pub(super) fn catalogue(present: &Present, asked: &Asked) -> Result<Reply, Refused> {
    if asked.query.one("subscriptionType").is_some() {
        return Err(Refused::bad(TYPE_UNKNOWN));
    }
    let skus = asked.query.all("skus[]");
    let mut listed = Vec::new();
    for feature in present.known().facts.features() {
        let is_wanted = skus.as_ref().is_none_or(|skus| skus.contains(&feature.feature.as_str()));
        for record in records(&feature.records, SYSTEM, "catalogue-entry").filter(|_| is_wanted) {
            listed.push(Value::Object(typed(record)?));
        }
    }
    Ok(Reply::whole(Value::Array(listed)))
}

/// Lists licences with co-termination.
pub(super) fn coterm(_: &Present, organization: &Subject, asked: &Asked) -> Result<Reply, Refused> {
    refuse_subscriptions(organization)?;
    let (expired, invalidated) = (flag(asked, "expired")?, flag(asked, "invalidated")?);
    let wanted = |json: &Json, name: &str, flag: Option<bool>| {
        flag.is_none_or(|flag| json.get(name).and_then(Value::as_bool) == Some(flag))
    };
    let mut listed = kept(organization, "coterm-license", "key")?;
    listed.retain(|(_, json)| {
        wanted(json, "expired", expired) && wanted(json, "invalidated", invalidated)
    });
    page(listed, asked)
}

/// Lists licences of devices.
pub(super) fn licenses(
    _: &Present,
    organization: &Subject,
    asked: &Asked,
) -> Result<Reply, Refused> {
    refuse_subscriptions(organization)?;
    let mut listed = kept(organization, "license", "id")?;
    for (parameter, name) in
        [("state", "state"), ("networkId", "networkId"), ("deviceSerial", "deviceSerial")]
    {
        let Some(wanted) = asked.query.one(parameter) else { continue };
        listed.retain(|(_, json)| json.get(name).and_then(Value::as_str) == Some(wanted));
    }
    page(listed, asked)
}

/// What an organization has licences for, and until when.
pub(super) fn overview(
    present: &Present,
    organization: &Subject,
    _: &Asked,
) -> Result<Reply, Refused> {
    refuse_subscriptions(organization)?;
    let record = records(&organization.records, SYSTEM, "licenses-overview").last();
    let mut json: Json = typed(record.ok_or_else(|| Refused::bad(OVERVIEW_MISSING))?)?;
    if let Some(Value::Object(counts)) = json.get_mut("licensedDeviceCounts") {
        for (model, count) in counts.iter_mut() {
            if let Some(licensed) = licensed(present, &organization.subject, model)? {
                *count = number(licensed);
            }
        }
    }
    Ok(Reply::whole(Value::Object(json)))
}

/// How many devices of a model the snapshot grants now; `None` where it grants no number.
fn licensed(
    present: &Present,
    organization: &str,
    model: &str,
) -> Result<Option<Amount>, Unavailable> {
    let explained = present.explain(organization, model)?;
    let unknown = explained.answer.usage_known == Some(false);
    let Some(explanation) = explained.explanation.filter(|_| unknown) else { return Ok(None) };
    let counts =
        |grant: &&GrantAccount| matches!(grant.state, GrantState::Active | GrantState::Exhausted);
    let balances = explanation.grants.iter().filter(counts).map(|grant| grant.balance);
    Ok(balances.reduce(|one, other| one + other))
}

/// Records of an organization, with their ids. What has none cannot be told from others, and is
/// known by its place.
fn kept(organization: &Subject, kind: &str, id: &str) -> Result<Records, Refused> {
    let records = records(&organization.records, SYSTEM, kind).enumerate();
    let named = records.map(|(place, record)| {
        let json: Json = typed(record)?;
        let id = json.get(id).and_then(Value::as_str);
        Ok((id.map_or_else(|| place.to_string(), str::to_owned), json))
    });
    named.collect()
}

/// Organizations with subscriptions have no licences.
fn refuse_subscriptions(organization: &Subject) -> Result<(), Refused> {
    let has = |kind| records(&organization.records, SYSTEM, kind).next().is_some();
    let has_licenses = has("licenses-overview") || has("coterm-license") || has("license");
    if has("subscription") && !has_licenses { Err(Refused::bad(SUBSCRIBED)) } else { Ok(()) }
}

fn flag(asked: &Asked, name: &str) -> Result<Option<bool>, Refused> {
    match asked.query.one(name).map(str::to_ascii_lowercase).as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Refused::bad(format!("'{name}' must be a boolean"))),
    }
}

const TYPE_UNKNOWN: &str =
    "'subscriptionType' cannot be filtered by: the catalogue does not say of which type a sku is";
const SUBSCRIBED: &str =
    "This organization uses subscription licensing and does not support this endpoint.";
const OVERVIEW_MISSING: &str = "The organization's overview is not among the facts; import it";
