//! Making a subject's page resident, and letting others go.

use super::Body;
use super::parts::Spot;
use super::slot::Slot;
use crate::error::Error;
use crate::snapshot::hash::page_of;
use crate::snapshot::{Digest, refusal, tree, validate};

impl Body {
    /// The name of the part that has to be fetched next to answer for a subject; `None` once there
    /// is an answer, also that there is no such subject. An alias leads on to its subject's page.
    ///
    /// # Errors
    /// `snapshot-bounds`; not after the parts were verified.
    pub fn needs(&self, id: &str) -> Result<Option<Digest>, Error> {
        Ok(self.missing_for(self.page_ahead(id)?)?.map(|(_, name)| name))
    }

    /// The page that a subject's own page leads on to, if it does and is there, or else that page.
    fn page_ahead(&self, id: &str) -> Result<u32, Error> {
        let own = self.page_of(id);
        if self.missing_for(own)?.is_some() {
            return Ok(own);
        }
        Ok(self.alias(id)?.map_or(own, |target| self.page_of(target)))
    }

    fn page_of(&self, id: &str) -> u32 {
        page_of(self.catalogue.seed().place(id), self.catalogue.page_bits())
    }

    /// The first part on the way to a page that is not there, or is bad.
    pub(super) fn missing_for(&self, page: u32) -> Result<Option<(Spot, Digest)>, Error> {
        let levels = self.parts.levels;
        let mut name = self.parts.root();
        for level in 0..levels.levels() {
            let (node, entry) = levels.way(level, page);
            let Ok(bytes) = self.parts.node(level, node, name) else {
                return Ok(Some((Spot::Node { level, node }, name)));
            };
            name = tree::entry(bytes, entry).ok_or(refusal::BOUNDS)?;
        }
        Ok(self.page(page).is_err().then_some((Spot::Page(page), name)))
    }

    /// Takes the part that a subject needs next, verified and validated, and lets go of pages that
    /// nobody asked for lately until all parts together take at most `resident_bytes_max`. A part
    /// that is not needed, because the body is another one by now, is left aside. Gives the page
    /// that is resident from now on, if the part is one.
    ///
    /// # Errors
    /// `snapshot-digest` for a part that is not what its name says, and the codes of
    /// [`Body::verify`] for a page that makes no sense; nothing has changed then.
    pub fn keep(
        &mut self,
        id: &str,
        name: Digest,
        bytes: &[u8],
        resident_bytes_max: usize,
    ) -> Result<Option<u32>, Error> {
        let page = self.page_ahead(id)?;
        let Some((spot, _)) = self.missing_for(page)?.filter(|(_, needed)| *needed == name) else {
            return Ok(None);
        };
        self.look_at(spot, name, bytes)?;
        self.parts.put(spot, Slot::verified(bytes));
        // An alias needs both pages at once.
        self.evict(resident_bytes_max, &[self.page_of(id), page]);
        Ok(if let Spot::Page(page) = spot { Some(page) } else { None })
    }

    /// Whether a part is what its name says and makes sense.
    pub(super) fn look_at(&self, spot: Spot, name: Digest, bytes: &[u8]) -> Result<(), Error> {
        match spot {
            Spot::Node { level, .. } => self.parts.look_at_node(level, bytes, name),
            Spot::Page(index) if tree::page(bytes) == Some(name) => {
                validate::page(bytes, index, &self.catalogue, self.usage_as_of).map(|_| ())
            }
            Spot::Page(_) | Spot::Catalogue => Err(refusal::DIGEST),
        }
    }

    /// Lets go of pages until the parts take no more than `resident_bytes_max`: a page that was
    /// asked for since eviction last passed by gets a second chance, and those that are `spared`
    /// stay.
    pub fn evict(&mut self, resident_bytes_max: usize, spared: &[u32]) {
        if self.parts.resident_bytes <= resident_bytes_max {
            return;
        }
        self.parts.drop_empty_groups(spared);
        let last = self.parts.levels.pages() as u32 - 1;
        let mut laps = 0;
        while self.parts.resident_bytes > resident_bytes_max && laps < 3 {
            let Some(page) = self.parts.resident_in(self.hand, last) else {
                self.hand = 0;
                laps += 1;
                continue;
            };
            self.hand = page + 1;
            let touched = self.parts.page(page).is_some_and(Slot::take_touch);
            if !touched && !spared.contains(&page) {
                self.parts.drop_page(page);
            }
        }
    }

    /// Makes pages that still hang on pages of an earlier body, about so many bytes of them, and
    /// lets go of those. Whether any are left. Until none are, a page that is asked for is made
    /// then.
    pub fn settle(&mut self, bytes: usize) -> bool {
        self.parts.settle(bytes)
    }

    /// What nodes and pages take in memory, in bytes, with the room for them.
    #[must_use]
    pub const fn resident_bytes(&self) -> usize {
        self.parts.resident_bytes
    }
}
