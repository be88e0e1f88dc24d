//! Writing a page: what its records share, the records in order, and the tree over its subjects.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Digest;
use super::bytes::{put_part, put_u16, put_u24, put_varint};
use super::hash::{Seed, digest, slot_of, subject_leaf};
use super::layout::{PAGE_BYTES_MAX, PAGE_EXPANDED_BYTES_MAX, PAGE_MAGIC, RECORD_BYTES_MAX};
use super::row::Row;
use super::sharing::{Sharing, own_part};
use super::{record, refusal, tree};
use crate::error::Error;

/// A record of a page.
pub(super) enum Item<'a> {
    /// The rows are ordered by the place of their feature.
    Subject {
        id: &'a str,
        rows: Vec<Row<'a>>,
    },
    Alias {
        id: &'a str,
        target: &'a str,
    },
}

impl<'a> Item<'a> {
    const fn id(&self) -> &'a str {
        match self {
            Self::Subject { id, .. } | Self::Alias { id, .. } => id,
        }
    }

    fn rows(&self) -> &[Row<'a>] {
        match self {
            Self::Subject { rows, .. } => rows,
            Self::Alias { .. } => &[],
        }
    }
}

/// Writes the page at an index and names it.
pub(super) fn write(
    seed: &Seed,
    page_bits: u8,
    index: u32,
    mut items: Vec<Item<'_>>,
) -> Result<(Digest, Vec<u8>), Error> {
    items.sort_unstable_by_key(|item| (slot_of(seed.place(item.id())), item.id()));
    let pepper = seed.pepper(page_bits, index);
    let subjects = subjects_root(&items, &pepper)?;
    let mut body = PAGE_MAGIC.to_vec();
    body.extend_from_slice(&pepper);
    body.push(page_bits);
    body.extend_from_slice(&index.to_le_bytes());
    write_tables(&mut body, seed, &items)?;
    let mut bytes = subjects.0.to_vec();
    bytes.extend_from_slice(&body);
    if bytes.len() > PAGE_BYTES_MAX {
        return Err(refusal::LIMIT);
    }
    Ok((tree::page_leaf(&subjects, &digest(&[&body])), bytes))
}

fn subjects_root(items: &[Item<'_>], pepper: &[u8]) -> Result<Digest, Error> {
    let mut leaves = Vec::with_capacity(items.len());
    let mut total = 0;
    for item in items {
        if let Item::Subject { id, rows } = item {
            let record = record::write(id, &rows.iter().map(Row::line).collect::<Vec<_>>());
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
    fn of(items: &'a [Item<'a>]) -> Self {
        let rows = || items.iter().flat_map(Item::rows);
        let features: BTreeSet<u64> = rows().map(|row| row.feature.place).collect();
        let configs: BTreeSet<&str> = rows().filter_map(|row| row.config).collect();
        Self {
            features: features.into_iter().zip(0..).collect(),
            configs: configs.into_iter().zip(0..).collect(),
        }
    }

    fn config(&self, row: &Row<'_>) -> Option<usize> {
        row.config.and_then(|config| self.configs.get(config).copied())
    }
}

fn write_tables(body: &mut Vec<u8>, seed: &Seed, items: &[Item<'_>]) -> Result<(), Error> {
    let shared = Shared::of(items);
    let rows = || items.iter().flat_map(Item::rows);
    let entries: Vec<_> = rows().map(|row| (shared.config(row), row.tokens.as_slice())).collect();
    let sharing = Sharing::of(&entries);
    let mut plans = Plans::default();
    let records = write_records(items, &shared, &sharing, &mut plans);
    let shapes = sharing.shapes.iter().map(|shape| {
        let mut out = Vec::new();
        put_varint(&mut out, shape.config.map_or(0, |config| config as u64 + 1));
        shape.tokens.iter().for_each(|token| token.put(&mut out));
        out
    });
    let configs = shared.configs.keys().map(|config| config.as_bytes().to_vec());
    let counts = [shared.features.len(), shared.configs.len(), sharing.shapes.len()];
    for count in counts.into_iter().chain([plans.bytes.len(), items.len()]) {
        u16::try_from(count).map_err(|_| refusal::LIMIT)?;
        put_u16(body, count);
    }
    shared.features.keys().for_each(|place| body.extend_from_slice(&place.to_le_bytes()));
    for item in items {
        put_u16(body, usize::from(slot_of(seed.place(item.id()))));
    }
    let mut heap = Vec::new();
    for item in configs.chain(shapes).chain(plans.bytes.iter().cloned()).chain(records) {
        heap.extend_from_slice(&item);
        put_u24(body, heap.len().min(PAGE_BYTES_MAX));
    }
    body.extend_from_slice(&heap);
    Ok(())
}

/// Lists of features and shapes; subjects with the same list share it.
#[derive(Default)]
struct Plans {
    places: HashMap<Vec<u8>, usize>,
    bytes: Vec<Vec<u8>>,
}

impl Plans {
    fn place(&mut self, plan: Vec<u8>) -> usize {
        let next = self.bytes.len();
        let bytes = &mut self.bytes;
        *self.places.entry(plan).or_insert_with_key(|plan| {
            bytes.push(plan.clone());
            next
        })
    }
}

fn write_records(
    items: &[Item<'_>],
    shared: &Shared<'_>,
    sharing: &Sharing,
    plans: &mut Plans,
) -> Vec<Vec<u8>> {
    let mut shapes = sharing.of.iter();
    let mut write = |item: &Item<'_>| match item {
        Item::Alias { id, target } => {
            let mut out = Vec::new();
            put_part(&mut out, id.as_bytes());
            put_varint(&mut out, 0);
            out.extend_from_slice(target.as_bytes());
            out
        }
        Item::Subject { id, rows } => {
            let shaped: Vec<_> = rows.iter().zip(shapes.by_ref().copied()).collect();
            write_subject(id, &shaped, shared, sharing, plans)
        }
    };
    items.iter().map(&mut write).collect()
}

fn write_subject(
    id: &str,
    rows: &[(&Row<'_>, usize)],
    shared: &Shared<'_>,
    sharing: &Sharing,
    plans: &mut Plans,
) -> Vec<u8> {
    let mut plan = Vec::new();
    let mut marks = vec![0_u8; rows.len().div_ceil(8)];
    let mut parts = Vec::new();
    for (index, (row, shape)) in rows.iter().enumerate() {
        put_u16(&mut plan, shared.features.get(&row.feature.place).copied().unwrap_or_default());
        put_u16(&mut plan, *shape);
        let tokens = sharing.shapes.get(*shape).map_or(&[][..], |shape| &shape.tokens);
        let own = own_part(&row.tokens, tokens, &row.ids);
        if let (false, Some(byte)) = (own.is_empty(), marks.get_mut(index / 8)) {
            *byte |= 1 << (index % 8);
            put_part(&mut parts, &own);
        }
    }
    let mut out = Vec::new();
    put_part(&mut out, id.as_bytes());
    put_varint(&mut out, plans.place(plan) as u64 + 1);
    out.extend_from_slice(&marks);
    out.extend_from_slice(&parts);
    out
}
