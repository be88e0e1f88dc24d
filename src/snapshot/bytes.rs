//! Reading and writing integers, amounts and instants. Reading never goes beyond the bytes it has.

/// Reads from the front of some bytes; `None` when they end or say what cannot be.
#[derive(Clone, Copy, Default)]
pub(super) struct Reader<'a>(&'a [u8]);

/// A minute, in which most instants are told.
const MINUTE_MS: i64 = 60_000;
const MINUTES_MAX: u64 = (i64::MAX / MINUTE_MS) as u64;
/// The longest varint: 15 groups of 7 bits.
const VARINT_BYTES_MAX: u32 = 15;

impl<'a> Reader<'a> {
    #[inline]
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline(always)]
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    #[inline(always)]
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(|bytes| u32::from_le_bytes(*bytes))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// An integer in groups of 7 bits, the lowest first.
    pub(super) fn varint(&mut self) -> Option<u64> {
        self.varint_inlined()
    }

    #[inline(always)]
    pub(super) fn varint_inlined(&mut self) -> Option<u64> {
        let mut ahead = *self;
        let Some(value) = ahead.short() else { return u64::try_from(self.wide()?).ok() };
        *self = ahead;
        Some(value)
    }

    /// A varint of at most 8 groups.
    #[inline(always)]
    fn short(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..56).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A varint of any length, which only amounts need.
    #[cold]
    fn wide(&mut self) -> Option<u128> {
        let mut value = 0;
        for group in 0..VARINT_BYTES_MAX {
            let byte = self.byte()?;
            value |= u128::from(byte & 0x7f) << (7 * group);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn count(&mut self, max: usize) -> Option<usize> {
        self.count_inlined(max)
    }

    #[inline(always)]
    pub(super) fn count_inlined(&mut self, max: usize) -> Option<usize> {
        usize::try_from(self.varint_inlined()?).ok().filter(|count| *count <= max)
    }

    /// Text behind its length; 1 to `max` bytes.
    pub(super) fn text(&mut self, max: usize) -> Option<&'a str> {
        let length = self.count(max)?;
        text(self.take(length)?, max)
    }

    /// Billionths: a mantissa and how many thousandth steps it is fine.
    #[inline(always)]
    pub(super) fn amount(&mut self) -> Option<i128> {
        let mut ahead = *self;
        let Some(code) = ahead.short() else { return self.long_amount() };
        *self = ahead;
        let (mantissa, step) = (unzigzag(code >> 2), nanos_per_step(code & 3));
        // Times 30 bits; wide products are slow and seldom needed.
        if mantissa.unsigned_abs() < 1 << 33 {
            return Some(i128::from(mantissa.wrapping_mul(step)));
        }
        Some(i128::from(mantissa).wrapping_mul(i128::from(step)))
    }

    #[cold]
    fn long_amount(&mut self) -> Option<i128> {
        let code = self.wide()?;
        let zigzag = code >> 2;
        let mantissa = (zigzag >> 1) as i128 ^ -((zigzag & 1) as i128);
        mantissa.checked_mul(i128::from(nanos_per_step((code & 3) as u64)))
    }

    /// Milliseconds, told in minutes when they are whole.
    #[inline(always)]
    pub(super) fn time(&mut self) -> Option<i64> {
        let value = self.varint_inlined()?;
        let number = unzigzag(value >> 1);
        // To multiply and look for an overflow takes the wasm a call.
        match value & 1 {
            1 => Some(number),
            _ if number.unsigned_abs() > MINUTES_MAX => None,
            _ => Some(number.wrapping_mul(MINUTE_MS)),
        }
    }
}

/// A signed number as the sign in the lowest bit says.
pub(super) const fn unzigzag(code: u64) -> i64 {
    (code >> 1) as i64 ^ -((code & 1) as i64)
}

const fn nanos_per_step(steps: u64) -> i64 {
    match steps {
        0 => 1_000_000_000,
        1 => 1_000_000,
        2 => 1_000,
        _ => 1,
    }
}

/// Text that was validated before.
pub(super) fn known_text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}

/// Text of 1 to `max` bytes of UTF-8. A NUL is data like any other byte.
pub(super) fn text(bytes: &[u8], max: usize) -> Option<&str> {
    if bytes.is_empty() || bytes.len() > max {
        return None;
    }
    core::str::from_utf8(bytes).ok()
}

