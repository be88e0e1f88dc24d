//! Where the bytes of a page go.

use super::Body;
use crate::error::Error;
use crate::snapshot::bytes::Reader;
use crate::snapshot::fields::{Fields, blank_program};
use crate::snapshot::layout::{DIGEST_BYTES, ID_BYTES_MAX, PAGE_HEADER_BYTES};
use crate::snapshot::page::{EntryBytes, Page, Record, SubjectBytes};
use crate::snapshot::refusal;

/// What the bytes of a page are for, in the order in which they lie there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PagePart {
    /// The root over the page's subjects.
    Digest,
    /// Magic, pepper, place and counts.
    Header,
    /// The hashes of the features that the page's subjects have.
    Features,
    /// The slot of each record.
    Slots,
    /// Where each item of the heap ends.
    Ends,
    /// What static entitlements carry, each text once.
    Configs,
    /// The fields that entitlements share.
    Shapes,
    /// The lists of features and shapes that subjects share.
    Plans,
    /// The records of aliases.
    Aliases,
    /// The ids of subjects with their lengths.
    Ids,
    /// Of a subject, the number of its plan and which entitlements have an own part.
    PlanNumbers,
    /// The lengths of own parts.
    OwnLengths,
    /// Which fields differ from those that are shared.
    Marks,
    /// By how much they differ.
    Differences,
    /// The ids of grants that are not derived.
    GrantIds,
}

impl PagePart {
    /// The part's name in reports.
    ///
    /// ```
    /// use edgegrant::snapshot::PagePart;
    ///
    /// assert_eq!(PagePart::GrantIds.as_str(), "grant-ids");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Digest => "digests",
            Self::Header => "page-headers",
            Self::Features => "page-features",
            Self::Slots => "slots",
            Self::Ends => "ends",
            Self::Configs => "configs",
            Self::Shapes => "shapes",
            Self::Plans => "plans",
            Self::Aliases => "aliases",
            Self::Ids => "ids",
            Self::PlanNumbers => "plan-numbers",
            Self::OwnLengths => "own-lengths",
            Self::Marks => "marks",
            Self::Differences => "differences",
            Self::GrantIds => "grant-ids",
        }
    }
}

impl Body {
    /// Tells of each piece of a resident page what it is for and how many bytes it takes. They sum
    /// up to the page's length; a part may be told any number of times.
    ///
    /// # Errors
    /// As [`Body::subject`].
    pub fn page_parts(
        &self,
        page: u32,
        mut told: impl FnMut(PagePart, usize),
    ) -> Result<(), Error> {
        let page = self.page(page)?;
        told(PagePart::Digest, DIGEST_BYTES);
        told(PagePart::Header, PAGE_HEADER_BYTES);
        told(PagePart::Features, 8 * page.features());
        told(PagePart::Slots, 2 * page.records());
        told(PagePart::Ends, 3 * page.items());
        self.heap_parts(&page, &mut told).ok_or(refusal::VALUE)
    }

    fn heap_parts(&self, page: &Page<'_>, told: &mut impl FnMut(PagePart, usize)) -> Option<()> {
        let counts = [
            (PagePart::Configs, page.configs()),
            (PagePart::Shapes, page.shapes()),
            (PagePart::Plans, page.plans()),
        ];
        let mut item = 0;
        for (part, count) in counts {
            for _ in 0..count {
                told(part, page.item(item)?.len());
                item += 1;
            }
        }
        for record in 0..page.records() {
            let bytes = page.item(item + record)?;
            match page.record(record)? {
                Record::Alias { .. } => told(PagePart::Aliases, bytes.len()),
                Record::Subject(subject) => self.subject_parts(page, &subject, bytes, told)?,
            }
        }
        Some(())
    }

    fn subject_parts(
        &self,
        page: &Page<'_>,
        subject: &SubjectBytes<'_>,
        bytes: &[u8],
        told: &mut impl FnMut(PagePart, usize),
    ) -> Option<()> {
        let mut reader = Reader::new(bytes);
        let id_bytes = reader.count(ID_BYTES_MAX)?;
        reader.take(id_bytes)?;
        let (behind_id, own) = (reader.rest().len(), subject.parts.rest().len());
        told(PagePart::Ids, bytes.len() - behind_id);
        told(PagePart::PlanNumbers, behind_id - own);
        let mut lengths = own;
        for index in (0..subject.entries()).filter(|index| subject.is_marked(*index)) {
            let entry = page.entry(subject, index)?;
            lengths -= entry.own.len();
            self.own_parts(&entry, told)?;
        }
        told(PagePart::OwnLengths, lengths);
        Some(())
    }

    fn own_parts(
        &self,
        entry: &EntryBytes<'_>,
        told: &mut impl FnMut(PagePart, usize),
    ) -> Option<()> {
        let marks = entry.own.iter().position(|group| *group < 0x80)? + 1;
        let mut fields = Fields::new(entry.shape, entry.own)?;
        fields.program(self.usage_as_of, &mut blank_program(), &mut |_| ())?;
        let ids = fields.end()?.len();
        told(PagePart::Marks, marks);
        told(PagePart::Differences, entry.own.len() - marks - ids);
        told(PagePart::GrantIds, ids);
        Some(())
    }
}
