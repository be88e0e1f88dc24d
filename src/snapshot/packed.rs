//! Subjects on their way into pages: checked, short, and without anything that is known only once
//! all of them were seen, which is the number of pages and the instant that most usage is known up
//! to. So they can wait in files, in any order.

use core::ops::Range;
use std::collections::HashMap;

use super::bytes::{Reader, known_text, put_part, put_varint};
use super::catalogue::Feature;
use super::hash::Seed;
use super::layout::{
    CONFIG_BYTES_MAX, ID_BYTES_MAX, KEY_BYTES_MAX, RECORD_BYTES_MAX, UNIT_BYTES_MAX,
};
use super::records::{EntitlementRecord, FeatureRecord};
use super::row::{Row, check_subject};
use super::tokens::{Token, tell_usage_as_of};
use super::{record, refusal};
use crate::engine::program::Rule;
use crate::error::Error;
use crate::time::Instant;

/// Into how many buckets packed subjects are sorted: a page is made of whole ones or lies in one.
pub const BUCKETS: usize = 1 << BUCKET_BITS;
const BUCKET_BITS: u8 = 8;

/// Whole buckets, and the whole pages that are made of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The buckets.
    pub buckets: Range<usize>,
    /// The pages.
    pub pages: Range<u32>,
}

/// The smallest units of a body, as far as they lie within its first buckets.
///
/// ```
/// use edgegrant::snapshot::{BUCKETS, units};
///
/// assert_eq!(units(2, BUCKETS).last().unwrap().pages, 3..4);
/// assert_eq!(units(2, BUCKETS).last().unwrap().buckets, 192..256);
/// assert_eq!(units(10, 16).last().unwrap().pages, 60..64);
/// ```
pub fn units(page_bits: u8, buckets: usize) -> impl ExactSizeIterator<Item = Unit> {
    let bits = page_bits.min(BUCKET_BITS);
    let (width, pages) = (BUCKETS >> bits, 1_u32 << (page_bits - bits));
    let unit = move |index: usize| Unit {
        buckets: index * width..(index + 1) * width,
        pages: index as u32 * pages..(index as u32 + 1) * pages,
    };
    (0..buckets / width).map(unit)
}

/// Packs subjects whose features were declared.
///
/// ```
/// use edgegrant::engine::compile;
/// use edgegrant::model::{Entitlement, EntitlementType, Status};
/// use edgegrant::snapshot::{
///     EntitlementRecord, FeatureRecord, PageWriter, Packer, Settings, WhenExpired,
/// };
/// use edgegrant::Instant;
///
/// let at = Instant::parse("2026-01-01T00:00:00Z")?;
/// let when_expired = WhenExpired::LastKnown;
/// let mut packer = Packer::new([7; 32]);
/// packer.declare(&FeatureRecord { key: "sso".to_owned(), unit: None, when_expired })?;
/// let sso = Entitlement::new("sso", EntitlementType::Boolean);
/// let program = compile(&sso, Status::Active, at).unwrap().program;
/// let sso = packer.entitlement(&EntitlementRecord {
///     feature: sso.feature, program, config: None, grant_ids: vec![], steady: None,
/// })?;
/// let mut packed = Vec::new();
/// packer.subject(&mut packed, 1, "acme", &mut [&sso])?;
/// packer.alias(&mut packed, 2, "ACME Inc.", "acme")?;
///
/// let settings = Settings { seed: [7; 32], usage_as_of: at, previous_page_bits: None };
/// let writer = PageWriter::new(&settings, packer.features(), 0)?;
/// assert_eq!(writer.write(0..1, &packed).unwrap().len(), 1);
/// packer.subject(&mut packed, 3, "ACME Inc.", &mut [])?;
/// assert_eq!(Packer::twice(&packed), Some(3));
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[derive(Clone)]
pub struct Packer {
    seed: Seed,
    features: Vec<FeatureRecord>,
    numbers: HashMap<String, (usize, u64)>,
}

/// A packed entitlement, which any number of subjects may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedEntitlement {
    /// Of its feature.
    place: u64,
    bytes: Vec<u8>,
    /// How many bytes it is shorter told by its place.
    spared: usize,
    /// How many bytes it takes at most in a record.
    written_out: usize,
    usage_as_of: Option<Instant>,
}

