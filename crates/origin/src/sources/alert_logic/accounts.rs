//! Accounts, and all that was answered about each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use edgegrant::model::{Config, Entitlement, EntitlementType, Source, Subject};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::family::Family;
use super::wire::{self, EntitlementList, Subscription, SubscriptionList};
use super::{Gathered, Notes, Options, Reason, SYSTEM};
use crate::failure::Failure;
use crate::sources::answers::Answer;
use crate::sources::listed::Item;

/// Accounts by id.
#[derive(Debug, Default)]
pub(super) struct Accounts(BTreeMap<String, Account>);

/// What was answered about an account.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// The list of its entitlements without these.
    list: Option<Item<IgnoredAny>>,
    listed: Vec<Listed>,
    /// Entitlements that came with a subscription.
    carried: Vec<Listed>,
    legacy: BTreeSet<String>,
    subscriptions: Vec<Held>,
}

/// An entitlement as the service listed it.
pub(super) type Listed = Item<wire::Entitlement>;

/// A subscription as the service listed it.
type Held = Item<Subscription>;

/// The vendor itself, whose people may use what nobody else may.
const VENDOR: &str = "2";
const INTERNAL: &str = "al_internal_user";

impl Accounts {
    pub(super) fn read(answers: &[Answer], notes: &mut Notes) -> Result<Self, Failure> {
        let mut accounts = Self::default();
        for answer in answers {
            accounts.take(answer, notes)?;
        }
        Ok(accounts)
    }

    pub(super) fn into_each(self) -> impl Iterator<Item = (String, Account)> {
        self.0.into_iter()
    }

    fn take(&mut self, answer: &Answer, notes: &mut Notes) -> Result<(), Failure> {
        let names = answer.names();
        let has = |name: &str| names.iter().any(|other| other == name);
        match () {
            () if has("subscriptions") => {
                let list: SubscriptionList = answer.parse()?;
                let all = items(answer.place(), "subscription", &list.subscriptions)?;
                all.into_iter().try_for_each(|held| self.subscribe(answer, held))
            }
            () if has("account_id") && has("id") => {
                let held = Item::new(answer.place().to_owned(), answer.body())?;
                self.subscribe(answer, held)
            }
            () if has("account_id") && has("entitlements") => self.entitle(answer, notes),
            () if has("error") || has("errors") || has("message") => Err(answer.error()),
            () => Err(answer.unknown()),
        }
    }

    fn entitle(&mut self, answer: &Answer, notes: &mut Notes) -> Result<(), Failure> {
        let list: EntitlementList = answer.parse()?;
        check_account(answer, &list.account_id)?;
        let account = self.0.entry(list.account_id).or_default();
        account.list = Some(without_entitlements(answer)?);
        account.legacy.extend(list.legacy_features.unwrap_or_default());
        account.replace(items(answer.place(), "entitlement", &list.entitlements)?, notes);
        Ok(())
    }

    fn subscribe(&mut self, answer: &Answer, held: Held) -> Result<(), Failure> {
        let Subscription { id, account_id, entitlements, .. } = &held.value;
        check_account(answer, account_id)?;
        let carried = entitlements.as_deref().unwrap_or_default();
        let mut carried: Vec<Listed> = items(&held.place, "entitlement", carried)?;
        for listed in &mut carried {
            listed.value.subscription_id.get_or_insert_with(|| id.clone());
        }
        let account = self.0.entry(account_id.clone()).or_default();
        account.carried.extend(carried);
        account.hold(held);
        Ok(())
    }
}

/// That an answer is about the account that was asked about, where that is known.
fn check_account(answer: &Answer, account: &str) -> Result<(), Failure> {
    if answer.request().after("v1").is_none_or(|asked| asked == account) {
        return Ok(());
    }
    let message = "the answer is about another account than was asked about; ask again";
    Err(Failure::bad_input("account-differs", format!("{}: {message}", answer.place())))
}

/// The members of an answer beside its entitlements, for whoever answers in its words.
fn without_entitlements(answer: &Answer) -> Result<Item<IgnoredAny>, Failure> {
    let mut members: BTreeMap<String, Box<RawValue>> = answer.parse()?;
    members.remove("entitlements");
    Item::new(answer.place().to_owned(), &serde_json::to_string(&members).unwrap_or_default())
}

fn items<T: DeserializeOwned>(
    place: &str,
    kind: &str,
    records: &[Box<RawValue>],
) -> Result<Vec<Item<T>>, Failure> {
    let place = |index| format!("{place}: {kind} {}", index + 1);
    let item = |(index, record): (usize, &str)| Item::new(place(index), record);
    records.iter().map(|record| record.get()).enumerate().map(item).collect()
}

/// What an entitlement is called in all answers, if it is called anything.
fn name(listed: &Listed) -> Option<[String; 3]> {
    let wire::Entitlement { id, subscription_id, product_family, .. } = &listed.value;
    Some([subscription_id.clone()?, id.clone()?, product_family.clone()?])
}

