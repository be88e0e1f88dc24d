//! Months, which have no one length, and expirations counted in them.

use core::fmt;

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
    let Parted { month, into_month } = Parted::of(start).plus(months)?;
    Instant::from_millis(millis_of(month) + into_month)
}

/// An instant as the month that it is in and how far it is into it.
#[derive(Clone, Copy)]
pub(super) struct Parted {
    month: u32,
    into_month: i64,
}

impl Parted {
    pub(super) const EPOCH: Self = Self { month: 1970 * 12, into_month: 0 };

    #[inline]
    pub(super) const fn of(at: Instant) -> Self {
        let since = at.0 - Instant::MIN.0;
        let (month, day) = month_and_day((since / DAY_MS) as u32 + DAYS_TO_YEAR_1);
        Self { month, into_month: day as i64 * DAY_MS + since % DAY_MS }
    }

    /// As far into another month.
    fn plus(self, months: i64) -> Option<Self> {
        let month = u32::try_from(i64::from(self.month).checked_add(months)?).ok()?;
        MONTHS.contains(&month).then_some(Self { month, ..self })
    }

    /// Moves by whole months; a day that the month lacks becomes its last day.
    #[inline]
    pub(super) fn moved(self, months: i64) -> Option<Instant> {
        let Self { month, into_month } = self.plus(months)?;
        let first = millis_of(month);
        if into_month < SHORTEST_MONTH_MS {
            return Instant::from_millis(first + into_month);
        }
        let time = into_month.rem_euclid(DAY_MS);
        let last_day = millis_of(month + 1) - first - DAY_MS;
        Instant::from_millis(first + (into_month - time).min(last_day) + time)
    }
}

const SHORTEST_MONTH_MS: i64 = 28 * DAY_MS;

/// The months that there are, counted from January of the year 0.
const MONTHS: core::ops::Range<u32> = 12..120_000;

/// The first millisecond of a month.
const fn millis_of(month: u32) -> i64 {
    (day_of(month, 0) - DAYS_TO_YEAR_1) as i64 * DAY_MS + Instant::MIN.0
}

const DAYS_IN_4_YEARS: u32 = 1_461;
const DAYS_IN_400_YEARS: u32 = 146_097;
/// From 0000-03-01 to 0001-01-01.
const DAYS_TO_YEAR_1: u32 = 306;

/// The day, counted from 0000-03-01, that is `day` days after the first of a month.
///
/// Years are taken to begin in March, so that the day that some of them lack is their last one and
/// the lengths of months follow a line: five take 153 days.
const fn day_of(month: u32, day: u32) -> u32 {
    let (year, month) = ((month - 2) / 12, (month - 2) % 12);
    year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day
}

/// The month that a day is in, counted from January of the year 0, and how many days of the month
/// are before it.
const fn month_and_day(day: u32) -> (u32, u32) {
    let (cycle, day) = (day / DAYS_IN_400_YEARS, day % DAYS_IN_400_YEARS);
    // Without the leap days of the cycle so far, every year has 365.
    let leap_days = day / (DAYS_IN_4_YEARS - 1) - day / 36_524 + day / (DAYS_IN_400_YEARS - 1);
    let year = (day - leap_days) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    ((cycle * 400 + year) * 12 + month + 2, day - (153 * month + 2) / 5)
}

/// Reads an instant as most are written, `2024-01-31T00:00:00Z`; others are for a library to read.
pub(super) fn plain(text: &str) -> Option<Instant> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', rest @ ..] = text.as_bytes() else {
        return None;
    };
    let [h1, h2, b':', n1, n2, b':', s1, s2, b'Z'] = rest else { return None };
    let number = |digits: &[u8]| {
        let digit = |sum: u32, digit: &u8| {
            digit.is_ascii_digit().then(|| sum * 10 + u32::from(*digit - b'0'))
        };
        digits.iter().try_fold(0_u32, digit)
    };
    let (year, month) = (number(&[*y1, *y2, *y3, *y4])?, number(&[*m1, *m2])?);
    let (day, hour) = (number(&[*d1, *d2])?, number(&[*h1, *h2])?);
    let (minute, second) = (number(&[*n1, *n2])?, number(&[*s1, *s2])?);
    if year < 1 || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let month = year * 12 + month - 1;
    if day < 1 || day > day_of(month + 1, 0) - day_of(month, 0) {
        return None;
    }
    let time = i64::from(hour) * HOUR_MS + i64::from(minute * 60 + second) * 1000;
    Instant::from_millis(millis_of(month) + i64::from(day - 1) * DAY_MS + time)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use chrono::{Datelike as _, NaiveDate};

    use super::*;

    #[test]
    fn every_day_is_where_another_calendar_has_it() {
        let first = NaiveDate::from_ymd_opt(1, 1, 1).unwrap();
        for (day, date) in (DAYS_TO_YEAR_1..).zip(first.iter_days()) {
            if date.year() == 10_000 {
                break;
            }
            let month = u32::try_from(date.year()).unwrap() * 12 + date.month0();
            assert_eq!(month_and_day(day), (month, date.day0()), "{date}");
            assert_eq!(day_of(month, date.day0()), day, "{date}");
            let millis = i64::from(date.to_epoch_days()) * DAY_MS;
            assert_eq!(millis_of(month) + i64::from(date.day0()) * DAY_MS, millis, "{date}");
        }
    }

    #[test]
    fn what_is_read_plainly_is_what_a_library_reads() {
        let library = |text: &str| {
            let read = chrono::DateTime::parse_from_rfc3339(text).ok()?;
            Instant::from_millis(read.timestamp_millis())
        };
        let days = ["0001-01-01", "1900-02-28", "2000-02-29", "2024-12-31", "9999-12-31"];
        for (day, time) in days.iter().flat_map(|day| ["00:00:00", "23:59:59"].map(|t| (day, t))) {
            let text = format!("{day}T{time}Z");
            assert_eq!(plain(&text).unwrap(), library(&text).unwrap(), "{text}");
        }
        let odd = "0000-01-01T00:00:00Z 2023-02-29T00:00:00Z 1900-02-29T00:00:00Z \
             2024-00-01T00:00:00Z 2024-13-01T00:00:00Z 2024-01-00T00:00:00Z 2024-01-32T00:00:00Z \
             2024-01-01T24:00:00Z 2024-01-01T00:60:00Z 2016-12-31T23:59:60Z 2024-01-01t00:00:00z \
             2024-01-01T00:00:00+00:00 2024-01-01T00:00:00.5Z +024-01-01T00:00:00Z 2024-01-01";
        for text in odd.split_whitespace() {
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
