//! Exact decimal amounts.
//!
//! An amount counts billionths of a unit in a wide integer, so `0.1 + 0.2` is exactly `0.3` and
//! nothing wraps: the largest amount that may enter is 2^53 - 1 units, and 128 bits leave room for
//! more additions than a ledger can hold.

use core::fmt;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use crate::error::Error;

/// An exact decimal number of units with nine fractional digits.
///
/// ```
/// use edgegrant::Amount;
///
/// let used = Amount::parse("0.1")? + Amount::parse("0.2")?;
/// assert_eq!(Amount::parse("0.3")? - used, Amount::ZERO);
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

const NANOS_PER_UNIT: i128 = 1_000_000_000;
const FRACTION_DIGITS: usize = 9;
/// 2^53: up to here every integer is a distinct JavaScript number.
const EXACT_FLOATS: f64 = 9_007_199_254_740_992.0;

impl Amount {
    /// No units.
    pub const ZERO: Self = Self(0);
    /// The smallest positive amount, 10^-9 units.
    pub const EPSILON: Self = Self(1);
    /// The largest magnitude that may cross a boundary: 2^53 - 1 units.
    pub const MAX: Self = Self(9_007_199_254_740_991 * NANOS_PER_UNIT);

    /// The amount of `units` whole units.
    ///
    /// ```
    /// # use edgegrant::Amount;
    /// assert_eq!(Amount::from_units(2), Amount::parse("2").unwrap());
    /// ```
    #[must_use]
    pub const fn from_units(units: i64) -> Self {
        Self(units as i128 * NANOS_PER_UNIT)
    }

    /// The amount of `nanos` billionths of a unit.
    #[must_use]
    pub const fn from_nanos(nanos: i128) -> Self {
        Self(nanos)
    }

    /// Billionths of a unit.
    #[must_use]
    pub const fn nanos(self) -> i128 {
        self.0
    }

    /// Whether the magnitude is at most 2^53 - 1 units.
    #[must_use]
    pub const fn is_in_range(self) -> bool {
        self.0 <= Self::MAX.0 && self.0 >= -Self::MAX.0
    }

    /// Whether this is less than nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether this is more than nothing.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether this is exactly nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This amount, or nothing when it is negative.
    #[must_use]
    pub const fn or_zero(self) -> Self {
        if self.0 < 0 { Self::ZERO } else { self }
    }

