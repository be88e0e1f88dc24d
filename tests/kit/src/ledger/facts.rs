//! The entitlement, its resets and its usage.

use std::collections::BTreeSet;

use chrono::{TimeDelta, TimeZone, Utc};

use crate::question::{Entitlement, Event, Grant, Recurrence, Reset};
use crate::{Amount, Instant, Interval, KitError};

use super::dice::Dice;
use super::within;

/// Usage periods and the days in which such a ledger plays: long enough for many resets and short
/// enough to be walked in a millisecond.
const PERIODS: [(&str, i64); 15] = [
    ("PT1H", 1),
    ("PT90M", 2),
    ("PT6H", 5),
    ("P1D", 15),
    ("P1W", 60),
    ("P2W", 90),
    ("P1M", 20),
    ("P1M", 150),
    ("P1M", 400),
    ("P1M1D", 200),
    ("P1M15D", 250),
    ("P3M", 500),
    ("P1Y", 200),
    ("P1Y", 900),
    ("P1Y2M3DT4H", 1000),
];

/// Where and how long a ledger plays.
pub(super) struct Frame {
    pub(super) interval: Interval,
    pub(super) start: Instant,
    pub(super) end: Instant,
}

impl Frame {
    pub(super) fn roll(dice: &mut Dice) -> Result<Self, KitError> {
        let (interval, days) = dice.pick(&PERIODS);
        let start = start(dice)?;
        let end = start + TimeDelta::days(days);
        Ok(Self { interval: interval.parse()?, start, end })
    }

    pub(super) fn entitlement(&self, dice: &mut Dice) -> Result<Entitlement, KitError> {
        let seconds = if dice.chance(10) { dice.within(1..60) } else { 0 };
        Ok(Entitlement {
            measure_usage_from: self.start + TimeDelta::seconds(seconds),
            usage_period: Recurrence {
                interval: self.interval.clone(),
                anchor: self.anchor(dice, &self.interval, self.start)?,
            },
            is_soft_limit: dice.chance(20),
            preserve_overage_at_reset: dice.chance(40),
        })
    }

    /// On `near`, some minutes or points away from it on either side, or on a month's end.
    pub(super) fn anchor(
        &self,
        dice: &mut Dice,
        interval: &Interval,
        near: Instant,
    ) -> Result<Instant, KitError> {
        let long = interval.months + interval.years > 0;
        Ok(match dice.within(0..12) {
            0..4 => near,
            4..6 => near + TimeDelta::minutes(dice.within(-3000..3000)),
            6 => near + TimeDelta::seconds(dice.within(-100_000..100_000)),
            7 if long => near - TimeDelta::days(dice.within(0..1500)),
            8 if long => near + TimeDelta::days(dice.within(0..1500)),
            9 if long => day(2024, 1, 31)?,
            10 if interval.years > 0 => day(2020, 2, 29)?,
            _ => near + TimeDelta::hours(dice.within(-48..48)),
        })
    }
}

fn start(dice: &mut Dice) -> Result<Instant, KitError> {
    Ok(match dice.within(0..10) {
        0 => day(2024, 1, 31)?,
        1 => day(2024, 2, 29)? + TimeDelta::minutes(dice.within(0..1440)),
        2 => day(2023, 12, 31)? + TimeDelta::minutes(1439),
        3 => day(2023, 1, 31)? + TimeDelta::hours(dice.within(0..24)),
        4 => day(2024, 1, 1)?,
        _ => day(2023, 1, 1)? + TimeDelta::minutes(dice.within(0..1_500_000)),
    })
}

fn day(year: i32, month: u32, day: u32) -> Result<Instant, KitError> {
    let midnight = Utc.with_ymd_and_hms(year, month, day, 0, 0, 0).single();
    midnight.ok_or_else(|| KitError("no such day".to_owned()))
}

/// Manual resets, one a minute at most, some on automatic ones and some after every query.
pub(super) fn resets(dice: &mut Dice, frame: &Frame, automatic: &BTreeSet<Instant>) -> Vec<Reset> {
    let pool = within(frame, automatic);
    let count = if dice.chance(50) { 0 } else { dice.within(1..4) };
    let mut instants = BTreeSet::new();
    for _ in 0..count {
        let far = frame.end + (frame.end - frame.start) / 5;
        let at = dice.moment(&pool, frame.start, far);
        if at > frame.start {
            instants.insert(at);
        }
    }
    instants.into_iter().map(|at| reset(dice, at)).collect()
}

fn reset(dice: &mut Dice, at: Instant) -> Reset {
    let seconds = if dice.chance(15) { dice.within(1..60) } else { 0 };
    Reset {
        at: at + TimeDelta::seconds(seconds),
        retain_anchor: dice.chance(50),
        preserve_overage: dice.pick(&[None, None, Some(true), Some(false)]),
    }
}

/// Usage anywhere, on boundaries and beside them, before measurement, and sometimes far more than
/// the grants give, so that overage outlives many refills.
pub(super) fn usage(
    dice: &mut Dice,
    frame: &Frame,
    boundaries: &[Instant],
    grants: &[Grant],
    negative: bool,
) -> Vec<Event> {
    let count = dice.pick(&[0, 1, 3, 8, 15, 25]);
    let excess = dice.pick(&[1, 1, 1, 3, 20]);
    let mut events = Vec::new();
    for _ in 0..count {
        let at = event_instant(dice, frame, boundaries);
        let value = event_value(dice, grants);
        let value = Amount::nanos(value.as_nanos() * excess);
        let negated = negative && dice.chance(30);
        events.push(Event { at, value: if negated { -value } else { value } });
    }
    events
}

fn event_instant(dice: &mut Dice, frame: &Frame, boundaries: &[Instant]) -> Instant {
    let before = frame.start - TimeDelta::days(1);
    let from = if dice.chance(5) { before } else { frame.start };
    let at = dice.moment(boundaries, from, frame.end);
    match dice.within(0..8) {
        0 => at - TimeDelta::seconds(1),
        1 => at + TimeDelta::seconds(1),
        2 => at - TimeDelta::milliseconds(1),
        3 => at + TimeDelta::milliseconds(dice.within(0..60_000)),
        4 => at - TimeDelta::seconds(dice.within(0..60)),
        _ => at,
    }
}

fn event_value(dice: &mut Dice, grants: &[Grant]) -> Amount {
    if grants.is_empty() || dice.chance(30) {
        return dice.amount();
    }
    let amount = dice.pick(grants).amount;
    // Exactly what a grant gives brings balances to exactly 0.
    if dice.chance(30) { amount } else { dice.part(amount) }
}
