//! Instants, intervals and recurrences; the only place that knows calendars.
//!
//! Recurrence rules are those of the upstream backend: the n-th point is computed from the anchor,
//! so nothing drifts, and a day that a month lacks becomes its last day. All arithmetic is in UTC.

mod around;
mod calendar;
#[cfg(feature = "facts")]
mod memory;

use core::fmt;

use chrono::{DateTime, Datelike as _, Utc};

use crate::error::Error;
pub use calendar::{ExpirationUnit, expiration};
use calendar::{Parted, plain};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The mean Gregorian month; only used to guess an index that is then corrected.
const MEAN_MONTH_MS: i64 = 2_629_746_000;

/// A moment in Unix milliseconds, UTC, between the years 1 and 9999.
///
/// ```
/// use edgegrant::Instant;
///
/// let instant = Instant::parse("2024-01-31T10:00:10Z")?;
/// assert_eq!(instant.ceil_minute().to_string(), "2024-01-31T10:01:00Z");
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// The first millisecond of the year 1.
    pub const MIN: Self = Self(-62_135_596_800_000);
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The last millisecond of the year 9999.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The instant of Unix milliseconds, or `None` outside the years 1 to 9999.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Option<Self> {
        if millis < Self::MIN.0 || millis > Self::MAX.0 { None } else { Some(Self(millis)) }
    }

    /// Unix milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339; what is finer than a millisecond is rounded up.
    ///
    /// Rounding up keeps comparisons with whole milliseconds exact: `t >= x` holds for the same
    /// whole `t` before and after.
    ///
    /// # Errors
    /// `instant-malformed` when the text is not RFC 3339 within the years 1 to 9999.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Timestamp::parse(text).map(Timestamp::ceil_millis)
    }

    /// The last whole minute at or before this instant.
    #[must_use]
    pub const fn floor_minute(self) -> Self {
        Self(self.0 - self.0.rem_euclid(MINUTE_MS))
    }

    /// The first whole minute at or after this instant.
    ///
    /// Balances are those of the minute that follows the question (upstream
    /// `entitlement/metered/balance.go`).
    #[must_use]
    pub const fn ceil_minute(self) -> Self {
        Self(self.0 + (-self.0).rem_euclid(MINUTE_MS)).clamped()
    }

    /// This instant moved by `millis`, held within the years 1 to 9999.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis)).clamped()
    }

    /// The first millisecond whose next whole minute is `boundary` or later.
    ///
    /// ```
    /// # use edgegrant::Instant;
    /// let reset = Instant::parse("2024-02-01T00:00:00Z")?;
    /// let seen = Instant::first_seeing(reset);
    /// assert_eq!(reset.millis() - seen.millis(), 59_999);
    /// # Ok::<(), edgegrant::Error>(())
    /// ```
    #[must_use]
    pub const fn first_seeing(boundary: Self) -> Self {
        boundary.ceil_minute().plus_millis(1 - MINUTE_MS)
    }

    const fn clamped(self) -> Self {
        if self.0 < Self::MIN.0 {
            Self::MIN
        } else if self.0 > Self::MAX.0 {
            Self::MAX
        } else {
            self
        }
    }

    fn date_time(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 in UTC, with a fraction only when there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.rem_euclid(1000);
        let Some(at) = self.date_time() else { return f.write_str("out of range") };
        let time = self.0.rem_euclid(DAY_MS);
        let (hour, minute) = (time / HOUR_MS, time / MINUTE_MS % 60);
        write!(f, "{:04}-{:02}-{:02}T", at.year(), at.month(), at.day())?;
        write!(f, "{hour:02}:{minute:02}:{:02}", time / 1000 % 60)?;
        if millis != 0 {
            write!(f, ".{millis:03}")?;
        }
        f.write_str("Z")
    }
}