    /// This amount `count` times.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count as i128))
    }

    /// Reads decimal text as JSON writes numbers: sign, digits, fraction, exponent.
    ///
    /// # Errors
    /// `amount-malformed` when the text is no such number, `amount-too-precise` when it has more
    /// than nine fractional digits, `amount-out-of-range` beyond 2^53 - 1.
    ///
    /// ```
    /// # use edgegrant::Amount;
    /// assert_eq!(Amount::parse("1.5e3")?, Amount::from_units(1500));
    /// assert_eq!(Amount::parse("9007199254740992").unwrap_err().code(), "amount-out-of-range");
    /// # Ok::<(), edgegrant::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let decimal = Decimal::parse(text)?;
        if decimal.has_dust() { Err(TOO_PRECISE) } else { decimal.rounded() }
    }

    /// Reads decimal text and rounds what is finer than nine digits, half to even.
    ///
    /// Importers use it for systems that store amounts as binary floats, whose last digits are
    /// dust.
    ///
    /// # Errors
    /// As [`Amount::parse`], without `amount-too-precise`.
    ///
    /// ```
    /// # use edgegrant::Amount;
    /// assert_eq!(Amount::parse_rounded("0.7000000000000028")?, Amount::parse("0.7")?);
    /// # Ok::<(), edgegrant::Error>(())
    /// ```
    pub fn parse_rounded(text: &str) -> Result<Self, Error> {
        Decimal::parse(text)?.rounded()
    }

    /// The decimal that a JavaScript number stands for, with what is finer than nine digits
    /// rounded, but never to nothing.
    ///
    /// # Errors
    /// `amount-malformed` for NaN and infinities, `amount-out-of-range` beyond 2^53 - 1.
    ///
    /// ```
    /// # use edgegrant::Amount;
    /// assert_eq!(Amount::from_f64(0.1)?, Amount::parse("0.1")?);
    /// assert_eq!(Amount::from_f64(0.1 + 0.2)?, Amount::parse("0.3")?);
    /// # Ok::<(), edgegrant::Error>(())
    /// ```
    pub fn from_f64(number: f64) -> Result<Self, Error> {
        if !number.is_finite() {
            return Err(MALFORMED);
        }
        if number.abs() >= EXACT_FLOATS {
            return Err(OUT_OF_RANGE);
        }
        if number.trunc() == number {
            return Ok(Self::from_units(number as i64));
        }
        // The shortest decimal is the first whose quotient is the very same float: below 2^53 both
        // operands are exact and the division is correctly rounded.
        let mut scale = 10.0_f64;
        let mut nanos_per_step = NANOS_PER_UNIT / 10;
        while nanos_per_step > 0 {
            let steps = (number * scale).round();
            if steps.abs() < EXACT_FLOATS && steps / scale == number {
                return Ok(Self(steps as i128 * nanos_per_step));
            }
            scale *= 10.0;
            nanos_per_step /= 10;
        }
        let whole = number.trunc();
        let fraction = ((number - whole) * 1e9).round_ties_even();
        let rounded = Self(whole as i128 * NANOS_PER_UNIT + fraction as i128);
        // Something never becomes nothing, or asking for very little would ask for nothing.
        if rounded.is_zero() { Ok(Self(number.signum() as i128)) } else { Ok(rounded) }
    }

    /// The JavaScript number nearest to this amount; exact for whole units up to 2^53 - 1.
    ///
    /// ```
    /// # use edgegrant::Amount;
    /// assert_eq!(Amount::MAX.to_f64(), 9_007_199_254_740_991.0);
    /// assert_eq!(Amount::parse("0.3").unwrap().to_f64(), 0.3);
    /// ```
    #[must_use]
    pub fn to_f64(self) -> f64 {
        // Wide divisions are slow. Where both operands are exact, the quotient is the nearest.
        if let Ok(nanos) = i64::try_from(self.0) {
            if nanos.unsigned_abs() <= EXACT_FLOATS as u64 {
                return nanos as f64 / 1e9;
            }
            if nanos % NANOS_PER_UNIT as i64 == 0 {
                return (nanos / NANOS_PER_UNIT as i64) as f64;
            }
        }
        let mut steps = self.0;
        let mut scale = 1e9;
        while steps % 10 == 0 && scale > 1.0 {
            steps /= 10;
            scale /= 10.0;
        }
        if steps.unsigned_abs() <= EXACT_FLOATS as u128 {
            return steps as f64 / scale;
        }
        (self.0 / NANOS_PER_UNIT) as f64 + (self.0 % NANOS_PER_UNIT) as f64 / 1e9
    }
}

const MALFORMED: Error = Error::new(
    "amount-malformed",
    "the amount is not a finite decimal number; write it like 12.5, as a number or in quotes",
);
const TOO_PRECISE: Error = Error::new(
    "amount-too-precise",
    "the amount has more than 9 fractional digits; round it to billionths of a unit",
);
const OUT_OF_RANGE: Error = Error::new(
    "amount-out-of-range",
    "the amount exceeds 9007199254740991 (2^53 - 1); choose a larger unit",
);

/// A decimal as written: digits as billionths, and the digits beyond as one sticky remainder.
struct Decimal {
    negative: bool,
    nanos: i128,
    /// The first digit finer than billionths, and whether anything but zeros follows it.
    next_digit: u8,
    sticky: bool,
}

impl Decimal {
    fn parse(text: &str) -> Result<Self, Error> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        if whole.is_empty() || fraction.is_empty() {
            return Err(MALFORMED);
        }
        let point = whole.len() as i64 + exponent;
        let mut decimal = Self { negative, nanos: 0, next_digit: 0, sticky: false };
        for (index, byte) in whole.bytes().chain(fraction.bytes()).enumerate() {
            if !byte.is_ascii_digit() {
                return Err(MALFORMED);
            }
            decimal.push(byte - b'0', point - 1 - index as i64)?;
        }
        Ok(decimal)
    }

    /// Adds a digit that stands for `digit * 10^place` units.
    fn push(&mut self, digit: u8, place: i64) -> Result<(), Error> {
        let fineness = -(FRACTION_DIGITS as i64);
        if digit == 0 {
            return Ok(());
        }
        if place > 15 {
            return Err(OUT_OF_RANGE);
        }
        if place >= fineness {
            self.nanos += i128::from(digit) * 10_i128.pow((place - fineness) as u32);
        } else if place == fineness - 1 {
            self.next_digit = digit;
        } else {
            self.sticky = true;
        }
        Ok(())
    }

    fn has_dust(&self) -> bool {
        self.next_digit != 0 || self.sticky
    }

    fn rounded(&self) -> Result<Amount, Error> {
        let half = self.next_digit == 5 && !self.sticky;
        let up = if half { self.nanos % 2 == 1 } else { self.next_digit >= 5 };
        let magnitude = self.nanos + i128::from(up);
        let amount = Amount(if self.negative { -magnitude } else { magnitude });
        if amount.is_in_range() { Ok(amount) } else { Err(OUT_OF_RANGE) }
    }
}

