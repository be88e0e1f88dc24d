//! Writing a page: what its records share, the records in order, and the tree over its subjects.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Digest;
use super::bytes::{put_part, put_u16, put_u24, put_varint};
use super::hash::{Seed, slot_of, subject_leaf};
use super::layout::{
    PAGE_BYTES_MAX, PAGE_EXPANDED_BYTES_MAX, PAGE_MAGIC, PLAN_ENTRY_BYTES, RECORD_BYTES_MAX,
};
use super::page_rows::{Item, PageRow, PageRows};
use super::sharing::{self, Sharing, own_part};
use super::{record, refusal, tree};
use crate::error::Error;

/// Writes the page at an index and names it.
pub(super) fn write(
    seed: &Seed,
    page_bits: u8,
    index: u32,
    page: &PageRows<'_>,
) -> Result<(Digest, Vec<u8>), Error> {
    let pepper = seed.pepper(page_bits, index);
    let subjects = subjects_root(page, &pepper)?;
    let mut bytes = subjects.0.to_vec();
    bytes.extend_from_slice(&PAGE_MAGIC);
    bytes.extend_from_slice(&pepper);
    bytes.push(page_bits);
    bytes.extend_from_slice(&index.to_le_bytes());
    write_tables(&mut bytes, seed, page)?;
    if bytes.len() > PAGE_BYTES_MAX {
        return Err(refusal::LIMIT);
    }
    let name = tree::page(&bytes).ok_or(refusal::BOUNDS)?;
    Ok((name, bytes))
}

fn subjects_root(page: &PageRows<'_>, pepper: &[u8]) -> Result<Digest, Error> {
    let mut leaves = Vec::with_capacity(page.items.len());
    let mut total = 0;
    let (mut sorted, mut record): (Vec<&PageRow<'_>>, _) = (Vec::new(), Vec::new());
    for item in &page.items {
        if let Item::Subject { id, rows } = item {
            sorted.clear();
            sorted.extend(page.of_subject(rows));
            sorted.sort_unstable_by_key(|row| row.rank);
            record.clear();
            record::begin(&mut record, id, sorted.len());
            sorted.iter().for_each(|row| record.extend_from_slice(&row.line));
            if record.len() > RECORD_BYTES_MAX {
                return Err(refusal::TOO_MUCH);
            }
            total += record.len();
            leaves.push(subject_leaf(pepper, id, &record));
        }
    }
    if total > PAGE_EXPANDED_BYTES_MAX { Err(refusal::LIMIT) } else { Ok(tree::root(leaves)) }
}

/// What the records of a page refer to by number.
struct Shared<'a> {
    features: BTreeMap<u64, usize>,
    configs: BTreeMap<&'a str, usize>,
}

impl<'a> Shared<'a> {
    fn of(page: &'a PageRows<'a>) -> Self {
        let rows = || page.rows.iter().map(|row| &row.row);
        let features: BTreeSet<u64> = rows().map(|row| row.feature.place).collect();
        let configs: BTreeSet<&str> = rows().filter_map(|row| row.config).collect();
        Self {
            features: features.into_iter().zip(0..).collect(),
            configs: configs.into_iter().zip(0..).collect(),
        }
    }

    fn sharing(&self, page: &'a PageRows<'a>) -> Sharing {
        let entry = |row: &'a PageRow<'a>| {
            let config = row.row.config.and_then(|config| self.configs.get(config).copied());
            sharing::Entry { config, tokens: &row.row.tokens, count: row.count }
        };
        Sharing::of(&page.rows.iter().map(entry).collect::<Vec<_>>())
    }
}

