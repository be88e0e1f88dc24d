//! A body in memory: parts that are verified when they are first touched, and what is found in
//! them.

use std::cell::OnceCell;

use super::bytes::{known_text, u32_at};
use super::catalogue::Catalogue;
use super::hash::{digest, page_of, slot_of};
use super::layout::{PACK_BYTES_MAX, PACK_HEADER_BYTES, PACK_MAGIC};
use super::page::{Page, Record};
use super::subject::Subject;
use super::tree::{self, Levels};
use super::window::Window;
use super::{Digest, Roots, refusal, validate};
use crate::error::Error;
use crate::time::Instant;

/// What a verified head names, resident in memory.
///
/// Each node and each page has a slot, which is filled with verified and validated bytes when it is
/// first needed. A slot holds a window on the file that its bytes came in, so slots of an old body
/// can be taken over into a new one wherever the digest is the same.
pub struct Body {
    catalogue: Catalogue,
    usage_as_of: Instant,
    root: Digest,
    levels: Levels,
    nodes: Vec<Slot>,
    pages: Vec<Slot>,
    pack: Pack,
}

/// A part, once it was looked at.
type Slot = OnceCell<Result<Window, Error>>;

/// Where a subject stands in the body that found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub(super) page: u32,
    pub(super) record: u16,
}

impl Body {
    /// Opens a pack by what a verified head says: its digests, its length and its `usageAsOf`. The
    /// catalogue and the root node are verified now, each page when it is first touched.
    ///
    /// # Errors
    /// `snapshot-length`, `snapshot-format`, `snapshot-digest`, and for a catalogue that makes no
    /// sense `snapshot-bounds`, `snapshot-order`, `snapshot-text`, `snapshot-value`,
    /// `snapshot-misplaced` or `snapshot-limit`.
    pub fn open(pack: Vec<u8>, roots: &Roots, usage_as_of: Instant) -> Result<Self, Error> {
        if pack.len() as u64 > PACK_BYTES_MAX {
            return Err(refusal::LIMIT);
        }
        if pack.len() as u64 != roots.pack_length {
            return Err(refusal::LENGTH);
        }
        let file = Window::whole(pack);
        let catalogue = catalogue(&file)?;
        if digest(&[catalogue.bytes()]) != roots.catalogue {
            return Err(refusal::DIGEST);
        }
        let nodes_at = PACK_HEADER_BYTES + catalogue.bytes().len();
        let catalogue = Catalogue::open(catalogue.bytes())?;
        let levels = Levels::new(catalogue.page_bits());
        let pack = Pack::new(file, nodes_at, levels).ok_or(refusal::BOUNDS)?;
        let body = Self {
            catalogue,
            usage_as_of,
            root: roots.root,
            levels,
            nodes: (0..levels.nodes()).map(|_| Slot::new()).collect(),
            pages: (0..levels.pages()).map(|_| Slot::new()).collect(),
            pack,
        };
        // A single page is the root, and waits like any page until it is touched.
        if levels.levels() > 0 {
            body.node(0, 0, body.root)?;
        }
        Ok(body)
    }

    /// Features, counts and policies.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What the head said about usage.
    #[must_use]
    pub const fn usage_as_of(&self) -> Instant {
        self.usage_as_of
    }

    /// Takes over what a newer head of the same parts says about usage.
    pub const fn renew(&mut self, usage_as_of: Instant) {
        self.usage_as_of = usage_as_of;
    }

