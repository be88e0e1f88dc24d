//! From packed subjects to pages, some at a time.

use core::ops::Range;

use sha2::{Digest as _, Sha256};

use super::bytes::Reader;
use super::catalogue::{self, Catalogue, Counts};
use super::hash::{Seed, page_of, slot_of};
use super::layout::PAGE_EXPANDED_BYTES_MAX;
use super::packed::{self, Numbered, Waiting, What};
use super::page_rows::PageRows;
use super::{Digest, FeatureRecord, Part, Settings, page_write, refusal, validate};
use crate::error::Error;
use crate::time::Instant;

/// Writes the pages of a body with so many of them.
pub struct PageWriter<'a> {
    seed: Seed,
    page_bits: u8,
    usage_as_of: Instant,
    features: Vec<Numbered>,
    /// Entitlements that are told by their places.
    common: &'a [Vec<u8>],
    /// What a reader will know when it looks at a page.
    catalogue: Catalogue,
}

/// More waits for no page: it would not fit, or only because nearly all of it is the same.
const PACKED_BYTES_MAX: u64 = 2 * PAGE_EXPANDED_BYTES_MAX as u64;

/// Why pages are not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// One of them would be too long; there have to be more.
    Full,
    /// An id or alias is there twice. Of all for which that is so, the lowest second tag.
    Twice(u64),
    /// What must not be published, with a code of [`encode`](super::encode).
    Refused(Error),
}

impl From<Error> for Unwritten {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<Unwritten> for Error {
    fn from(unwritten: Unwritten) -> Self {
        match unwritten {
            Unwritten::Full => refusal::LIMIT,
            Unwritten::Twice(_) => refusal::DUPLICATE_ID,
            Unwritten::Refused(error) => error,
        }
    }
}

impl<'c> PageWriter<'c> {
    /// A writer for features in the order in which a [`Packer`](super::Packer) was told of them.
    ///
    /// # Errors
    /// As [`encode`](super::encode).
    pub fn new(
        settings: &Settings,
        features: &[FeatureRecord],
        page_bits: u8,
    ) -> Result<Self, Error> {
        let seed = Seed::new(settings.seed);
        let catalogue = catalogue::write(&seed, page_bits, Counts::default(), features)?;
        Ok(Self {
            page_bits,
            usage_as_of: settings.usage_as_of,
            features: packed::numbered(&seed, features),
            common: &[],
            catalogue: Catalogue::open(&catalogue)?,
            seed,
        })
    }

    /// The same writer for subjects whose entitlements may be told by their places among these.
    /// See [`PackedEntitlement::common`](super::PackedEntitlement::common).
    #[must_use]
    pub const fn knowing(mut self, common: &'c [Vec<u8>]) -> Self {
        self.common = common;
        self
    }

    /// Whether so many pages can hold so many packed bytes, which then may be read into memory.
    ///
    /// ```
    /// use edgegrant::snapshot::PageWriter;
    ///
    /// assert!(PageWriter::may_hold(1, 1 << 20));
    /// assert!(!PageWriter::may_hold(1, 1 << 30));
    /// ```
    #[must_use]
    pub const fn may_hold(pages: usize, packed_bytes: u64) -> bool {
        packed_bytes / PACKED_BYTES_MAX <= pages as u64
    }

    /// Writes the pages of a range, of which `packed` holds all subjects and aliases and no others,
    /// in any order. What a reader would refuse is not written.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub fn write(&self, range: Range<u32>, packed: &[u8]) -> Result<Vec<Part>, Unwritten> {
        self.write_unless(range, packed, |_, _| None)
    }

