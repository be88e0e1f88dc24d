//! Hashes: SHA-512/256 for what must not be forged, SipHash-1-3 for finding things fast.

use sha2::{Digest as _, Sha512_256};

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
    places: Places,
}

impl Seed {
    pub(super) fn new(secret: [u8; 32]) -> Self {
        let key = secret.first_chunk().copied().unwrap_or_default();
        Self { secret, places: Places::keyed(key) }
    }

    pub(super) const fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// Where a subject, an alias or a feature is found.
    #[inline(always)]
    pub(super) fn place(&self, name: impl AsRef<[u8]>) -> u64 {
        self.places.hash(name.as_ref())
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

/// SipHash-1-3 of texts that are there as a whole, as Aumasson and Bernstein describe SipHash in
/// "SipHash: a fast short-input PRF". It is on the way of every question.
#[derive(Clone)]
struct Places([u64; 4]);

impl Places {
    fn keyed(key: [u8; 16]) -> Self {
        let key = u128::from_le_bytes(key);
        let (low, high) = (key as u64, (key >> 64) as u64);
        Self([
            low ^ 0x736f_6d65_7073_6575,
            high ^ 0x646f_7261_6e64_6f6d,
            low ^ 0x6c79_6765_6e65_7261,
            high ^ 0x7465_6462_7974_6573,
        ])
    }

    #[inline(always)]
    fn hash(&self, bytes: &[u8]) -> u64 {
        let (words, rest) = bytes.as_chunks();
        let mut state = self.0;
        for word in words {
            state = absorb(state, u64::from_le_bytes(*word));
        }
        let rest = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        state = absorb(state, rest | (bytes.len() as u64) << 56);
        state[2] ^= 0xff;
        let [a, b, c, d] = round(round(round(state)));
        a ^ b ^ c ^ d
    }
}

#[inline(always)]
fn absorb(mut state: [u64; 4], word: u64) -> [u64; 4] {
    state[3] ^= word;
    state = round(state);
    state[0] ^= word;
    state
}

#[inline(always)]
const fn round([mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    a = a.wrapping_add(b);
    c = c.wrapping_add(d);
    b = b.rotate_left(13) ^ a;
    d = d.rotate_left(16) ^ c;
    a = a.rotate_left(32).wrapping_add(d);
    c = c.wrapping_add(b);
    d = d.rotate_left(21) ^ a;
    b = b.rotate_left(17) ^ c;
    [a, b, c.rotate_left(32), d]
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
