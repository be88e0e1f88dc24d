//! The catalogue: features with their units and policies, counts, page bits and the seed.

use std::rc::Rc;

use super::bytes::{Reader, put_part, put_u32, text};
use super::hash::Seed;
use super::layout::{
    CATALOGUE_BYTES_MAX, CATALOGUE_MAGIC, FEATURE_ROW_BYTES, KEY_BYTES_MAX, PAGE_BITS_MAX,
    UNIT_BYTES_MAX,
};
use super::records::{FeatureRecord, WhenExpired};
use super::refusal;
use crate::error::Error;

/// How many things a snapshot holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Subjects.
    pub subjects: u64,
    /// Aliases.
    pub aliases: u64,
    /// Entitlements.
    pub entitlements: u64,
}

impl core::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.subjects += other.subjects;
        self.aliases += other.aliases;
        self.entitlements += other.entitlements;
    }
}

/// What a snapshot says about itself, whatever the number of its subjects.
#[derive(Clone)]
pub struct Catalogue {
    bytes: Rc<[u8]>,
    seed: Seed,
    page_bits: u8,
    counts: Counts,
    /// The features by their keyed hashes, which ascend.
    features: Vec<(u64, FeatureRecord)>,
}

/// A feature of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature<'a> {
    /// Where pages keep it.
    pub(super) place: u64,
    /// The key.
    pub key: &'a str,
    /// What amounts count, for people.
    pub unit: Option<&'a str>,
    /// The answer once the snapshot has expired.
    pub when_expired: WhenExpired,
}

impl Catalogue {
    /// Reads and validates a catalogue whose digest was verified.
    pub(super) fn open(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > CATALOGUE_BYTES_MAX {
            return Err(refusal::LIMIT);
        }
        let mut reader = Reader::new(bytes);
        if reader.array() != Some(&CATALOGUE_MAGIC) {
            return Err(refusal::FORMAT);
        }
        let (seed, page_bits, counts, rows) = header(&mut reader).ok_or(refusal::BOUNDS)?;
        if page_bits > PAGE_BITS_MAX {
            return Err(refusal::LIMIT);
        }
        let seed = Seed::new(seed);
        let features = features(rows, reader.rest(), &seed)?;
        Ok(Self { bytes: Rc::from(bytes), seed, page_bits, counts, features })
    }

    /// The bytes that were read.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many things the snapshot holds.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The binary logarithm of the number of pages.
    #[must_use]
    pub const fn page_bits(&self) -> u8 {
        self.page_bits
    }

    /// The feature with a key.
    #[must_use]
    #[inline]
    pub fn feature(&self, key: &str) -> Option<Feature<'_>> {
        self.numbered(self.number(key)?)
    }

    /// Where the feature with a key stands among all.
    pub(crate) fn number(&self, key: &str) -> Option<usize> {
        let number = self.number_of(self.seed.place(key))?;
        let (_, record) = self.features.get(number)?;
        if record.key == key { Some(number) } else { None }
    }

    /// All features, in the order of their keyed hashes.
    pub fn features(&self) -> impl Iterator<Item = Feature<'_>> {
        self.features.iter().map(|(place, record)| Feature::of(*place, record))
    }

    #[inline]
    pub(super) fn feature_at(&self, place: u64) -> Option<Feature<'_>> {
        self.numbered(self.number_of(place)?)
    }

    fn number_of(&self, place: u64) -> Option<usize> {
        self.features.binary_search_by_key(&place, |(place, _)| *place).ok()
    }

    #[inline(always)]
    pub(crate) fn numbered(&self, number: usize) -> Option<Feature<'_>> {
        self.features.get(number).map(|(place, record)| Feature::of(*place, record))
    }

    /// Whether subjects stand in the same pages as with another catalogue.
    pub(super) fn places_like(&self, other: &Self) -> bool {
        self.page_bits == other.page_bits && self.seed.secret() == other.seed.secret()
    }

    pub(super) const fn seed(&self) -> &Seed {
        &self.seed
    }
}

impl<'a> Feature<'a> {
    #[inline(always)]
    pub(super) fn of(place: u64, record: &'a FeatureRecord) -> Self {
        let unit = record.unit.as_deref();
        Self { place, key: &record.key, unit, when_expired: record.when_expired }
    }
}

