//! The bytes: a catalogue, pages of subjects, and a tree of digests above them.
//!
//! `docs/FORMAT.md` describes every byte. Nothing here knows keys, signatures or clocks: whoever
//! opens a body brings the digests that a verified head names.

mod encode;
mod records;

pub use encode::{Encoded, Part, Settings, encode};
pub use records::{EntitlementRecord, FeatureRecord, SubjectRecord, WhenExpired};

/// The digests and lengths by which a head names a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roots {
    /// The digest of the root node.
    pub root: Digest,
    /// The digest of the catalogue.
    pub catalogue: Digest,
    /// The length of the pack in bytes.
    pub pack_length: u64,
}

/// The name of some bytes: 32 bytes of SHA-512/256, shown as lower-case hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl core::fmt::Display for Digest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
