//! Who has an entitlement to a feature: the way back from features to subjects.

use super::{Body, Place};
use crate::error::Error;
use crate::snapshot::Feature;

/// The places of all subjects that have an entitlement to a feature, in the order of the body that
/// made the list, which alone can read it.
///
/// It takes two bytes for each of them and four for each page of the body.
pub struct Holders {
    /// The records, page by page.
    records: Box<[u16]>,
    /// Where the records of each page end.
    ends: Box<[u32]>,
}

impl Body {
    /// Lists who has an entitlement to a feature. Every page is looked at for that, so this takes
    /// as long as to walk over all subjects.
    ///
    /// # Errors
    /// The code of what is wrong with a page, such as `not-resident`.
    pub fn holders(&self, feature: &Feature<'_>) -> Result<Holders, Error> {
        let (mut records, mut ends) = (Vec::new(), Vec::new());
        for index in 0..self.pages() {
            for subject in self.subjects_of(index, self.page(index)?) {
                if subject.entry(feature).is_some() {
                    records.push(subject.place().record);
                }
            }
            ends.push(records.len() as u32);
        }
        Ok(Holders { records: records.into(), ends: ends.into() })
    }
}

impl Holders {
    /// The first place at one or behind it; `None` at the end.
    #[must_use]
    pub fn first_from(&self, Place { page, record }: Place) -> Option<Place> {
        let page = page as usize;
        let start = page.checked_sub(1).map_or(0, |before| self.end(before));
        let own = self.records.get(start..self.end(page))?;
        // What is left of the page, and the first of the pages behind it, lie side by side.
        let found = start + own.partition_point(|held| *held < record);
        let record = *self.records.get(found)?;
        let page = self.ends.partition_point(|end| *end as usize <= found);
        Some(Place { page: page as u32, record })
    }

    fn end(&self, page: usize) -> usize {
        self.ends.get(page).map_or(self.records.len(), |end| *end as usize)
    }

    /// What the list takes in memory, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        size_of_val(&*self.records) + size_of_val(&*self.ends)
    }
}
