//! What is asked of a random ledger.

use chrono::TimeDelta;

use crate::Instant;
use crate::question::{HistoryQuery, WindowSize};

use super::dice::Dice;
use super::facts::Frame;

/// Beside a boundary, in milliseconds: on it, and everything that rounding up to the minute and
/// half-open ranges could get wrong.
const BESIDE: [i64; 13] =
    [0, 0, 0, 0, -60_000, -59_999, -1_000, -1, 1, 1_000, 59_999, 60_000, 61_000];

pub(super) fn roll(dice: &mut Dice, frame: &Frame, boundaries: &[Instant]) -> Vec<Instant> {
    let mut queries = vec![frame.end + TimeDelta::milliseconds(dice.pick(&BESIDE))];
    for _ in 0..5 {
        queries.push(dice.pick(boundaries) + TimeDelta::milliseconds(dice.pick(&BESIDE)));
    }
    queries.push(dice.minute(frame.start, frame.end));
    queries.push(
        dice.minute(frame.start, frame.end) + TimeDelta::milliseconds(dice.within(0..60_000)),
    );
    queries.retain(|query| *query >= frame.start);
    queries.sort();
    queries.dedup();
    queries
}

/// From the start of measurement or a window's start, to a window's end or just before it.
pub(super) fn history(dice: &mut Dice, frame: &Frame) -> HistoryQuery {
    let size = dice.pick(&[WindowSize::Hour, WindowSize::Day]);
    let hours = if size == WindowSize::Hour { 1 } else { 24 };
    let seconds = 3600 * hours;
    let aligned = |at: Instant| at - TimeDelta::seconds(at.timestamp().rem_euclid(seconds));
    let first = aligned(frame.start) + TimeDelta::hours(hours);
    let later = aligned(dice.minute(frame.start, frame.end)).max(first);
    let from = if dice.chance(30) { frame.start } else { later };
    let to = aligned(from) + TimeDelta::hours(hours * dice.within(1..13));
    HistoryQuery {
        from: from + TimeDelta::seconds(if from == later { dice.pick(&[0, 2]) } else { 0 }),
        to: to - TimeDelta::seconds(dice.pick(&[0, 2, 59])),
        window_size: size,
    }
}
