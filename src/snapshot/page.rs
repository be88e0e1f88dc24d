//! Reading a page: sorted hashes, records, and what its records share.

use super::bytes::{Reader, config, id, u16_at, u24_at, u64_at};
use super::layout::{
    DIGEST_BYTES, ID_BYTES_MAX, PAGE_HEADER_BYTES, PAGE_MAGIC, PEPPER_BYTES, PLAN_ENTRY_BYTES,
};

/// The tables of a page. Whatever lies outside of them is answered `None`.
#[derive(Clone, Copy)]
pub(super) struct Page<'a> {
    /// Everything behind the root over the subjects.
    pub(super) body: &'a [u8],
    pub(super) subjects_root: &'a [u8; DIGEST_BYTES],
    pub(super) pepper: &'a [u8; PEPPER_BYTES],
    pub(super) page_bits: u8,
    pub(super) index: u32,
    pub(super) features: usize,
    pub(super) configs: usize,
    pub(super) shapes: usize,
    pub(super) plans: usize,
    pub(super) records: usize,
    /// Hashes of features, slots of records, ends of items, and the items themselves.
    feature_table: &'a [u8],
    slot_table: &'a [u8],
    end_table: &'a [u8],
    pub(super) heap: &'a [u8],
}

/// What an id leads to.
#[derive(Clone, Copy)]
pub(super) enum Record<'a> {
    Subject(SubjectBytes<'a>),
    Alias { id: &'a str, target: &'a str },
}

impl<'a> Record<'a> {
    pub(super) const fn id(&self) -> &'a str {
        match self {
            Self::Subject(subject) => subject.id,
            Self::Alias { id, .. } => id,
        }
    }
}

/// The record of a subject within its page.
#[derive(Clone, Copy)]
pub(super) struct SubjectBytes<'a> {
    pub(super) id: &'a str,
    /// Which features it has, and in which shapes.
    pub(super) plan: &'a [u8],
    /// A bit for each entry of the plan: whether it has an own part.
    pub(super) marks: &'a [u8],
    /// The own parts, each behind its length.
    pub(super) parts: Reader<'a>,
}

/// What an entitlement shares with others, and what is its own.
#[derive(Clone, Copy)]
pub(super) struct EntryBytes<'a> {
    pub(super) config: Option<&'a str>,
    pub(super) shape: &'a [u8],
    pub(super) own: &'a [u8],
}

