//! The parts of a body in memory, and the way from the root to each.
//!
//! Pages lie in groups under their lowest node. A group has room only once something in it is
//! resident, so that a body with millions of pages may hold a few; in a whole body a page is two
//! steps away.

use super::slot::Slot;
use super::span::Span;
use crate::error::Error;
use crate::snapshot::tree::{self, Levels};
use crate::snapshot::{Digest, refusal};

/// Where a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    Catalogue,
    Node { level: u8, node: usize },
    Page(u32),
}

impl Spot {
    /// Where the part stands that an entry of a node names.
    pub(super) const fn child(levels: Levels, level: u8, node: usize, entry: usize) -> Self {
        let index = (node << levels.entry_bits(level)) + entry;
        if levels.is_lowest(level) {
            Self::Page(index as u32)
        } else {
            Self::Node { level: level + 1, node: index }
        }
    }
}

/// Nodes and pages, as far as they are resident.
pub(super) struct Parts {
    pub(super) levels: Levels,
    root: Digest,
    /// The nodes above the lowest, the root first.
    upper: Vec<Slot>,
    groups: Vec<Option<Box<Group>>>,
    /// What parts and the room for them take.
    pub(super) resident_bytes: usize,
    resident_pages: usize,
    /// Pages that still hang on what they are made of, and others.
    unsettled: Vec<u32>,
}

/// A lowest node and its pages; of a single page there is no node.
pub(super) struct Group {
    node: Slot,
    pages: Box<[Slot]>,
    /// Where each page lies.
    spans: Box<[Span]>,
    resident_pages: usize,
}

/// The binary logarithm of the pages of a group, which are the entries of a node.
const GROUP_BITS: u8 = crate::snapshot::layout::NODE_BITS;
const GROUP_PAGES: usize = 1 << GROUP_BITS;

impl Parts {
    pub(super) fn new(root: Digest, page_bits: u8) -> Self {
        let levels = Levels::new(page_bits);
        let groups = levels.pages().div_ceil(GROUP_PAGES);
        // Of a single page there is no node at all.
        let upper = levels.nodes().saturating_sub(groups);
        Self {
            levels,
            root,
            upper: vec![Slot::default(); upper],
            groups: (0..groups).map(|_| None).collect(),
            resident_bytes: 0,
            resident_pages: 0,
            unsettled: Vec::new(),
        }
    }

    pub(super) const fn root(&self) -> Digest {
        self.root
    }

    /// The part that everything else hangs on.
    pub(super) const fn top(&self) -> Spot {
        if self.levels.levels() == 0 { Spot::Page(0) } else { Spot::Node { level: 0, node: 0 } }
    }

    #[inline]
    fn group(&self, group: usize) -> Option<&Group> {
        self.groups.get(group)?.as_deref()
    }

    /// The room for a page, if its group has any.
    #[inline]
    pub(super) fn page(&self, index: u32) -> Option<&Slot> {
        self.group(index as usize >> GROUP_BITS)?.pages.get(index as usize % GROUP_PAGES)
    }

    /// The room for a part, if there is any.
    pub(super) fn slot(&self, spot: Spot) -> Option<&Slot> {
        match spot {
            Spot::Catalogue => None,
            Spot::Page(index) => self.page(index),
            Spot::Node { level, node } if self.levels.is_lowest(level) => {
                Some(&self.group(node)?.node)
            }
            Spot::Node { level, node } => self.upper.get(self.levels.place(level, node)),
        }
    }

    /// Puts a part in its place, where another may have been.
    pub(super) fn put(&mut self, spot: Spot, part: Slot) {
        let added = part.length();
        let before = match spot {
            Spot::Page(index) => self.put_page(index, part),
            Spot::Node { level, node } => self.put_node(level, node, part),
            Spot::Catalogue => None,
        };
        if let Some(before) = before {
            self.resident_bytes = self.resident_bytes + added - before.length();
        }
    }

    fn put_page(&mut self, index: u32, part: Slot) -> Option<Slot> {
        if part.is_patched() {
            self.unsettled.push(index);
        }
        let group = self.room(index as usize >> GROUP_BITS)?;
        *group.spans.get_mut(index as usize % GROUP_PAGES)? = part.span();
        let slot = group.pages.get_mut(index as usize % GROUP_PAGES)?;
        let before = core::mem::replace(slot, part);
        if !before.is_resident() {
            group.resident_pages += 1;
            self.resident_pages += 1;
        }
        Some(before)
    }

    fn put_node(&mut self, level: u8, node: usize, part: Slot) -> Option<Slot> {
        let slot = if self.levels.is_lowest(level) {
            &mut self.room(node)?.node
        } else {
            self.upper.get_mut(self.levels.place(level, node))?
        };
        Some(core::mem::replace(slot, part))
    }

    /// A group, made where there was none.
    fn room(&mut self, group: usize) -> Option<&mut Group> {
        let pages = self.levels.pages().min(GROUP_PAGES);
        let place = self.groups.get_mut(group)?;
        if place.is_none() {
            self.resident_bytes += Group::bytes(pages);
        }
        Some(place.get_or_insert_with(|| Box::new(Group::new(pages))))
    }

    /// Makes pages that still hang on what they are made of, about so many bytes of them. Whether
    /// any are left.
    pub(super) fn settle(&mut self, bytes: usize) -> bool {
        let mut made = 0;
        while made < bytes
            && let Some(index) = self.unsettled.pop()
        {
            made += self.settle_page(index).unwrap_or_default();
        }
        !self.unsettled.is_empty()
    }

