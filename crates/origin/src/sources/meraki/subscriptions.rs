//! Organizations with subscriptions, and the subscriptions themselves.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::compliance::Violations;
use super::received::{Owned, Received};
use super::shares::{self, Share};
use super::wire::Subscription;
use super::{Gathered, Notes, Options, SYSTEM, organization, subject};
use crate::failure::Failure;
use crate::sources::listed::Item;

/// Entitles subscriptions to their own seats, and organizations to those of all of theirs.
pub(super) fn import(
    received: &Received,
    options: &Options,
    gathered: &mut Gathered,
    notes: &mut Notes,
) -> Result<(), Failure> {
    let violations = Violations::new(received, notes);
    let mut given = BTreeMap::<(&str, String), Vec<Share>>::new();
    let mut owners = HashMap::<&str, Vec<&str>>::new();
    for Owned { organization: owner, item } in &received.subscriptions {
        let Some(id) = item.value.subscription_id.as_deref() else { continue };
        let mut shares = shares::of(item, options, notes);
        for share in &mut shares {
            share.grace_until = violations.grace_of(id, &share.feature);
        }
        organization(gathered, owner).records.push(item.record(SYSTEM, "subscription", None));
        let known = owners.entry(id).or_default();
        // One that several organizations share is listed for each of them.
        if known.is_empty() {
            describe(item, id, gathered);
        }
        known.push(owner);
        for share in shares {
            if known.len() == 1 {
                let own = given.entry((id, share.feature.clone())).or_default();
                own.push(share.clone());
            }
            given.entry((owner, share.feature.clone())).or_default().push(share);
        }
    }
    check_ids(&received.subscriptions, &owners)?;
    for item in &received.compliance {
        let id = item.value.subscription.id.as_deref().unwrap_or_default();
        let Some(owners) = owners.get(id) else { continue };
        for holder in owners.iter().copied().chain([id]) {
            let record = item.record(SYSTEM, "compliance", None);
            gathered.subject(holder).records.push(record);
        }
    }
    entitle(given, gathered);
    Ok(())
}

fn entitle(given: BTreeMap<(&str, String), Vec<Share>>, gathered: &mut Gathered) {
    for ((holder, key), shares) in given {
        let Some(entitlement) = shares::together(&shares) else { continue };
        if !entitlement.grants.is_empty() {
            gathered.feature(&key).unit = Some("seat".into());
        }
        gathered.entitle(holder, entitlement);
    }
}

/// A subscription, with what lists are filtered by.
fn describe(item: &Item<Subscription>, id: &str, gathered: &mut Gathered) {
    let target = subject(gathered, id, "subscription");
    let subscription = &item.value;
    let attributes = [
        ("name", subscription.name.clone()),
        ("status", subscription.status.clone()),
        ("type", subscription.kind.clone()),
        ("productTypes", subscription.product_types.as_ref().map(|types| types.join(","))),
        ("startDate", subscription.start_date.map(|date| date.to_string())),
        ("endDate", subscription.end_date.map(|date| date.to_string())),
    ];
    let known = attributes.into_iter().filter_map(|(name, text)| Some((name.into(), text?)));
    target.attributes.extend(known);
    target.records.push(item.record(SYSTEM, "subscription", None));
}

/// Both kinds of ids are numbers; one that is both would name two.
fn check_ids(
    subscriptions: &[Owned<Subscription>],
    owners: &HashMap<&str, Vec<&str>>,
) -> Result<(), Failure> {
    let organizations: HashSet<&str> = owners.values().flatten().copied().collect();
    let both = subscriptions.iter().map(|owned| &owned.item).find(|item| {
        item.value.subscription_id.as_deref().is_some_and(|id| organizations.contains(id))
    });
    both.map_or(Ok(()), |item| {
        let message = "its id is that of an organization too; import one of them by itself";
        Err(Failure::bad_input("id-ambiguous", format!("{}: {message}", item.place)))
    })
}
