//! Recurrences and lifetimes, one step after the other.

use chrono::{Datelike, Months, NaiveDate, TimeDelta};

use crate::question::{Boundary, Duration};
use crate::{Instant, Interval, KitError};

/// No walk is longer than this.
const STEPS: i64 = 1_000_000;

/// `anchor + n × interval`, each field times n, years first and seconds last; years and months each
/// clip the day to the last of the month.
pub(super) fn nth(interval: &Interval, anchor: Instant, n: i64) -> Result<Instant, KitError> {
    let years = add_months(anchor, 12 * interval.years * n)?;
    let months = add_months(years, interval.months * n)?;
    let days = 7 * interval.weeks + interval.days;
    let seconds = 3600 * interval.hours + 60 * interval.minutes + interval.seconds;
    add_seconds(months, (86_400 * days + seconds) * n)
}

fn add_months(at: Instant, months: i64) -> Result<Instant, KitError> {
    let count = Months::new(u32::try_from(months.unsigned_abs()).map_err(|_| beyond())?);
    let moved =
        if months < 0 { at.checked_sub_months(count) } else { at.checked_add_months(count) };
    moved.ok_or_else(beyond)
}

fn add_seconds(at: Instant, seconds: i64) -> Result<Instant, KitError> {
    TimeDelta::try_seconds(seconds)
        .and_then(|delta| at.checked_add_signed(delta))
        .ok_or_else(beyond)
}

fn beyond() -> KitError {
    KitError("the instant is beyond the calendar".to_owned())
}

/// The number of the first point for which `reached` holds. It must hold from some point on.
fn first(
    interval: &Interval,
    anchor: Instant,
    reached: impl Fn(Instant) -> bool,
) -> Result<i64, KitError> {
    let mut n = 0;
    while !reached(nth(interval, anchor, n)?) {
        n += 1;
        within_steps(n)?;
    }
    while reached(nth(interval, anchor, n - 1)?) {
        n -= 1;
        within_steps(n)?;
    }
    Ok(n)
}

fn within_steps(n: i64) -> Result<(), KitError> {
    if n.abs() <= STEPS {
        return Ok(());
    }
    Err(KitError(format!("more than {STEPS} recurrences to walk")))
}

pub(super) fn next(
    interval: &Interval,
    anchor: Instant,
    t: Instant,
    boundary: Boundary,
) -> Result<Instant, KitError> {
    let n = first(interval, anchor, |point| match boundary {
        Boundary::Inclusive => point >= t,
        Boundary::Exclusive => point > t,
    })?;
    nth(interval, anchor, n)
}

pub(super) fn prev(
    interval: &Interval,
    anchor: Instant,
    t: Instant,
    boundary: Boundary,
) -> Result<Instant, KitError> {
    let n = first(interval, anchor, |point| match boundary {
        Boundary::Inclusive => point > t,
        Boundary::Exclusive => point >= t,
    })?;
    nth(interval, anchor, n - 1)
}

/// The two points around `t`; a point at `t` starts the period.
pub(super) fn period(
    interval: &Interval,
    anchor: Instant,
    t: Instant,
) -> Result<(Instant, Instant), KitError> {
    let from = prev(interval, anchor, t, Boundary::Inclusive)?;
    let to = next(interval, anchor, t, Boundary::Exclusive)?;
    Ok((from, to))
}

/// Every point in `[from, to]`.
pub(super) fn points(
    interval: &Interval,
    anchor: Instant,
    from: Instant,
    to: Instant,
) -> Result<Vec<Instant>, KitError> {
    let mut n = first(interval, anchor, |point| point >= from)?;
    let mut points = Vec::new();
    loop {
        let point = nth(interval, anchor, n)?;
        if point > to {
            return Ok(points);
        }
        points.push(point);
        n += 1;
    }
}

/// `from` plus a lifetime: a day that the target month does not have runs over into the next one.
pub(super) fn expiration(
    from: Instant,
    duration: Duration,
    count: u32,
) -> Result<Instant, KitError> {
    let count = i64::from(count);
    match duration {
        Duration::Hour => add_seconds(from, 3600 * count),
        Duration::Day => add_seconds(from, 86_400 * count),
        Duration::Week => add_seconds(from, 7 * 86_400 * count),
        Duration::Month => overflowing(from, count),
        Duration::Year => overflowing(from, 12 * count),
    }
}

fn overflowing(from: Instant, months: i64) -> Result<Instant, KitError> {
    let date = from.date_naive();
    let month = 12 * i64::from(date.year()) + i64::from(date.month0()) + months;
    let year = i32::try_from(month.div_euclid(12)).map_err(|_| beyond())?;
    let month = u32::try_from(month.rem_euclid(12) + 1).map_err(|_| beyond())?;
    let first = NaiveDate::from_ymd_opt(year, month, 1).ok_or_else(beyond)?;
    let start = first.and_time(from.time()).and_utc();
    add_seconds(start, 86_400 * i64::from(date.day0()))
}
