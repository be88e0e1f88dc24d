//! What subscriptions give, and the entitlements that come of it.

use std::collections::{BTreeMap, BTreeSet};

use edgegrant::model::{Entitlement, EntitlementType, Grant, Source, Status, Usage, UsageKind};
use edgegrant::time::Timestamp;
use edgegrant::{Amount, Instant};

use super::wire::{Seats, Subscription};
use super::{Notes, Options, Reason, SYSTEM};
use crate::sources::listed::Item;

/// What a subscription gives of one feature.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub(super) feature: String,
    /// How much of it; a suite is given as a whole.
    seats: Option<Counted>,
    /// Until when a violation of its product class is borne.
    pub(super) grace_until: Option<Timestamp>,
    term: Term,
}

/// Seats of a sku.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    limit: Amount,
    assigned: Option<Amount>,
}

/// The subscription as far as all its shares have it in common.
#[derive(Clone, Debug)]
struct Term {
    subscription: String,
    status: String,
    standing: Standing,
    from: Option<Timestamp>,
    ends: Option<Timestamp>,
    past_end: bool,
    as_of: Timestamp,
}

/// What a status means at import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Counts,
    Later,
    Not,
}

/// The key of seats that are counted without saying of what.
const ALL_SKUS: &str = "*";

const SEATS_MISSING: Reason =
    ("seats-missing", "it does not say how many seats there are; it is left out");
const SEATS_INCONSISTENT: Reason = (
    "seats-inconsistent",
    "`available` is not what limit and assigned leave; limit and assigned count",
);
const STATUS_UNKNOWN: Reason =
    ("status-unknown", "its status is none that is documented; it gives no access");
const NOT_BEGUN: Reason =
    ("inactive-after-start", "it is inactive though its start is past; it gives no access");

/// What a subscription gives, feature by feature.
pub(super) fn of(item: &Item<Subscription>, options: &Options, notes: &mut Notes) -> Vec<Share> {
    let subscription = &item.value;
    let term = Term::new(item, options, notes);
    let share = |feature: String, seats| {
        let (grace_until, term) = (None, term.clone());
        Share { feature, seats, grace_until, term }
    };
    let mut shares = Vec::<Share>::new();
    for (feature, seats) in listed(item, notes) {
        let Some(counted) = Counted::new(seats, item, notes) else { continue };
        match shares.iter_mut().find(|share| share.feature == feature) {
            // An order line of its own for more of the same.
            Some(share) => share.seats = share.seats.map(|seats| seats.plus(counted)),
            None => shares.push(share(feature, Some(counted))),
        }
    }
    let agreement = subscription.enterprise_agreement.as_ref();
    let suites = agreement.and_then(|agreement| agreement.suites.as_deref()).unwrap_or_default();
    let suites: BTreeSet<&String> = suites.iter().collect();
    shares.extend(suites.into_iter().map(|suite| share(format!("suite:{suite}"), None)));
    shares
}

/// The seats of each sku; where a subscription only counts, of all skus together.
fn listed(item: &Item<Subscription>, notes: &mut Notes) -> Vec<(String, Option<Seats>)> {
    let Some(entitlements) = &item.value.entitlements else {
        let seats = item.value.counts.and_then(|counts| counts.seats);
        return vec![(ALL_SKUS.into(), seats)];
    };
    let mut listed = Vec::new();
    for entitlement in entitlements {
        match &entitlement.sku {
            Some(sku) => listed.push((sku.clone(), entitlement.seats)),
            None => notes.warn(&item.place, super::WITHOUT_KEY),
        }
    }
    listed
}

impl Counted {
    fn new(seats: Option<Seats>, item: &Item<Subscription>, notes: &mut Notes) -> Option<Self> {
        let Some((seats, limit)) = seats.and_then(|seats| Some((seats, seats.limit?.0))) else {
            notes.warn(&item.place, SEATS_MISSING);
            return None;
        };
        let assigned = seats.assigned.map(|assigned| assigned.0);
        let left = assigned.map(|assigned| (limit - assigned).or_zero());
        if seats.available.zip(left).is_some_and(|(available, left)| available.0 != left) {
            notes.warn(&item.place, SEATS_INCONSISTENT);
        }
        Some(Self { limit, assigned })
    }

    fn plus(self, other: Self) -> Self {
        let assigned = self.assigned.zip(other.assigned).map(|(one, other)| one + other);
        Self { limit: self.limit + other.limit, assigned }
    }
}

