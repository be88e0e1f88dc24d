//! A body in memory: parts that are verified before they are used, and what is found in them.
//!
//! There is one representation for a body that is resident as a whole and for one of which a few
//! pages are. [`Offered`] builds it from parts as they arrive, and shares with the body before it
//! what did not change.

mod file;
mod holders;
mod offered;
mod pack;
mod pages;
mod parts;
mod residency;
mod sharing;
mod sizes;
mod slot;
mod span;
mod wanted;
mod whole;

use super::bytes::known_text;
use super::catalogue::Catalogue;
use super::hash::{page_of, slot_of};
use super::page::{Page, Record};
use super::subject::Subject;
use super::{Roots, refusal};
use crate::error::Error;
use crate::time::Instant;

pub use file::PackPieces;
pub use holders::Holders;
pub use offered::{Offered, Stream};
pub(super) use pack::{before_pages, pack_length, write_pack};
use parts::{Parts, Spot};
pub use sizes::PagePart;
use slot::Slot;
pub use span::{Span, Spans};

/// What a verified head names, as far as it is resident in memory.
pub struct Body {
    catalogue: Catalogue,
    roots: Roots,
    usage_as_of: Instant,
    parts: Parts,
    /// The page that eviction looks at next.
    hand: u32,
}

/// Where a subject stands in the body that found it. Places are ordered as the body walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub(super) page: u32,
    pub(super) record: u16,
}

impl Place {
    /// Before every other.
    pub const FIRST: Self = Self { page: 0, record: 0 };

    /// The place as a number of 48 bits.
    #[must_use]
    pub const fn number(self) -> u64 {
        (self.page as u64) << 16 | self.record as u64
    }

    /// The place with a number, of which only the low 48 bits count. It may be beyond the body.
    ///
    /// ```
    /// use edgegrant::snapshot::Place;
    ///
    /// assert_eq!(Place::numbered(70_000).number(), 70_000);
    /// ```
    #[must_use]
    pub const fn numbered(number: u64) -> Self {
        Self { page: (number >> 16) as u32, record: number as u16 }
    }

    /// The place behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self::numbered(self.number().wrapping_add(1))
    }
}

impl Body {
    /// Opens a pack by what a verified head says: its digests, its length and its `usageAsOf`. The
    /// catalogue and the root node are verified now, each page when it is first touched.
    ///
    /// # Errors
    /// `snapshot-length`, `snapshot-format`, `snapshot-digest`, and for a catalogue that makes no
    /// sense `snapshot-bounds`, `snapshot-order`, `snapshot-text`, `snapshot-value`,
    /// `snapshot-misplaced` or `snapshot-limit`.
    pub fn open(
        pack: impl AsRef<[u8]>,
        roots: &Roots,
        usage_as_of: Instant,
    ) -> Result<Self, Error> {
        let mut offered = Offered::new(roots, usage_as_of, true, None)?;
        offered.read(pack.as_ref(), None)?;
        offered.finish()
    }

    fn empty(catalogue: Catalogue, roots: Roots, usage_as_of: Instant) -> Self {
        let parts = Parts::new(roots.root, catalogue.page_bits());
        Self { catalogue, roots, usage_as_of, parts, hand: 0 }
    }

    /// The digests by which a head names the body.
    #[must_use]
    pub const fn roots(&self) -> &Roots {
        &self.roots
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
        self.parts.is_damaged()
    }

    /// The subject with an id or an alias, or `None` where the page proves that there is none.
    ///
    /// # Errors
    /// The code of what is wrong with the page that would hold it.
    pub fn subject(&self, id: &str) -> Result<Option<Subject<'_>>, Error> {
        self.subject_inlined(id.as_bytes())
    }

    #[inline(always)]
    pub(crate) fn subject_inlined(&self, id: &[u8]) -> Result<Option<Subject<'_>>, Error> {
        match self.find(id)? {
            Some((page, place, Record::Subject(bytes))) => {
                Ok(Some(Subject::new(self, page, place, bytes)))
            }
            Some((_, _, Record::Alias { target, .. })) => self.subject_of_alias(target),
            None => Ok(None),
        }
    }

    #[cold]
    fn subject_of_alias(&self, target: &[u8]) -> Result<Option<Subject<'_>>, Error> {
        let found = self.find(target)?;
        Ok(found.and_then(|(page, place, record)| self.as_subject(page, place, record)))
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

    /// The first subject at a place or behind it; `None` at the end.
    ///
    /// # Errors
    /// As [`Body::subject`], for each page on the way.
    pub fn subject_from(
        &self,
        Place { page, record }: Place,
    ) -> Result<Option<Subject<'_>>, Error> {
        let mut first = usize::from(record);
        for index in page..self.pages() {
            let page = self.page(index)?;
            for number in first..page.records() {
                let place = Place { page: index, record: number as u16 };
                if let Some(record) = page.record(number)
                    && let Some(subject) = self.as_subject(page, place, record)
                {
                    return Ok(Some(subject));
                }
            }
            first = 0;
        }
        Ok(None)
    }

    /// Whether all pages are resident.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.parts.is_whole()
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

    #[inline(always)]
    fn find(&self, id: &[u8]) -> Result<Option<(Page<'_>, Place, Record<'_>)>, Error> {
        let hash = self.catalogue.seed().place(id);
        let index = page_of(hash, self.catalogue.page_bits());
        let page = self.page_inlined(index)?;
        let found = page.find(slot_of(hash), id);
        Ok(found.map(|(at, record)| (page, Place { page: index, record: at as u16 }, record)))
    }

    fn records(&self) -> impl Iterator<Item = Result<(Page<'_>, Place, Record<'_>), Error>> {
        (0..self.parts.levels.pages() as u32).flat_map(move |index| {
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
    ///
    /// # Errors
    /// `not-resident`, and what is wrong with the page or with a node above it.
    pub(super) fn page(&self, index: u32) -> Result<Page<'_>, Error> {
        self.page_inlined(index)
    }

    #[inline(always)]
    fn page_inlined(&self, index: u32) -> Result<Page<'_>, Error> {
        let slot = self.parts.page(index).ok_or(refusal::NOT_RESIDENT)?;
        let bytes = match slot.known() {
            Some(bytes) => bytes,
            None => self.first_look(index, slot)?,
        };
        slot.touch();
        Page::open(bytes).ok_or(refusal::BOUNDS)
    }

    /// The bytes of a page that nobody has looked at, or why there are none.
    #[cold]
    fn first_look<'a>(&self, index: u32, slot: &'a Slot) -> Result<&'a [u8], Error> {
        // What is wrong above a page does not make the page bad.
        let name = self.parts.expected(Spot::Page(index))?;
        slot.get(|bytes| self.look_at(Spot::Page(index), name, bytes))
    }
}
