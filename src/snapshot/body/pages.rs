//! A body page by page, for whoever looks through all of it and need not hold all of it.

use super::Body;
use super::parts::Spot;
use super::slot::Slot;
use crate::error::Error;
use crate::snapshot::bytes::known_text;
use crate::snapshot::page::Record;
use crate::snapshot::subject::Subject;
use crate::snapshot::{Counts, Digest, refusal, tree};

impl Body {
    /// How many pages there are; they are counted from 0.
    #[must_use]
    pub const fn pages(&self) -> u32 {
        1 << self.catalogue.page_bits()
    }

    /// The name of the part that has to be fetched next for a page to be resident; `None` once it
    /// is.
    ///
    /// # Errors
    /// `snapshot-bounds` for a page that there is not.
    pub fn page_needs(&self, page: u32) -> Result<Option<Digest>, Error> {
        Ok(self.missing_for(page)?.map(|(_, name)| name))
    }

    /// Takes the part that a page needs next, verified and validated.
    ///
    /// # Errors
    /// As [`Body::keep`].
    pub fn keep_for_page(&mut self, page: u32, bytes: &[u8]) -> Result<(), Error> {
        let Some((spot, name)) = self.missing_for(page)? else { return Ok(()) };
        self.look_at(spot, name, bytes)?;
        self.parts.put(spot, Slot::verified(bytes));
        Ok(())
    }

    /// Lets go of a page.
    pub fn drop_page(&mut self, page: u32) {
        self.parts.drop_page(page);
    }

    /// The name of a page whose nodes are resident.
    ///
    /// # Errors
    /// `not-resident`, and what is wrong with a node above it.
    pub fn page_name(&self, page: u32) -> Result<Digest, Error> {
        self.parts.expected(Spot::Page(page))
    }

    /// The length of a resident page in bytes.
    ///
    /// # Errors
    /// As [`Body::subject`].
    pub fn page_length(&self, page: u32) -> Result<usize, Error> {
        self.page(page)?;
        Ok(self.parts.page(page).map_or(0, Slot::length))
    }

    /// How many nodes there are above the pages, and their bytes.
    #[must_use]
    pub fn node_sizes(&self) -> (u64, u64) {
        let levels = self.parts.levels;
        (levels.nodes() as u64, levels.bytes() as u64)
    }

    /// The subjects of a resident page.
    ///
    /// # Errors
    /// As [`Body::subject`].
    pub fn subjects_in(&self, page: u32) -> Result<impl Iterator<Item = Subject<'_>>, Error> {
        Ok(self.subjects_of(page, self.page(page)?))
    }

    /// The aliases of a resident page, each with the id of its subject.
    ///
    /// # Errors
    /// As [`Body::subject`].
    pub fn aliases_in(&self, page: u32) -> Result<impl Iterator<Item = (&str, &str)>, Error> {
        let page = self.page(page)?;
        Ok((0..page.records()).filter_map(move |index| match page.record(index)? {
            Record::Alias { id, target } => Some((known_text(id), known_text(target))),
            Record::Subject(_) => None,
        }))
    }

    /// The id of the subject that an alias is for, or `None` where the page proves that there is no
    /// such alias.
    ///
    /// # Errors
    /// As [`Body::subject`].
    pub fn alias(&self, id: &str) -> Result<Option<&str>, Error> {
        match self.find(id.as_bytes())? {
            Some((_, _, Record::Alias { target, .. })) => Ok(Some(known_text(target))),
            _ => Ok(None),
        }
    }

    /// Verifies a resident page and its tree over its subjects, and counts what it holds.
    ///
    /// # Errors
    /// The code of the first thing that is wrong.
    pub fn verify_page(&self, index: u32) -> Result<Counts, Error> {
        let page = self.page(index)?;
        let mut leaves = Vec::with_capacity(page.records());
        let mut entitlements = 0;
        for subject in self.subjects_of(index, page) {
            entitlements += subject.entries().count() as u64;
            leaves.push(subject.leaf()?);
        }
        let subjects = leaves.len() as u64;
        let aliases = page.records() as u64 - subjects;
        if Some(&tree::root(leaves).0) != page.subjects_root() {
            return Err(refusal::DIGEST);
        }
        Ok(Counts { subjects, aliases, entitlements })
    }

    /// Whether the catalogue counts what the pages hold.
    ///
    /// # Errors
    /// `snapshot-counts` when it does not.
    pub fn verify_counts(&self, counts: Counts) -> Result<(), Error> {
        if counts == self.catalogue.counts() { Ok(()) } else { Err(refusal::COUNTS) }
    }
}
