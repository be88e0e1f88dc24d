//! Where a piece of time is cut into phases.

use std::collections::BTreeSet;

use chrono::{DurationRound, TimeDelta};

use crate::question::Grant;
use crate::{Instant, KitError};

use super::{active_at, calendar, window};

/// A refill that falls due.
pub(super) struct Refill {
    pub(super) at: Instant,
    pub(super) grant: String,
}

/// A piece between two resets, or from the last reset to the end of the run.
pub(super) struct Piece {
    pub(super) from: Instant,
    pub(super) to: Instant,
    /// Whether the run ends with it; otherwise a reset follows at `to`.
    pub(super) last: bool,
}

impl Piece {
    /// Refills at the end of a piece belong to the piece after the reset, if one follows.
    fn refills_at(&self, at: Instant) -> bool {
        self.from <= at && (at < self.to || (at == self.to && (self.last || self.from == self.to)))
    }
}

pub(super) fn floor_minute(at: Instant) -> Instant {
    at.duration_trunc(TimeDelta::minutes(1)).expect("a minute divides the calendar")
}

pub(super) fn ceil_minute(at: Instant) -> Instant {
    let floor = floor_minute(at);
    if floor == at { at } else { floor + TimeDelta::minutes(1) }
}

/// The minutes at which grants start and end, in `[from, to)`.
pub(super) fn activity(grants: &[Grant], piece: &Piece) -> BTreeSet<Instant> {
    let times = |grant: &Grant| {
        let ends = [grant.expires_at, grant.deleted_at, grant.voided_at];
        ends.into_iter().flatten().chain([grant.effective_at])
    };
    let inside = |at: &Instant| piece.from <= *at && *at < piece.to;
    grants.iter().flat_map(times).filter(inside).map(floor_minute).collect()
}

/// The refills of the piece, walked point by point.
pub(super) fn refills(grants: &[Grant], piece: &Piece) -> Result<Vec<Refill>, KitError> {
    let mut refills = Vec::new();
    for grant in grants {
        let Some(recurrence) = &grant.recurrence else { continue };
        let from = grant.effective_at.max(piece.from);
        for at in calendar::points(&recurrence.interval, recurrence.anchor, from, piece.to)? {
            if piece.refills_at(at) && active_at(&window(grant), at) {
                refills.push(Refill { at, grant: grant.id.clone() });
            }
        }
    }
    Ok(refills)
}

/// The phases of a piece: between any two neighbouring marks, and one more of no length at the end
/// if a refill falls due there, or if the piece itself has no length.
pub(super) fn phases(
    piece: &Piece,
    marks: impl IntoIterator<Item = Instant>,
) -> Vec<(Instant, Instant)> {
    let marks: BTreeSet<Instant> = marks.into_iter().collect();
    let inner = marks.iter().copied().filter(|mark| piece.from < *mark && *mark < piece.to);
    let mut starts = vec![piece.from];
    starts.extend(inner);
    if piece.from < piece.to && piece.last && marks.contains(&piece.to) {
        starts.push(piece.to);
    }
    let ends = starts.iter().skip(1).copied().chain([piece.to]);
    starts.iter().copied().zip(ends).collect()
}
