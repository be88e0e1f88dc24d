//! What a head says.

use super::cbor::{MALFORMED, Reader};
use super::envelope::written;
use crate::error::Error;
use crate::time::Instant;

/// The small signed part of a snapshot, from which everything else is verified.
///
/// The epoch of the signing key is not a field: each signature names it in its protected header, so
/// that one head can be signed for two epochs while keys rotate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whom it is for, tenant and environment; 1 to 128 bytes.
    pub audience: String,
    /// Grows with every publish.
    pub version: u64,
    /// When it was signed.
    pub issued_at: Instant,
    /// From then on answers are marked stale.
    pub stale_after: Instant,
    /// From then on each feature's policy answers.
    pub expires_at: Instant,
    /// From then on everything is closed.
    pub dead_at: Instant,
    /// Usage before this is included, where a program does not say otherwise. It stands here so
    /// that the pages of customers who did nothing keep their bytes; a renewed head keeps it.
    pub usage_as_of: Instant,
    /// The digest of the root node, or of the page where there is but one.
    pub root: [u8; 32],
    /// The digest of the catalogue.
    pub catalogue: [u8; 32],
    /// The length of the pack in bytes; whoever fetches stops there.
    pub pack_length: u64,
    /// The version at which many subjects were removed on purpose; 0 if never.
    pub shrunk_at_version: u64,
}

/// The type that the payload states first.
const TYPE: &str = "edgegrant-head";
const FORMAT_VERSION: u64 = 1;
const AUDIENCE_BYTES_MAX: usize = 128;
/// The keys that this version defines, in order from 0.
const KEYS: u64 = 13;
/// Unknown keys from here on may be ignored; all others must be understood.
const OPTIONAL_KEYS: core::ops::RangeInclusive<i64> = 24..=255;

const WRONG_TYPE: Error = Error::new(
    "head-type",
    "the signed message is not a head; check the address that the head is fetched from",
);
const FORMAT: Error = Error::new(
    "head-format-unsupported",
    "the snapshot has a format that this version does not know; upgrade edgegrant",
);
const CRITICAL: Error = Error::new(
    "head-critical-unknown",
    "the head says something that must be understood and is not; upgrade edgegrant",
);
const INVALID: Error = Error::new(
    "head-invalid",
    "the head contradicts itself; order issuedAt, staleAfter, expiresAt and deadAt, let no \
     shrunkAtVersion exceed the version, and give the audience 1 to 128 bytes",
);

impl Head {
    /// The payload that is signed.
    ///
    /// # Errors
    /// `head-invalid` when the fields contradict each other.
    pub(super) fn encode(&self) -> Result<Vec<u8>, Error> {
        self.validate()?;
        Ok(written(|e| {
            e.map(KEYS)?.u8(0)?.str(TYPE)?.u8(1)?.u64(FORMAT_VERSION)?;
            e.u8(2)?.str(&self.audience)?.u8(3)?.u64(self.version)?;
            e.u8(4)?.i64(self.issued_at.millis())?.u8(5)?.i64(self.stale_after.millis())?;
            e.u8(6)?.i64(self.expires_at.millis())?.u8(7)?.i64(self.dead_at.millis())?;
            e.u8(8)?.i64(self.usage_as_of.millis())?;
            e.u8(9)?.bytes(&self.root)?.u8(10)?.bytes(&self.catalogue)?;
            e.u8(11)?.u64(self.pack_length)?.u8(12)?.u64(self.shrunk_at_version)?;
            Ok(())
        }))
    }

    /// Reads a payload; `verify` has seen its signatures before.
    pub(super) fn decode(payload: &[u8]) -> Result<Self, Error> {
        let reader = &mut Reader::new(payload);
        let keys = reader.map()?;
        key(reader, 0)?;
        if reader.text()? != TYPE {
            return Err(WRONG_TYPE);
        }
        key(reader, 1)?;
        if reader.unsigned()? != FORMAT_VERSION {
            return Err(FORMAT);
        }
        let optional = keys.checked_sub(KEYS).ok_or(MALFORMED)?;
        let head = Self {
            audience: key(reader, 2)?.text()?.to_owned(),
            version: key(reader, 3)?.unsigned()?,
            issued_at: instant(key(reader, 4)?)?,
            stale_after: instant(key(reader, 5)?)?,
            expires_at: instant(key(reader, 6)?)?,
            dead_at: instant(key(reader, 7)?)?,
            usage_as_of: instant(key(reader, 8)?)?,
            root: digest(key(reader, 9)?)?,
            catalogue: digest(key(reader, 10)?)?,
            pack_length: key(reader, 11)?.unsigned()?,
            shrunk_at_version: key(reader, 12)?.unsigned()?,
        };
        skip_optional(reader, optional)?;
        reader.end()?;
        head.validate()?;
        Ok(head)
    }

    fn validate(&self) -> Result<(), Error> {
        let ladder = self.issued_at <= self.stale_after
            && self.stale_after <= self.expires_at
            && self.expires_at <= self.dead_at;
        let named = !self.audience.is_empty() && self.audience.len() <= AUDIENCE_BYTES_MAX;
        let shrunk = self.shrunk_at_version <= self.version;
        if ladder && named && shrunk { Ok(()) } else { Err(INVALID) }
    }
}

fn key<'r, 'a>(reader: &'r mut Reader<'a>, expected: u64) -> Result<&'r mut Reader<'a>, Error> {
    if reader.unsigned()? == expected { Ok(reader) } else { Err(MALFORMED) }
}

fn instant(reader: &mut Reader<'_>) -> Result<Instant, Error> {
    Instant::from_millis(reader.integer()?).ok_or(INVALID)
}

fn digest(reader: &mut Reader<'_>) -> Result<[u8; 32], Error> {
    reader.bytes()?.try_into().map_err(|_| MALFORMED)
}

/// Later versions may add keys; those that may be ignored have numbers of their own.
fn skip_optional(reader: &mut Reader<'_>, count: u64) -> Result<(), Error> {
    let mut previous = -1;
    for _ in 0..count {
        let key = reader.integer()?;
        if !OPTIONAL_KEYS.contains(&key) {
            return Err(CRITICAL);
        }
        if key <= previous {
            return Err(MALFORMED);
        }
        previous = key;
        reader.skip_scalar()?;
    }
    Ok(())
}
