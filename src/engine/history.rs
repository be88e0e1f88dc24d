//! Usage and balances over time, as the upstream history endpoint returns them.

use super::program::{Metered, Usage};
use super::record::{Recorder, Segment};
use super::run::{Run, UsageEvent};
use crate::amount::Amount;
use crate::error::Error;
use crate::time::Instant;

/// What part of the past is asked for.
#[derive(Clone, Copy, Debug)]
pub struct HistoryQuery<'a> {
    /// The beginning; floored to the minute.
    pub from: Instant,
    /// The end; rounded up to the minute.
    pub to: Instant,
    /// How long each window is.
    pub window: WindowSize,
    /// Usage that the program does not include, in order of time.
    pub extra: &'a [UsageEvent],
}

/// How long a window is; windows are aligned to it in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowSize {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

/// Usage and balances over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Consecutive windows, also empty ones.
    pub windows: Vec<Window>,
    /// Phases and resets.
    pub segments: Vec<Segment>,
    /// Where to go on from, when there was more than fits a page.
    pub next: Option<Instant>,
}

/// A window of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub from: Instant,
    /// Its end.
    pub to: Instant,
    /// Usage in it.
    pub usage: Amount,
    /// Units left just after what happens at its beginning.
    pub balance_at_start: Amount,
}

/// A page of a history holds at most this many windows, and about as many segments.
pub const PAGE: usize = 1000;

impl Metered {
    /// Usage and balances from one instant to another, a page at a time.
    ///
    /// Windows that begin before `from` are left out. A grant that begins inside a window shows in
    /// the next one.
    ///
    /// # Errors
    /// `before-opening` when `from` is before anything that is known,
    /// `history-not-metered-by-usage` when usage is not a flow, `history-range-empty` when `to` is
    /// not after `from`.
    pub fn history(&self, query: &HistoryQuery<'_>) -> Result<History, Error> {
        let (from, to) = (query.from.floor_minute(), query.to.ceil_minute());
        if !self.flows() {
            return Err(NO_FLOW);
        }
        if from < self.opening.at {
            return Err(BEFORE_OPENING);
        }
        if to <= from {
            return Err(EMPTY);
        }
        let mut run = Run::new(self, query.extra);
        run.horizon = to;
        run.advance(from);
        run.drop_ended();
        let begun = run.clone();
        let mut run = run.recording(Recorder::new(from, PAGE));
        let most = query.window.starts_after(from).plus_millis(PAGE as i64 * query.window.millis());
        run.advance(to.min(most));
        // A page ends where a window does, so that the next one begins with a whole window.
        let end = query.window.starts_after(run.at).min(to);
        let mut segments = run.written_until(end, end == to);
        let starts_with_reset = segments.first().is_some_and(|first| first.to == from);
        if starts_with_reset && segments.len() > 1 {
            segments.remove(0);
        }
        let next = Some(end).filter(|next| *next < to);
        Ok(History { windows: self.windows(query, begun, end), segments, next })
    }

    pub(super) fn flows(&self) -> bool {
        matches!(self.usage, Usage::Flow { .. })
    }

    /// The windows from where a run stands to `to`.
    fn windows(&self, query: &HistoryQuery<'_>, mut run: Run<'_>, to: Instant) -> Vec<Window> {
        let mut windows = Vec::new();
        let mut start = query.window.starts_after(run.at);
        while start < to {
            run.advance(start);
            let end = start.plus_millis(query.window.millis());
            let usage = self.used_between(query.extra, start, end.min(to));
            let balance_at_start = run.balance_just_after();
            windows.push(Window { from: start, to: end, usage, balance_at_start });
            start = end;
        }
        windows
    }

    /// Usage in `[from, to)`.
    fn used_between(&self, extra: &[UsageEvent], from: Instant, to: Instant) -> Amount {
        let since_opening = match self.usage {
            Usage::Flow { since_opening } => since_opening,
            _ => Amount::ZERO,
        };
        let at_opening = UsageEvent { at: self.opening.at, amount: since_opening };
        let all = core::iter::once(&at_opening).chain(extra);
        all.filter(|event| event.at >= from && event.at < to).map(|event| event.amount).sum()
    }
}

impl Run<'_> {
    /// What is left once everything that happens at the present instant has happened.
    fn balance_just_after(&self) -> Amount {
        let mut after = self.clone();
        after.cross(true);
        after.drop_ended();
        after.burn(Amount::ZERO, self.at);
        after.balance_at(self.at)
    }

    /// The segments up to `end`, with the refills there if the history ends there too. Otherwise
    /// they are the next page's, and only a reset at `end` is written down here.
    fn written_until(mut self, end: Instant, last: bool) -> Vec<Segment> {
        if let Some(recorder) = &mut self.recorder {
            recorder.lift_limit();
        }
        let recorder = if last {
            self.settle(end);
            self.recorder
        } else {
            self.close(end)
        };
        recorder.map(|recorder| recorder.segments).unwrap_or_default()
    }
}

impl WindowSize {
    /// The first beginning of a window at or after `at`.
    const fn starts_after(self, at: Instant) -> Instant {
        at.plus_millis((-at.millis()).rem_euclid(self.millis()))
    }

    const fn millis(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }
}

const BEFORE_OPENING: Error = Error::new(
    "before-opening",
    "the history begins before the state that the snapshot holds; ask from a later instant",
);
const NO_FLOW: Error = Error::new(
    "history-not-metered-by-usage",
    "the entitlement does not count usage over time; only those that do have a history",
);
const EMPTY: Error =
    Error::new("history-range-empty", "the history ends where it begins; ask to a later instant");