    /// Whether a part that was touched is not what the head names, so that it has to be fetched
    /// again.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.nodes.iter().chain(&self.pages).any(|slot| matches!(slot.get(), Some(Err(_))))
    }

    /// The subject with an id or an alias, or `None` where the page proves that there is none.
    ///
    /// # Errors
    /// The code of what is wrong with the page that would hold it.
    #[inline]
    pub fn subject(&self, id: &str) -> Result<Option<Subject<'_>>, Error> {
        let Some(place) = self.find(id)? else { return Ok(None) };
        if let Some(subject) = self.subject_at(place)? {
            return Ok(Some(subject));
        }
        match self.page(place.page)?.record(usize::from(place.record)) {
            Some(Record::Alias { target, .. }) => match self.find(known_text(target))? {
                Some(place) => self.subject_at(place),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// The subject at a place that this body gave.
    ///
    /// # Errors
    /// As [`Body::subject`].
    #[inline]
    pub fn subject_at(&self, place: Place) -> Result<Option<Subject<'_>>, Error> {
        let page = self.page(place.page)?;
        let record = page.record(usize::from(place.record));
        Ok(record.and_then(|record| self.as_subject(page, place, record)))
    }

    /// All subjects, page by page.
    pub fn subjects(&self) -> impl Iterator<Item = Result<Subject<'_>, Error>> {
        self.records().filter_map(|found| match found {
            Ok((page, place, record)) => self.as_subject(page, place, record).map(Ok),
            Err(error) => Some(Err(error)),
        })
    }

    /// All aliases, each with the id of its subject.
    pub fn aliases(&self) -> impl Iterator<Item = Result<(&str, &str), Error>> {
        self.records().filter_map(|found| match found {
            Ok((_, _, Record::Alias { id, target })) => {
                Some(Ok((known_text(id), known_text(target))))
            }
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// Verifies and validates every part, so that no page can turn out to be bad later.
    ///
    /// # Errors
    /// The code of the first thing that is wrong.
    pub fn verify_parts(&self) -> Result<(), Error> {
        (0..self.levels.pages() as u32).try_for_each(|index| self.page(index).map(|_| ()))
    }

    /// Verifies everything: each part, each page's tree over its subjects, and the counts.
    ///
    /// # Errors
    /// The code of the first thing that is wrong.
    pub fn verify(&self) -> Result<(), Error> {
        let mut counts = super::Counts::default();
        for index in 0..self.levels.pages() as u32 {
            let page = self.page(index)?;
            let mut leaves = Vec::with_capacity(page.records());
            for subject in self.subjects_of(index, page) {
                counts.entitlements += subject.entries().count() as u64;
                leaves.push(subject.leaf()?);
            }
            counts.subjects += leaves.len() as u64;
            counts.aliases += (page.records() - leaves.len()) as u64;
            if Some(&tree::root(leaves).0) != page.subjects_root() {
                return Err(refusal::DIGEST);
            }
        }
        if counts == self.catalogue.counts() { Ok(()) } else { Err(refusal::COUNTS) }
    }

    /// The digests of all subjects of a subject's page, and which of them is its own.
    pub(super) fn leaves_around(
        &self,
        subject: &Subject<'_>,
    ) -> Result<(Vec<Digest>, usize), Error> {
        let place = subject.place();
        let mut own = 0;
        let mut leaves = Vec::new();
        for (index, other) in self.subjects_of(place.page, self.page(place.page)?).enumerate() {
            if other.place() == place {
                own = index;
            }
            leaves.push(other.leaf()?);
        }
        Ok((leaves, own))
    }

    fn subjects_of<'a>(&'a self, index: u32, page: Page<'a>) -> impl Iterator<Item = Subject<'a>> {
        (0..page.records()).filter_map(move |record| {
            let place = Place { page: index, record: record as u16 };
            self.as_subject(page, place, page.record(record)?)
        })
    }

    #[inline]
    fn as_subject<'a>(
        &'a self,
        page: Page<'a>,
        place: Place,
        record: Record<'a>,
    ) -> Option<Subject<'a>> {
        match record {
            Record::Subject(bytes) => Some(Subject::new(self, page, place, bytes)),
            Record::Alias { .. } => None,
        }
    }

    #[inline]
    fn find(&self, id: &str) -> Result<Option<Place>, Error> {
        let hash = self.catalogue.seed().place(id);
        let page = page_of(hash, self.catalogue.page_bits());
        let found = self.page(page)?.find(slot_of(hash), id);
        Ok(found.map(|record| Place { page, record: record as u16 }))
    }

    fn records(&self) -> impl Iterator<Item = Result<(Page<'_>, Place, Record<'_>), Error>> {
        (0..self.levels.pages() as u32).flat_map(move |index| {
            let page = self.page(index);
            let records = page.as_ref().map_or(1, Page::records);
            (0..records).filter_map(move |record| match &page {
                Err(error) => Some(Err(error.clone())),
                Ok(page) => {
                    let place = Place { page: index, record: record as u16 };
                    page.record(record).map(|found| Ok((*page, place, found)))
                }
            })
        })
    }

    /// The verified page at an index.
    #[inline]
    pub(super) fn page(&self, index: u32) -> Result<Page<'_>, Error> {
        let slot = self.pages.get(index as usize).ok_or(refusal::BOUNDS)?;
        let window = match slot.get() {
            Some(known) => known,
            None => slot.get_or_init(|| self.load_page(index)),
        };
        let bytes = window.as_ref().map_err(Clone::clone)?.bytes();
        Page::open(bytes).ok_or(refusal::BOUNDS)
    }

    #[cold]
    fn load_page(&self, index: u32) -> Result<Window, Error> {
        let expected = self.way_to(index)?;
        let window = self.pack.page(index as usize).ok_or(refusal::BOUNDS)?;
        if tree::page(window.bytes()) != Some(expected) {
            return Err(refusal::DIGEST);
        }
        validate::page(window.bytes(), index, &self.catalogue, self.usage_as_of)?;
        Ok(window)
    }

    /// The digest of a page as the verified nodes above it say.
    fn way_to(&self, page: u32) -> Result<Digest, Error> {
        let mut expected = self.root;
        for level in 0..self.levels.levels() {
            let (node, entry) = self.levels.way(level, page);
            let bytes = self.node(level, node, expected)?;
            expected = tree::entry(bytes, entry).ok_or(refusal::BOUNDS)?;
        }
        Ok(expected)
    }

    fn node(&self, level: u8, node: usize, expected: Digest) -> Result<&[u8], Error> {
        let place = self.levels.place(level, node);
        let slot = self.nodes.get(place).ok_or(refusal::BOUNDS)?;
        let load = || {
            let window = self.pack.node(place, self.levels).ok_or(refusal::BOUNDS)?;
            let verified = tree::root(tree::entries(window.bytes())) == expected;
            if verified { Ok(window) } else { Err(refusal::DIGEST) }
        };
        Ok(slot.get_or_init(load).as_ref().map_err(Clone::clone)?.bytes())
    }

    /// The digests of the nodes on the way to a page, from the root downwards, each with the entry
    /// that leads on.
    pub(super) fn nodes_to(&self, page: u32) -> Result<Vec<(Vec<Digest>, usize)>, Error> {
        let mut expected = self.root;
        let mut way = Vec::new();
        for level in 0..self.levels.levels() {
            let (node, entry) = self.levels.way(level, page);
            let entries = tree::entries(self.node(level, node, expected)?);
            expected = *entries.get(entry).ok_or(refusal::BOUNDS)?;
            way.push((entries, entry));
        }
        Ok(way)
    }
}

