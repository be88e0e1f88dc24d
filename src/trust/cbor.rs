//! Deterministic CBOR (RFC 8949 §4.2) on top of minicbor, and nothing beyond what a head needs:
//! shortest lengths, no indefinite lengths, no floats, and nesting only where a caller asks for it.

use minicbor::Decoder;
use minicbor::decode::Error as DecodeError;

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
pub(super) struct Reader<'a>(Decoder<'a>);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(Decoder::new(bytes))
    }

    pub(super) fn tag(&mut self, expected: u64) -> Result<(), Error> {
        let start = self.0.position();
        let tag = self.0.tag().map_err(refusal)?.as_u64();
        self.shortest(start, tag, 0)?;
        if tag == expected { Ok(()) } else { Err(MALFORMED) }
    }

    pub(super) fn array(&mut self) -> Result<u64, Error> {
        let start = self.0.position();
        let count = self.0.array().map_err(refusal)?.ok_or(MALFORMED)?;
        self.shortest(start, count, 0)?;
        Ok(count)
    }

    pub(super) fn map(&mut self) -> Result<u64, Error> {
        let start = self.0.position();
        let count = self.0.map().map_err(refusal)?.ok_or(MALFORMED)?;
        self.shortest(start, count, 0)?;
        Ok(count)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let start = self.0.position();
        let bytes = self.0.bytes().map_err(refusal)?;
        self.shortest(start, bytes.len() as u64, bytes.len())?;
        Ok(bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Error> {
        let start = self.0.position();
        let text = self.0.str().map_err(refusal)?;
        self.shortest(start, text.len() as u64, text.len())?;
        Ok(text)
    }

    pub(super) fn unsigned(&mut self) -> Result<u64, Error> {
        let start = self.0.position();
        let number = self.0.u64().map_err(refusal)?;
        self.shortest(start, number, 0)?;
        Ok(number)
    }

    pub(super) fn integer(&mut self) -> Result<i64, Error> {
        let start = self.0.position();
        let number = self.0.i64().map_err(refusal)?;
        let argument = if number < 0 { -1 - number } else { number };
        self.shortest(start, argument.unsigned_abs(), 0)?;
        Ok(number)
    }

    /// Passes over an integer, bytes or text, whatever it says.
    pub(super) fn skip_scalar(&mut self) -> Result<(), Error> {
        let first = self.0.input().get(self.0.position()).ok_or(TRUNCATED)?;
        match first >> 5 {
            0 | 1 => self.integer().map(drop),
            2 => self.bytes().map(drop),
            3 => self.text().map(drop),
            _ => Err(MALFORMED),
        }
    }

    pub(super) fn end(&self) -> Result<(), Error> {
        if self.0.position() == self.0.input().len() { Ok(()) } else { Err(TRAILING) }
    }

    /// Refuses an item since `start` whose argument could have been written shorter.
    fn shortest(&self, start: usize, argument: u64, content: usize) -> Result<(), Error> {
        let width = match argument {
            0..=23 => 1,
            24..=0xff => 2,
            0x100..=0xffff => 3,
            0x1_0000..=0xffff_ffff => 5,
            _ => 9,
        };
        if self.0.position() == start + width + content { Ok(()) } else { Err(MALFORMED) }
    }
}

fn refusal(error: DecodeError) -> Error {
    if error.is_end_of_input() { TRUNCATED } else { MALFORMED }
}
