//! An account, and what the service says of it.

use axum::http::Uri;
use edgegrant::gate::{Answer, Reason};
use edgegrant::model::{Config, Record, Subject};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::SYSTEM;
use super::wire::{
    AccountIds, AccountRecord, Entitlement, EntitlementList, Members, Subscription,
    SubscriptionList, is_usable,
};
use crate::compat::facts::records;
use crate::compat::present::Present;
use crate::compat::world::Unavailable;

/// What is asked for behind the question mark.
pub(super) struct Wanted {
    family: Option<String>,
    status: Option<String>,
    kind: Option<String>,
    active: bool,
    pub(super) bundles: bool,
}

impl Wanted {
    pub(super) fn new(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default().as_bytes();
        let value = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(query);
            pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        // The vendor's client writes booleans as Python does.
        let is = |value: &String, flag: &str| value.eq_ignore_ascii_case(flag);
        Self {
            family: value("product_family"),
            status: value("status"),
            kind: value("subscription_type"),
            active: value("active").is_some_and(|active| is(&active, "true")),
            bundles: value("filter_bundles").is_some_and(|bundles| !is(&bundles, "false")),
        }
    }
}

/// A subject that the service knows.
pub(super) struct Account<'a> {
    present: &'a Present,
    subject: &'a Subject,
}

/// An entitlement as it is now.
struct Now {
    said: Entitlement,
    /// Whether its status gives access now.
    usable: bool,
    members: Members,
}

impl<'a> Account<'a> {
    pub(super) fn new(present: &'a Present, id: &str) -> Option<Self> {
        let subject = present.known().facts.subject(id)?;
        Self::of(present, subject)
    }

    pub(super) fn all(present: &'a Present) -> impl Iterator<Item = Self> {
        let subjects = present.known().facts.subjects().iter();
        subjects.filter_map(|subject| Self::of(present, subject))
    }

    fn of(present: &'a Present, subject: &'a Subject) -> Option<Self> {
        let known = subject.records.iter().any(|record| record.system == SYSTEM);
        known.then_some(Self { present, subject })
    }

    /// The id that the service knows it by.
    pub(super) fn id(&self) -> String {
        let list = self.read::<AccountRecord>("account").map(|(said, _)| said.account_id).next();
        let held = || self.read::<Subscription>("subscription").map(|(held, _)| held.account_id);
        list.or_else(|| held().next()).unwrap_or_else(|| self.subject.subject.clone())
    }

