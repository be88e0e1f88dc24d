//! Reading a page: sorted hashes, records, and what its records share.

use super::bytes::Reader;
use super::layout::{
    DIGEST_BYTES, ID_BYTES_MAX, PAGE_COUNTS_AT, PAGE_HEADER_BYTES, PAGE_MAGIC, PEPPER_BYTES,
    PLAN_ENTRY_BYTES,
};

/// A page and its tables. Whatever lies outside of them is answered `None`.
#[derive(Clone, Copy)]
pub(super) struct Page<'a> {
    bytes: &'a [u8],
    /// Hashes of features, ascending.
    features: &'a [[u8; 8]],
    /// Slots of records, ascending.
    slots: &'a [[u8; 2]],
    /// Where each item of the heap ends.
    ends: &'a [[u8; 3]],
    heap: &'a [u8],
    configs: u16,
    shapes: u16,
    plans: u16,
}

/// What an id leads to.
#[derive(Clone, Copy)]
pub(super) enum Record<'a> {
    Subject(SubjectBytes<'a>),
    Alias { id: &'a [u8], target: &'a [u8] },
}

impl<'a> Record<'a> {
    pub(super) const fn id(&self) -> &'a [u8] {
        match self {
            Self::Subject(subject) => subject.id,
            Self::Alias { id, .. } => id,
        }
    }
}

/// The record of a subject within its page.
#[derive(Clone, Copy)]
pub(super) struct SubjectBytes<'a> {
    pub(super) id: &'a [u8],
    /// Which features it has, and in which shapes.
    pub(super) plan: &'a [[u8; PLAN_ENTRY_BYTES]],
    /// A bit for each entry of the plan: whether it has an own part.
    pub(super) marks: &'a [u8],
    /// The own parts, each behind its length.
    pub(super) parts: Reader<'a>,
}

/// What an entitlement shares with others, and what is its own.
#[derive(Clone, Copy)]
pub(super) struct EntryBytes<'a> {
    pub(super) config: Option<&'a [u8]>,
    pub(super) shape: &'a [u8],
    pub(super) own: &'a [u8],
}

impl<'a> Page<'a> {
    /// How many bytes of a page are the same whatever it holds.
    pub(super) const BYTES_MIN: usize = DIGEST_BYTES + PAGE_HEADER_BYTES;