pub(super) fn u32_at(table: &[u8], index: usize) -> Option<usize> {
    let bytes = table.get(index.checked_mul(4)?..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}

pub(super) fn put_u16(out: &mut Vec<u8>, value: usize) {
    out.extend_from_slice(&(value as u16).to_le_bytes());
}

pub(super) fn put_u24(out: &mut Vec<u8>, value: usize) {
    let [low, middle, high, _] = (value as u32).to_le_bytes();
    out.extend_from_slice(&[low, middle, high]);
}

pub(super) fn put_u32(out: &mut Vec<u8>, value: usize) {
    out.extend_from_slice(&(value as u32).to_le_bytes());
}

pub(super) fn put_varint(out: &mut Vec<u8>, value: u64) {
    put_wide(out, u128::from(value));
}

fn put_wide(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A varint of any length. Wide integers are shifted slowly, and hardly any is wide.
pub(super) fn put_code(out: &mut Vec<u8>, code: u128) {
    let Ok(mut short) = u64::try_from(code) else { return put_wide(out, code) };
    while short >= 0x80 {
        out.push(short as u8 | 0x80);
        short >>= 7;
    }
    out.push(short as u8);
}

/// Bytes behind their length.
pub(super) fn put_part(out: &mut Vec<u8>, part: &[u8]) {
    put_varint(out, part.len() as u64);
    out.extend_from_slice(part);
}

pub(super) fn put_amount(out: &mut Vec<u8>, nanos: i128) {
    put_wide(out, amount_code(nanos));
}

pub(super) fn put_time(out: &mut Vec<u8>, millis: i64) {
    put_varint(out, time_code(millis));
}

/// How long a varint is.
pub(super) fn length(code: u128) -> usize {
    (128 - code.leading_zeros()).div_ceil(7).max(1) as usize
}

pub(super) fn amount_code(nanos: i128) -> u128 {
    // Most are whole units and few, and wide integers are divided slowly.
    if let Ok(few) = i64::try_from(nanos)
        && few % 1_000_000_000 == 0
    {
        return u128::from(zigzag(few / 1_000_000_000)) << 2;
    }
    let (unit, steps) = [(1_000_000_000, 0), (1_000_000, 1), (1_000, 2)]
        .into_iter()
        .find(|(unit, _)| nanos % unit == 0)
        .unwrap_or((1, 3));
    let mantissa = nanos / unit;
    let zigzag = (mantissa << 1 ^ mantissa >> 127) as u128;
    zigzag << 2 | steps
}

pub(super) fn time_code(millis: i64) -> u64 {
    let whole = millis % MINUTE_MS == 0;
    let number = if whole { millis / MINUTE_MS } else { millis };
    zigzag(number) << 1 | u64::from(!whole)
}

/// A signed number with its sign in the lowest bit.
pub(super) const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn integers_are_read_as_they_were_written() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), 1 << 56, u64::MAX - 1, u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(Reader::new(&out).varint(), Some(value), "{value}");
        }
        assert_eq!(Reader::new(&[0xff; 20]).varint(), None);
        assert_eq!(Reader::new(&[0xff; 9]).varint(), None);
    }

    #[test]
    fn amounts_and_times_are_read_as_they_were_written() {
        let largest = 9_007_199_254_740_991_i128 * 1_000_000_000;
        for nanos in [0, 1, -1, 1_000, 1_500_000_000, -7_000_000_000, largest, -2 * largest + 1] {
            let mut out = Vec::new();
            put_amount(&mut out, nanos);
            assert_eq!(Reader::new(&out).amount(), Some(nanos), "{nanos}");
        }
        for millis in [0, 1, -1, 60_000, -120_000, 59_999, 506_000_000_000_000] {
            let mut out = Vec::new();
            put_time(&mut out, millis);
            assert_eq!(Reader::new(&out).time(), Some(millis), "{millis}");
        }
        assert_eq!(Reader::new(&[0xff; 20]).amount(), None);
    }

    #[test]
    fn whole_amounts_are_short() {
        let mut out = Vec::new();
        put_amount(&mut out, 4_000 * 1_000_000_000);
        assert_eq!(out.len(), 3);
    }
}
