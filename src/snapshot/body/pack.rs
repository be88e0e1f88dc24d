//! All parts in one file: reading it as it arrives, and writing it.

use super::parts::Spot;
use crate::error::Error;
use crate::snapshot::bytes::{put_u32, u32_at};
use crate::snapshot::layout::{
    CATALOGUE_BYTES_MAX, PACK_BYTES_MAX, PACK_HEADER_BYTES, PACK_MAGIC, PAGE_BYTES_MAX,
};
use crate::snapshot::page::Page;
use crate::snapshot::pieces::Pieces;
use crate::snapshot::refusal;
use crate::snapshot::tree::Levels;

/// Reads a pack in chunks that may be cut anywhere.
pub(super) struct PackReader {
    pieces: Pieces,
    at: At,
    /// How much of what the head announced has not arrived.
    left: u64,
    /// Where each page ends, counted from the first.
    ends: Vec<u8>,
}

/// What comes next.
#[derive(Clone, Copy)]
enum At {
    Header,
    Catalogue(usize),
    /// The node at a place, or the table of ends behind the last.
    Node(usize),
    Page(u32),
}

impl PackReader {
    pub(super) fn new(pack_length: u64) -> Result<Self, Error> {
        if pack_length > PACK_BYTES_MAX {
            return Err(refusal::NO_PACK);
        }
        if pack_length < PACK_HEADER_BYTES as u64 {
            return Err(refusal::FORMAT);
        }
        Ok(Self { pieces: Pieces::default(), at: At::Header, left: pack_length, ends: Vec::new() })
    }

    /// Counts a chunk that is about to be read.
    pub(super) fn expect(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.left = self.left.checked_sub(chunk.len() as u64).ok_or(refusal::LENGTH)?;
        Ok(())
    }

    /// The next part that a chunk completes. Behind the catalogue, whoever took it says how many
    /// pages there are.
    pub(super) fn next<'a, 'c: 'a>(
        &'a mut self,
        chunk: &mut &'c [u8],
        levels: Option<Levels>,
    ) -> Result<Option<(Spot, &'a [u8])>, Error> {
        self.read_tables(chunk, levels)?;
        let Some((spot, length, after)) = self.part(levels)? else { return Ok(None) };
        let Some(piece) = self.pieces.next(length, chunk) else { return Ok(None) };
        self.at = after;
        Ok(Some((spot, piece)))
    }

    /// Reads what is no part: the header and the table of ends.
    fn read_tables(&mut self, chunk: &mut &[u8], levels: Option<Levels>) -> Result<(), Error> {
        if let At::Header = self.at {
            let Some(piece) = self.pieces.next(PACK_HEADER_BYTES, chunk) else { return Ok(()) };
            self.at = At::Catalogue(header(piece)?);
        }
        if let (At::Node(place), Some(levels)) = (self.at, levels)
            && levels.node_at(place).is_none()
        {
            let Some(piece) = self.pieces.next(levels.pages() * 4, chunk) else { return Ok(()) };
            let pages = chunk.len() as u64 + self.left;
            if last_end(piece).map(|end| end as u64) != Some(pages) {
                return Err(refusal::BOUNDS);
            }
            self.ends = piece.to_vec();
            self.at = At::Page(0);
        }
        Ok(())
    }

    /// The part that comes next, its length, and what comes behind it.
    fn part(&self, levels: Option<Levels>) -> Result<Option<(Spot, usize, At)>, Error> {
        Ok(match self.at {
            At::Header => None,
            At::Catalogue(length) => Some((Spot::Catalogue, length, At::Node(0))),
            At::Node(place) => {
                let levels = levels.ok_or(refusal::BOUNDS)?;
                levels.node_at(place).map(|(level, node)| {
                    (Spot::Node { level, node }, levels.node_bytes(level), At::Node(place + 1))
                })
            }
            At::Page(_) if self.is_read() => None,
            At::Page(index) => {
                Some((Spot::Page(index), self.page_length(index)?, At::Page(index + 1)))
            }
        })
    }

    fn page_length(&self, index: u32) -> Result<usize, Error> {
        let index = index as usize;
        let end = u32_at(&self.ends, index).ok_or(refusal::BOUNDS)?;
        let start = match index.checked_sub(1) {
            Some(before) => u32_at(&self.ends, before).ok_or(refusal::BOUNDS)?,
            None => 0,
        };
        let length = end.checked_sub(start).ok_or(refusal::BOUNDS)?;
        let fits = (Page::BYTES_MIN..=PAGE_BYTES_MAX).contains(&length);
        if fits { Ok(length) } else { Err(refusal::BOUNDS) }
    }

    /// Whether everything that the head announced has arrived.
    pub(super) fn finish(&self) -> Result<(), Error> {
        if self.left > 0 { Err(refusal::LENGTH) } else { Ok(()) }
    }

    /// Whether every part was read.
    pub(super) fn is_read(&self) -> bool {
        matches!(self.at, At::Page(index) if index as usize * 4 >= self.ends.len())
    }
}

/// How long the catalogue is.
fn header(piece: &[u8]) -> Result<usize, Error> {
    let length = piece.strip_prefix(&PACK_MAGIC).ok_or(refusal::FORMAT)?;
    let length = u32_at(length, 0).ok_or(refusal::BOUNDS)?;
    if length > CATALOGUE_BYTES_MAX { Err(refusal::LIMIT) } else { Ok(length) }
}

fn last_end(ends: &[u8]) -> Option<usize> {
    u32_at(ends, (ends.len() / 4).checked_sub(1)?)
}

/// Puts parts into one file.
pub(in crate::snapshot) fn write_pack<'a>(
    catalogue: &[u8],
    nodes: impl Iterator<Item = &'a [u8]>,
    pages: impl Iterator<Item = &'a [u8]> + Clone,
) -> Vec<u8> {
    let mut out = before_pages(catalogue, nodes, pages.clone().map(<[u8]>::len));
    pages.for_each(|page| out.extend_from_slice(page));
    out
}

/// What a pack begins with, before pages of such lengths.
pub(in crate::snapshot) fn before_pages<'a>(
    catalogue: &[u8],
    nodes: impl Iterator<Item = &'a [u8]>,
    pages: impl Iterator<Item = usize>,
) -> Vec<u8> {
    let mut out = PACK_MAGIC.to_vec();
    put_u32(&mut out, catalogue.len());
    out.extend_from_slice(catalogue);
    nodes.for_each(|node| out.extend_from_slice(node));
    let mut end = 0;
    for page in pages {
        end += page;
        put_u32(&mut out, end);
    }
    out
}

/// How long a pack of such parts is.
pub(in crate::snapshot) fn pack_length(catalogue: usize, page_bits: u8, pages: usize) -> usize {
    let levels = Levels::new(page_bits);
    PACK_HEADER_BYTES + catalogue + levels.bytes() + levels.pages() * 4 + pages
}