    /// As [`PageWriter::write`], but asks `kept` for each page first, by its index and a digest of
    /// what it is made from. A page that was written from the same by this very program, for the
    /// same settings, features and page bits, is the page that would be written.
    ///
    /// # Errors
    /// See [`Unwritten`].
    ///
    /// ```
    /// use edgegrant::Instant;
    /// use edgegrant::snapshot::{PageWriter, Packer, Settings};
    ///
    /// let settings =
    ///     Settings { seed: [7; 32], usage_as_of: Instant::EPOCH, previous_page_bits: None };
    /// let writer = PageWriter::new(&settings, &[], 0)?;
    /// let packed = |tag| {
    ///     let mut packed = Vec::new();
    ///     let packer = Packer::new([7; 32]);
    ///     packer.subject(&mut packed, tag, "acme", &mut []).map(|_| packed)
    /// };
    /// let mut made_from = None;
    /// let pages = writer.write_unless(0..1, &packed(1)?, |_, from| {
    ///     made_from = Some(from);
    ///     None
    /// });
    /// let pages = pages.unwrap();
    /// // On another line it is the same page.
    /// let again = writer.write_unless(0..1, &packed(9)?, |_, from| {
    ///     (made_from == Some(from)).then(|| pages[0].clone())
    /// });
    /// assert_eq!(again.unwrap(), pages);
    /// # Ok::<(), edgegrant::Error>(())
    /// ```
    pub fn write_unless(
        &self,
        range: Range<u32>,
        packed: &[u8],
        mut kept: impl FnMut(u32, Digest) -> Option<Part>,
    ) -> Result<Vec<Part>, Unwritten> {
        if !Self::may_hold(range.len(), packed.len() as u64) {
            return Err(Unwritten::Full);
        }
        let sorted = self.sorted(packed).ok_or(refusal::VALUE)?;
        if let Some(tag) = packed::twice(sorted.iter().map(|(_, _, waiting)| waiting)) {
            return Err(Unwritten::Twice(tag));
        }
        let mut sorted = sorted.into_iter().peekable();
        let mut pages = Vec::with_capacity(range.len());
        for index in range {
            let here = core::iter::from_fn(|| sorted.next_if(|(page, ..)| *page == index));
            let waiting: Vec<Waiting<'_>> = here.map(|(_, _, waiting)| waiting).collect();
            let from = self.made_from(&waiting).ok_or(refusal::VALUE)?;
            let page = match kept(index, from) {
                Some(page) => page,
                None => self.page(index, waiting)?,
            };
            validate::page(&page.bytes, index, &self.catalogue, self.usage_as_of)?;
            pages.push(page);
        }
        match sorted.next() {
            Some(_) => Err(refusal::MISPLACED.into()),
            None => Ok(pages),
        }
    }

    fn page(&self, index: u32, waiting: Vec<Waiting<'_>>) -> Result<Part, Unwritten> {
        let rows = PageRows::of(waiting.into_iter(), &self.features, self.common, self.usage_as_of);
        let write = |rows| page_write::write(&self.seed, self.page_bits, index, &rows);
        let (digest, bytes) = rows.and_then(write).map_err(|error| match error {
            refusal::LIMIT => Unwritten::Full,
            error => Unwritten::Refused(error),
        })?;
        Ok(Part { digest, bytes })
    }

    /// A digest of what waits for a page, in order, that tells nothing without the seed. It leaves
    /// out what pages do: from which lines things are, and instants that the head states.
    fn made_from(&self, waiting: &[Waiting<'_>]) -> Option<Digest> {
        let mut hasher = Sha256::new_with_prefix(self.seed.secret());
        let mut put = |kind: u8, bytes: &[u8]| {
            hasher.update([kind]);
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        for Waiting { id, what, .. } in waiting {
            put(0, id.as_bytes());
            match what {
                What::Alias(target) => put(1, target.as_bytes()),
                What::Subject(rows) => {
                    let mut reader = Reader::new(rows);
                    while !reader.is_empty() {
                        let (_, row) = packed::next_row(&mut reader, self.common)?;
                        let (left_to_head, rest) = packed::written_from(row, self.usage_as_of);
                        put(2 + u8::from(left_to_head), rest);
                    }
                }
            }
        }
        Some(Digest(hasher.finalize().into()))
    }

    /// What is packed by page, slot and id.
    fn sorted<'a>(&self, packed: &'a [u8]) -> Option<Vec<(u32, u16, Waiting<'a>)>> {
        let mut reader = Reader::new(packed);
        let mut sorted = Vec::new();
        while !reader.is_empty() {
            let waiting = packed::next(&mut reader)?;
            let place = self.seed.place(waiting.id);
            sorted.push((page_of(place, self.page_bits), slot_of(place), waiting));
        }
        sorted
            .sort_unstable_by_key(|(page, slot, waiting)| (*page, *slot, waiting.id, waiting.tag));
        Some(sorted)
    }
}
