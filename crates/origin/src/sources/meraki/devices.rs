//! Organizations with a licence for each device.

use std::collections::{BTreeMap, BTreeSet};

use edgegrant::model::{Entitlement, EntitlementType, Grant, Source, Status, Usage, UsageKind};
use edgegrant::time::Timestamp;
use edgegrant::{Amount, Instant};

use super::received::{Owned, Received};
use super::wire::DeviceLicense;
use super::{Gathered, Notes, Options, Reason, SYSTEM, WITHOUT_KEY, organization};
use crate::sources::listed::Item;

/// The licences of one type.
#[derive(Debug, Default)]
struct Licenses {
    /// How many end when.
    counted: BTreeMap<Option<Timestamp>, Amount>,
    /// How many are on devices.
    on_devices: Amount,
    /// Whether some are seats, of which nobody says who sits on them.
    seats: bool,
    states: BTreeSet<String>,
    past_end: bool,
}

const STATE_UNKNOWN: Reason =
    ("status-unknown", "its state is none that is documented; it gives no access");

/// Entitles organizations to each type of licence that they have.
pub(super) fn import(
    received: &Received,
    options: &Options,
    gathered: &mut Gathered,
    notes: &mut Notes,
) {
    let mut types = BTreeMap::<(&str, &str), Licenses>::new();
    for Owned { organization: owner, item } in &received.device_licenses {
        let key = item.value.license_type.as_deref();
        let record = item.record(SYSTEM, "license", key);
        organization(gathered, owner).records.push(record);
        match key {
            Some(key) => {
                let licenses = types.entry((owner, key)).or_default();
                licenses.add(item, options, notes);
            }
            None => notes.warn(&item.place, WITHOUT_KEY),
        }
    }
    for ((owner, key), licenses) in types {
        gathered.entitle(owner, licenses.into_entitlement(key, options.ends.at));
    }
}

impl Licenses {
    /// Counts a licence. One that waits behind another on its device adds nothing to it.
    fn add(&mut self, item: &Item<DeviceLicense>, options: &Options, notes: &mut Notes) {
        let license = &item.value;
        self.states.extend(license.state.clone());
        let on_device = match license.state.as_deref() {
            Some("active" | "expiring") => true,
            Some("unused" | "unusedActive") => false,
            Some("expired" | "recentlyQueued") => return,
            _ => return notes.warn(&item.place, STATE_UNKNOWN),
        };
        let amount = license.seat_count.map_or(Amount::from_units(1), |seats| seats.0);
        self.on_devices += if on_device { amount } else { Amount::ZERO };
        self.seats |= license.seat_count.is_some();
        let ends = options.ends.of(license.expiration_date, &item.place, notes);
        self.past_end |= license.expiration_date.is_some() && ends.is_none();
        let counted = self.counted.entry(ends).or_insert(Amount::ZERO);
        *counted += amount;
    }

    /// A grant for all licences that end together: there may be thousands of licences.
    fn into_entitlement(self, key: &str, at: Instant) -> Entitlement {
        let mut target = Entitlement::new(key, EntitlementType::Metered);
        if self.counted.is_empty() {
            target.status = Status::Suspended;
        }
        let last = self.counted.keys().next_back().copied().flatten();
        target.active_to = last.filter(|_| !self.counted.contains_key(&None));
        let grants = self.counted.iter().map(|(ends, amount)| {
            let id = ends.map_or("endless".into(), |end| format!("until {end}"));
            Grant { expires_at: *ends, ..Grant::new(id, *amount, Instant::EPOCH.into()) }
        });
        target.grants = grants.collect();
        target.usage = Some(if self.seats {
            Usage::new(UsageKind::Unknown)
        } else {
            let (amount, as_of) = (Some(self.on_devices), Some(at.into()));
            Usage { amount, as_of, ..Usage::new(UsageKind::Level) }
        });
        let states: Vec<String> = self.states.into_iter().collect();
        target.attributes.insert("status".into(), states.join(","));
        if self.past_end {
            target.attributes.insert("flag".into(), "past-end-at-import".into());
        }
        target.source = Some(Source { system: SYSTEM.into(), id: key.into() });
        target
    }
}
