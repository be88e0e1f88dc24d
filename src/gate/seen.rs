//! Usage seen here that no snapshot includes yet.

use std::collections::BTreeMap;
use std::mem;

use crate::amount::Amount;
use crate::engine::UsageEvent;
use crate::engine::program::{Metered, Program, Rule};
use crate::error::Error;
use crate::snapshot::{Body, Subject};
use crate::time::Instant;

/// Usage by subject and feature, a sum for each second.
///
/// Boundaries are at whole minutes, but a snapshot may include usage up to any instant within one.
#[derive(Debug, Default)]
pub(super) struct SeenUsage {
    subjects: BTreeMap<String, Vec<SeenFeature>>,
}

/// What was seen of one feature of a subject, of which few have many.
#[derive(Debug)]
struct SeenFeature {
    key: String,
    events: Vec<UsageEvent>,
}

/// Beyond so many sums the older half is put together: by minutes, and if that is not enough, where
/// nothing happens in between.
const SUMS: usize = 256;

/// Beyond so many subjects, those who are not resident are forgotten with the usage that the head
/// counts as included, though a single entitlement may be behind that.
const SUBJECTS: usize = 65_536;

impl SeenUsage {
    /// What was seen of a subject's use of a feature, in order of time.
    #[inline(always)]
    pub(super) fn of(&self, subject: &Subject<'_>, feature: &str) -> &[UsageEvent] {
        if self.subjects.is_empty() { &[] } else { self.seen(subject.id(), feature) }
    }

    #[inline(never)]
    fn seen(&self, subject: &str, feature: &str) -> &[UsageEvent] {
        let mut features = self.subjects.get(subject).into_iter().flatten();
        features.find(|seen| seen.key == feature).map_or(&[], |seen| &seen.events)
    }

    pub(super) fn record(
        &mut self,
        subject: &str,
        feature: &str,
        event: UsageEvent,
        metered: &Metered,
    ) {
        let features = self.subjects.entry(subject.to_owned()).or_default();
        let known = features.iter().position(|seen| seen.key == feature);
        let index = known.unwrap_or(features.len());
        if known.is_none() {
            features.push(SeenFeature { key: feature.to_owned(), events: Vec::new() });
        }
        let Some(SeenFeature { events, .. }) = features.get_mut(index) else { return };
        let place = events.partition_point(|other| other.at <= event.at);
        let before = place.checked_sub(1).and_then(|before| events.get_mut(before));
        match before.filter(|other| second(other) == second(&event)) {
            Some(other) => join(other, &event),
            None => events.insert(place, event),
        }
        if events.len() > SUMS {
            shorten(events, metered);
        }
    }

    /// Forgets what a new body includes, and what it has no entitlement for any more.
    pub(super) fn forget_included(&mut self, body: &Body) {
        let counted = self.subjects.values().filter(|features| !features.is_empty());
        let crowded = counted.count() > SUBJECTS;
        // Whoever is not resident may be so again, though not all can be remembered.
        let otherwise = if crowded { Some(body.usage_as_of()) } else { None };
        // Entries are never taken out one by one: the code for that is longer than all of this.
        for (subject, mut features) in mem::take(&mut self.subjects) {
            if forget(&mut features, body, &subject, otherwise) {
                self.subjects.insert(subject, features);
            }
        }
    }

    /// Forgets what a body includes of those who stand in a page that became resident. Who has
    /// nothing left stays, with nothing, until the next body.
    pub(super) fn forget_included_in(&mut self, body: &Body, page: u32) {
        if self.subjects.is_empty() {
            return;
        }
        for subject in body.subjects_in(page).into_iter().flatten() {
            let id = subject.id();
            if let Some(features) = self.subjects.get_mut(id) {
                forget(features, body, id, None);
            }
        }
    }
}

/// Forgets a subject's usage that a body includes, or what is before `otherwise` when it cannot
/// tell. Whether anything is left.
fn forget(
    features: &mut Vec<SeenFeature>,
    body: &Body,
    subject: &str,
    otherwise: Option<Instant>,
) -> bool {
    features.retain_mut(|SeenFeature { key, events }| {
        match usage_as_of(body, subject, key) {
            Ok(None) => events.clear(),
            Ok(as_of) => forget_before(events, as_of),
            Err(_) => forget_before(events, otherwise),
        }
        !events.is_empty()
    });
    !features.is_empty()
}

fn forget_before(events: &mut Vec<UsageEvent>, as_of: Option<Instant>) {
    events.retain(|event| as_of.is_none_or(|as_of| event.at >= as_of));
}

fn usage_as_of(body: &Body, subject: &str, feature: &str) -> Result<Option<Instant>, Error> {
    let Some(subject) = body.subject(subject)? else { return Ok(None) };
    let entry = body.catalogue().feature(feature).and_then(|feature| subject.entry(&feature));
    match entry.map(|entry| entry.program()).transpose()? {
        Some(Program { rule: Rule::Metered(metered), .. }) => Ok(Some(metered.usage_as_of)),
        _ => Ok(None),
    }
}

fn second(event: &UsageEvent) -> i64 {
    event.at.millis().div_euclid(1000)
}

/// Adds usage to what was used before. The sum stands at the later instant, so that it counts until
/// a snapshot includes all of it.
fn join(earlier: &mut UsageEvent, later: &UsageEvent) {
    earlier.at = later.at;
    earlier.amount = (earlier.amount + later.amount).min(Amount::MAX);
}

/// Puts neighbours of the older half together between which nothing happens that usage before or
/// after could tell.
fn shorten(events: &mut Vec<UsageEvent>, metered: &Metered) {
    let recent = events.split_off(SUMS / 2);
    join_where(events, |one, other| one.floor_minute() == other.floor_minute());
    if events.len() > SUMS / 4 {
        join_where(events, |one, other| {
            metered.boundary_after(one).is_none_or(|boundary| boundary > other)
        });
    }
    events.extend(recent);
}

fn join_where(events: &mut Vec<UsageEvent>, alike: impl Fn(Instant, Instant) -> bool) {
    events.dedup_by(|later, earlier| {
        let alike = alike(earlier.at, later.at);
        if alike {
            join(earlier, later);
        }
        alike
    });
}