/// A moment as somebody wrote it, exact to the nanosecond; only facts hold it.
///
/// Ties in the burn order are broken by creation times finer than a millisecond.
///
/// ```
/// use edgegrant::time::Timestamp;
///
/// let first = Timestamp::parse("2024-01-01T00:00:00.000001Z")?;
/// assert!(first < Timestamp::parse("2024-01-01T01:00:00.000002+01:00")?);
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    millis: i64,
    /// Nanoseconds after `millis`, 0 to 999,999.
    nanos: u32,
}

impl Timestamp {
    /// Reads RFC 3339 with any offset.
    ///
    /// # Errors
    /// `instant-malformed` when the text is not RFC 3339 within the years 1 to 9999.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if let Some(instant) = plain(text) {
            return Ok(instant.into());
        }
        let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| MALFORMED_INSTANT)?;
        let nanos = parsed.timestamp_subsec_nanos();
        let millis = parsed.timestamp() * 1000 + i64::from(nanos / 1_000_000);
        let instant = Instant::from_millis(millis).ok_or(MALFORMED_INSTANT)?;
        Ok(Self { millis: instant.millis(), nanos: nanos % 1_000_000 })
    }

    /// The first whole millisecond at or after.
    #[must_use]
    pub const fn ceil_millis(self) -> Instant {
        Instant(self.millis + (self.nanos > 0) as i64).clamped()
    }

    /// The last whole minute at or before.
    #[must_use]
    pub const fn floor_minute(self) -> Instant {
        Instant(self.millis).floor_minute()
    }

    /// The last whole second at or before; usage is counted at this resolution.
    #[must_use]
    pub const fn floor_second(self) -> Instant {
        Instant(self.millis - self.millis.rem_euclid(1000))
    }
}

impl From<Instant> for Timestamp {
    fn from(instant: Instant) -> Self {
        Self { millis: instant.0, nanos: 0 }
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return Instant(self.millis).fmt(f);
        }
        let second = Instant(self.millis - self.millis.rem_euclid(1000)).to_string();
        let nanos = self.millis.rem_euclid(1000) * 1_000_000 + i64::from(self.nanos);
        write!(f, "{}.{nanos:09}Z", second.trim_end_matches('Z'))
    }
}

const MALFORMED_INSTANT: Error = Error::new(
    "instant-malformed",
    "the instant is not RFC 3339 within the years 1 to 9999; write it like 2024-01-31T00:00:00Z",
);

/// The distance between two points of a recurrence.
///
/// ```
/// use edgegrant::Interval;
///
/// assert_eq!(Interval::parse("P1Y2M")?.to_string(), "P1Y2M");
/// assert_eq!(Interval::parse("PT90M")?.to_string(), "PT1H30M");
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    years: u16,
    months: u16,
    /// Weeks and everything shorter: in UTC they all have one length.
    millis: u64,
}

impl Interval {
    /// The longest interval of its parts: a thousand years each.
    const MAX_YEARS: u64 = 1_000;
    const MAX_MONTHS: u64 = 12_000;
    const MAX_MILLIS: u64 = 366_000 * DAY_MS as u64;

    /// An interval of whole years, whole months and milliseconds, added in this order.
    ///
    /// # Errors
    /// `interval-out-of-range` when it is empty or a part is longer than a thousand years.
    pub fn new(years: u64, months: u64, millis: u64) -> Result<Self, Error> {
        let longest = years <= Self::MAX_YEARS && months <= Self::MAX_MONTHS;
        let (Ok(years), Ok(months)) = (u16::try_from(years), u16::try_from(months)) else {
            return Err(INTERVAL_RANGE);
        };
        let empty = years == 0 && months == 0 && millis == 0;
        if !longest || millis > Self::MAX_MILLIS || empty {
            return Err(INTERVAL_RANGE);
        }
        Ok(Self { years, months, millis })
    }

    /// Whole years, the first part to be added.
    #[must_use]
    pub const fn years(self) -> u16 {
        self.years
    }

    /// Whole months, added after the years.
    #[must_use]
    pub const fn months(self) -> u16 {
        self.months
    }

