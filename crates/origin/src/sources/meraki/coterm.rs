//! Organizations whose licences end together.

use std::collections::BTreeMap;

use edgegrant::model::{Entitlement, EntitlementType, Grant, Source, Status, Usage, UsageKind};
use edgegrant::time::Timestamp;
use edgegrant::{Amount, Instant};

use super::received::{Owned, Received};
use super::wire::Overview;
use super::{Gathered, Notes, Options, Reason, SYSTEM, organization};
use crate::sources::listed::Item;

/// An organization is shut down so long after its licences have ended.
const GRACE_MS: i64 = 30 * 24 * 60 * 60 * 1000;

const STATUS_UNKNOWN: Reason = (
    "status-unknown",
    "the organization's licence status is not OK and its licences have not ended; no access",
);

const OVERVIEW_MISSING: Reason = (
    "overview-missing",
    "licences do not say when they end or what they add up to; get the overview too",
);

const LICENSES_MISSING: Reason = (
    "licenses-missing",
    "where each device has a licence, the overview names no models; list the licences too",
);

/// Entitles organizations to what their overviews say. Licences are only kept.
pub(super) fn import(
    received: &Received,
    options: &Options,
    gathered: &mut Gathered,
    notes: &mut Notes,
) {
    let mut overviews = BTreeMap::new();
    for Owned { organization: owner, item } in &received.overviews {
        let target = organization(gathered, owner);
        target.records.push(item.record(SYSTEM, "licenses-overview", None));
        if item.value.licensed_device_counts.is_some() {
            overviews.insert(owner, item);
        } else if !received.device_licenses.iter().any(|other| other.organization == *owner) {
            notes.warn(&item.place, LICENSES_MISSING);
        }
    }
    for Owned { organization: owner, item } in &received.licenses {
        let target = organization(gathered, owner);
        target.records.push(item.record(SYSTEM, "coterm-license", None));
        if !overviews.contains_key(owner) {
            notes.warn(&item.place, OVERVIEW_MISSING);
        }
    }
    for (owner, item) in overviews {
        for entitlement in entitlements(item, options, notes) {
            gathered.feature(&entitlement.feature).unit = Some("device".into());
            gathered.entitle(owner, entitlement);
        }
    }
}

/// When all licences of an organization end.
#[derive(Debug)]
struct Term {
    suspended: bool,
    /// Thirty days after the date.
    ends: Option<Timestamp>,
    /// Whether the date has passed already.
    in_grace: bool,
    past_end: bool,
}

impl Term {
    fn new(item: &Item<Overview>, options: &Options, notes: &mut Notes) -> Self {
        let Overview { status, expiration_date: date, .. } = &item.value;
        let at = Timestamp::from(options.ends.at);
        let end = date.map(|date| Timestamp::from(date.ceil_millis().plus_millis(GRACE_MS)));
        let usable = status.as_deref() == Some("OK");
        let passed = date.is_some_and(|date| date <= at);
        if !usable && !passed {
            notes.warn(&item.place, STATUS_UNKNOWN);
        }
        let ends = if usable { options.ends.of(end, &item.place, notes) } else { end };
        let in_grace = passed && ends.is_some_and(|end| end > at);
        Self {
            suspended: !usable && !passed,
            ends,
            in_grace,
            past_end: end.is_some() && ends.is_none(),
        }
    }
}

/// One entitlement for each model. How many devices there are, the overview does not say.
fn entitlements(item: &Item<Overview>, options: &Options, notes: &mut Notes) -> Vec<Entitlement> {
    let term = Term::new(item, options, notes);
    let counts = item.value.licensed_device_counts.iter().flatten();
    counts.map(|(model, count)| entitlement(model, count.0, &term, &item.value)).collect()
}

fn entitlement(model: &str, count: Amount, term: &Term, overview: &Overview) -> Entitlement {
    let mut target = Entitlement::new(model, EntitlementType::Metered);
    target.status = if term.suspended { Status::Suspended } else { Status::Active };
    target.active_to = term.ends;
    target.grace_until = term.ends.filter(|_| term.in_grace);
    let grant = Grant::new("coterm", count, Instant::EPOCH.into());
    target.grants = vec![Grant { expires_at: term.ends, ..grant }];
    target.usage = Some(Usage::new(UsageKind::Unknown));
    target.source = Some(Source { system: SYSTEM.into(), id: model.into() });
    let attributes = [
        ("status", overview.status.clone()),
        ("expirationDate", overview.expiration_date.map(|date| date.to_string())),
        ("flag", term.past_end.then(|| "past-end-at-import".into())),
    ];
    let known = attributes.into_iter().filter_map(|(name, text)| Some((name.into(), text?)));
    target.attributes = known.collect();
    target
}
