//! The bytes: a catalogue, pages of subjects, and a tree of digests above them.
//!
//! `docs/FORMAT.md` describes every byte. Nothing here knows keys, signatures or clocks: whoever
//! opens a body brings the digests that a verified head names.

mod admit;
mod body;
mod bytes;
mod catalogue;
mod check;
mod delta;
mod encode;
mod fields;
mod grant_id;
mod hash;
mod layout;
mod named;
mod outline;
mod packed;
mod page;
mod page_rows;
mod page_write;
mod pages;
mod patch;
mod patch_write;
mod pieces;
mod record;
mod records;
mod refusal;
mod row;
mod sharing;
mod slice;
mod subject;
mod tokens;
mod tree;
mod validate;

pub use admit::{Inadmissible, admit};
pub use body::{Body, Holders, Offered, PackPieces, PagePart, Place, Span, Spans, Stream};
pub use catalogue::{Catalogue, Counts, Feature};
pub use delta::{DeltaPart, DeltaReader, DeltaWriter, delta_name};
pub use encode::{Above, Encoded, Part, Settings, encode, fit};
pub use named::{Tree, is_page};
pub use outline::{Outline, OutlineMetered, OutlineRule, OutlineSteady};
pub use packed::{BUCKETS, PackedEntitlement, Packer, Unit, units};
pub use pages::{PageWriter, Unwritten};
pub use patch::patched;
pub use records::{EntitlementRecord, FeatureRecord, SubjectRecord, WhenExpired};
pub use slice::{Slice, SliceSubject, cut};
pub use subject::{Entry, Subject};

/// The longest part in bytes: a page may be as long.
pub const PART_BYTES_MAX: u64 = layout::PAGE_BYTES_MAX as u64;

/// The digests and lengths by which a head names a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roots {
    /// The digest of the root node, or of the page where there is but one.
    pub root: Digest,
    /// The digest of the catalogue.
    pub catalogue: Digest,
    /// The length of the pack in bytes; also where there is none, see [`Roots::has_pack`].
    pub pack_length: u64,
}

impl Roots {
    /// The file name of the pack: a digest of what it is made of.
    ///
    /// ```
    /// use edgegrant::snapshot::{Digest, Roots};
    ///
    /// let roots = Roots { root: Digest([1; 32]), catalogue: Digest([2; 32]), pack_length: 0 };
    /// assert_eq!(roots.pack_name().len(), 64);
    /// ```
    #[must_use]
    pub fn pack_name(&self) -> String {
        hash::digest(&[&self.root.0, &self.catalogue.0]).to_string()
    }

    /// Whether all parts fit into one file. A larger body is read part by part.
    #[must_use]
    pub const fn has_pack(&self) -> bool {
        self.pack_length <= layout::PACK_BYTES_MAX
    }
}

/// The name of some bytes: 32 bytes of SHA-512/256, shown as lower-case hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl core::fmt::Display for Digest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