/// Reads features by their rows and their items, which lie one behind the other.
fn features(rows: &[u8], heap: &[u8], seed: &Seed) -> Result<Vec<(u64, FeatureRecord)>, Error> {
    let rows = rows.as_chunks::<FEATURE_ROW_BYTES>().0;
    let mut features: Vec<(u64, FeatureRecord)> = Vec::with_capacity(rows.len());
    let mut start = 0;
    for row in rows {
        let mut row = Reader::new(row);
        let (place, end) = row.u64().zip(row.u32()).ok_or(refusal::BOUNDS)?;
        let end = end as usize;
        if features.last().is_some_and(|(previous, _)| *previous >= place) {
            return Err(refusal::ORDER);
        }
        let feature = feature(heap.get(start..end).ok_or(refusal::BOUNDS)?)?;
        if seed.place(&feature.key) != place {
            return Err(refusal::MISPLACED);
        }
        features.push((place, feature));
        start = end;
    }
    if start == heap.len() { Ok(features) } else { Err(refusal::BOUNDS) }
}

/// Seed, page bits, counts and the rows of features.
fn header<'a>(reader: &mut Reader<'a>) -> Option<([u8; 32], u8, Counts, &'a [u8])> {
    let seed = *reader.array()?;
    let [page_bits, 0, 0, 0] = *reader.array()? else { return None };
    let counts =
        Counts { subjects: reader.u64()?, aliases: reader.u64()?, entitlements: reader.u64()? };
    let features = usize::try_from(reader.u32()?).ok()?;
    Some((seed, page_bits, counts, reader.take(features.checked_mul(FEATURE_ROW_BYTES)?)?))
}

/// A policy, the key behind its length, and the unit, which may be absent.
fn feature(item: &[u8]) -> Result<FeatureRecord, Error> {
    let mut reader = Reader::new(item);
    let when_expired = reader.byte().and_then(policy).ok_or(refusal::VALUE)?;
    let key = reader.text(KEY_BYTES_MAX).ok_or(refusal::TEXT)?.to_owned();
    let unit = match reader.rest() {
        [] => None,
        unit => Some(text(unit, UNIT_BYTES_MAX).ok_or(refusal::TEXT)?.to_owned()),
    };
    Ok(FeatureRecord { key, unit, when_expired })
}

pub(super) const fn policy(byte: u8) -> Option<WhenExpired> {
    match byte {
        0 => Some(WhenExpired::LastKnown),
        1 => Some(WhenExpired::Closed),
        2 => Some(WhenExpired::Open),
        _ => None,
    }
}

pub(super) const fn policy_byte(policy: WhenExpired) -> u8 {
    match policy {
        WhenExpired::LastKnown => 0,
        WhenExpired::Closed => 1,
        WhenExpired::Open => 2,
    }
}

/// Writes a catalogue; features have been checked and hash to distinct places.
pub(super) fn write(
    seed: &Seed,
    page_bits: u8,
    counts: Counts,
    features: &[FeatureRecord],
) -> Result<Vec<u8>, Error> {
    let mut rows: Vec<_> = features.iter().map(|f| (seed.place(&f.key), f)).collect();
    rows.sort_unstable_by_key(|(place, _)| *place);
    if rows.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
        return Err(refusal::COLLISION);
    }
    let mut out = CATALOGUE_MAGIC.to_vec();
    out.extend_from_slice(seed.secret());
    out.extend_from_slice(&[page_bits, 0, 0, 0]);
    for count in [counts.subjects, counts.aliases, counts.entitlements] {
        out.extend_from_slice(&count.to_le_bytes());
    }
    put_u32(&mut out, rows.len());
    let mut heap = Vec::new();
    for (place, feature) in rows {
        heap.push(policy_byte(feature.when_expired));
        put_part(&mut heap, feature.key.as_bytes());
        heap.extend_from_slice(feature.unit.as_deref().unwrap_or_default().as_bytes());
        out.extend_from_slice(&place.to_le_bytes());
        put_u32(&mut out, heap.len());
    }
    out.extend_from_slice(&heap);
    if out.len() > CATALOGUE_BYTES_MAX { Err(refusal::CATALOGUE_SIZE) } else { Ok(out) }
}