    /// Finds the tables. `None` when the bytes end before they do.
    #[inline(always)]
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        let (front, tables) = bytes.split_at_checked(Self::BYTES_MIN)?;
        let counts = front.get(PAGE_COUNTS_AT..)?.as_chunks().0;
        let [features, configs, shapes, plans, records] = *counts else { return None };
        let count = |bytes: [u8; 2]| usize::from(u16::from_le_bytes(bytes));
        let items = count(configs) + count(shapes) + count(plans) + count(records);
        let (features, tables) = tables.split_at_checked(count(features) * 8)?;
        let (slots, tables) = tables.split_at_checked(count(records) * 2)?;
        let (ends, heap) = tables.split_at_checked(items * 3)?;
        Some(Self {
            bytes,
            features: features.as_chunks().0,
            slots: slots.as_chunks().0,
            ends: ends.as_chunks().0,
            heap,
            configs: u16::from_le_bytes(configs),
            shapes: u16::from_le_bytes(shapes),
            plans: u16::from_le_bytes(plans),
        })
    }

    /// The root over the subjects.
    pub(super) fn subjects_root(&self) -> Option<&'a [u8; DIGEST_BYTES]> {
        self.bytes.first_chunk()
    }

    /// Everything behind the root over the subjects.
    pub(super) fn body(&self) -> &'a [u8] {
        self.bytes.get(DIGEST_BYTES..).unwrap_or_default()
    }

    /// The pepper, the page bits and the index.
    pub(super) fn placed(&self) -> Option<(&'a [u8; PEPPER_BYTES], u8, u32)> {
        let mut reader = Reader::new(self.body().get(PAGE_MAGIC.len()..)?);
        Some((reader.array()?, reader.byte()?, reader.u32()?))
    }

    pub(super) fn pepper(&self) -> &'a [u8] {
        self.placed().map_or(&[], |(pepper, _, _)| pepper)
    }

    pub(super) const fn features(&self) -> usize {
        self.features.len()
    }

    pub(super) const fn configs(&self) -> usize {
        self.configs as usize
    }

    pub(super) const fn shapes(&self) -> usize {
        self.shapes as usize
    }

    pub(super) const fn plans(&self) -> usize {
        self.plans as usize
    }

    pub(super) const fn records(&self) -> usize {
        self.slots.len()
    }

    /// Configs, shapes, plans and records.
    pub(super) const fn items(&self) -> usize {
        self.ends.len()
    }

    pub(super) const fn heap(&self) -> &'a [u8] {
        self.heap
    }

    /// Where an item of the heap ends.
    #[inline(always)]
    pub(super) fn end(&self, item: usize) -> Option<usize> {
        let [low, middle, high] = *self.ends.get(item)?;
        Some(usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16)
    }

    /// An item of the heap: configs, then shapes, plans and records.
    #[inline(always)]
    pub(super) fn item(&self, item: usize) -> Option<&'a [u8]> {
        let start = match item.checked_sub(1) {
            Some(before) => self.end(before)?,
            None => 0,
        };
        self.heap.get(start..self.end(item)?)
    }

    pub(super) fn feature(&self, index: usize) -> Option<u64> {
        self.features.get(index).map(|place| u64::from_le_bytes(*place))
    }

    #[inline(always)]
    pub(super) fn slot(&self, record: usize) -> Option<usize> {
        self.slots.get(record).map(|slot| usize::from(u16::from_le_bytes(*slot)))
    }

    #[inline(always)]
    pub(super) fn config(&self, index: usize) -> Option<&'a [u8]> {
        if index < self.configs() { self.item(index) } else { None }
    }

    /// A shape: which config it has, if any, and its fields.
    #[inline(always)]
    pub(super) fn shape(&self, index: usize) -> Option<(Option<usize>, &'a [u8])> {
        if index >= self.shapes() {
            return None;
        }
        let mut reader = Reader::new(self.item(self.configs() + index)?);
        let config = reader.count_inlined(self.configs())?.checked_sub(1);
        Some((config, reader.rest()))
    }

    #[inline(always)]
    pub(super) fn plan(&self, index: usize) -> Option<&'a [u8]> {
        let item = self.configs() + self.shapes() + index;
        if index < self.plans() { self.item(item) } else { None }
    }

    #[inline(always)]
    fn record_item(&self, index: usize) -> Option<&'a [u8]> {
        let item = self.configs() + self.shapes() + self.plans() + index;
        if index < self.records() { self.item(item) } else { None }
    }

    #[inline]
    pub(super) fn record(&self, index: usize) -> Option<Record<'a>> {
        let mut reader = Reader::new(self.record_item(index)?);
        let id_bytes = reader.count_inlined(ID_BYTES_MAX)?;
        let id = reader.take(id_bytes)?;
        self.record_behind(id, reader)
    }

    /// A record whose id was read.
    #[inline(always)]
    fn record_behind(&self, id: &'a [u8], mut reader: Reader<'a>) -> Option<Record<'a>> {
        let Some(plan) = reader.count_inlined(self.plans())?.checked_sub(1) else {
            return Some(Record::Alias { id, target: reader.rest() });
        };
        let plan = self.plan(plan)?.as_chunks().0;
        let marks = reader.take(plan.len().div_ceil(8))?;
        Some(Record::Subject(SubjectBytes { id, plan, marks, parts: reader }))
    }

    /// The record with an id, and its place among the records.
    #[inline(always)]
    pub(super) fn find(&self, slot: u16, id: &[u8]) -> Option<(usize, Record<'a>)> {
        let slot = usize::from(slot);
        // Slots are evenly spread, so the first guess is off by few places.
        let mut at = (slot * self.records()) >> 16;
        while at > 0 && self.slot(at - 1)? >= slot {
            at -= 1;
        }
        while self.slot(at)? < slot {
            at += 1;
        }
        while self.slot(at)? == slot {
            let mut reader = Reader::new(self.record_item(at)?);
            let id_bytes = reader.count_inlined(ID_BYTES_MAX)?;
            let found = reader.take(id_bytes)?;
            if found == id {
                return Some((at, self.record_behind(found, reader)?));
            }
            at += 1;
        }
        None
    }

    /// The place of a feature among the entries of a subject.
    #[inline(always)]
    pub(super) fn find_entry(&self, subject: &SubjectBytes<'a>, place: u64) -> Option<usize> {
        let feature =
            self.features.binary_search_by_key(&place, |place| u64::from_le_bytes(*place)).ok()?;
        let of = |[low, high, _, _]: &[u8; 4]| usize::from(u16::from_le_bytes([*low, *high]));
        // Whoever has everything has it in its own place.
        if subject.plan.get(feature).is_some_and(|entry| of(entry) == feature) {
            return Some(feature);
        }
        subject.plan.binary_search_by_key(&feature, of).ok()
    }

    /// The bytes of an entry of a subject.
    #[inline(always)]
    pub(super) fn entry(&self, subject: &SubjectBytes<'a>, index: usize) -> Option<EntryBytes<'a>> {
        let (_, shape) = subject.entry(index)?;
        let (config, shape) = self.shape(shape)?;
        let config = match config {
            Some(config) => Some(self.config(config)?),
            None => None,
        };
        Some(EntryBytes { config, shape, own: subject.own(index)? })
    }
}

impl<'a> SubjectBytes<'a> {
    pub(super) const fn entries(&self) -> usize {
        self.plan.len()
    }

    /// The feature and the shape of an entry.
    #[inline(always)]
    pub(super) fn entry(&self, index: usize) -> Option<(usize, usize)> {
        let [a, b, c, d] = *self.plan.get(index)?;
        let number = |bytes| usize::from(u16::from_le_bytes(bytes));
        Some((number([a, b]), number([c, d])))
    }

    #[inline(always)]
    pub(super) fn is_marked(&self, index: usize) -> bool {
        self.marks.get(index / 8).is_some_and(|marks| marks >> (index % 8) & 1 == 1)
    }

    /// The own part of an entry; empty if it is as its shape says.
    #[inline(always)]
    pub(super) fn own(&self, index: usize) -> Option<&'a [u8]> {
        if !self.is_marked(index) {
            return Some(&[]);
        }
        let mut parts = self.parts;
        for _ in (0..index).filter(|before| self.is_marked(*before)) {
            part(&mut parts)?;
        }
        part(&mut parts)
    }
}

/// The next own part.
#[inline(always)]
pub(super) fn part<'a>(parts: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = usize::try_from(parts.varint_inlined()?).ok()?;
    parts.take(length)
}