impl<'a> Page<'a> {
    /// Finds the tables of a page. `None` when it has another format or they do not fit.
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let subjects_root = reader.array()?;
        let body = reader.rest();
        if reader.array() != Some(&PAGE_MAGIC) {
            return None;
        }
        let pepper = reader.array()?;
        let (page_bits, index) = (reader.byte()?, reader.u32()?);
        let (features, configs, shapes) = (reader.u16()?, reader.u16()?, reader.u16()?);
        let (plans, records) = (reader.u16()?, reader.u16()?);
        let feature_table = reader.take(features * 8)?;
        let slot_table = reader.take(records * 2)?;
        let end_table = reader.take((configs + shapes + plans + records) * 3)?;
        let heap = reader.rest();
        Some(Self {
            body,
            subjects_root,
            pepper,
            page_bits,
            index,
            features,
            configs,
            shapes,
            plans,
            records,
            feature_table,
            slot_table,
            end_table,
            heap,
        })
    }

    /// How many bytes of a page are the same whatever it holds.
    pub(super) const BYTES_MIN: usize = DIGEST_BYTES + PAGE_HEADER_BYTES;

    pub(super) const fn items(&self) -> usize {
        self.configs + self.shapes + self.plans + self.records
    }

    pub(super) fn end(&self, item: usize) -> Option<usize> {
        u24_at(self.end_table, item)
    }

    /// An item of the heap: configs, then shapes, plans and records.
    #[inline]
    pub(super) fn item(&self, item: usize) -> Option<&'a [u8]> {
        let start = match item.checked_sub(1) {
            Some(before) => self.end(before)?,
            None => 0,
        };
        self.heap.get(start..self.end(item)?)
    }

    pub(super) fn feature(&self, index: usize) -> Option<u64> {
        u64_at(self.feature_table, index.checked_mul(8)?)
    }

    pub(super) fn slot(&self, record: usize) -> Option<usize> {
        u16_at(self.slot_table, record)
    }

    pub(super) fn config(&self, index: usize) -> Option<&'a str> {
        if index < self.configs { config(self.item(index)?) } else { None }
    }

    /// A shape: which config it has, if any, and its fields.
    pub(super) fn shape(&self, index: usize) -> Option<(Option<usize>, &'a [u8])> {
        if index >= self.shapes {
            return None;
        }
        let mut reader = Reader::new(self.item(self.configs + index)?);
        let config = reader.count(self.configs)?.checked_sub(1);
        Some((config, reader.rest()))
    }

    pub(super) fn plan(&self, index: usize) -> Option<&'a [u8]> {
        if index < self.plans { self.item(self.configs + self.shapes + index) } else { None }
    }

    #[inline]
    pub(super) fn record(&self, index: usize) -> Option<Record<'a>> {
        if index >= self.records {
            return None;
        }
        let mut reader = Reader::new(self.item(self.configs + self.shapes + self.plans + index)?);
        let id = reader.text(ID_BYTES_MAX)?;
        let Some(plan) = reader.count(self.plans)?.checked_sub(1) else {
            return Some(Record::Alias { id, target: self::id(reader.rest())? });
        };
        let plan = self.plan(plan)?;
        let marks = reader.take((plan.len() / PLAN_ENTRY_BYTES).div_ceil(8))?;
        Some(Record::Subject(SubjectBytes { id, plan, marks, parts: reader }))
    }

    /// The place among the records of the one with an id.
    #[inline]
    pub(super) fn find(&self, slot: u16, id: &str) -> Option<(usize, Record<'a>)> {
        let slot = usize::from(slot);
        let (mut low, mut high) = (0, self.records);
        while low < high {
            let middle = low.midpoint(high);
            if self.slot(middle)? < slot {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        while self.slot(low)? == slot {
            let record = self.record(low)?;
            if record.id() == id {
                return Some((low, record));
            }
            low += 1;
        }
        None
    }

    /// The place of a feature among the page's.
    fn find_feature(&self, place: u64) -> Option<usize> {
        let (mut low, mut high) = (0, self.features);
        while low < high {
            let middle = low.midpoint(high);
            let found = self.feature(middle)?;
            if found == place {
                return Some(middle);
            }
            if found < place {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        None
    }

    /// The place of a feature among the entries of a subject.
    #[inline]
    pub(super) fn find_entry(&self, subject: &SubjectBytes<'a>, place: u64) -> Option<usize> {
        let feature = self.find_feature(place)?;
        let (mut low, mut high) = (0, subject.entries());
        while low < high {
            let middle = low.midpoint(high);
            let (found, _) = subject.entry(middle)?;
            if found == feature {
                return Some(middle);
            }
            if found < feature {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        None
    }

    /// The bytes of an entry of a subject.
    #[inline]
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
        self.plan.len() / PLAN_ENTRY_BYTES
    }

    /// The feature and the shape of an entry.
    pub(super) fn entry(&self, index: usize) -> Option<(usize, usize)> {
        let entry = self.plan.get(index.checked_mul(PLAN_ENTRY_BYTES)?..)?;
        Some((u16_at(entry, 0)?, u16_at(entry, 1)?))
    }

    pub(super) fn is_marked(&self, index: usize) -> bool {
        self.marks.get(index / 8).is_some_and(|marks| marks >> (index % 8) & 1 == 1)
    }

    /// The own part of an entry; empty if it is as its shape says.
    #[inline]
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
pub(super) fn part<'a>(parts: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = usize::try_from(parts.varint()?).ok()?;
    parts.take(length)
}
