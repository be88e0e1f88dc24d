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
        for index in 0..self.parts.levels.pages() as u32 {
            let subjects = self.subjects_of(index, self.page(index)?);
            let having = subjects.filter(|subject| subject.entry(feature).is_some());
            records.extend(having.map(|subject| subject.place().record));
            ends.push(records.len() as u32);
        }
        Ok(Holders { records: records.into(), ends: ends.into() })
    }
}

impl Holders {
    /// The places from one on.
    pub fn from(&self, first: Place) -> impl Iterator<Item = Place> {
        let skipped = first.page as usize;
        let mut start = skipped.checked_sub(1).map_or(0, |before| self.end(before));
        // The pages end first, so that their numbers never run over.
        let pages = self.ends.iter().skip(skipped).zip(first.page..);
        let places = pages.flat_map(move |(end, page)| {
            let records = self.records.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            records.iter().map(move |record| Place { page, record: *record })
        });
        places.skip_while(move |place| *place < first)
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
