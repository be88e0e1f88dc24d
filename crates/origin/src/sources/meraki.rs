//! Cisco Meraki: the answers of the dashboard's licensing endpoints, version 1.
//!
//! - `GET /administered/licensing/subscription/subscriptions?organizationIds[]=…`
//! - `GET /administered/licensing/subscription/subscriptions/compliance/statuses?…`
//! - `GET /administered/licensing/subscription/entitlements`, the catalogue of skus
//! - `GET /organizations/{id}/licenses/overview` and `…/licensing/coterm/licenses`
//! - `GET /organizations/{id}/licenses`
//!
//! A subject is an organization, and each subscription is one of its own: the organization has the
//! seats of all its subscriptions together, a subscription its own. A feature is a sku, a model
//! with co-termination, a type of licence where each device has its own, or `suite:…`.

mod compliance;
mod coterm;
mod devices;
mod received;
mod shares;
mod subscriptions;
mod wire;

use std::collections::BTreeMap;

use edgegrant::model::{Fact, Source, Subject};

use self::received::Received;
use self::wire::Sku;
use super::answers::Answer;
use super::gathered::Gathered;
use super::{Ends, Notes, Reason};
use crate::failure::Failure;

const SYSTEM: &str = "meraki";

/// How answers are read.
#[derive(Clone, Debug)]
pub struct Options {
    /// The organization that bodies are about that do not say it.
    pub organization: Option<String>,
    /// How end dates are taken.
    pub ends: Ends,
}

const WITHOUT_KEY: Reason =
    ("record-without-key", "it lacks the id or sku that it would be known by; it is left out");

/// Turns answers into facts, features first.
///
/// Notes say what was skipped or simplified. When one of them is an error, the facts are not to be
/// used.
///
/// # Errors
/// `answer-unknown` and `error-answer` for what says nothing of licences, `organization-missing`
/// and `organization-ambiguous` where it is not clear whose they are, `pages-missing` when a last
/// page links to another, `id-ambiguous`, and the code of a field that is wrong.
pub fn import(
    answers: &[Answer],
    options: &Options,
    notes: &mut Notes,
) -> Result<impl Iterator<Item = Fact> + use<>, Failure> {
    let received = Received::new(answers, options, notes)?;
    let mut gathered = Gathered::default();
    declare(&received, &mut gathered, notes);
    subscriptions::import(&received, options, &mut gathered, notes)?;
    coterm::import(&received, options, &mut gathered, notes);
    devices::import(&received, options, &mut gathered, notes);
    Ok(gathered.into_facts())
}

/// The catalogue of skus.
fn declare(received: &Received, gathered: &mut Gathered, notes: &mut Notes) {
    for item in &received.catalogue {
        let Some(key) = &item.value.sku else {
            notes.warn(&item.place, WITHOUT_KEY);
            continue;
        };
        let feature = gathered.feature(key);
        feature.attributes = described(&item.value);
        feature.source = Some(Source { system: SYSTEM.into(), id: key.clone() });
        feature.records = vec![item.record(SYSTEM, "catalogue-entry", Some(key))];
    }
}

fn described(sku: &Sku) -> BTreeMap<String, String> {
    let yes = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    let attributes = [
        ("name", sku.name.clone()),
        ("productType", sku.product_type.clone()),
        ("productClass", sku.product_class.clone()),
        ("featureTier", sku.feature_tier.clone()),
        ("isAddOn", yes(sku.is_add_on)),
        ("isFree", yes(sku.is_free)),
    ];
    attributes.into_iter().filter_map(|(name, text)| Some((name.into(), text?))).collect()
}

/// The subject that an organization is.
fn organization<'a>(gathered: &'a mut Gathered, id: &str) -> &'a mut Subject {
    subject(gathered, id, "organization")
}

/// A subject with what it is there. An organization and a subscription may have the same id.
fn subject<'a>(gathered: &'a mut Gathered, id: &str, kind: &str) -> &'a mut Subject {
    let subject = gathered.subject(id);
    subject.source = Some(Source { system: SYSTEM.into(), id: id.into() });
    subject.attributes.insert("kind".into(), kind.into());
    subject
}
