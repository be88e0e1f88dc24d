//! Whether networks could be bound to a subscription.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use edgegrant::Amount;
use edgegrant::gate::Fit;
use edgegrant::model::Subject;
use serde_json::{Value, json};

use super::subscriptions::subscription_id;
use super::wire::{Binding, Json, Network};
use super::{Refused, Reply, SYSTEM, is, refused};
use crate::compat::answer::number;
use crate::compat::facts::{Facts, records, typed};
use crate::compat::present::Present;

/// Answers what a binding would lack; nothing is bound.
///
/// What a network needs the API does not tell. Records `network` of the organization that has the
/// subscription say it, with `id`, `name` and `entitlements` of `sku` and `quantity`.
pub(super) fn validate(present: &Present, id: &str, body: &[u8]) -> Result<Reply, Refused> {
    let facts = &present.known().facts;
    let subscription = facts.subject(id).filter(|subject| is(subject, "subscription"));
    let subscription = subscription.ok_or(SUBSCRIPTION_UNKNOWN)?;
    let asked: Binding = if body.is_empty() {
        Binding { network_ids: Vec::new() }
    } else {
        serde_json::from_slice(body).map_err(|_| Refused::bad(BODY_MALFORMED))?
    };
    let networks = networks(facts, subscription, &asked.network_ids)?;
    let wanted = wanted(&networks);
    let fit = present.can_fit(&subscription.subject, &wanted)?;
    let named = |network: &Network| json!({ "id": network.id, "name": network.name });
    let insufficient = insufficient(&fit, &wanted);
    Ok(Reply::whole(json!({
        "subscriptionId": id,
        "networks": networks.iter().map(named).collect::<Vec<_>>(),
        "errors": errors(&fit),
        "insufficientEntitlements": insufficient,
    })))
}

/// The networks with some ids, each once and in the order in which they are named.
fn networks(
    facts: &Facts,
    subscription: &Subject,
    ids: &[String],
) -> Result<Vec<Network>, Refused> {
    let mut known = BTreeMap::new();
    let organizations = facts.subjects().iter().filter(|subject| is(subject, "organization"));
    for organization in organizations {
        let mut networks = records(&organization.records, SYSTEM, "network").peekable();
        if networks.peek().is_some() && has(facts, organization, subscription)? {
            for record in networks {
                let network: Network = typed(record)?;
                known.insert(network.id.clone(), network);
            }
        }
    }
    let mut named = ids.to_vec();
    let mut seen = std::collections::HashSet::new();
    named.retain(|id| seen.insert(id.clone()));
    named.iter().map(|id| known.remove(id).ok_or(NETWORK_UNKNOWN)).collect()
}

/// Whether a subscription is listed for an organization.
fn has(facts: &Facts, organization: &Subject, subscription: &Subject) -> Result<bool, Refused> {
    for record in records(&organization.records, SYSTEM, "subscription") {
        let json: Json = typed(record)?;
        let listed = subscription_id(&json).and_then(|id| facts.subject(id));
        if listed.is_some_and(|listed| listed.subject == subscription.subject) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What networks need together.
fn wanted(networks: &[Network]) -> Vec<(String, Amount)> {
    let mut sums = BTreeMap::<String, Amount>::new();
    for needed in networks.iter().flat_map(|network| &network.entitlements) {
        let sum = sums.entry(needed.sku.clone()).or_insert(Amount::ZERO);
        *sum += needed.quantity.0;
    }
    sums.into_iter().collect()
}

fn insufficient(fit: &Fit, wanted: &[(String, Amount)]) -> Vec<Value> {
    let lacking = fit.missing.iter().map(|short| {
        let all = wanted.iter().find(|(sku, _)| *sku == short.feature).map(|(_, amount)| *amount);
        let quantity = short.amount.or(all).unwrap_or(Amount::ZERO);
        json!({ "sku": short.feature, "quantity": number(quantity) })
    });
    lacking.collect()
}

fn errors(fit: &Fit) -> Vec<String> {
    let mut errors = Vec::new();
    if !fit.missing.is_empty() {
        errors.push("Insufficient licenses".to_owned());
    }
    let unknown = |sku: &String| format!("Nobody knows how many seats of {sku} are assigned");
    errors.extend(fit.unknown.iter().map(unknown));
    errors
}

const BODY_MALFORMED: &str = "the body must be an object with a list 'networkIds'";
const SUBSCRIPTION_UNKNOWN: Refused =
    refused(StatusCode::NOT_FOUND, "The subscription is not among the facts; import it");
const NETWORK_UNKNOWN: Refused = refused(
    StatusCode::BAD_REQUEST,
    "What a network of 'networkIds' needs is not known; say it in a record `network` of the \
     organization",
);
