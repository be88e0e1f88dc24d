//! Months, which have no one length, and expirations counted in them.

use core::fmt;

use chrono::{Datelike as _, NaiveDate};

use super::{DAY_MS, HOUR_MS, Instant};
use crate::error::Error;

/// The units in which an expiration is counted.
///
/// The names are those of the upstream API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpirationUnit {
    /// Exactly 3,600 seconds.
    Hour,
    /// A calendar day, which in UTC is 24 hours.
    Day,
    /// Seven days.
    Week,
    /// A calendar month; a day that it lacks overflows into the next month.
    Month,
    /// A calendar year; 29 February overflows into March.
    Year,
}

impl ExpirationUnit {
    const NAMES: [(&'static str, Self); 5] = [
        ("HOUR", Self::Hour),
        ("DAY", Self::Day),
        ("WEEK", Self::Week),
        ("MONTH", Self::Month),
        ("YEAR", Self::Year),
    ];

    /// Reads `HOUR`, `DAY`, `WEEK`, `MONTH` or `YEAR`.
    ///
    /// # Errors
    /// `expiration-unit-unknown` for any other text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, unit)| *unit).ok_or(Error::new(
            "expiration-unit-unknown",
            "the expiration unit is unknown; use HOUR, DAY, WEEK, MONTH or YEAR",
        ))
    }
}

impl fmt::Display for ExpirationUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|(_, unit)| unit == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

/// `start` plus `count` units, as expirations are counted: overflowing, not clipping.
///
/// Unlike a recurrence, 31 January plus a month is 2 or 3 March (Go's `time.AddDate`, which
/// the upstream backend uses here). `None` outside the years 1 to 9999.
///
/// ```
/// use edgegrant::Instant;
/// use edgegrant::time::{ExpirationUnit, expiration};
///
/// let start = Instant::parse("2024-01-31T00:00:00Z")?;
/// let end = expiration(start, ExpirationUnit::Month, 1).unwrap();
/// assert_eq!(end.to_string(), "2024-03-02T00:00:00Z");
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[must_use]
pub fn expiration(start: Instant, unit: ExpirationUnit, count: u32) -> Option<Instant> {
    let count = i64::from(count);
    let months = match unit {
        ExpirationUnit::Hour => return Instant::from_millis(start.0 + count * HOUR_MS),
        ExpirationUnit::Day => return Instant::from_millis(start.0 + count * DAY_MS),
        ExpirationUnit::Week => return Instant::from_millis(start.0 + count * 7 * DAY_MS),
        ExpirationUnit::Month => count,
        ExpirationUnit::Year => count * 12,
    };
    let (month, into_month) = month_after(start, months)?;
    Instant::from_millis(millis_of(month) + into_month)
}

/// Moves by whole months; a day that the month lacks becomes its last day.
pub(super) fn add_months(at: Instant, months: i64) -> Option<Instant> {
    if months == 0 {
        return Some(at);
    }
    let (month, into_month) = month_after(at, months)?;
    let time = into_month.rem_euclid(DAY_MS);
    let last_day = i64::from(month.num_days_in_month()) * DAY_MS - DAY_MS;
    Instant::from_millis(millis_of(month) + (into_month - time).min(last_day) + time)
}

/// The first day of the month that is `months` after that of `at`, and how far `at` is into its
/// own.
fn month_after(at: Instant, months: i64) -> Option<(NaiveDate, i64)> {
    let days = at.0.div_euclid(DAY_MS);
    let date = NaiveDate::from_epoch_days(i32::try_from(days).ok()?)?;
    let month = (i64::from(date.year()) * 12 + i64::from(date.month0())).checked_add(months)?;
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let first = NaiveDate::from_ymd_opt(year, u32::try_from(month.rem_euclid(12)).ok()? + 1, 1)?;
    Some((first, i64::from(date.day0()) * DAY_MS + at.0.rem_euclid(DAY_MS)))
}

fn millis_of(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days()) * DAY_MS
}