fn parse_exponent(text: &str) -> Result<i64, Error> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(MALFORMED);
    }
    // An exponent beyond this says out of range or nothing at all, whatever its digits are.
    let magnitude = digits.parse::<i64>().unwrap_or(i64::MAX).min(1 << 40);
    Ok(if text.starts_with('-') { -magnitude } else { magnitude })
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
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

impl core::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Amount {
    /// The shortest exact decimal text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let magnitude = self.0.unsigned_abs();
        let per_unit = NANOS_PER_UNIT.unsigned_abs();
        write!(f, "{}", magnitude / per_unit)?;
        let mut fraction = magnitude % per_unit;
        if fraction == 0 {
            return Ok(());
        }
        let mut digits = FRACTION_DIGITS;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            digits -= 1;
        }
        write!(f, ".{fraction:0digits$}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn text_is_read_exactly() {
        for (text, nanos) in [
            ("0", 0),
            ("-0.000000001", -1),
            ("0.1", 100_000_000),
            ("1e-9", 1),
            ("10.50", 10_500_000_000),
            ("1.0000000000000", 1_000_000_000),
            ("123456789.123456789", 123_456_789_123_456_789),
            ("0e99999999999999999999", 0),
        ] {
            assert_eq!(Amount::parse(text).unwrap().nanos(), nanos, "{text}");
        }
        for text in ["", "-", "1.", ".5", "1e", "0x10", "NaN", "1 ", "+1", "1e+", "--1", "1.5.5"] {
            assert_eq!(Amount::parse(text).unwrap_err().code(), "amount-malformed", "{text}");
        }
        assert_eq!(Amount::parse("1e-10").unwrap_err().code(), "amount-too-precise");
        assert_eq!(Amount::parse("1e16").unwrap_err().code(), "amount-out-of-range");
        assert_eq!(
            Amount::parse("1e99999999999999999999").unwrap_err().code(),
            "amount-out-of-range"
        );
    }

    #[test]
    fn dust_rounds_half_to_even() {
        for (text, nanos) in [
            ("0.0000000005", 0),
            ("0.0000000015", 2),
            ("0.00000000150000001", 2),
            ("0.0000000025", 2),
            ("-0.0000000026", -3),
            ("0.30000000000000004", 300_000_000),
        ] {
            assert_eq!(Amount::parse_rounded(text).unwrap().nanos(), nanos, "{text}");
        }
    }

    #[test]
    fn floats_stand_for_their_shortest_decimal() {
        for text in
            ["0.1", "10000000.1", "123456.789012", "9007199254740991", "-2.5", "0.000000001"]
        {
            let amount = Amount::parse(text).unwrap();
            assert_eq!(Amount::from_f64(text.parse().unwrap()).unwrap(), amount, "{text}");
            assert_eq!(amount.to_f64(), text.parse::<f64>().unwrap(), "{text}");
            assert_eq!(amount.to_string(), text);
        }
        assert_eq!(Amount::from_f64(1e-10), Ok(Amount::EPSILON));
        assert_eq!(Amount::from_f64(-1e-300), Ok(-Amount::EPSILON));
        assert_eq!(Amount::from_f64(-0.0), Ok(Amount::ZERO));
        assert_eq!(Amount::from_f64(f64::NAN).unwrap_err().code(), "amount-malformed");
        assert_eq!(
            Amount::from_f64(9_007_199_254_740_992.0).unwrap_err().code(),
            "amount-out-of-range"
        );
    }
}
