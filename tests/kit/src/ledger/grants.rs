//! Random grants.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::question::{Duration, Expiration, Grant, Recurrence};
use crate::{Amount, Instant, Interval, KitError};

use super::dice::Dice;
use super::facts::Frame;
use super::within;

/// Intervals of refills with their approximate length in hours.
const REFILLS: [(&str, i64); 12] = [
    ("PT1H", 1),
    ("PT150M", 2),
    ("PT12H", 12),
    ("P1D", 24),
    ("P1DT1H", 25),
    ("P1W", 168),
    ("P10D", 240),
    ("P1M", 720),
    ("P1M1D", 744),
    ("P2M", 1440),
    ("P6M", 4320),
    ("P1Y", 8760),
];

/// No grant is refilled more often than this within the frame.
const MOST_REFILLS: i64 = 120;

pub(super) fn roll(
    dice: &mut Dice,
    frame: &Frame,
    resets: &BTreeSet<Instant>,
    on_the_minute: bool,
) -> Result<Vec<Grant>, KitError> {
    let count = dice.pick(&[0, 1, 1, 2, 2, 3, 4, 5, 8, 12]);
    let created = dice.chance(60);
    let mut pool = within(frame, resets);
    let mut numbers: Vec<i64> = (0..count).collect();
    dice.shuffle(&mut numbers);
    let mut grants = Vec::new();
    for number in numbers {
        let mut grant = grant(dice, frame, &pool, number)?;
        if created {
            grant.created_at = Some(created_at(dice, frame));
        }
        if on_the_minute {
            grant.deleted_at = None;
        }
        pool.extend([Some(grant.effective_at), grant.expires_at].into_iter().flatten());
        grants.push(grant);
    }
    Ok(grants)
}

fn grant(dice: &mut Dice, frame: &Frame, pool: &[Instant], number: i64) -> Result<Grant, KitError> {
    let amount = dice.amount();
    let (min_rollover, max_rollover) = rollover(dice, amount);
    let effective_at = effective_at(dice, frame, pool);
    let (expiration, expires_at) = end(dice, frame, pool, effective_at);
    Ok(Grant {
        id: format!("g{number}"),
        amount,
        priority: u8::try_from(dice.pick(&[0, 1, 1, 1, 2, 3, 255])).expect("fits"),
        effective_at,
        expiration,
        expires_at,
        recurrence: recurrence(dice, frame, pool, effective_at)?,
        min_rollover,
        max_rollover,
        voided_at: dice.chance(12).then(|| off_minute(dice, frame, pool, effective_at)),
        deleted_at: dice.chance(8).then(|| off_minute(dice, frame, pool, effective_at)),
        created_at: None,
    })
}

fn effective_at(dice: &mut Dice, frame: &Frame, pool: &[Instant]) -> Instant {
    match dice.within(0..10) {
        0..3 => frame.start,
        3 => frame.start - TimeDelta::minutes(dice.within(1..100_000)),
        4 => dice.minute(frame.start, frame.end) + TimeDelta::seconds(dice.within(0..60)),
        _ => dice.moment(pool, frame.start, frame.end),
    }
}

/// None, a lifetime, or an instant, which then does not count in the burn order.
fn end(
    dice: &mut Dice,
    frame: &Frame,
    pool: &[Instant],
    effective_at: Instant,
) -> (Option<Expiration>, Option<Instant>) {
    if dice.chance(40) {
        return (None, None);
    }
    if dice.chance(30) {
        let at = dice.moment(pool, frame.start, frame.end);
        return (None, (at > effective_at).then_some(at));
    }
    let days = (frame.end - frame.start).num_days();
    let (duration, most) = dice.pick(&[
        (Duration::Hour, days * 24),
        (Duration::Day, days),
        (Duration::Week, days / 7),
        (Duration::Month, days / 30),
        (Duration::Month, 12),
        (Duration::Year, 2),
    ]);
    let count = u32::try_from(dice.within(1..most.max(1) + 1)).expect("fits");
    (Some(Expiration { duration, count }), None)
}

fn recurrence(
    dice: &mut Dice,
    frame: &Frame,
    pool: &[Instant],
    effective_at: Instant,
) -> Result<Option<Recurrence>, KitError> {
    if dice.chance(50) {
        return Ok(None);
    }
    let hours = (frame.end - frame.start).num_hours();
    let fits = |(_, length): &&(&str, i64)| hours / length <= MOST_REFILLS;
    let intervals: Vec<_> = REFILLS.iter().filter(fits).collect();
    let interval: Interval = dice.pick(&intervals).0.parse()?;
    let near = if dice.chance(30) && !pool.is_empty() { dice.pick(pool) } else { effective_at };
    let anchor = frame.anchor(dice, &interval, near)?;
    Ok(Some(Recurrence { interval, anchor }))
}

/// (least, most) left after a reset, the least above the most and above the amount included.
fn rollover(dice: &mut Dice, amount: Amount) -> (Amount, Amount) {
    let part = dice.part(amount);
    match dice.within(0..9) {
        0..3 => (Amount::ZERO, Amount::ZERO),
        3 => (Amount::ZERO, amount),
        4 => (amount, amount),
        5 => (Amount::ZERO, part),
        6 => (part, amount),
        7 => (amount, part),
        _ => (amount + part, amount + amount),
    }
}

/// When a grant is voided or deleted: on a boundary, on a minute, or in the middle of one.
fn off_minute(dice: &mut Dice, frame: &Frame, pool: &[Instant], effective: Instant) -> Instant {
    if dice.chance(10) {
        return effective - TimeDelta::minutes(dice.within(0..100));
    }
    let at = dice.moment(pool, frame.start, frame.end);
    at + TimeDelta::milliseconds(if dice.chance(50) { dice.within(0..60_000) } else { 0 })
}

/// Few distinct instants, so that many tie, some only a nanosecond apart.
fn created_at(dice: &mut Dice, frame: &Frame) -> Instant {
    let apart = dice.pick(&[0, 0, 0, 1, 999, 1_000_000, 86_400_000_000_000]);
    frame.start - TimeDelta::days(400) + TimeDelta::nanoseconds(apart)
}
