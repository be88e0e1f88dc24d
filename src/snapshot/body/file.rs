//! A whole body as the pack that it came in.

use super::Body;
use super::parts::Spot;
use crate::snapshot::bytes::put_u32;
use crate::snapshot::layout::PACK_MAGIC;

/// A pack in pieces, most of which are the body's own.
pub struct PackPieces<'a> {
    header: Vec<u8>,
    catalogue: &'a [u8],
    nodes: Vec<&'a [u8]>,
    ends: Vec<u8>,
    pages: Vec<&'a [u8]>,
}

impl PackPieces<'_> {
    /// The pieces in the order in which they make the pack.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let front = [self.header.as_slice(), self.catalogue].into_iter();
        let middle = self.nodes.iter().copied().chain([self.ends.as_slice()]);
        front.chain(middle).chain(self.pages.iter().copied())
    }

    /// The pieces that nobody else holds, in the same order.
    #[must_use]
    pub fn into_own(self) -> [Vec<u8>; 2] {
        [self.header, self.ends]
    }
}

impl Body {
    /// The body as a pack; `None` unless every part is resident.
    #[must_use]
    pub fn pack(&self) -> Option<PackPieces<'_>> {
        let levels = self.parts.levels;
        let resident = |spot| self.parts.slot(spot)?.bytes().map(|bytes| &**bytes);
        let nodes: Option<Vec<_>> = (0..levels.nodes())
            .map(|place| levels.node_at(place))
            .map(|at| at.and_then(|(level, node)| resident(Spot::Node { level, node })))
            .collect();
        let pages: Option<Vec<_>> =
            (0..levels.pages() as u32).map(|index| resident(Spot::Page(index))).collect();
        let (catalogue, nodes, pages) = (self.catalogue.bytes(), nodes?, pages?);
        let mut header = PACK_MAGIC.to_vec();
        put_u32(&mut header, catalogue.len());
        let mut ends = Vec::with_capacity(pages.len() * 4);
        let mut end = 0;
        for page in &pages {
            end += page.len();
            put_u32(&mut ends, end);
        }
        Some(PackPieces { header, catalogue, nodes, ends, pages })
    }
}
