//! In which order grants burn, and burning.

use std::collections::BTreeMap;

use crate::question::{Grant, OrderGrant};
use crate::{Amount, Instant, KitError};

use super::calendar;

/// The ids in burn order: priority, expiry in whole seconds with none last, creation, id.
pub(super) fn order(grants: &[OrderGrant]) -> Result<Vec<String>, KitError> {
    let mut keyed = Vec::new();
    for (index, grant) in grants.iter().enumerate() {
        let expiry = expiry_second(grant)?;
        let listed = if grant.created_at.is_none() { index } else { 0 };
        // `None` sorts before `Some`, so absence of an expiry is spelt out.
        keyed.push((
            grant.priority,
            expiry.is_none(),
            expiry,
            grant.created_at,
            listed,
            grant.id.clone(),
        ));
    }
    keyed.sort();
    Ok(keyed.into_iter().map(|(.., id)| id).collect())
}

/// Only a lifetime counts here; an `expiresAt` of its own does not.
fn expiry_second(grant: &OrderGrant) -> Result<Option<i64>, KitError> {
    let Some(lifetime) = grant.expiration else { return Ok(None) };
    let from = grant
        .effective_at
        .ok_or_else(|| KitError(format!("grant `{}` has a lifetime but no start", grant.id)))?;
    let expiry = calendar::expiration(from, lifetime.duration, lifetime.count)?;
    Ok(Some(expiry.timestamp()))
}

/// The same grants in burn order.
pub(super) fn sorted(grants: &[Grant]) -> Result<Vec<Grant>, KitError> {
    let keys: Vec<OrderGrant> = grants.iter().map(order_grant).collect();
    let ids = order(&keys)?;
    let of = |id: &String| grants.iter().find(|grant| grant.id == *id).cloned();
    Ok(ids.iter().filter_map(of).collect())
}

fn order_grant(grant: &Grant) -> OrderGrant {
    OrderGrant {
        id: grant.id.clone(),
        priority: grant.priority,
        effective_at: Some(grant.effective_at),
        expiration: grant.expiration,
        created_at: grant.created_at,
    }
}

/// What one burn did.
pub(super) struct Burnt {
    /// Per grant, zero included where a grant had something left.
    pub(super) usages: Vec<(String, Amount)>,
    /// What no grant covered.
    pub(super) overage: Amount,
}

/// Burns `usage` from the grants active at `at`, which are given in burn order.
pub(super) fn burn(
    grants: &[Grant],
    balances: &mut BTreeMap<String, Amount>,
    at: Instant,
    usage: Amount,
) -> Burnt {
    let mut remaining = usage;
    let mut usages = Vec::new();
    for grant in grants.iter().filter(|grant| super::active_at(&super::window(grant), at)) {
        let balance = balances.entry(grant.id.clone()).or_default();
        if *balance == Amount::ZERO {
            continue;
        }
        // Negative usage is below any balance: the first grant with something left takes it back.
        let taken = remaining.min(*balance);
        *balance -= taken;
        remaining -= taken;
        usages.push((grant.id.clone(), taken));
    }
    Burnt { usages, overage: remaining }
}
