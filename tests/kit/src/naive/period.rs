//! Usage periods: a timeline of recurrences, each in force from its instant to the next entry's.

use std::collections::BTreeSet;

use crate::answer::Period;
use crate::question::TimelineEntry;
use crate::{Instant, KitError};

use super::calendar;

/// The current usage period at `t`; before the timeline it is that of the timeline's start.
pub(super) fn at(timeline: &[TimelineEntry], t: Instant) -> Result<Period, KitError> {
    let index = timeline.iter().rposition(|entry| entry.at <= t).unwrap_or(0);
    let entry = timeline.get(index).ok_or_else(no_entry)?;
    let (from, to) = calendar::period(&entry.interval, entry.anchor, t.max(entry.at))?;
    let cut = timeline.get(index + 1).map_or(to, |next| next.at);
    Ok(Period { from: from.max(entry.at), to: to.min(cut) })
}

/// The starts of all usage periods in `[from, to]`.
pub(super) fn starts(
    timeline: &[TimelineEntry],
    from: Instant,
    to: Instant,
) -> Result<Vec<Instant>, KitError> {
    let mut starts = BTreeSet::new();
    for (index, entry) in timeline.iter().enumerate() {
        let end = timeline.get(index + 1).map_or(to, |next| next.at.min(to));
        starts.insert(entry.at);
        starts.extend(calendar::points(&entry.interval, entry.anchor, entry.at, end)?);
        // A point on the next entry's instant is that entry's start.
    }
    Ok(starts.into_iter().filter(|start| (from..=to).contains(start)).collect())
}

fn no_entry() -> KitError {
    KitError("a timeline needs at least one entry".to_owned())
}
