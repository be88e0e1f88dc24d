//! What lies in one page: its records in order, and the rows that they are made of, each once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::bytes::Reader;
use super::layout::PAGE_EXPANDED_BYTES_MAX;
use super::packed::{self, Numbered, Waiting, What};
use super::row::Row;
use super::{record, refusal};
use crate::error::Error;
use crate::time::Instant;

/// A record of a page.
pub(super) enum Item<'a> {
    /// The places of its rows, ordered by those of their features.
    Subject {
        id: &'a str,
        rows: Vec<usize>,
    },
    Alias {
        id: &'a str,
        target: &'a str,
    },
}

impl<'a> Item<'a> {
    pub(super) const fn id(&self) -> &'a str {
        match self {
            Self::Subject { id, .. } | Self::Alias { id, .. } => id,
        }
    }
}

/// A row and how many subjects of the page have it.
pub(super) struct PageRow<'a> {
    pub(super) row: Row<'a>,
    pub(super) count: usize,
    /// As it stands in a record.
    pub(super) line: Vec<u8>,
    /// Where its feature's key stands among all keys.
    pub(super) rank: usize,
    bytes: &'a [u8],
}

/// The content of a page.
#[derive(Default)]
pub(super) struct PageRows<'a> {
    pub(super) items: Vec<Item<'a>>,
    /// In the order of their first appearance.
    pub(super) rows: Vec<PageRow<'a>>,
    /// Rows that are told by their places.
    common: &'a [Vec<u8>],
    known: HashMap<u64, usize, BuildHasherDefault<AsItIs>>,
}

impl<'a> PageRows<'a> {
    pub(super) fn of(
        waiting: impl Iterator<Item = Waiting<'a>>,
        features: &'a [Numbered],
        common: &'a [Vec<u8>],
        usage_as_of: Instant,
    ) -> Result<Self, Error> {
        let mut page = Self { common, ..Self::default() };
        let mut expanded = 0;
        for Waiting { id, what, .. } in waiting {
            let item = match what {
                What::Alias(target) => Item::Alias { id, target },
                What::Subject(rows) => {
                    let rows = page.places(rows, features, usage_as_of).ok_or(refusal::VALUE)?;
                    expanded += page.of_subject(&rows).map(|row| row.line.len()).sum::<usize>();
                    Item::Subject { id, rows }
                }
            };
            // Asked here too, so that no memory is spent on what is more than a page.
            if expanded > PAGE_EXPANDED_BYTES_MAX {
                return Err(refusal::LIMIT);
            }
            page.items.push(item);
        }
        Ok(page)
    }

    fn places(
        &mut self,
        rows: &'a [u8],
        features: &'a [Numbered],
        usage_as_of: Instant,
    ) -> Option<Vec<usize>> {
        let mut reader = Reader::new(rows);
        let mut places = Vec::new();
        while !reader.is_empty() {
            let (fingerprint, bytes) = packed::next_row(&mut reader, self.common)?;
            let known = self.known.get(&fingerprint).copied();
            let same = |place: &usize| self.rows.get(*place).is_some_and(|row| row.bytes == bytes);
            let place = match known.filter(same) {
                Some(place) => place,
                None => {
                    let (row, feature) = packed::row(bytes, features, usage_as_of)?;
                    let mut line = Vec::new();
                    record::put_line(&mut line, &row.line());
                    self.rows.push(PageRow { row, count: 0, line, rank: feature.rank, bytes });
                    self.known.insert(fingerprint, self.rows.len() - 1);
                    self.rows.len() - 1
                }
            };
            self.rows.get_mut(place)?.count += 1;
            places.push(place);
        }
        Some(places)
    }

    /// The rows of a subject.
    pub(super) fn of_subject<'b>(
        &'b self,
        rows: &'b [usize],
    ) -> impl Iterator<Item = &'b PageRow<'a>> {
        rows.iter().filter_map(|place| self.rows.get(*place))
    }
}

/// Fingerprints need no hashing.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let eight = bytes.first_chunk().copied().unwrap_or_default();
        self.0 = u64::from_le_bytes(eight);
    }
}