    /// Weeks, days, hours, minutes and seconds together, in milliseconds, added last.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.millis
    }

    /// Reads an ISO 8601 duration of whole numbers, like `P1M`, `P1W`, `P1DT12H`.
    ///
    /// # Errors
    /// `interval-malformed` for any other text, `interval-out-of-range` when it is empty or a part
    /// is longer than a thousand years.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let rest = text.strip_prefix('P').ok_or(INTERVAL_MALFORMED)?;
        let (date, time) = match rest.split_once('T') {
            Some((_, "")) => return Err(INTERVAL_MALFORMED),
            Some(parts) => parts,
            None => (rest, ""),
        };
        if rest.is_empty() {
            return Err(INTERVAL_MALFORMED);
        }
        let [years, months, weeks, days] = designated(date, ['Y', 'M', 'W', 'D'])?;
        let [hours, minutes, seconds] = designated(time, ['H', 'M', 'S'])?;
        let lengths = [(weeks, 7 * DAY_MS), (days, DAY_MS), (hours, HOUR_MS)];
        let short = [(minutes, MINUTE_MS), (seconds, 1000)];
        let millis = lengths
            .iter()
            .chain(&short)
            .fold(0_u64, |sum, (count, ms)| sum.saturating_add(count.saturating_mul(*ms as u64)));
        Self::new(years, months, millis)
    }

    /// Whether no point of a recurrence from a whole minute can fall beside a whole minute.
    #[must_use]
    pub const fn is_whole_minutes(self) -> bool {
        self.millis.is_multiple_of(MINUTE_MS as u64)
    }

    /// Whether it is at least an hour, the shortest that upstream accepts.
    #[must_use]
    pub const fn is_hour_or_longer(self) -> bool {
        self.years > 0 || self.months > 0 || self.millis >= HOUR_MS as u64
    }

    /// Its mean length; only good for guessing.
    const fn mean_millis(self) -> i64 {
        (self.years as i64 * 12 + self.months as i64) * MEAN_MONTH_MS + self.millis as i64
    }

    /// What has to be known of `start` to add this interval: lengths need no calendar.
    #[inline]
    const fn parted(self, start: Instant) -> Parted {
        if self.years == 0 && self.months == 0 { Parted::EPOCH } else { Parted::of(start) }
    }

    /// `start` plus `count` times this interval, field by field. `parted` is what has to be known
    /// of `start`.
    #[inline]
    fn add(self, start: Instant, parted: Parted, count: i64) -> Option<Instant> {
        let mut at = start;
        if self.years > 0 {
            at = parted.moved((i64::from(self.years) * 12).checked_mul(count)?)?;
        }
        if self.months > 0 {
            let parted = if self.years > 0 { Parted::of(at) } else { parted };
            at = parted.moved(i64::from(self.months).checked_mul(count)?)?;
        }
        let millis = i64::try_from(self.millis).ok()?.checked_mul(count)?;
        Instant::from_millis(at.0.checked_add(millis)?)
    }
}

/// Reads `<number><designator>` pairs in order, each at most once.
fn designated<const N: usize>(text: &str, designators: [char; N]) -> Result<[u64; N], Error> {
    let mut counts = [0; N];
    let mut rest = text;
    for (count, designator) in counts.iter_mut().zip(designators) {
        if let Some((number, after)) = rest.split_once(designator) {
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(INTERVAL_MALFORMED);
            }
            *count = number.parse().map_err(|_| INTERVAL_RANGE)?;
            rest = after;
        }
    }
    if rest.is_empty() { Ok(counts) } else { Err(INTERVAL_MALFORMED) }
}