impl PackedEntitlement {
    /// The same told by its place among those that many subjects have, and what is to be kept in
    /// that place for a [`PageWriter`](super::PageWriter).
    ///
    /// ```
    /// use edgegrant::engine::program::{Program, Rule};
    /// use edgegrant::snapshot::{
    ///     EntitlementRecord, FeatureRecord, PageWriter, Packer, Settings, WhenExpired,
    /// };
    /// use edgegrant::Instant;
    ///
    /// let when_expired = WhenExpired::LastKnown;
    /// let mut packer = Packer::new([7; 32]);
    /// packer.declare(&FeatureRecord { key: "sso".to_owned(), unit: None, when_expired })?;
    /// let program = Program {
    ///     suspended: false,
    ///     active_from: None,
    ///     active_to: None,
    ///     grace_until: None,
    ///     rule: Rule::Boolean,
    /// };
    /// let feature = "sso".to_owned();
    /// let record =
    ///     EntitlementRecord { feature, program, config: None, grant_ids: vec![], steady: None };
    /// let sso = packer.entitlement(&record)?;
    /// let (by_place, kept) = sso.clone().common(0);
    ///
    /// let settings =
    ///     Settings { seed: [7; 32], usage_as_of: Instant::EPOCH, previous_page_bits: None };
    /// let common = [kept];
    /// let writer = PageWriter::new(&settings, packer.features(), 0)?.knowing(&common);
    /// let page = |given| {
    ///     let mut packed = Vec::new();
    ///     packer.subject(&mut packed, 1, "acme", &mut [given]).unwrap();
    ///     writer.write(0..1, &packed).unwrap()
    /// };
    /// assert_eq!(page(&sso), page(&by_place));
    /// # Ok::<(), edgegrant::Error>(())
    /// ```
    #[must_use]
    pub fn common(mut self, place: usize) -> (Self, Vec<u8>) {
        let mut named = Vec::with_capacity(3);
        put_varint(&mut named, place as u64 + 1);
        let kept = core::mem::replace(&mut self.bytes, named);
        self.spared = kept.len().saturating_sub(self.bytes.len());
        (self, kept)
    }

    /// How many bytes are spared wherever it is told by its place.
    #[must_use]
    pub const fn spared(&self) -> usize {
        self.spared
    }

    /// Before which instant usage is included, if it is metered.
    #[must_use]
    pub const fn usage_as_of(&self) -> Option<Instant> {
        self.usage_as_of
    }
}

impl Packer {
    /// No subject may take more bytes written out.
    pub const RECORD_BYTES_MAX: usize = RECORD_BYTES_MAX;

