use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::KitError;

/// An ISO 8601 duration, `P1Y2M3W4DT5H6M7S`: its fields, none of them normalised.
///
/// ```
/// let interval: edgegrant_testkit::Interval = "P1M15D".parse()?;
/// assert_eq!((interval.months, interval.days), (1, 15));
/// # Ok::<(), edgegrant_testkit::KitError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interval {
    text: String,
    /// Calendar years.
    pub years: i64,
    /// Calendar months.
    pub months: i64,
    /// Weeks of seven days.
    pub weeks: i64,
    /// Days of 24 hours, as all arithmetic is in UTC.
    pub days: i64,
    /// Hours.
    pub hours: i64,
    /// Minutes.
    pub minutes: i64,
    /// Seconds.
    pub seconds: i64,
}

impl Interval {
    /// Whether it has no length at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.years == 0
            && self.months == 0
            && self.weeks == 0
            && self.days == 0
            && self.hours == 0
            && self.minutes == 0
            && self.seconds == 0
    }
}

impl FromStr for Interval {
    type Err = KitError;

    fn from_str(text: &str) -> Result<Self, KitError> {
        parse(text).ok_or_else(|| KitError(format!("`{text}` is not an ISO 8601 duration")))
    }
}

fn parse(text: &str) -> Option<Interval> {
    let (date, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (text.strip_prefix('P')?, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let [years, months, weeks, days] = fields(date, ['Y', 'M', 'W', 'D'])?;
    let [hours, minutes, seconds] = fields(time, ['H', 'M', 'S'])?;
    let text = text.to_owned();
    Some(Interval { text, years, months, weeks, days, hours, minutes, seconds })
}

/// The numbers before each letter; the letters keep their order.
fn fields<const N: usize>(mut rest: &str, letters: [char; N]) -> Option<[i64; N]> {
    let mut values = [0; N];
    for (value, letter) in values.iter_mut().zip(letters) {
        if let Some((number, after)) = rest.split_once(letter) {
            *value = number.parse::<u32>().ok()?.into();
            rest = after;
        }
    }
    rest.is_empty().then_some(values)
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Interval {
    type Error = KitError;
    fn try_from(text: String) -> Result<Self, KitError> {
        text.parse()
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> Self {
        interval.text
    }
}
