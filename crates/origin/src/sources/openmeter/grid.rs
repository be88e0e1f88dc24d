//! The grid of usage periods in force, which the API shows only in part.
//!
//! An entitlement names the anchor it was created with. A manual reset may have moved it; then only
//! the current usage period and the last reset tell where it is now.

use edgegrant::time::Recurrence;
use edgegrant::{Instant, Interval};

use super::Reason;
use super::wire;

/// The usage period around an instant, and the grid that ends it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) recurrence: Recurrence,
    /// Whether the anchor is another than the entitlement was created with.
    pub(super) moved: bool,
    /// Whether two anchors explain the current period and differ later.
    pub(super) ambiguous: bool,
}

impl Grid {
    /// Infers the grid in force from what the entitlement shows.
    pub(super) fn in_force(entitlement: &wire::Entitlement) -> Result<Self, Reason> {
        let original = entitlement.usage_period.as_ref().ok_or(NO_PERIOD).and_then(recurrence)?;
        let Some(period) = entitlement.current_usage_period else {
            return Ok(Self { recurrence: original, moved: false, ambiguous: false });
        };
        let (from, to) = (period.from.floor_minute(), period.to.floor_minute());
        let reset = entitlement.last_reset.map(|at| at.floor_minute());
        let moved = reset.map(|anchor| Recurrence { anchor, ..original });
        let by_moved = moved.filter(|moved| {
            let starts = Some(from) == reset || has_point(moved, from);
            starts && has_point(moved, to)
        });
        if has_point(&original, to) {
            let ambiguous = by_moved.is_some_and(|moved| !agree(&original, &moved, to));
            return Ok(Self { recurrence: original, moved: false, ambiguous });
        }
        let recurrence = by_moved.ok_or(ANCHOR_UNKNOWN)?;
        Ok(Self { recurrence, moved: true, ambiguous: false })
    }
}

/// Whether two grids have the same next points, far enough to meet every month's end.
fn agree(one: &Recurrence, other: &Recurrence, from: Instant) -> bool {
    let mut at = from;
    for _ in 0..48 {
        let next = one.after(at);
        if next != other.after(at) {
            return false;
        }
        let Some(next) = next else { return true };
        at = next;
    }
    true
}

/// Whether a recurrence has a point at an instant.
pub(super) fn has_point(recurrence: &Recurrence, at: Instant) -> bool {
    recurrence.at_or_before(at) == Some(at)
}

/// A recurrence as the API writes it: `intervalISO` where it stands, else a name or a duration.
pub(crate) fn recurrence(wire: &wire::Recurrence) -> Result<Recurrence, Reason> {
    let name = wire.interval_iso.as_deref().or(wire.interval.as_deref()).ok_or(NO_INTERVAL)?;
    let duration = match name {
        "HOUR" => "PT1H",
        "DAY" => "P1D",
        "WEEK" => "P1W",
        "MONTH" => "P1M",
        "YEAR" => "P1Y",
        other => other,
    };
    let interval = Interval::parse(duration).map_err(|error| (error.code(), error.message()))?;
    Ok(Recurrence { interval, anchor: wire.anchor.floor_minute() })
}

const NO_PERIOD: Reason = (
    "no-usage-period",
    "the metered entitlement has no `usagePeriod`; export it from the entitlements endpoint",
);
const NO_INTERVAL: Reason =
    ("no-interval", "a recurrence has neither `intervalISO` nor `interval`; export it again");
/// The code and message for a grid that cannot be inferred.
pub(super) const ANCHOR_UNKNOWN: Reason = (
    "anchor-unknown",
    "neither the original anchor nor the last reset explains the current usage period",
);
