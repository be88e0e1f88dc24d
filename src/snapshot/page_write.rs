//! Writing a page: what its records share, the records in order, and the tree over its subjects.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Digest;
use super::bytes::{put_part, put_u16, put_u24, put_varint};
use super::hash::{Seed, slot_of, subject_leaf};
use super::layout::{PAGE_BYTES_MAX, PAGE_EXPANDED_BYTES_MAX, PAGE_MAGIC, RECORD_BYTES_MAX};
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
    for item in &page.items {
        if let Item::Subject { id, rows } = item {
            let mut rows: Vec<&PageRow<'_>> = page.of_subject(rows).collect();
            rows.sort_unstable_by_key(|row| row.rank);
            let mut record = record::begun(id, rows.len());
            rows.iter().for_each(|row| record.extend_from_slice(&row.line));
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
    let mut plans = Plans::default();
    let told: Vec<Told> =
        page.rows.iter().zip(&sharing.of).map(|row| Told::of(row, &shared, &sharing)).collect();
    let records: Vec<_> =
        page.items.iter().map(|item| write_record(item, &told, &mut plans)).collect();
    let shapes = sharing.shapes.iter().map(|shape| {
        let mut out = Vec::new();
        put_varint(&mut out, shape.config.map_or(0, |config| config as u64 + 1));
        shape.tokens.iter().for_each(|token| token.put(&mut out));
        out
    });
    let configs = shared.configs.keys().map(|config| config.as_bytes().to_vec());
    let counts = [shared.features.len(), shared.configs.len(), sharing.shapes.len()];
    for count in counts.into_iter().chain([plans.bytes.len(), page.items.len()]) {
        u16::try_from(count).map_err(|_| refusal::LIMIT)?;
        put_u16(out, count);
    }
    shared.features.keys().for_each(|place| out.extend_from_slice(&place.to_le_bytes()));
    for item in &page.items {
        put_u16(out, usize::from(slot_of(seed.place(item.id()))));
    }
    let mut heap = Vec::new();
    for item in configs.chain(shapes).chain(plans.bytes.iter().cloned()).chain(records) {
        heap.extend_from_slice(&item);
        put_u24(out, heap.len().min(PAGE_BYTES_MAX));
    }
    out.extend_from_slice(&heap);
    Ok(())
}

/// Lists of features and shapes; subjects with the same list share it.
#[derive(Default)]
struct Plans {
    places: HashMap<Vec<u8>, usize>,
    bytes: Vec<Vec<u8>>,
}

impl Plans {
    fn place(&mut self, plan: &[u8]) -> usize {
        if let Some(place) = self.places.get(plan) {
            return *place;
        }
        self.bytes.push(plan.to_vec());
        self.places.insert(plan.to_vec(), self.bytes.len() - 1);
        self.bytes.len() - 1
    }
}

/// How a row is told by numbers of the page.
struct Told {
    /// Feature and shape, as a plan lists them.
    plan: Vec<u8>,
    /// What is left of it.
    own: Vec<u8>,
}

impl Told {
    fn of((row, shape): (&PageRow<'_>, &usize), shared: &Shared<'_>, sharing: &Sharing) -> Self {
        let row = &row.row;
        let mut plan = Vec::with_capacity(4);
        put_u16(&mut plan, shared.features.get(&row.feature.place).copied().unwrap_or_default());
        put_u16(&mut plan, *shape);
        let tokens = sharing.shapes.get(*shape).map_or(&[][..], |shape| &shape.tokens);
        Self { plan, own: own_part(&row.tokens, tokens, &row.ids) }
    }
}

fn write_record(item: &Item<'_>, told: &[Told], plans: &mut Plans) -> Vec<u8> {
    let mut out = Vec::new();
    put_part(&mut out, item.id().as_bytes());
    match item {
        Item::Alias { target, .. } => {
            put_varint(&mut out, 0);
            out.extend_from_slice(target.as_bytes());
        }
        Item::Subject { rows, .. } => {
            let told: Vec<&Told> = rows.iter().filter_map(|row| told.get(*row)).collect();
            write_rows(&mut out, &told, plans);
        }
    }
    out
}

fn write_rows(out: &mut Vec<u8>, rows: &[&Told], plans: &mut Plans) {
    let mut plan = Vec::with_capacity(rows.len() * 4);
    let mut marks = vec![0_u8; rows.len().div_ceil(8)];
    for (index, row) in rows.iter().enumerate() {
        plan.extend_from_slice(&row.plan);
        if let (false, Some(byte)) = (row.own.is_empty(), marks.get_mut(index / 8)) {
            *byte |= 1 << (index % 8);
        }
    }
    put_varint(out, plans.place(&plan) as u64 + 1);
    out.extend_from_slice(&marks);
    rows.iter().filter(|row| !row.own.is_empty()).for_each(|row| put_part(out, &row.own));
}
