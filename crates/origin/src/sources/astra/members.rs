//! Entitlements of a pool, each with what it says and how long it holds.

use std::collections::{HashMap, HashSet};

use edgegrant::Amount;
use edgegrant::time::Timestamp;
use sha2::{Digest as _, Sha256};

use super::received::{Owned, Received};
use super::wire::{Entitlement, Scalar, Subscription};
use super::{Notes, Options, Reason};

/// One entitlement.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) place: String,
    pub(super) id: String,
    pub(super) said: Said,
    /// What is used of it, where that is a number.
    pub(super) consumption: Option<Amount>,
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) lapse: Lapse,
}

/// What a value says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Number(Amount),
    Unlimited,
    Text(String),
    Nothing,
}

/// What its subscription makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lapse {
    /// It is active, or not known.
    None,
    /// It is not active any more, and borne until then.
    Grace(Timestamp),
    /// It is not active.
    Over,
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

const ROW_TWICE: Reason =
    ("row-twice", "the row stands twice and has no id, so it is taken for one; ask for `id` too");
const VALUE_MISSING: Reason =
    ("value-missing", "it says nothing of a value; it is taken as access without a number");
const VALUE_NEGATIVE: Reason =
    ("value-negative", "its value is negative and not -1, which would be no limit; ask the vendor");
const CONSUMPTION_UNREADABLE: Reason =
    ("consumption-unreadable", "its consumption is no amount; usage counts as unknown");
const STATUS_UNKNOWN: Reason =
    ("status-unknown", "its subscription has no documented status; it gives no access");
const GRACE_UNKNOWN: Reason =
    ("grace-unknown", "its subscription is inactive and says nothing of a grace; no access");

/// Pages overlap: of several versions of an entitlement the last counts. What has no id is known
/// by all that it says except its consumption, which changes.
pub(super) fn distinct<'a>(
    entitlements: &'a [Owned<Entitlement>],
    notes: &mut Notes,
) -> Vec<(String, &'a Owned<Entitlement>)> {
    let mut kept: Vec<(String, &Owned<Entitlement>)> = Vec::new();
    let mut places = HashMap::new();
    let mut rows = HashSet::new();
    let mut copies = HashMap::new();
    for owned in entitlements {
        let Owned { account, item } = owned;
        if item.value.id.is_none() && !rows.insert((account, item.json.as_str())) {
            notes.warn(&item.place, ROW_TWICE);
            continue;
        }
        let id = item.value.id.clone().unwrap_or_else(|| {
            let id = row_id(&item.value, 0);
            let copy = copies.entry((account, id.clone())).and_modify(|copy| *copy += 1);
            match copy.or_insert(0) {
                0 => id,
                copy => row_id(&item.value, *copy),
            }
        });
        match places.get(&(account, id.clone())).and_then(|place: &usize| kept.get_mut(*place)) {
            Some(older) => older.1 = owned,
            None => {
                places.insert((account, id.clone()), kept.len());
                kept.push((id, owned));
            }
        }
    }
    kept
}

fn row_id(entitlement: &Entitlement, copy: usize) -> String {
    let Entitlement {
        id: _,
        entitlement_consumption: _,
        product,
        entitlement_type,
        entitlement_value,
        source_subscription,
        allocation,
        valid_from_timestamp: from,
        valid_until_timestamp: until,
    } = entitlement;
    let instants = [from, until].map(|instant| instant.map(|instant| instant.to_string()));
    let value = entitlement_value.as_ref().map(|value| match value {
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => text.clone(),
    });
    let texts = [product, entitlement_type, source_subscription, allocation];
    let told = serde_json::json!([texts, value, instants, copy]).to_string();
    let digest = Sha256::digest(told.as_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("row-{hex}")
}

impl Member {
    pub(super) fn new(
        id: String,
        owned: &Owned<Entitlement>,
        subscriptions: &Subscriptions<'_>,
        options: &Options,
        notes: &mut Notes,
    ) -> Self {
        let (place, entitlement) = (owned.item.place.clone(), &owned.item.value);
        let lapse = subscriptions.lapse(owned, options, notes);
        let consumption = match &entitlement.entitlement_consumption {
            Some(Scalar::Number(used)) if !used.is_negative() => Some(*used),
            None => None,
            Some(_) => {
                notes.warn(&place, CONSUMPTION_UNREADABLE);
                None
            }
        };
        let from = entitlement.valid_from_timestamp;
        let until = entitlement.valid_until_timestamp;
        let until = match lapse {
            Lapse::Grace(end) => Some(until.map_or(end, |until| until.min(end))),
            Lapse::None | Lapse::Over => until,
        };
        let until = until.map(|until| from.map_or(until, |from| until.max(from)));
        let said = said(entitlement.entitlement_value.as_ref(), &place, notes);
        Self { place, id, said, consumption, from, until, lapse }
    }

    /// Whether it holds at an instant.
    pub(super) fn holds(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// When it stops to hold; what never does is last.
    pub(super) fn end(&self) -> (bool, Option<Timestamp>) {
        (self.until.is_none(), self.until)
    }
}

fn said(value: Option<&Scalar>, place: &str, notes: &mut Notes) -> Said {
    match value {
        Some(Scalar::Number(number)) if *number == Amount::from_units(-1) => Said::Unlimited,
        Some(Scalar::Number(number)) => {
            if number.is_negative() {
                notes.error(place, VALUE_NEGATIVE);
            }
            Said::Number(*number)
        }
        Some(Scalar::Text(text)) => Said::Text(text.clone()),
        None => {
            notes.warn(place, VALUE_MISSING);
            Said::Nothing
        }
    }
}

/// Subscriptions by account and id.
#[derive(Debug)]
pub(super) struct Subscriptions<'a>(HashMap<(&'a str, &'a str), &'a Subscription>);

impl<'a> Subscriptions<'a> {
    pub(super) fn new(received: &'a Received) -> Self {
        let by_id = received.subscriptions.iter().filter_map(|Owned { account, item }| {
            Some(((account.as_str(), item.value.id.as_deref()?), &item.value))
        });
        Self(by_id.collect())
    }

    /// An inactive subscription is borne for its grace period after it was changed.
    fn lapse(&self, owned: &Owned<Entitlement>, options: &Options, notes: &mut Notes) -> Lapse {
        let id = owned.item.value.source_subscription.as_deref().unwrap_or_default();
        let Some(subscription) = self.0.get(&(owned.account.as_str(), id)) else {
            return Lapse::None;
        };
        let place = &owned.item.place;
        match subscription.status.as_deref() {
            Some("active") => return Lapse::None,
            Some("inactive") => {}
            _ => {
                notes.warn(place, STATUS_UNKNOWN);
                return Lapse::Over;
            }
        }
        let changed = subscription.metadata.as_ref().and_then(|told| told.modification_timestamp);
        let days = subscription.grace_period.filter(|days| *days >= 0);
        let Some((changed, days)) = changed.zip(days) else {
            notes.warn(place, GRACE_UNKNOWN);
            return Lapse::Over;
        };
        let end = changed.ceil_millis().plus_millis(i64::from(days) * DAY_MS);
        if end > options.at { Lapse::Grace(end.into()) } else { Lapse::Over }
    }
}