    /// A packer for the publisher with a seed.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed: Seed::new(seed), features: Vec::new(), numbers: HashMap::new() }
    }

    /// Declares a feature, which entitlements may name from here on.
    ///
    /// # Errors
    /// `feature-key-length` and `feature-duplicate`.
    pub fn declare(&mut self, feature: &FeatureRecord) -> Result<(), Error> {
        let FeatureRecord { key, unit, .. } = feature;
        let fits = (1..=KEY_BYTES_MAX).contains(&key.len());
        let unit_bytes = unit.as_ref().map_or(1, String::len);
        if !fits || !(1..=UNIT_BYTES_MAX).contains(&unit_bytes) {
            return Err(refusal::FEATURE_KEY);
        }
        let numbered = (self.features.len(), self.seed.place(key));
        if self.numbers.insert(key.clone(), numbered).is_some() {
            return Err(refusal::DUPLICATE_FEATURE);
        }
        self.features.push(feature.clone());
        Ok(())
    }

    /// What was declared, in this order.
    #[must_use]
    pub fn features(&self) -> &[FeatureRecord] {
        &self.features
    }

    /// The bucket of an id or alias.
    #[must_use]
    pub fn bucket(&self, id: &str) -> usize {
        (self.seed.place(id) >> (u64::BITS - u32::from(BUCKET_BITS))) as usize
    }

    /// Packs an entitlement.
    ///
    /// # Errors
    /// The codes of [`encode`](super::encode).
    pub fn entitlement(&self, record: &EntitlementRecord) -> Result<PackedEntitlement, Error> {
        let (number, place) =
            *self.numbers.get(&record.feature).ok_or(refusal::UNDECLARED_FEATURE)?;
        let feature = self.features.get(number).ok_or(refusal::UNDECLARED_FEATURE)?;
        let usage_as_of = match &record.program.rule {
            Rule::Metered(metered) => Some(metered.usage_as_of),
            Rule::Boolean | Rule::Static => None,
        };
        let row = Row::new(Feature::of(place, feature), record, usage_as_of)?;
        let body = packed_row(number, &row, usage_as_of);
        let named = row.feature.key.len() + row.feature.unit.map_or(0, str::len);
        let written_out = named + body.len() + record::LINE_OVERHEAD_BYTES_MAX;
        let mut bytes = Vec::with_capacity(body.len() + 13);
        put_varint(&mut bytes, INLINE);
        bytes.extend_from_slice(&self.seed.fingerprint(&body).to_le_bytes());
        put_part(&mut bytes, &body);
        Ok(PackedEntitlement { place, bytes, spared: 0, written_out, usage_as_of })
    }

    /// Packs a subject without its aliases behind what `out` holds, and says how many bytes it
    /// takes at most written out. The tag tells it from another one with the same id.
    ///
    /// # Errors
    /// The codes of [`encode`](super::encode); then nothing was written.
    pub fn subject(
        &self,
        out: &mut Vec<u8>,
        tag: u64,
        id: &str,
        entitlements: &mut [&PackedEntitlement],
    ) -> Result<usize, Error> {
        check_subject(id, entitlements.len())?;
        entitlements.sort_unstable_by_key(|entitlement| entitlement.place);
        let twice = entitlements.windows(2);
        if twice.into_iter().any(|pair| matches!(pair, [a, b] if a.place == b.place)) {
            return Err(refusal::DUPLICATE_FEATURE);
        }
        put_varint(out, tag << 1 | 1);
        put_part(out, id.as_bytes());
        put_varint(out, entitlements.iter().map(|given| given.bytes.len() as u64).sum());
        entitlements.iter().for_each(|entitlement| out.extend_from_slice(&entitlement.bytes));
        let lines: usize = entitlements.iter().map(|entitlement| entitlement.written_out).sum();
        Ok(record::BEGUN_BYTES_MAX + lines)
    }

    /// The lowest second tag of an id or alias that some packed things have twice.
    #[must_use]
    pub fn twice(packed: &[u8]) -> Option<u64> {
        let mut reader = Reader::new(packed);
        let mut sorted: Vec<Waiting<'_>> = core::iter::from_fn(|| next(&mut reader)).collect();
        sorted.sort_unstable_by_key(|waiting| (waiting.id, waiting.tag));
        twice(sorted.iter())
    }

    /// Packs an alias.
    ///
    /// # Errors
    /// `subject-id-length`.
    pub fn alias(&self, out: &mut Vec<u8>, tag: u64, id: &str, of: &str) -> Result<(), Error> {
        check_subject(id, 0)?;
        put_varint(out, tag << 1);
        put_part(out, id.as_bytes());
        put_part(out, of.as_bytes());
        Ok(())
    }
}

/// A row as it waits: up to which instant usage is known if it is metered, which is to be told once
/// that of the head is known, then its feature, its config, the ids of its grants, and its tokens.
fn packed_row(number: usize, row: &Row<'_>, usage_as_of: Option<Instant>) -> Vec<u8> {
    let mut out = Vec::with_capacity(row.tokens.len() * 4 + 24);
    out.push(u8::from(usage_as_of.is_some()));
    usage_as_of.into_iter().for_each(|at| out.extend_from_slice(&at.millis().to_le_bytes()));
    put_varint(&mut out, number as u64);
    put_part(&mut out, row.config.unwrap_or_default().as_bytes());
    put_part(&mut out, &row.ids);
    row.tokens.iter().for_each(|token| token.put_tagged(&mut out));
    out
}

/// Takes up to which instant a packed row says that usage is known.
fn told_as_of(reader: &mut Reader<'_>) -> Option<Option<Instant>> {
    if reader.byte()? == 0 {
        return Some(None);
    }
    Instant::from_millis(reader.u64()? as i64).map(Some)
}

/// What of a packed row decides how it is written for a head that states `usage_as_of`: whether it
/// leaves that to the head, and its other bytes.
pub(super) fn written_from(bytes: &[u8], usage_as_of: Instant) -> (bool, &[u8]) {
    let mut reader = Reader::new(bytes);
    match told_as_of(&mut reader) {
        Some(Some(as_of)) if as_of == usage_as_of => (true, reader.rest()),
        _ => (false, bytes),
    }
}

