//! NetApp Astra Control: entitlements, licences and subscriptions of accounts.
//!
//! The wire is that of the core API 24.02: `/accounts/{account_id}/core/v1/entitlements`,
//! `…/licenses` and `…/subscriptions`, lists or single records. A subject is an account; what is
//! reserved for an object is had by the subject `<account>/<object>`. A feature is a type of
//! entitlement of a product, written `<product>/<entitlementType>`, and all entitlements to it are
//! one pool.

mod members;
mod pool;
mod received;
mod wire;

use std::collections::BTreeMap;

use edgegrant::Instant;
use edgegrant::model::{Fact, Source};

use self::members::{Member, Subscriptions};
use self::pool::Pool;
use self::received::{Owned, Received};
use super::answers::Answer;
use super::gathered::Gathered;
use super::{Notes, Reason};
use crate::failure::Failure;

const SYSTEM: &str = "astra";

/// How answers are read.
#[derive(Clone, Debug)]
pub struct Options {
    /// When the source was asked: what an entitlement counts is as of then.
    pub at: Instant,
    /// The account that bodies are about whose request is not known.
    pub account: Option<String>,
    /// The fields that entitlements were asked for with, in order, where they are rows without
    /// names and their request is not known.
    pub include: Vec<String>,
}

const WITHOUT_KEY: Reason =
    ("record-without-key", "it lacks its product or its type; it is left out");

/// Turns answers into facts, features first.
///
/// Notes say what was skipped or simplified. When one of them is an error, the facts are not to be
/// used.
///
/// # Errors
/// `answer-unknown` and `error-answer` for what is none of the three kinds, `account-missing`,
/// `include-missing` and `include-mismatch` for what cannot be read without being told, and
/// `pages-missing` when a last page names another; the code of a field that is wrong.
pub fn import(
    answers: &[Answer],
    options: &Options,
    notes: &mut Notes,
) -> Result<impl Iterator<Item = Fact> + use<>, Failure> {
    let received = Received::new(answers, options)?;
    let subscriptions = Subscriptions::new(&received);
    let mut gathered = Gathered::default();
    for account in &received.accounts {
        holder(&mut gathered, account, None);
    }
    let mut pools = BTreeMap::<(String, String), Pool>::new();
    for (id, owned) in members::distinct(&received.entitlements, notes) {
        let Some((subject, key)) = declare(owned, &mut gathered, notes) else { continue };
        let member = Member::new(id, owned, &subscriptions, options, notes);
        pools.entry((subject, key)).or_default().add(member);
    }
    for Owned { account, item } in &received.licenses {
        let record = item.record(SYSTEM, "license", None);
        holder(&mut gathered, account, None).records.push(record);
    }
    for Owned { account, item } in &received.subscriptions {
        let record = item.record(SYSTEM, "subscription", None);
        holder(&mut gathered, account, None).records.push(record);
    }
    for ((subject, key), pool) in pools {
        if let Some(mut entitlement) = pool.into_entitlement(&key, options, notes) {
            entitlement.source = Some(Source { system: SYSTEM.into(), id: key });
            gathered.entitle(&subject, entitlement);
        }
    }
    Ok(gathered.into_facts())
}

/// Keeps an entitlement, and says whose and to what it is.
fn declare(
    owned: &Owned<wire::Entitlement>,
    gathered: &mut Gathered,
    notes: &mut Notes,
) -> Option<(String, String)> {
    let Owned { account, item } = owned;
    let entitlement = &item.value;
    let named = entitlement.product.as_ref().zip(entitlement.entitlement_type.as_ref());
    let Some((product, kind)) = named else {
        notes.warn(&item.place, WITHOUT_KEY);
        return None;
    };
    let key = format!("{product}/{kind}");
    let attributes = [("product", product), ("entitlementType", kind)];
    gathered.feature(&key).attributes =
        attributes.map(|(name, value)| (name.into(), value.clone())).into();
    let record = item.record(SYSTEM, "entitlement", Some(&key));
    holder(gathered, account, None).records.push(record.clone());
    let Some(allocation) = &entitlement.allocation else { return Some((account.clone(), key)) };
    let allocated = holder(gathered, account, Some(allocation));
    allocated.records.push(record);
    Some((allocated.subject.clone(), key))
}

/// An account, or an object in it that something is reserved for.
fn holder<'a>(
    gathered: &'a mut Gathered,
    account: &str,
    allocation: Option<&str>,
) -> &'a mut edgegrant::model::Subject {
    let Some(allocation) = allocation else {
        let subject = gathered.subject(account);
        subject.source = Some(Source { system: SYSTEM.into(), id: account.into() });
        return subject;
    };
    let subject = gathered.subject(&format!("{account}/{allocation}"));
    subject.source = Some(Source { system: SYSTEM.into(), id: allocation.into() });
    let attributes = [("account", account), ("allocation", allocation)];
    subject.attributes = attributes.map(|(name, value)| (name.into(), value.into())).into();
    subject
}
