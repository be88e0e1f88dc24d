//! Hashes: SHA-512/256 for what must not be forged, SipHash-1-3 for finding things fast.

use sha2::{Digest as _, Sha512_256};
use siphasher::sip::SipHasher13;

use super::Digest;
use super::layout::{PEPPER_BYTES, PREFIX_PEPPER, PREFIX_SALT, PREFIX_SUBJECT, SALT_BYTES};

/// The digest of some parts one after the other.
pub(super) fn digest(parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha512_256::new();
    parts.iter().for_each(|part| hasher.update(part));
    Digest(hasher.finalize().into())
}

/// The tenant's secret, from which places and peppers follow.
#[derive(Clone)]
pub(super) struct Seed {
    secret: [u8; 32],
    places: SipHasher13,
}

impl Seed {
    pub(super) fn new(secret: [u8; 32]) -> Self {
        let key = secret.first_chunk().copied().unwrap_or_default();
        Self { secret, places: SipHasher13::new_with_key(&key) }
    }

    pub(super) const fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// Where a subject, an alias or a feature is found.
    #[inline]
    pub(super) fn place(&self, text: &str) -> u64 {
        self.places.hash(text.as_bytes())
    }

    /// What tells bytes apart for as long as a publisher works.
    pub(super) fn fingerprint(&self, bytes: &[u8]) -> u64 {
        self.places.hash(bytes)
    }

    /// What makes the digest of a page no oracle for its content.
    pub(super) fn pepper(&self, page_bits: u8, index: u32) -> [u8; PEPPER_BYTES] {
        first(digest(&[PREFIX_PEPPER, &self.secret, &[page_bits], &index.to_le_bytes()]))
    }
}

/// What makes the digest of a subject no oracle for its neighbours.
pub(super) fn salt(pepper: &[u8], id: &str) -> [u8; SALT_BYTES] {
    first(digest(&[PREFIX_SALT, pepper, id.as_bytes()]))
}

/// The digest of a subject's record, which tells nothing without the salt.
pub(super) fn subject_leaf(pepper: &[u8], id: &str, record: &[u8]) -> Digest {
    digest(&[PREFIX_SUBJECT, &salt(pepper, id), record])
}

fn first(digest: Digest) -> [u8; 16] {
    digest.0.first_chunk().copied().unwrap_or_default()
}

/// The page, among `1 << page_bits`, that a hash falls into.
#[inline]
pub(super) const fn page_of(place: u64, page_bits: u8) -> u32 {
    if page_bits == 0 { 0 } else { (place >> (64 - page_bits as u32)) as u32 }
}

/// The part of a hash by which a page sorts its records.
#[inline]
pub(super) const fn slot_of(place: u64) -> u16 {
    place as u16
}