    /// How many bytes were made, if the page did not go away or was settled before.
    fn settle_page(&mut self, index: u32) -> Option<usize> {
        let group = self.groups.get_mut(index as usize >> GROUP_BITS)?.as_deref_mut()?;
        let slot = group.pages.get_mut(index as usize % GROUP_PAGES)?;
        let before = slot.length();
        if !slot.settle() {
            return None;
        }
        *group.spans.get_mut(index as usize % GROUP_PAGES)? = slot.span();
        self.resident_bytes = self.resident_bytes + slot.length() - before;
        Some(slot.length())
    }

    /// Whether all pages are there.
    pub(super) const fn is_whole(&self) -> bool {
        self.resident_pages >= self.levels.pages()
    }

    /// Where the pages lie, group by group; `None` unless all are there.
    pub(super) fn page_spans(&self) -> Option<Vec<&[Span]>> {
        if !self.is_whole() {
            return None;
        }
        self.groups.iter().map(|group| group.as_deref().map(|group| &*group.spans)).collect()
    }

    /// Lets go of a page, and of its node with the last page of a group.
    pub(super) fn drop_page(&mut self, index: u32) {
        let Some(place) = self.groups.get_mut(index as usize >> GROUP_BITS) else { return };
        let Some(group) = place else { return };
        let Some(slot) = group.pages.get_mut(index as usize % GROUP_PAGES) else { return };
        if !slot.is_resident() {
            return;
        }
        self.resident_bytes -= core::mem::take(slot).length();
        self.resident_pages -= 1;
        group.resident_pages -= 1;
        if group.resident_pages == 0 {
            self.resident_bytes -= group.node.length() + Group::bytes(group.pages.len());
            *place = None;
        }
    }

    /// Lets go of groups without a page, except for those of pages which are on their way.
    pub(super) fn drop_empty_groups(&mut self, spared: &[u32]) {
        for (index, place) in self.groups.iter_mut().enumerate() {
            if let Some(group) = place
                && group.resident_pages == 0
                && spared.iter().all(|page| *page as usize >> GROUP_BITS != index)
            {
                self.resident_bytes -= group.node.length() + Group::bytes(group.pages.len());
                *place = None;
            }
        }
    }

    /// The first page from one index to another that is resident.
    pub(super) fn resident_in(&self, first: u32, last: u32) -> Option<u32> {
        let mut index = first as usize;
        while index <= last as usize {
            let Some(group) = self.group(index >> GROUP_BITS) else {
                index = (index | (GROUP_PAGES - 1)) + 1;
                continue;
            };
            if group.pages.get(index % GROUP_PAGES).is_some_and(Slot::is_resident) {
                return Some(index as u32);
            }
            index += 1;
        }
        None
    }

    /// Whether every page of a lowest node is there.
    pub(super) fn is_full(&self, level: u8, node: usize) -> bool {
        let full = |group: &Group| group.resident_pages == group.pages.len();
        self.levels.is_lowest(level) && self.group(node).is_some_and(full)
    }

    /// Whether a part was looked at and is bad.
    pub(super) fn is_damaged(&self) -> bool {
        let of_group =
            |group: &Group| group.node.is_damaged() || group.pages.iter().any(Slot::is_damaged);
        self.upper.iter().any(Slot::is_damaged)
            || self.groups.iter().flatten().any(|group| of_group(group))
    }

    /// The digest by which a part is named; the nodes that say so are verified on the way.
    pub(super) fn expected(&self, spot: Spot) -> Result<Digest, Error> {
        let (level, page) = match spot {
            Spot::Page(index) => (self.levels.levels(), index),
            Spot::Node { level, node } => (level, self.levels.first_page(level, node)),
            Spot::Catalogue => return Err(refusal::BOUNDS),
        };
        let mut expected = self.root;
        for above in 0..level {
            let (node, entry) = self.levels.way(above, page);
            let bytes = self.node(above, node, expected)?;
            expected = tree::entry(bytes, entry).ok_or(refusal::BOUNDS)?;
        }
        Ok(expected)
    }

    /// A node whose digest is known.
    pub(super) fn node(&self, level: u8, node: usize, expected: Digest) -> Result<&[u8], Error> {
        let slot = self.slot(Spot::Node { level, node }).ok_or(refusal::NOT_RESIDENT)?;
        slot.get(|bytes| self.look_at_node(level, bytes, expected))
    }

    /// Whether a node is what its parent names. Fewer entries could have the same root, so they
    /// are counted.
    pub(super) fn look_at_node(
        &self,
        level: u8,
        bytes: &[u8],
        expected: Digest,
    ) -> Result<(), Error> {
        let whole = bytes.len() == self.levels.node_bytes(level);
        let verified = whole && tree::root(tree::entries(bytes)) == expected;
        if verified { Ok(()) } else { Err(refusal::DIGEST) }
    }
}

impl Group {
    fn new(pages: usize) -> Self {
        let spans = vec![Span::default(); pages].into_boxed_slice();
        let pages = vec![Slot::default(); pages].into_boxed_slice();
        Self { node: Slot::default(), pages, spans, resident_pages: 0 }
    }

    /// What the room for so many pages takes.
    const fn bytes(pages: usize) -> usize {
        size_of::<Self>() + pages * (size_of::<Slot>() + size_of::<Span>())
    }
}