/// A packed subject or alias.
#[derive(Clone, Copy)]
pub(super) struct Waiting<'a> {
    pub(super) tag: u64,
    pub(super) id: &'a str,
    pub(super) what: What<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum What<'a> {
    Alias(&'a str),
    /// Packed rows, in the order of their features.
    Subject(&'a [u8]),
}

/// The lowest second tag of an id that is there twice, where equal ids stand side by side in the
/// order of their tags.
pub(super) fn twice<'a>(sorted: impl Iterator<Item = &'a Waiting<'a>> + Clone) -> Option<u64> {
    let pairs = sorted.clone().zip(sorted.skip(1));
    pairs.filter(|(one, other)| one.id == other.id).map(|(_, other)| other.tag).min()
}

/// Takes the first of many packed things.
pub(super) fn next<'a>(reader: &mut Reader<'a>) -> Option<Waiting<'a>> {
    let told = reader.varint()?;
    let id = reader.text(ID_BYTES_MAX)?;
    let what = if told & 1 == 0 {
        What::Alias(reader.text(ID_BYTES_MAX)?)
    } else {
        let length = reader.count(usize::MAX)?;
        What::Subject(reader.take(length)?)
    };
    Some(Waiting { tag: told >> 1, id, what })
}

/// Stands before a row that is there itself; other numbers are those of common rows, from 1 on.
const INLINE: u64 = 0;

/// Takes the first of a subject's rows: its fingerprint and its bytes.
pub(super) fn next_row<'a>(
    reader: &mut Reader<'a>,
    common: &'a [Vec<u8>],
) -> Option<(u64, &'a [u8])> {
    match reader.varint()? {
        INLINE => row_here(reader),
        place => {
            let mut kept = Reader::new(common.get(usize::try_from(place - 1).ok()?)?);
            kept.varint().filter(|number| *number == INLINE)?;
            row_here(&mut kept)
        }
    }
}

fn row_here<'a>(reader: &mut Reader<'a>) -> Option<(u64, &'a [u8])> {
    let fingerprint = reader.u64()?;
    let length = reader.count(usize::MAX)?;
    Some((fingerprint, reader.take(length)?))
}

/// A feature as pages refer to it.
pub(super) struct Numbered {
    pub(super) place: u64,
    pub(super) record: FeatureRecord,
    /// Where its key stands among all keys.
    pub(super) rank: usize,
}

/// Features in the order in which they were declared.
pub(super) fn numbered(seed: &Seed, features: &[FeatureRecord]) -> Vec<Numbered> {
    let mut keys: Vec<&str> = features.iter().map(|feature| feature.key.as_str()).collect();
    keys.sort_unstable();
    let rank = |key: &str| keys.partition_point(|other| *other < key);
    let number = |record: &FeatureRecord| {
        let (place, rank) = (seed.place(&record.key), rank(&record.key));
        Numbered { place, record: record.clone(), rank }
    };
    features.iter().map(number).collect()
}

/// Reads a row and its feature again, for a head that states `usage_as_of`.
pub(super) fn row<'a>(
    bytes: &'a [u8],
    features: &'a [Numbered],
    usage_as_of: Instant,
) -> Option<(Row<'a>, &'a Numbered)> {
    let mut reader = Reader::new(bytes);
    let as_of = told_as_of(&mut reader)?;
    let number = reader.count(features.len())?;
    let feature = features.get(number)?;
    let config = match reader.count(CONFIG_BYTES_MAX)? {
        0 => None,
        length => Some(known_text(reader.take(length)?)),
    };
    let ids_bytes = reader.count(usize::MAX)?;
    let ids = reader.take(ids_bytes)?.to_vec();
    let mut tokens = Vec::with_capacity(reader.rest().len() / 2);
    while !reader.is_empty() {
        tokens.push(Token::tagged(&mut reader)?);
    }
    if let Some(as_of) = as_of.filter(|as_of| *as_of != usage_as_of) {
        tell_usage_as_of(&mut tokens, as_of)?;
    }
    let row = Row { feature: Feature::of(feature.place, &feature.record), config, tokens, ids };
    Some((row, feature))
}