impl fmt::Display for Interval {
    /// An ISO 8601 duration; weeks are written as days.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.millis / 1000;
        let date =
            [(u64::from(self.years), 'Y'), (u64::from(self.months), 'M'), (seconds / 86_400, 'D')];
        let time = [(seconds / 3600 % 24, 'H'), (seconds / 60 % 60, 'M'), (seconds % 60, 'S')];
        f.write_str("P")?;
        for (count, designator) in date.into_iter().filter(|part| part.0 > 0) {
            write!(f, "{count}{designator}")?;
        }
        if time.iter().any(|part| part.0 > 0) {
            f.write_str("T")?;
        }
        for (count, designator) in time.into_iter().filter(|part| part.0 > 0) {
            write!(f, "{count}{designator}")?;
        }
        Ok(())
    }
}

const INTERVAL_MALFORMED: Error = Error::new(
    "interval-malformed",
    "the interval is not an ISO 8601 duration of whole numbers; write it like P1M, P1W or PT12H",
);
const INTERVAL_RANGE: Error = Error::new(
    "interval-out-of-range",
    "the interval is empty or longer than a thousand years; write one between PT1H and P1000Y",
);

/// Points at `anchor + n * interval` for every whole n, negative ones too.
///
/// ```
/// use edgegrant::{Instant, Interval, Recurrence};
///
/// let monthly = Recurrence {
///     interval: Interval::parse("P1M")?,
///     anchor: Instant::parse("2024-01-31T00:00:00Z")?,
/// };
/// let march = Instant::parse("2024-03-01T00:00:00Z")?;
/// assert_eq!(monthly.at_or_before(march).unwrap().to_string(), "2024-02-29T00:00:00Z");
/// assert_eq!(monthly.after(march).unwrap().to_string(), "2024-03-31T00:00:00Z");
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recurrence {
    /// The distance between points.
    pub interval: Interval,
    /// The point that every other is computed from.
    pub anchor: Instant,
}

impl Recurrence {
    /// The point `anchor + n * interval`, or `None` outside the years 1 to 9999.
    #[must_use]
    pub fn nth(&self, n: i64) -> Option<Instant> {
        self.interval.add(self.anchor, self.interval.parted(self.anchor), n)
    }

    /// The index of the last point at or before `at`.
    #[must_use]
    pub fn index_at(&self, at: Instant) -> i64 {
        self.around(at).index
    }

    /// The last point at or before `at`.
    #[must_use]
    pub fn at_or_before(&self, at: Instant) -> Option<Instant> {
        self.around(at).before
    }

    /// The last point before `at`.
    #[must_use]
    pub fn before(&self, at: Instant) -> Option<Instant> {
        self.at_or_before(at.plus_millis(-1))
    }

    /// The first point at or after `at`.
    #[must_use]
    pub fn at_or_after(&self, at: Instant) -> Option<Instant> {
        self.after(at.plus_millis(-1))
    }

    /// The first point after `at`.
    #[must_use]
    pub fn after(&self, at: Instant) -> Option<Instant> {
        self.around(at).after
    }

    /// How many points lie after `from` and at or before `to`.
    #[must_use]
    pub fn count(&self, from: Instant, to: Instant) -> u64 {
        if to <= from {
            return 0;
        }
        u64::try_from(self.index_at(to) - self.index_at(from)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn points_are_found_up_to_the_ends_of_time() {
        for day in 1..=28 {
            let recurrence = Recurrence {
                interval: Interval::parse("P1M").unwrap(),
                anchor: Instant::parse(&format!("2051-03-{day:02}T00:00:00Z")).unwrap(),
            };
            let last = Instant::parse(&format!("9999-12-{day:02}T00:00:00Z")).unwrap();
            assert_eq!(recurrence.at_or_before(Instant::MAX), Some(last), "{day}");
            let first = Instant::parse(&format!("0001-01-{day:02}T00:00:00Z")).unwrap();
            assert_eq!(
                recurrence.at_or_after(Instant::MIN.plus_millis(1)),
                match day {
                    1 => recurrence.nth(recurrence.index_at(first) + 1),
                    _ => Some(first),
                },
                "{day}"
            );
        }
    }
}
