//! Accounts, and all that was answered about each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use edgegrant::model::{Config, Entitlement, EntitlementType, Record, Source, Subject};
use serde_json::value::RawValue;

use super::family::Family;
use super::wire::{self, EntitlementList, Subscription, SubscriptionList};
use super::{Gathered, Notes, Options, Reason, SYSTEM};
use crate::failure::Failure;
use crate::sources::answers::Answer;

/// Accounts by id.
#[derive(Debug, Default)]
pub(super) struct Accounts(BTreeMap<String, Account>);

/// What was answered about an account.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// The list of its entitlements without these.
    list: Option<Config>,
    listed: Vec<Listed>,
    /// Entitlements that came with a subscription.
    carried: Vec<Listed>,
    legacy: BTreeSet<String>,
    subscriptions: Vec<Held>,
}

/// An entitlement as the service listed it.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) place: String,
    pub(super) entitlement: wire::Entitlement,
    json: Config,
}

/// A subscription as the service listed it.
#[derive(Debug)]
struct Held {
    subscription: Subscription,
    json: Config,
}

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
                list.subscriptions.iter().try_for_each(|json| self.subscribe(answer, json))
            }
            () if has("account_id") && has("id") => {
                self.subscribe(answer, &answer.parse::<Box<RawValue>>()?)
            }
            () if has("account_id") && has("entitlements") => self.entitle(answer, notes),
            () if has("error") || has("errors") || has("message") => Err(answer.error()),
            () => Err(answer.unknown()),
        }
    }

    fn entitle(&mut self, answer: &Answer, notes: &mut Notes) -> Result<(), Failure> {
        let list: EntitlementList = answer.parse()?;
        let account = self.0.entry(list.account_id).or_default();
        account.list = Some(without_entitlements(answer)?);
        account.legacy.extend(list.legacy_features.unwrap_or_default());
        account.replace(listed(answer, answer.place(), &list.entitlements)?, notes);
        Ok(())
    }

    fn subscribe(&mut self, answer: &Answer, json: &RawValue) -> Result<(), Failure> {
        let subscription: Subscription = answer.parse_part(json.get())?;
        let place = format!("{}: subscription {}", answer.place(), subscription.id);
        let account = self.0.entry(subscription.account_id.clone()).or_default();
        let carried = subscription.entitlements.as_deref().unwrap_or_default();
        for mut listed in listed(answer, &place, carried)? {
            listed.entitlement.subscription_id.get_or_insert_with(|| subscription.id.clone());
            account.carried.push(listed);
        }
        account.hold(Held { subscription, json: config(answer, json.get())? });
        Ok(())
    }
}

/// All members of an answer beside the entitlements, for whoever answers in its words.
fn without_entitlements(answer: &Answer) -> Result<Config, Failure> {
    let mut members: BTreeMap<String, Box<RawValue>> = answer.parse()?;
    members.remove("entitlements");
    config(answer, &serde_json::to_string(&members).unwrap_or_default())
}

fn listed(
    answer: &Answer,
    place: &str,
    entitlements: &[Box<RawValue>],
) -> Result<Vec<Listed>, Failure> {
    let listed = |(index, json): (usize, &str)| {
        let place = format!("{place}: entitlement {}", index + 1);
        let entitlement = answer.parse_part(json)?;
        Ok(Listed { place, entitlement, json: config(answer, json)? })
    };
    entitlements.iter().map(|json| json.get()).enumerate().map(listed).collect()
}

fn config(answer: &Answer, json: &str) -> Result<Config, Failure> {
    let named = |error: edgegrant::Error| format!("{}: {}", answer.place(), error.message());
    Config::parse(json).map_err(|error| Failure::bad_input(error.code(), named(error)))
}

impl Listed {
    /// What the record is called in all answers, if it is called anything.
    fn name(&self) -> Option<[String; 3]> {
        let wire::Entitlement { id, subscription_id, product_family, .. } = &self.entitlement;
        Some([subscription_id.clone()?, id.clone()?, product_family.clone()?])
    }
}

impl Account {
    /// Adds a list of entitlements. What an earlier list says of one of them holds no more.
    fn replace(&mut self, newer: Vec<Listed>, notes: &mut Notes) {
        let index = |listed: &Listed| Some((listed.name()?, listed.json.clone()));
        let names: HashMap<[String; 3], Config> = newer.iter().filter_map(index).collect();
        self.listed.retain(|old| {
            let json = old.name().and_then(|name| names.get(&name));
            if json.is_some_and(|json| *json != old.json) {
                notes.warn(&old.place, REPLACED);
            }
            json.is_none()
        });
        self.listed.extend(newer);
    }

    /// Keeps a subscription once: asked for by its id, it says more than in a list.
    fn hold(&mut self, newer: Held) {
        let known = self
            .subscriptions
            .iter_mut()
            .find(|held| held.subscription.id == newer.subscription.id);
        match known {
            None => self.subscriptions.push(newer),
            Some(held) if newer.subscription.entitlements.is_some() => *held = newer,
            Some(held) if held.subscription.entitlements.is_none() => *held = newer,
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
        let listed: BTreeSet<_> = self.listed.iter().filter_map(Listed::name).collect();
        let unlisted = |carried: &Listed| carried.name().is_none_or(|name| !listed.contains(&name));
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
            match listed.entitlement.product_family.as_deref() {
                Some(key) if !key.is_empty() => families.entry(key).or_default().add(listed),
                _ => notes.warn(&listed.place, WITHOUT_KEY),
            }
        }
        families
    }

    /// What the service said, and what kinds of subscriptions are active.
    fn describe(&self, subject: &mut Subject) {
        let record = |kind: &str, feature: Option<&String>, json: &Config| Record {
            system: SYSTEM.into(),
            kind: kind.into(),
            feature: feature.cloned(),
            json: json.clone(),
        };
        let list = self.list.iter().map(|json| record("account", None, json));
        let entitlements = self.listed.iter().map(|listed| {
            record("entitlement", listed.entitlement.product_family.as_ref(), &listed.json)
        });
        let subscriptions =
            self.subscriptions.iter().map(|held| record("subscription", None, &held.json));
        subject.records.extend(list.chain(entitlements).chain(subscriptions));
        let active = self.subscriptions.iter().map(|held| &held.subscription);
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
        let held = self.subscriptions.iter().find(|held| Some(&held.subscription.id) == id);
        let Some(Held { subscription, .. }) = held else { return entitlement };
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
