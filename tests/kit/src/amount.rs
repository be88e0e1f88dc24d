use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::KitError;

/// An exact decimal with nine fractional digits: the count of billionths.
///
/// Read from the text of a JSON number (or of a string holding one), never through a float; what
/// has more than nine fractional digits is rounded half to even. Written as a JSON number.
///
/// ```
/// let dust: edgegrant_testkit::Amount = "0.7000000000000028".parse()?;
/// assert_eq!(dust.to_string(), "0.7");
/// # Ok::<(), edgegrant_testkit::KitError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(i128);

const DIGITS: i64 = 9;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many whole units.
    #[must_use]
    pub const fn units(units: i64) -> Self {
        Self(units as i128 * 1_000_000_000)
    }

    /// So many billionths of a unit.
    #[must_use]
    pub const fn nanos(nanos: i128) -> Self {
        Self(nanos)
    }

    /// The count of billionths.
    #[must_use]
    pub const fn as_nanos(self) -> i128 {
        self.0
    }
}

impl FromStr for Amount {
    type Err = KitError;

    fn from_str(text: &str) -> Result<Self, KitError> {
        parse(text).ok_or_else(|| KitError(format!("`{text}` is not a decimal that fits")))
    }
}

fn parse(text: &str) -> Option<Amount> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let places = i64::try_from(fraction.len()).ok()? - exponent;
    let value = scale(&digits, DIGITS - places)?;
    Some(Amount(if negative { -value } else { value }))
}

/// `digits` times ten to the `shift`, rounded half to even.
fn scale(digits: &str, shift: i64) -> Option<i128> {
    if shift >= 0 {
        let power = 10i128.checked_pow(u32::try_from(shift).ok()?)?;
        return digits.parse::<i128>().ok()?.checked_mul(power);
    }
    let dropped = usize::try_from(-shift).ok()?;
    let padded = format!("{}{digits}", "0".repeat(dropped));
    let (kept, lost) = padded.split_at(padded.len() - dropped);
    let kept: i128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    let half = format!("5{}", "0".repeat(dropped - 1));
    let up = match lost.cmp(half.as_str()) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => kept % 2 == 1,
    };
    Some(kept + i128::from(up))
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
        write!(f, "{sign}{}", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

// `RawValue` keeps the number's text without the `arbitrary_precision` feature, which would change
// how every other crate of the workspace reads numbers.
impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        text.strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(text)
            .parse()
            .map_err(D::Error::custom)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> i128 {
        text.parse::<Amount>().expect("a decimal").as_nanos()
    }

    #[test]
    fn reads_the_text_exactly() {
        assert_eq!(nanos("0.1"), 100_000_000);
        assert_eq!(nanos("-12.000000001"), -12_000_000_001);
        assert_eq!(nanos("9007199254740991"), 9_007_199_254_740_991_000_000_000);
        assert_eq!(nanos("1e-9"), 1);
        assert_eq!(nanos("1.5E3"), 1_500_000_000_000);
    }

    #[test]
    fn rounds_half_to_even() {
        assert_eq!(nanos("0.0000000005"), 0);
        assert_eq!(nanos("0.0000000015"), 2);
        assert_eq!(nanos("0.00000000051"), 1);
        assert_eq!(nanos("1e-30"), 0);
        assert_eq!(nanos("100.7000000000000028"), 100_700_000_000);
    }

    #[test]
    fn refuses_what_is_no_decimal() {
        for text in ["", "-", ".5", "NaN", "1.2.3", "0x1", "1e999"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    #[test]
    fn goes_through_json() {
        for text in ["0", "-0.5", "123456789.123456789"] {
            let amount: Amount = serde_json::from_str(text).expect("a number");
            assert_eq!(serde_json::to_string(&amount).expect("writes"), text);
            let quoted: Amount = serde_json::from_str(&format!("\"{text}\"")).expect("a string");
            assert_eq!(quoted, amount);
        }
    }
}
