//! Meter queries as usage events.

use std::collections::{BTreeMap, HashMap};

use edgegrant::model::UsageEvent;
use edgegrant::{Amount, Instant};

use super::Reason;
use super::owners::Owners;
use super::wire::{MeterQuery, MeterRow, UsageAnswer};
use crate::sources::Notes;

const MINUTE_MS: i64 = 60_000;

/// What meters said about one entitlement.
#[derive(Debug, Default)]
pub(super) struct MeterUsage {
    /// Sums by window and group; a row that comes twice is one row.
    rows: BTreeMap<(Instant, String), Amount>,
    /// From when to when usage is known, where an answer says so.
    from: Option<Instant>,
    to: Option<Instant>,
    /// The longest window.
    window_ms: i64,
}

/// Usage by what the answer was about: an entitlement, or a customer's use of a feature.
#[derive(Debug, Default)]
pub(super) struct UsageIndex {
    by_entitlement: HashMap<String, MeterUsage>,
    by_feature: HashMap<String, FeatureUsage>,
}

#[derive(Debug, Default)]
struct FeatureUsage {
    by_owner: HashMap<usize, MeterUsage>,
    from: Option<Instant>,
    to: Option<Instant>,
}

impl UsageIndex {
    pub(super) fn new(answers: Vec<UsageAnswer>, owners: &Owners, notes: &mut Notes) -> Self {
        let mut index = Self::default();
        for (number, answer) in answers.into_iter().enumerate() {
            if let Some(id) = answer.entitlement_id {
                index.by_entitlement.entry(id).or_default().add_all(&answer.usage);
            } else if let Some(key) = answer.feature_key {
                let feature = index.by_feature.entry(key).or_default();
                if !feature.add(&answer.usage, owners) {
                    notes.warn(format!("usage answer {}", number + 1), OWNER_UNKNOWN);
                }
            } else {
                notes.error(format!("usage answer {}", number + 1), NOT_ATTRIBUTED);
            }
        }
        index
    }

    /// Takes the usage of an entitlement out of the index.
    pub(super) fn take(&mut self, id: &str, feature: &str, owner: usize) -> Option<MeterUsage> {
        if let Some(usage) = self.by_entitlement.remove(id) {
            return Some(usage);
        }
        let feature = self.by_feature.get_mut(feature)?;
        let mut usage = feature.by_owner.remove(&owner).unwrap_or_default();
        usage.cover(feature.from, feature.to);
        Some(usage)
    }
}

impl FeatureUsage {
    /// Adds the rows of an answer grouped by customer or subject; false when one is nobody's.
    fn add(&mut self, query: &MeterQuery, owners: &Owners) -> bool {
        let (from, to) = coverage(query);
        self.from = earlier(self.from, from);
        self.to = self.to.max(to);
        let mut all_known = true;
        for row in &query.data {
            let names = [row.customer_id.as_deref(), row.subject.as_deref()];
            match names.iter().flatten().find_map(|name| owners.find(name)) {
                Some(owner) => self.by_owner.entry(owner).or_default().add(row),
                None => all_known = false,
            }
        }
        all_known
    }
}

impl MeterUsage {
    fn add_all(&mut self, query: &MeterQuery) {
        let (from, to) = coverage(query);
        self.cover(from, to);
        for row in &query.data {
            self.add(row);
        }
    }

    fn cover(&mut self, from: Option<Instant>, to: Option<Instant>) {
        self.from = earlier(self.from, from);
        self.to = self.to.max(to);
    }

    fn add(&mut self, row: &MeterRow) {
        let group = row.group_by.as_ref().map_or("", |group| group.get());
        let names = [row.customer_id.as_deref(), row.subject.as_deref(), Some(group)];
        let start = row.window_start.floor_second();
        let key = (start, names.map(Option::unwrap_or_default).join("\u{0}"));
        let length = row.window_end.floor_second().millis() - start.millis();
        self.window_ms = self.window_ms.max(length);
        self.rows.insert(key, row.value.0);
    }

    /// Usage is known from here, or from the first row.
    pub(super) fn known_from(&self) -> Option<Instant> {
        self.from
    }

    /// The events at or after `at`, and until when they are all.
    pub(super) fn since(&self, at: Instant) -> Result<(Vec<UsageEvent>, Instant), Reason> {
        if self.from.is_some_and(|from| from > at) {
            return Err(USAGE_GAP);
        }
        if self.window_ms > MINUTE_MS {
            return Err(WINDOW_TOO_WIDE);
        }
        let mut sums = BTreeMap::<Instant, Amount>::new();
        for ((start, _), amount) in self.rows.range((at, String::new())..) {
            *sums.entry(*start).or_default() += *amount;
        }
        sums.retain(|_, amount| !amount.is_zero());
        let end = sums.keys().next_back().map(|start| start.plus_millis(MINUTE_MS));
        let as_of = self.to.max(end).unwrap_or(at).max(at);
        let event = |(start, amount): (Instant, Amount)| UsageEvent { at: start.into(), amount };
        Ok((sums.into_iter().map(event).collect(), as_of))
    }
}

/// What an answer says about the stretch it covers; its rows say the least of it.
fn coverage(query: &MeterQuery) -> (Option<Instant>, Option<Instant>) {
    let end = query.data.iter().map(|row| row.window_end.floor_second()).max();
    (query.from.map(|from| from.floor_second()), query.to.map(|to| to.floor_second()).or(end))
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

const OWNER_UNKNOWN: Reason = (
    "usage-owner-unknown",
    "rows name no customer of the export and are left out; group the query by `customerId`",
);
const NOT_ATTRIBUTED: Reason = (
    "usage-not-attributed",
    "the answer stands without `entitlementId` or `featureKey`; add what the query was about",
);
const USAGE_GAP: Reason = (
    "usage-gap",
    "usage is exported only from after the time of the value; query the meter from that time",
);
const WINDOW_TOO_WIDE: Reason = (
    "usage-window-too-wide",
    "usage is exported in windows longer than a minute; query the meter with windowSize=MINUTE",
);
