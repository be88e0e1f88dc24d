//! Deterministic CBOR (RFC 8949 §4.2), and nothing beyond what a head needs: shortest lengths,
//! definite lengths, no floats, and nesting only where a caller asks for it.
//!
//! Reading is by hand because it is smaller in the wasm than a general decoder and refuses what
//! such a decoder forgives; minicbor writes.

use crate::error::Error;

pub(super) const MALFORMED: Error = Error::new(
    "head-malformed",
    "the head is not CBOR of the expected shape; fetch it again and check what serves it",
);
const TRUNCATED: Error = Error::new(
    "head-truncated",
    "the head ends too early; fetch it again and check what serves it",
);
const TRAILING: Error = Error::new(
    "head-trailing-bytes",
    "bytes follow the head; fetch it again and check what serves it",
);

/// A reader that refuses every encoding but the shortest.
pub(super) struct Reader<'a>(&'a [u8]);

/// The first three bits of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Major {
    Unsigned,
    Negative,
    Bytes,
    Text,
    Array,
    Map,
    Tag,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn tag(&mut self, expected: u64) -> Result<(), Error> {
        if self.expect(Major::Tag)? == expected { Ok(()) } else { Err(MALFORMED) }
    }

    pub(super) fn array(&mut self) -> Result<u64, Error> {
        self.expect(Major::Array)
    }

    pub(super) fn map(&mut self) -> Result<u64, Error> {
        self.expect(Major::Map)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let length = self.expect(Major::Bytes)?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Error> {
        let length = self.expect(Major::Text)?;
        utf8(self.take(length)?)
    }

    pub(super) fn unsigned(&mut self) -> Result<u64, Error> {
        self.expect(Major::Unsigned)
    }

    pub(super) fn integer(&mut self) -> Result<i64, Error> {
        let (major, argument) = self.item()?;
        let magnitude = i64::try_from(argument).map_err(|_| MALFORMED)?;
        match major {
            Major::Unsigned => Ok(magnitude),
            Major::Negative => Ok(-1 - magnitude),
            _ => Err(MALFORMED),
        }
    }

    /// Passes over an integer, bytes or text, whatever it says.
    pub(super) fn skip_scalar(&mut self) -> Result<(), Error> {
        match self.item()? {
            (Major::Unsigned | Major::Negative, _) => Ok(()),
            (Major::Bytes, length) => self.take(length).map(drop),
            (Major::Text, length) => utf8(self.take(length)?).map(drop),
            _ => Err(MALFORMED),
        }
    }

    pub(super) fn end(&self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(TRAILING) }
    }

    fn expect(&mut self, expected: Major) -> Result<u64, Error> {
        let (major, argument) = self.item()?;
        if major == expected { Ok(argument) } else { Err(MALFORMED) }
    }

    /// The front of an item: its kind, and its value, its length or how many items follow.
    fn item(&mut self) -> Result<(Major, u64), Error> {
        let first = self.take(1)?.first().copied().unwrap_or_default();
        let major = match first >> 5 {
            0 => Major::Unsigned,
            1 => Major::Negative,
            2 => Major::Bytes,
            3 => Major::Text,
            4 => Major::Array,
            5 => Major::Map,
            6 => Major::Tag,
            _ => return Err(MALFORMED),
        };
        let width = match first & 0x1f {
            short @ 0..=23 => return Ok((major, u64::from(short))),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return Err(MALFORMED),
        };
        let bytes = self.take(width)?;
        let argument = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        let longest_shorter = match width {
            1 => 23,
            2 => 0xff,
            4 => 0xffff,
            _ => 0xffff_ffff,
        };
        if argument > longest_shorter { Ok((major, argument)) } else { Err(MALFORMED) }
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Error> {
        let length = usize::try_from(length).map_err(|_| TRUNCATED)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(TRUNCATED)?;
        self.0 = rest;
        Ok(taken)
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Error> {
    core::str::from_utf8(bytes).map_err(|_| MALFORMED)
}
