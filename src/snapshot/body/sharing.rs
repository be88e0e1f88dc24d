//! What an old and a new body have in common.

use std::rc::Rc;

use super::Body;
use super::parts::Spot;
use super::slot::Slot;
use crate::error::Error;
use crate::snapshot::{Digest, validate};

impl Body {
    /// Shares a part with the present body where both name it alike, and with a lowest node its
    /// pages, which need not be looked at for that. Whether the part is there now.
    pub(super) fn take_over(
        &mut self,
        spot: Spot,
        name: Digest,
        present: Option<&Self>,
    ) -> Result<bool, Error> {
        let alike = |old: &&Self| old.catalogue.places_like(&self.catalogue);
        let Some(old) = present.filter(alike) else { return Ok(false) };
        // What cannot be told of the old one, because a node is missing or bad, is not shared.
        if old.parts.expected(spot) != Ok(name) {
            return Ok(false);
        }
        let levels = self.parts.levels;
        if let Spot::Node { level, node } = spot
            && levels.is_lowest(level)
        {
            let first = levels.first_page(level, node);
            for page in first..first + levels.pages_below(level) as u32 {
                self.share(Spot::Page(page), old)?;
            }
        }
        self.share(spot, old)
    }

    /// A part whose digest did not change is as good as it was, except that a page may have a
    /// feature that the new catalogue lacks.
    fn share(&mut self, spot: Spot, old: &Self) -> Result<bool, Error> {
        let Some(slot) = old.parts.slot(spot).filter(|slot| slot.is_usable()) else {
            return Ok(false);
        };
        if let Spot::Page(index) = spot
            && slot.is_verified()
            && old.roots.catalogue != self.roots.catalogue
        {
            validate::features(&old.page(index)?, &self.catalogue)?;
        }
        self.parts.put(spot, slot.clone());
        Ok(true)
    }

    /// The part that a patch of another body is one of, where this one holds it in the same place.
    /// It need not be looked at, for whatever is made of it will be.
    pub(super) fn base(&self, spot: Spot, of: &Self) -> Option<&Rc<[u8]>> {
        let alike = self.catalogue.places_like(&of.catalogue);
        self.parts.slot(spot).filter(|slot| alike && slot.is_usable())?.bytes()
    }

    /// Whether any page is resident in which subjects stand that another body, with another number
    /// of pages perhaps, has at or below a part.
    pub(super) fn holds_below(&self, spot: Spot, of: &Self) -> bool {
        let levels = of.parts.levels;
        let (first, pages) = match spot {
            Spot::Page(index) => (u64::from(index), 1),
            Spot::Node { level, node } => {
                (u64::from(levels.first_page(level, node)), levels.pages_below(level) as u64)
            }
            Spot::Catalogue => return true,
        };
        if self.catalogue.seed().secret() != of.catalogue.seed().secret() {
            return false;
        }
        let (own, other) = (self.catalogue.page_bits(), of.catalogue.page_bits());
        let (first, last) = match own.checked_sub(other) {
            Some(more) => (first << more, ((first + pages) << more) - 1),
            None => (first >> (other - own), (first + pages - 1) >> (other - own)),
        };
        self.parts.resident_in(first as u32, last as u32).is_some()
    }

    /// Whether all pages below a part are there.
    pub(super) fn is_full_below(&self, spot: Spot) -> bool {
        match spot {
            Spot::Page(_) => self.parts.slot(spot).is_some_and(Slot::is_resident),
            Spot::Node { level, node } => self.parts.is_full(level, node),
            Spot::Catalogue => false,
        }
    }

    /// Whether what is below a node can be told from it.
    pub(super) fn leads_on(&self, spot: Spot, name: Digest) -> bool {
        let Spot::Node { level, node } = spot else { return false };
        self.parts.node(level, node, name).is_ok()
    }
}
