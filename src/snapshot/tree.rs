//! The tree of digests: nodes over pages, and within a page a tree over its subjects.
//!
//! Hashing is that of RFC 9162 §2.1 with other leaves: a pair is hashed behind the byte 1, and what
//! stands below the pairs is hashed behind other bytes.

use super::Digest;
use super::hash::digest;
use super::layout::{DIGEST_BYTES, NODE_BITS, PREFIX_PAGE, PREFIX_PAIR};

/// The digest of two digests side by side.
pub(super) fn pair(left: &Digest, right: &Digest) -> Digest {
    digest(&[PREFIX_PAIR, &left.0, &right.0])
}

/// The digest by which a page is named: the root over its subjects, and its other bytes.
pub(super) fn page(bytes: &[u8]) -> Option<Digest> {
    let (subjects, body) = bytes.split_at_checked(DIGEST_BYTES)?;
    Some(page_leaf(&Digest(subjects.try_into().ok()?), &digest(&[body])))
}

pub(super) fn page_leaf(subjects: &Digest, body: &Digest) -> Digest {
    digest(&[PREFIX_PAGE, &subjects.0, &body.0])
}

/// The root over some digests; the last of an odd number rises alone. Nothing has the digest of
/// nothing.
pub(super) fn root(mut level: Vec<Digest>) -> Digest {
    while level.len() > 1 {
        level = risen(&level);
    }
    level.pop().unwrap_or_else(|| digest(&[]))
}

fn risen(level: &[Digest]) -> Vec<Digest> {
    let above = |two: &[Digest]| match two {
        [left, right] => pair(left, right),
        [alone] => *alone,
        _ => digest(&[]),
    };
    level.chunks(2).map(above).collect()
}

/// A step from a digest to its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Whether the sibling stands to the left.
    pub(super) sibling_is_left: bool,
    /// The other half of the pair.
    pub(super) sibling: Digest,
}

/// The steps from the digest at `index` to the root over all.
pub(super) fn path(mut level: Vec<Digest>, mut index: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    while level.len() > 1 {
        if let Some(sibling) = level.get(index ^ 1) {
            steps.push(Step { sibling_is_left: index % 2 == 1, sibling: *sibling });
        }
        level = risen(&level);
        index /= 2;
    }
    steps
}

/// Where a path leads.
pub(super) fn climb(from: Digest, steps: &[Step]) -> Digest {
    steps.iter().fold(from, |digest, step| {
        if step.sibling_is_left {
            pair(&step.sibling, &digest)
        } else {
            pair(&digest, &step.sibling)
        }
    })
}

/// The digests that a node consists of.
pub(super) fn entries(node: &[u8]) -> Vec<Digest> {
    let (entries, _) = node.as_chunks::<DIGEST_BYTES>();
    entries.iter().map(|entry| Digest(*entry)).collect()
}

/// The digest at an index of a node.
pub(super) fn entry(node: &[u8], index: usize) -> Option<Digest> {
    let bytes = node.get(index.checked_mul(DIGEST_BYTES)?..)?.first_chunk()?;
    Some(Digest(*bytes))
}

/// How many levels of nodes stand above the pages, and where each node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Levels {
    page_bits: u8,
}

impl Levels {
    pub(super) const fn new(page_bits: u8) -> Self {
        Self { page_bits }
    }

    pub(super) const fn pages(self) -> usize {
        1 << self.page_bits
    }

    /// None if there is one page, which is then the root itself; otherwise level 0 is the root.
    pub(super) const fn levels(self) -> u8 {
        self.page_bits.div_ceil(NODE_BITS)
    }

    /// How many bits of a page's index are left below a level.
    const fn bits_below(self, level: u8) -> u8 {
        NODE_BITS * (self.levels() - 1 - level)
    }

    /// The binary logarithm of the entries of each node of a level; only the root may be narrow.
    pub(super) const fn entry_bits(self, level: u8) -> u8 {
        if level == 0 { self.page_bits - self.bits_below(0) } else { NODE_BITS }
    }

    /// The node of a level that leads to a page, and the entry in it that does.
    pub(super) const fn way(self, level: u8, page: u32) -> (usize, usize) {
        let child = page as usize >> self.bits_below(level);
        let bits = self.entry_bits(level);
        (child >> bits, child & ((1 << bits) - 1))
    }

    /// Whether pages are what the nodes of a level name.
    pub(super) const fn is_lowest(self, level: u8) -> bool {
        level + 1 == self.levels()
    }

    /// How long each node of a level is.
    pub(super) const fn node_bytes(self, level: u8) -> usize {
        DIGEST_BYTES << self.entry_bits(level)
    }

    /// How many pages are below each node of a level.
    pub(super) const fn pages_below(self, level: u8) -> usize {
        1 << (self.entry_bits(level) + self.bits_below(level))
    }

    /// The first page below a node.
    pub(super) const fn first_page(self, level: u8, node: usize) -> u32 {
        (node * self.pages_below(level)) as u32
    }

    pub(super) const fn nodes_of(self, level: u8) -> usize {
        1 << (self.page_bits - self.bits_below(level) - self.entry_bits(level))
    }

    /// The place of a node among all, the root first.
    pub(super) fn place(self, level: u8, node: usize) -> usize {
        (0..level).map(|above| self.nodes_of(above)).sum::<usize>() + node
    }

    pub(super) fn nodes(self) -> usize {
        self.place(self.levels(), 0)
    }

    /// The level of the node at a place, and which of the level it is.
    pub(super) fn node_at(self, place: usize) -> Option<(u8, usize)> {
        let mut rest = place;
        for level in 0..self.levels() {
            match rest.checked_sub(self.nodes_of(level)) {
                Some(below) => rest = below,
                None => return Some((level, rest)),
            }
        }
        None
    }

    /// How long all nodes are together.
    pub(super) fn bytes(self) -> usize {
        (0..self.levels()).map(|level| self.nodes_of(level) * self.node_bytes(level)).sum()
    }
}