    /// The records of a kind, each with what is read of it.
    fn read<T: DeserializeOwned>(&self, kind: &str) -> impl Iterator<Item = (T, &'a Config)> {
        let records: Vec<&Record> = records(&self.subject.records, SYSTEM, kind).collect();
        let read = |record: &'a Record| {
            Some((serde_json::from_str(record.json.as_str()).ok()?, &record.json))
        };
        records.into_iter().filter_map(read)
    }

    fn check(&self, feature: &str) -> Result<Answer, Unavailable> {
        self.present.check(&self.subject.subject, feature)
    }

    pub(super) fn entitlements(&self, wanted: &Wanted) -> Result<EntitlementList, Unavailable> {
        let mut entitlements = Vec::new();
        for (said, json) in self.read::<Entitlement>("entitlement") {
            let takes = |wanted: &Option<String>, value: Option<&str>| {
                wanted.as_deref().is_none_or(|wanted| value == Some(wanted))
            };
            if !takes(&wanted.family, said.product_family.as_deref()) {
                continue;
            }
            let Some(now) = self.now(said, json.as_str())? else { continue };
            let text = now.members.get("status").map(|status| status.get().trim_matches('"'));
            if takes(&wanted.status, text) {
                entitlements.push(now.members);
            }
        }
        let legacy_features = self.legacy()?;
        Ok(EntitlementList { account_id: self.id(), entitlements, legacy_features })
    }

    /// The older features that may be used, if the service said anything of them.
    fn legacy(&self) -> Result<Option<Vec<String>>, Unavailable> {
        let list = self.read::<AccountRecord>("account").next();
        let Some(mut features) = list.and_then(|(said, _)| said.legacy_features) else {
            return Ok(None);
        };
        let mut usable = Vec::new();
        for feature in features.drain(..) {
            if self.check(&format!("legacy:{feature}"))?.has_access {
                usable.push(feature);
            }
        }
        Ok(Some(usable))
    }

    /// A record as it is now; nothing where the snapshot has no such entitlement.
    ///
    /// The status is the record's, unless the snapshot gives no access any more to what it lists as
    /// usable.
    fn now(&self, said: Entitlement, json: &str) -> Result<Option<Now>, Unavailable> {
        let mut members: Members = serde_json::from_str(json).unwrap_or_default();
        let usable = said.is_usable();
        let Some(family) = said.product_family.as_deref().filter(|family| !family.is_empty())
        else {
            return Ok(Some(Now { said, usable, members }));
        };
        let withdrawn = match self.check(family)?.reason {
            Reason::UnknownSubject | Reason::UnknownFeature | Reason::NotEntitled => {
                return Ok(None);
            }
            Reason::Ended => Some("expired"),
            Reason::Suspended if self.is_suspended_here(family) => Some("canceled"),
            _ => None,
        };
        let withdrawn = withdrawn.filter(|_| usable);
        if let Some(status) = withdrawn.and_then(|status| serde_json::to_string(status).ok()) {
            members.extend(RawValue::from_string(status).map(|text| ("status".to_owned(), text)));
        }
        Ok(Some(Now { said, usable: usable && withdrawn.is_none(), members }))
    }

    /// Whether the record that decides is usable, so that somebody else denies it.
    fn is_suspended_here(&self, family: &str) -> bool {
        let mut given = self.subject.entitlements.iter();
        let given = given.find(|given| given.feature == family);
        given.is_some_and(|given| is_usable(given.attributes.get("status").map(String::as_str)))
    }

    pub(super) fn subscriptions(&self) -> SubscriptionList {
        let all = self.read::<Subscription>("subscription");
        let subscriptions = all.map(|(_, json)| without_entitlements(json)).collect();
        SubscriptionList { subscriptions }
    }

    /// A subscription with its entitlements, if there is one of that id.
    pub(super) fn subscription(&self, id: &str) -> Result<Option<Members>, Unavailable> {
        let mut all = self.read::<Subscription>("subscription");
        let Some((held, json)) = all.find(|(held, _)| held.id == id) else { return Ok(None) };
        let listed = || {
            let all = self.read::<Entitlement>("entitlement");
            let of = all.filter(|(said, _)| said.subscription_id.as_deref() == Some(id));
            of.map(|(_, json)| json.as_str().to_owned()).collect()
        };
        let own = |own: Vec<Box<RawValue>>| own.iter().map(|json| json.get().to_owned()).collect();
        let texts: Vec<String> = held.entitlements.map_or_else(listed, own);
        let mut entitlements = Vec::new();
        for text in texts {
            let Ok(said) = serde_json::from_str(&text) else { continue };
            entitlements.extend(self.now(said, &text)?.map(|now| now.members));
        }
        let mut members = without_entitlements(json);
        if let Ok(list) = serde_json::value::to_raw_value(&entitlements) {
            members.insert("entitlements".into(), list);
        }
        Ok(Some(members))
    }

    /// Whether it has a family, through a subscription of a type and in use where that is wanted.
    fn has(&self, family: &str, wanted: &Wanted) -> Result<bool, Unavailable> {
        let of_kind = |id: &str| {
            let mut all = self.read::<Subscription>("subscription");
            all.any(|(held, _)| held.id == id && held.kind == wanted.kind)
        };
        for (said, json) in self.read::<Entitlement>("entitlement") {
            let Some(now) = (said.product_family.as_deref() == Some(family))
                .then(|| self.now(said, json.as_str()))
                .transpose()?
                .flatten()
            else {
                continue;
            };
            let kind =
                wanted.kind.is_none() || now.said.subscription_id.as_deref().is_some_and(of_kind);
            let active = !wanted.active || (now.usable && self.check(family)?.has_access);
            if kind && active {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The accounts that have a family.
pub(super) fn account_ids(
    present: &Present,
    family: &str,
    wanted: &Wanted,
) -> Result<AccountIds, Unavailable> {
    let mut account_ids = Vec::new();
    for account in Account::all(present) {
        if account.has(family, wanted)? {
            account_ids.push(account.id());
        }
    }
    Ok(AccountIds { account_ids })
}

fn without_entitlements(json: &Config) -> Members {
    let mut members: Members = serde_json::from_str(json.as_str()).unwrap_or_default();
    members.remove("entitlements");
    members
}