fn write_tables(out: &mut Vec<u8>, seed: &Seed, page: &PageRows<'_>) -> Result<(), Error> {
    let shared = Shared::of(page);
    let sharing = shared.sharing(page);
    let told = page.rows.iter().zip(&sharing.of).map(|row| Told::of(row, &shared, &sharing));
    let told: Vec<Told> = told.collect();
    let (mut plans, mut records) = (Plans::default(), Heap::default());
    for item in &page.items {
        write_record(&mut records.bytes, item, &told, &mut plans);
        records.end();
    }
    let mut heap = Heap::default();
    for config in shared.configs.keys() {
        heap.bytes.extend_from_slice(config.as_bytes());
        heap.end();
    }
    for shape in &sharing.shapes {
        put_varint(&mut heap.bytes, shape.config.map_or(0, |config| config as u64 + 1));
        shape.tokens.iter().for_each(|token| token.put(&mut heap.bytes));
        heap.end();
    }
    for plan in &plans.bytes {
        heap.bytes.extend_from_slice(plan);
        heap.end();
    }
    heap.append(&records);
    let counts = [shared.features.len(), shared.configs.len(), sharing.shapes.len()];
    for count in counts.into_iter().chain([plans.bytes.len(), page.items.len()]) {
        u16::try_from(count).map_err(|_| refusal::LIMIT)?;
        put_u16(out, count);
    }
    shared.features.keys().for_each(|place| out.extend_from_slice(&place.to_le_bytes()));
    for item in &page.items {
        put_u16(out, usize::from(slot_of(seed.place(item.id()))));
    }
    heap.ends.iter().for_each(|end| put_u24(out, (*end).min(PAGE_BYTES_MAX)));
    out.extend_from_slice(&heap.bytes);
    Ok(())
}

/// Texts one behind the other, and where each ends.
#[derive(Default)]
struct Heap {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Heap {
    /// Ends a text behind the bytes that were put.
    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    fn append(&mut self, other: &Self) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| start + end));
    }
}

/// Lists of features and shapes; subjects with the same list share it.
#[derive(Default)]
struct Plans {
    places: HashMap<Vec<u8>, usize>,
    bytes: Vec<Vec<u8>>,
    /// The list that is asked for.
    next: Vec<u8>,
}

impl Plans {
    fn place(&mut self) -> usize {
        if let Some(place) = self.places.get(&self.next) {
            return *place;
        }
        self.bytes.push(self.next.clone());
        self.places.insert(self.next.clone(), self.bytes.len() - 1);
        self.bytes.len() - 1
    }
}

/// How a row is told by numbers of the page.
struct Told {
    /// Feature and shape, as a plan lists them.
    plan: [u8; PLAN_ENTRY_BYTES],
    /// What is left of it.
    own: Vec<u8>,
}

impl Told {
    fn of((row, shape): (&PageRow<'_>, &usize), shared: &Shared<'_>, sharing: &Sharing) -> Self {
        let row = &row.row;
        let feature = shared.features.get(&row.feature.place).copied().unwrap_or_default();
        let [[a, b], [c, d]] = [feature, *shape].map(|number| (number as u16).to_le_bytes());
        let tokens = sharing.shapes.get(*shape).map_or(&[][..], |shape| &shape.tokens);
        Self { plan: [a, b, c, d], own: own_part(&row.tokens, tokens, &row.ids) }
    }
}

fn write_record(out: &mut Vec<u8>, item: &Item<'_>, told: &[Told], plans: &mut Plans) {
    put_part(out, item.id().as_bytes());
    match item {
        Item::Alias { target, .. } => {
            put_varint(out, 0);
            out.extend_from_slice(target.as_bytes());
        }
        Item::Subject { rows, .. } => {
            let rows = rows.iter().filter_map(|row| told.get(*row));
            write_rows(out, rows, plans);
        }
    }
}

fn write_rows<'a>(
    out: &mut Vec<u8>,
    rows: impl Iterator<Item = &'a Told> + Clone,
    plans: &mut Plans,
) {
    plans.next.clear();
    rows.clone().for_each(|row| plans.next.extend_from_slice(&row.plan));
    put_varint(out, plans.place() as u64 + 1);
    let marks = out.len();
    out.resize(marks + rows.clone().count().div_ceil(8), 0);
    for (index, row) in rows.clone().enumerate() {
        if let (false, Some(byte)) = (row.own.is_empty(), out.get_mut(marks + index / 8)) {
            *byte |= 1 << (index % 8);
        }
    }
    rows.filter(|row| !row.own.is_empty()).for_each(|row| put_part(out, &row.own));
}
