//! Looking at a body as a whole, and at a page as a whole.

use super::Body;
use crate::error::Error;
use crate::snapshot::subject::Subject;
use crate::snapshot::{Counts, Digest, refusal, tree};

impl Body {
    /// Verifies everything: each part, each page's tree over its subjects, and the counts.
    ///
    /// # Errors
    /// The code of the first thing that is wrong.
    pub fn verify(&self) -> Result<(), Error> {
        let mut counts = Counts::default();
        for page in 0..self.pages() {
            counts += self.verify_page(page)?;
        }
        self.verify_counts(counts)
    }

    /// The digests of all subjects of a subject's page, and which of them is its own.
    pub(in crate::snapshot) fn leaves_around(
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

    /// The digests of the nodes on the way to a page, from the root downwards, each with the entry
    /// that leads on.
    pub(in crate::snapshot) fn nodes_to(
        &self,
        page: u32,
    ) -> Result<Vec<(Vec<Digest>, usize)>, Error> {
        let mut expected = self.parts.root();
        let mut way = Vec::new();
        for level in 0..self.parts.levels.levels() {
            let (node, entry) = self.parts.levels.way(level, page);
            let entries = tree::entries(self.parts.node(level, node, expected)?);
            expected = *entries.get(entry).ok_or(refusal::BOUNDS)?;
            way.push((entries, entry));
        }
        Ok(way)
    }
}
