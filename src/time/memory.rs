//! Points of recurrences that were asked for before.
//!
//! Whoever compiles the facts of many subjects asks for the same again and again: what is granted
//! for a month to one is refilled when it is for others of the plan. An answer is the same for all
//! instants between two points, so remembering it changes nothing but the time that it takes.

use std::cell::RefCell;

use super::around::Around;
use super::{Instant, Recurrence};

/// How many pairs of answers are remembered, each pair in the only place that it may have.
const PLACES: usize = 32;

thread_local! {
    static ANSWERS: RefCell<[[Option<Answer>; 2]; PLACES]> =
        const { RefCell::new([[None; 2]; PLACES]) };
}

#[derive(Clone, Copy)]
struct Answer {
    recurrence: Recurrence,
    index: i64,
    before: Instant,
    after: Instant,
}

impl Recurrence {
    /// As `compute` would answer, which gives the points on both sides of `at`.
    pub(super) fn remembered(&self, at: Instant, compute: impl FnOnce() -> Around) -> Around {
        let intervals = (at.0 - self.anchor.0) / self.interval.mean_millis().max(1);
        let anchor = self.anchor.0 / super::MINUTE_MS;
        let place = intervals.wrapping_add(anchor).rem_euclid(PLACES as i64) as usize;
        ANSWERS.with_borrow_mut(|answers| {
            let Some(pair) = answers.get_mut(place) else { return compute() };
            let fits = |answer: &&Answer| {
                answer.before <= at && at < answer.after && answer.recurrence == *self
            };
            if let Some(Answer { index, before, after, .. }) = pair.iter().flatten().find(fits) {
                return Around { index: *index, before: Some(*before), after: Some(*after) };
            }
            let around = compute();
            if let Around { index, before: Some(before), after: Some(after) } = around {
                // What lies on both sides of a point is asked for together.
                let [even, odd] = pair;
                let kept = if index % 2 == 0 { even } else { odd };
                *kept = Some(Answer { recurrence: *self, index, before, after });
            }
            around
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a failed unwrap is a failed test"
    )]
    use super::*;
    use crate::time::Interval;

    #[test]
    fn what_is_remembered_is_what_is_computed() {
        let instant = |text: &str| Instant::parse(text).unwrap();
        let anchors = ["2024-01-31T00:00:00Z", "2024-01-31T00:01:00Z", "2024-02-29T12:00:00Z"];
        let intervals = ["P1M", "P1Y", "P30D", "P1MT1H", "PT1H"];
        let mut at = instant("2023-11-20T00:00:00Z");
        for round in 0..20_000_i64 {
            for (anchor, interval) in anchors.iter().zip(intervals).chain([(&anchors[0], "P7D")]) {
                let interval = Interval::parse(interval).unwrap();
                let recurrence = Recurrence { interval, anchor: instant(anchor) };
                let (known, new) = (recurrence.around(at), recurrence.computed_around(at));
                assert_eq!(
                    (known.index, known.before, known.after),
                    (new.index, new.before, new.after)
                );
            }
            at = at.plus_millis((round * 7_919_333) % 86_400_000 - 30_000_000);
        }
    }
}