/// One file with all parts.
struct Pack {
    file: Window,
    nodes_at: usize,
    /// Where each page ends, counted from the first.
    ends: Window,
    pages: Window,
}

impl Pack {
    /// Finds the sections; what they hold is verified part by part.
    fn new(file: Window, nodes_at: usize, levels: Levels) -> Option<Self> {
        let length = file.bytes().len();
        let ends_at = nodes_at + levels.bytes_before(levels.nodes());
        let pages_at = ends_at.checked_add(levels.pages().checked_mul(4)?)?;
        let ends = file.part(ends_at, pages_at)?;
        let pages = file.part(pages_at, length)?;
        let last = u32_at(ends.bytes(), levels.pages() - 1)?;
        (last == pages.bytes().len()).then_some(Self { file, nodes_at, ends, pages })
    }

    fn node(&self, place: usize, levels: Levels) -> Option<Window> {
        let (start, end) = (levels.bytes_before(place), levels.bytes_before(place + 1));
        self.file.part(self.nodes_at + start, self.nodes_at + end)
    }

    fn page(&self, index: usize) -> Option<Window> {
        let start = match index.checked_sub(1) {
            Some(before) => u32_at(self.ends.bytes(), before)?,
            None => 0,
        };
        let end = u32_at(self.ends.bytes(), index)?;
        if end.checked_sub(start)? < Page::BYTES_MIN { None } else { self.pages.part(start, end) }
    }
}

/// The catalogue within a pack.
fn catalogue(file: &Window) -> Result<Window, Error> {
    let bytes = file.bytes();
    if bytes.get(..PACK_MAGIC.len()) != Some(&PACK_MAGIC) {
        return Err(refusal::FORMAT);
    }
    let length = bytes.get(PACK_MAGIC.len()..).and_then(|rest| u32_at(rest, 0));
    let end = length.ok_or(refusal::BOUNDS)?.checked_add(PACK_HEADER_BYTES);
    file.part(PACK_HEADER_BYTES, end.ok_or(refusal::BOUNDS)?).ok_or(refusal::BOUNDS)
}

/// Puts parts into one file.
pub(super) fn write_pack<'a>(
    catalogue: &[u8],
    nodes: impl Iterator<Item = &'a [u8]>,
    pages: impl Iterator<Item = &'a [u8]> + Clone,
) -> Vec<u8> {
    let mut out = PACK_MAGIC.to_vec();
    super::bytes::put_u32(&mut out, catalogue.len());
    out.extend_from_slice(catalogue);
    nodes.for_each(|node| out.extend_from_slice(node));
    let mut end = 0;
    for page in pages.clone() {
        end += page.len();
        super::bytes::put_u32(&mut out, end);
    }
    pages.for_each(|page| out.extend_from_slice(page));
    out
}

/// How long a pack of such parts is.
pub(super) fn pack_length(catalogue: usize, page_bits: u8, pages: usize) -> usize {
    let levels = Levels::new(page_bits);
    let nodes = levels.bytes_before(levels.nodes());
    PACK_HEADER_BYTES + catalogue + nodes + levels.pages() * 4 + pages
}
