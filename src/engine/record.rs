//! What happened phase by phase, for histories and explanations.

use crate::amount::Amount;
use crate::time::Instant;

/// One phase of the burn-down, or a reset, which has no length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// When it began.
    pub from: Instant,
    /// When it ended.
    pub to: Instant,
    /// Balances at its start, in the order of the grants; at a reset after rolling over.
    pub balances_at_start: Vec<Amount>,
    /// Overage carried into it.
    pub overage_at_start: Amount,
    /// What was burnt from which grant, by its place, in burn order.
    pub grant_usages: Vec<(usize, Amount)>,
    /// Usage in the segment, without overage carried into it.
    pub usage: Amount,
    /// Overage at its end.
    pub overage: Amount,
}

/// Collects segments up to a limit.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    /// Segments that end before this are not kept.
    from: Instant,
    limit: usize,
    /// Whether the last of the segments is the present one.
    keeps: bool,
    pub(super) segments: Vec<Segment>,
}

impl Recorder {
    pub(super) fn new(from: Instant, limit: usize) -> Self {
        Self { from, limit, keeps: false, segments: Vec::new() }
    }

    /// From here on everything is kept.
    pub(super) fn lift_limit(&mut self) {
        self.limit = usize::MAX;
    }

    pub(super) fn is_full(&self) -> bool {
        self.segments.len() >= self.limit
    }

    /// Begins a segment, which is kept unless it lies before what is asked for.
    pub(super) fn begin(&mut self, segment: Segment) {
        self.keeps = segment.to >= self.from;
        if self.keeps {
            self.segments.push(segment);
        }
    }

    pub(super) fn burnt(&mut self, index: usize, amount: Amount) {
        if let Some(segment) = self.segments.last_mut().filter(|_| self.keeps) {
            segment.grant_usages.push((index, amount));
        }
    }

    pub(super) fn end(&mut self, overage: Amount) {
        if let Some(segment) = self.segments.last_mut().filter(|_| self.keeps) {
            segment.overage = overage;
        }
    }
}
