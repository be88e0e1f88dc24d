//! From compiled subjects to the parts of a body.

use super::{Digest, FeatureRecord, Roots, SubjectRecord};
use crate::error::Error;
use crate::time::Instant;

/// What a publisher keeps from one snapshot to the next.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Secret of the tenant: places subjects in pages and salts digests. The publisher draws it
    /// once and keeps it; a new one changes every page.
    pub seed: [u8; 32],
    /// The `usageAsOf` that the head will carry. Programs with this very instant cost no bytes for
    /// it and do not change when only this instant moves.
    pub usage_as_of: Instant,
    /// The page bits of the snapshot before, so that their number changes only when it has to.
    pub previous_page_bits: Option<u8>,
}

/// A part of a body, which is stored under its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name, to which its parent commits.
    pub digest: Digest,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A whole body in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The catalogue.
    pub catalogue: Part,
    /// From the root downwards, each level in order.
    pub nodes: Vec<Part>,
    /// In order of their place; there are `1 << page_bits`.
    pub pages: Vec<Part>,
    /// The binary logarithm of the number of pages.
    pub page_bits: u8,
    /// What the head has to name.
    pub roots: Roots,
    /// Subjects encoded, for the shrink guard.
    pub subjects: u64,
}

impl Encoded {
    /// All parts in one file.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// Encodes a body. The same input gives the same bytes, in whatever order the subjects come.
///
/// # Errors
/// A code for each kind of input that must not be published: duplicates, undeclared features,
/// texts, amounts or instants out of range, and limits that are exceeded.
pub fn encode(
    settings: &Settings,
    features: &[FeatureRecord],
    subjects: Vec<SubjectRecord>,
) -> Result<Encoded, Error> {
    let _ = (settings, features, subjects);
    Err(Error::new("snapshot-not-implemented", "the encoder is not written yet"))
}
