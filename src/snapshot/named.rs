//! Parts one by one: whether bytes are what their name says, and which parts they name.
//!
//! This is for whoever keeps parts as files and does not answer from them: what no head reaches may
//! go, and what two bodies share need not be compared.

use super::catalogue::Catalogue;
use super::hash::digest;
use super::tree::{self, Levels};
use super::{Digest, refusal};
use crate::error::Error;

impl Digest {
    /// Reads the name of a part: 64 digits of lower-case hex.
    ///
    /// ```
    /// use edgegrant::snapshot::Digest;
    ///
    /// let digest = Digest([0xab; 32]);
    /// assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
    /// assert_eq!(Digest::parse("AB"), None);
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let (pairs, rest) = name.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = hex(*high)? << 4 | hex(*low)?;
        }
        Some(Self(bytes))
    }
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl Catalogue {
    /// Reads the catalogue with a name.
    ///
    /// # Errors
    /// `snapshot-digest` for other bytes, and for a catalogue that makes no sense the codes of
    /// [`Body::open`](super::Body::open).
    pub fn named(name: &Digest, bytes: &[u8]) -> Result<Self, Error> {
        if digest(&[bytes]) == *name { Self::open(bytes) } else { Err(refusal::DIGEST) }
    }

    /// Whether another snapshot places every id in the same page.
    #[must_use]
    pub fn places_as(&self, other: &Self) -> bool {
        self.seed().secret() == other.seed().secret() && self.page_bits() == other.page_bits()
    }
}

/// How nodes lie above the pages of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tree(Levels);

impl Tree {
    /// The tree above the pages that a catalogue speaks of.
    #[must_use]
    pub const fn of(catalogue: &Catalogue) -> Self {
        Self(Levels::new(catalogue.page_bits()))
    }

    /// How many levels of nodes there are; 0 where a single page is the root.
    #[must_use]
    pub const fn levels(self) -> u8 {
        self.0.levels()
    }

    /// The names that a node of a level consists of, the root's level being 0. They are nodes of
    /// the next level or, in the last one, pages, from left to right.
    ///
    /// # Errors
    /// `snapshot-digest` for bytes that are not the node with this name.
    pub fn children(self, level: u8, name: &Digest, bytes: &[u8]) -> Result<Vec<Digest>, Error> {
        let children = tree::entries(bytes);
        // Fewer entries can have the same root, so they are counted.
        let whole = bytes.len() == 32 << self.0.entry_bits(level);
        if whole && tree::root(children.clone()) == *name {
            Ok(children)
        } else {
            Err(refusal::DIGEST)
        }
    }
}

/// Whether bytes are the page with a name.
#[must_use]
pub fn is_page(name: &Digest, bytes: &[u8]) -> bool {
    tree::page(bytes) == Some(*name)
}