impl Term {
    fn new(item: &Item<Subscription>, options: &Options, notes: &mut Notes) -> Self {
        let subscription = &item.value;
        let at = Timestamp::from(options.ends.at);
        let begins_later = subscription.start_date.is_some_and(|start| start > at);
        let standing = match subscription.status.as_deref() {
            Some("active" | "out_of_compliance") => Standing::Counts,
            Some("inactive") if begins_later => Standing::Later,
            Some("expired" | "canceled") => Standing::Not,
            other => {
                let reason = if other == Some("inactive") { NOT_BEGUN } else { STATUS_UNKNOWN };
                notes.warn(&item.place, reason);
                Standing::Not
            }
        };
        let end = subscription.end_date;
        let ends = match standing {
            // What was canceled before its start ends where it would have begun.
            Standing::Not => end.max(end.and(subscription.start_date)),
            _ => options.ends.of(end, &item.place, notes),
        };
        Self {
            subscription: subscription.subscription_id.clone().unwrap_or_default(),
            status: subscription.status.clone().unwrap_or_default(),
            standing,
            from: subscription.start_date,
            ends,
            past_end: end.is_some() && ends.is_none(),
            // Nothing is known of the future.
            as_of: subscription.last_updated_at.map_or(at, |updated| updated.min(at)),
        }
    }
}

/// The entitlement to a feature that one or more subscriptions give together.
///
/// Those whose status counts, now or later, give it. Where none does it is suspended, and shows
/// what it would be.
pub(super) fn together(shares: &[Share]) -> Option<Entitlement> {
    let first = shares.first()?;
    let standing = |share: &&Share| share.term.standing;
    let mut giving: Vec<&Share> =
        shares.iter().filter(|share| standing(share) != Standing::Not).collect();
    let suspended = giving.is_empty();
    if suspended {
        giving = shares.iter().collect();
    }
    let kind = first.seats.map_or(EntitlementType::Boolean, |_| EntitlementType::Metered);
    let mut target = Entitlement::new(&first.feature, kind);
    target.status = if suspended { Status::Suspended } else { Status::Active };
    let from: Option<Vec<_>> = giving.iter().map(|share| share.term.from).collect();
    target.active_from = from.and_then(|all| all.into_iter().min());
    let ends: Option<Vec<_>> = giving.iter().map(|share| share.term.ends).collect();
    target.active_to = ends.and_then(|all| all.into_iter().max());
    target.attributes = attributes(&giving);
    target.source = Some(Source { system: SYSTEM.into(), id: source_id(shares) });
    if kind == EntitlementType::Metered {
        target.grace_until = giving.iter().filter_map(|share| share.grace_until).max();
        target.grants = giving.iter().filter_map(|share| share.grant()).collect();
        target.usage = Some(usage(&giving));
    }
    Some(target)
}

/// The record that an entitlement stands for: that of a subscription, or the sku of all of them.
fn source_id(shares: &[Share]) -> String {
    match shares {
        [only] => only.id(),
        several => several.first().map(|share| share.feature.clone()).unwrap_or_default(),
    }
}

fn attributes(giving: &[&Share]) -> BTreeMap<String, String> {
    let statuses: BTreeSet<&str> = giving.iter().map(|share| share.term.status.as_str()).collect();
    let statuses: Vec<&str> = statuses.into_iter().collect();
    let mut attributes = BTreeMap::new();
    attributes.insert("status".into(), statuses.join(","));
    if giving.iter().any(|share| share.term.past_end) {
        attributes.insert("flag".into(), "past-end-at-import".into());
    }
    attributes
}

/// Seats that are assigned in subscriptions that count, or in those that will where none does yet.
fn usage(giving: &[&Share]) -> Usage {
    let counts = |share: &&&Share| share.term.standing == Standing::Counts;
    let any = giving.iter().any(|share| counts(&share));
    let counted: Vec<_> = giving.iter().filter(|share| !any || counts(share)).collect();
    let assigned = counted.iter().map(|share| share.seats.and_then(|seats| seats.assigned));
    let assigned: Option<Vec<Amount>> = assigned.collect();
    let Some(assigned) = assigned else { return Usage::new(UsageKind::Unknown) };
    Usage {
        amount: Some(assigned.into_iter().sum()),
        as_of: counted.iter().map(|share| share.term.as_of).min(),
        ..Usage::new(UsageKind::Level)
    }
}

impl Share {
    fn id(&self) -> String {
        format!("{}/{}", self.term.subscription, self.feature)
    }

    fn grant(&self) -> Option<Grant> {
        let Term { from, ends, .. } = self.term;
        let from = from.unwrap_or(Instant::EPOCH.into());
        Some(Grant { expires_at: ends, ..Grant::new(self.id(), self.seats?.limit, from) })
    }
}
