//! The catalogue: features with their units and policies, counts, page bits and the seed.

use super::bytes::{Reader, put_u32, text, u32_at, u64_at};
use super::hash::Seed;
use super::layout::{
    CATALOGUE_BYTES_MAX, CATALOGUE_HEADER_BYTES, CATALOGUE_MAGIC, FEATURE_ROW_BYTES, KEY_BYTES_MAX,
    PAGE_BITS_MAX, UNIT_BYTES_MAX,
};
use super::records::{FeatureRecord, WhenExpired};
use super::refusal;
use super::window::Window;
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

/// What a snapshot says about itself, whatever the number of its subjects.
pub struct Catalogue {
    window: Window,
    seed: Seed,
    page_bits: u8,
    counts: Counts,
    features: usize,
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
    pub(super) fn open(window: Window) -> Result<Self, Error> {
        let bytes = window.bytes();
        if bytes.len() > CATALOGUE_BYTES_MAX {
            return Err(refusal::LIMIT);
        }
        let mut reader = Reader::new(bytes);
        if reader.array() != Some(&CATALOGUE_MAGIC) {
            return Err(refusal::FORMAT);
        }
        let (seed, page_bits, counts, features) = header(&mut reader).ok_or(refusal::BOUNDS)?;
        let seed = Seed::new(seed);
        let catalogue = Self { window, seed, page_bits, counts, features };
        catalogue.validate()?;
        Ok(catalogue)
    }

    fn validate(&self) -> Result<(), Error> {
        if self.page_bits > PAGE_BITS_MAX {
            return Err(refusal::LIMIT);
        }
        let heap = self.heap().ok_or(refusal::BOUNDS)?;
        let (mut previous, mut start) = (None, 0);
        for index in 0..self.features {
            let (place, end) = self.row(index).ok_or(refusal::BOUNDS)?;
            if previous.is_some_and(|previous| previous >= place) {
                return Err(refusal::ORDER);
            }
            let item = heap.get(start..end).ok_or(refusal::BOUNDS)?;
            let feature = feature(place, item)?;
            if self.seed.place(feature.key) != place {
                return Err(refusal::MISPLACED);
            }
            (previous, start) = (Some(place), end);
        }
        if start == heap.len() { Ok(()) } else { Err(refusal::BOUNDS) }
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
    pub fn feature(&self, key: &str) -> Option<Feature<'_>> {
        self.feature_at(self.seed.place(key)).filter(|feature| feature.key == key)
    }

    /// All features, in the order of their keyed hashes.
    pub fn features(&self) -> impl Iterator<Item = Feature<'_>> {
        (0..self.features).filter_map(|index| self.feature_in(index))
    }

    pub(super) fn feature_at(&self, place: u64) -> Option<Feature<'_>> {
        let (mut low, mut high) = (0, self.features);
        while low < high {
            let middle = low.midpoint(high);
            let (found, _) = self.row(middle)?;
            match found.cmp(&place) {
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Equal => return self.feature_in(middle),
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    pub(super) const fn seed(&self) -> &Seed {
        &self.seed
    }

    fn feature_in(&self, index: usize) -> Option<Feature<'_>> {
        let (place, end) = self.row(index)?;
        let start = if index == 0 { 0 } else { self.row(index - 1)?.1 };
        feature(place, self.heap()?.get(start..end)?).ok()
    }

    /// The hash of a feature and where its text ends.
    fn row(&self, index: usize) -> Option<(u64, usize)> {
        let rows = self.window.bytes().get(CATALOGUE_HEADER_BYTES..)?;
        let at = index.checked_mul(FEATURE_ROW_BYTES)?;
        Some((u64_at(rows, at)?, u32_at(rows.get(at + 8..)?, 0)?))
    }

    fn heap(&self) -> Option<&[u8]> {
        let rows = self.features.checked_mul(FEATURE_ROW_BYTES)?;
        self.window.bytes().get(CATALOGUE_HEADER_BYTES.checked_add(rows)?..)
    }
}

fn header(reader: &mut Reader<'_>) -> Option<([u8; 32], u8, Counts, usize)> {
    let seed = *reader.array()?;
    let [page_bits, 0, 0, 0] = *reader.array()? else { return None };
    let counts =
        Counts { subjects: reader.u64()?, aliases: reader.u64()?, entitlements: reader.u64()? };
    Some((seed, page_bits, counts, usize::try_from(reader.u32()?).ok()?))
}

/// A policy, the key behind its length, and the unit, which may be absent.
fn feature(place: u64, item: &[u8]) -> Result<Feature<'_>, Error> {
    let mut reader = Reader::new(item);
    let when_expired = reader.byte().and_then(policy).ok_or(refusal::VALUE)?;
    let key = reader.text(KEY_BYTES_MAX).ok_or(refusal::TEXT)?;
    let unit = match reader.rest() {
        [] => None,
        unit => Some(text(unit, UNIT_BYTES_MAX).ok_or(refusal::TEXT)?),
    };
    Ok(Feature { place, key, unit, when_expired })
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
        super::bytes::put_text(&mut heap, &feature.key);
        heap.extend_from_slice(feature.unit.as_deref().unwrap_or_default().as_bytes());
        out.extend_from_slice(&place.to_le_bytes());
        put_u32(&mut out, heap.len());
    }
    out.extend_from_slice(&heap);
    if out.len() > CATALOGUE_BYTES_MAX { Err(refusal::CATALOGUE_SIZE) } else { Ok(out) }
}