impl Account {
    /// Adds a list of entitlements. What an earlier list says of one of them holds no more.
    fn replace(&mut self, newer: Vec<Listed>, notes: &mut Notes) {
        let index = |listed: &Listed| Some((name(listed)?, listed.json.clone()));
        let names: HashMap<[String; 3], Config> = newer.iter().filter_map(index).collect();
        self.listed.retain(|old| {
            let json = name(old).and_then(|name| names.get(&name));
            if json.is_some_and(|json| *json != old.json) {
                notes.warn(&old.place, REPLACED);
            }
            json.is_none()
        });
        self.listed.extend(newer);
    }

    /// Keeps a subscription once: asked for by its id, it says more than in a list.
    fn hold(&mut self, newer: Held) {
        let same = |held: &&mut Held| held.value.id == newer.value.id;
        match self.subscriptions.iter_mut().find(same) {
            None => self.subscriptions.push(newer),
            Some(held) if newer.value.entitlements.is_some() => *held = newer,
            Some(held) if held.value.entitlements.is_none() => *held = newer,
            Some(_) => {}
        }
    }

    /// Turns the account into a subject with what it is entitled to.
    pub(super) fn give(
        mut self,
        id: &str,
        gathered: &mut Gathered,
        options: &Options,
        notes: &mut Notes,
    ) {
        let listed: BTreeSet<_> = self.listed.iter().filter_map(name).collect();
        let unlisted = |carried: &Listed| name(carried).is_none_or(|name| !listed.contains(&name));
        self.listed.extend(std::mem::take(&mut self.carried).into_iter().filter(unlisted));
        self.describe(gathered.subject(id));
        for (key, family) in self.families(notes) {
            let Some(entitlement) = family.into_entitlement(key, options, notes) else { continue };
            let unit = entitlement.attributes.get("unit").cloned();
            let feature = gathered.feature(key);
            if feature.unit.is_some() && unit.is_some() && feature.unit != unit {
                notes.warn(format!("family {key}"), UNIT_DIFFERS);
            }
            feature.unit = feature.unit.take().or(unit);
            gathered.entitle(id, self.subscribed(entitlement));
        }
        for feature in &self.legacy {
            gathered.entitle(id, for_ever(&format!("legacy:{feature}")));
        }
        let has = |entitlement: &Entitlement| entitlement.feature == INTERNAL;
        if id == VENDOR && !gathered.subject(id).entitlements.iter().any(has) {
            gathered.entitle(id, for_ever(INTERNAL));
        }
    }

    /// The records by product family.
    fn families(&self, notes: &mut Notes) -> BTreeMap<&str, Family<'_>> {
        let mut families = BTreeMap::<&str, Family<'_>>::new();
        for listed in &self.listed {
            match listed.value.product_family.as_deref() {
                Some(key) if !key.is_empty() => families.entry(key).or_default().add(listed),
                _ => notes.warn(&listed.place, WITHOUT_KEY),
            }
        }
        families
    }

    /// What the service said, and what kinds of subscriptions are active.
    fn describe(&self, subject: &mut Subject) {
        let list = self.list.iter().map(|list| list.record(SYSTEM, "account", None));
        let entitlements = self.listed.iter().map(|listed| {
            listed.record(SYSTEM, "entitlement", listed.value.product_family.as_deref())
        });
        let subscriptions =
            self.subscriptions.iter().map(|held| held.record(SYSTEM, "subscription", None));
        subject.records.extend(list.chain(entitlements).chain(subscriptions));
        let active = self.subscriptions.iter().map(|held| &held.value);
        let kinds = active.filter(|held| held.is_active() == Some(true));
        let kinds: BTreeSet<&str> = kinds.filter_map(|held| held.kind.as_deref()).collect();
        if !kinds.is_empty() {
            let kinds = kinds.into_iter().collect::<Vec<_>>().join(" ");
            subject.attributes.insert("subscriptionTypes".into(), kinds);
        }
    }

    /// Adds what is known of the subscription that an entitlement belongs to.
    fn subscribed(&self, mut entitlement: Entitlement) -> Entitlement {
        let id = entitlement.attributes.get("subscription");
        let held = self.subscriptions.iter().map(|held| &held.value);
        let Some(subscription) = held.into_iter().find(|held| Some(&held.id) == id) else {
            return entitlement;
        };
        let known = [
            ("subscriptionType", subscription.kind.clone()),
            ("subscriptionActive", subscription.is_active().map(|active| active.to_string())),
        ];
        let known = known.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
        entitlement.attributes.extend(known);
        entitlement
    }
}

fn for_ever(key: &str) -> Entitlement {
    let source = Some(Source { system: SYSTEM.into(), id: key.into() });
    Entitlement { source, ..Entitlement::new(key, EntitlementType::Boolean) }
}

const WITHOUT_KEY: Reason =
    ("record-without-key", "it has no product family; it is left out, as the vendor does");
const REPLACED: Reason = (
    "entitlement-replaced",
    "a later answer says something else of the same entitlement, which counts; leave old answers \
     out",
);
const UNIT_DIFFERS: Reason = (
    "unit-differs",
    "accounts count it in several units; each entitlement's attribute says its own",
);
