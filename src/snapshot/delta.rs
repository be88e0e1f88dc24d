//! What one body has and an earlier one has not, in one file.
//!
//! The file is not signed and need not be: each part in it is verified as if it had come alone.

use super::bytes::{Reader, put_u32};
use super::layout::{DELTA_MAGIC, DELTA_PART_HEADER_BYTES, PAGE_BYTES_MAX};
use super::patch::patched;
use super::patch_write::diff;
use super::pieces::Pieces;
use super::{Digest, Encoded, Part, Roots, refusal};
use crate::error::Error;

/// The file name of the delta from one body to another.
///
/// ```
/// use edgegrant::snapshot::{Digest, Roots, delta_name};
///
/// let from = Roots { root: Digest([1; 32]), catalogue: Digest([2; 32]), pack_length: 0 };
/// let to = Roots { root: Digest([3; 32]), ..from };
/// assert_eq!(delta_name(&from, &to), format!("{}-{}", from.pack_name(), to.pack_name()));
/// ```
#[must_use]
pub fn delta_name(from: &Roots, to: &Roots) -> String {
    format!("{}-{}", from.pack_name(), to.pack_name())
}

impl Encoded {
    /// The parts, what names others before what it names: the catalogue, the nodes from the root
    /// downwards, the pages.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &Part> {
        core::iter::once(&self.catalogue).chain(&self.nodes).chain(&self.pages)
    }

    /// The delta from an earlier body, which has the parts that `has` knows. `earlier` gives what
    /// it has in a place, counted in the order of [`Encoded::parts`], where that is to be had and
    /// the two bodies have as many pages; what is shorter as a patch of that is told so.
    #[must_use]
    pub fn delta(
        &self,
        has: impl Fn(&Digest) -> bool,
        earlier: impl Fn(usize) -> Option<Vec<u8>>,
    ) -> Vec<u8> {
        let mut delta = DeltaWriter::default();
        for (part, place) in self.parts().zip(0..).filter(|(part, _)| !has(&part.digest)) {
            delta.put(&part.digest, &part.bytes, earlier(place).as_deref());
        }
        delta.bytes
    }
}

/// Writes a delta part by part, in the order of [`Encoded::parts`].
pub struct DeltaWriter {
    bytes: Vec<u8>,
}

impl Default for DeltaWriter {
    fn default() -> Self {
        Self { bytes: DELTA_MAGIC.to_vec() }
    }
}

impl DeltaWriter {
    /// Puts a part that the earlier body has not, as a patch of what it has in its place where that
    /// is shorter.
    ///
    /// ```
    /// use edgegrant::snapshot::{DeltaWriter, Digest};
    ///
    /// let mut delta = DeltaWriter::default();
    /// delta.put(&Digest([1; 32]), b"part", None);
    /// assert_eq!(delta.bytes().len(), 4 + 32 + 4 + 4);
    /// ```
    pub fn put(&mut self, name: &Digest, part: &[u8], earlier: Option<&[u8]>) {
        let patch = earlier.map(|old| diff(old, part)).filter(|patch| patch.len() < part.len());
        self.bytes.extend_from_slice(&name.0);
        let bytes = patch.as_deref().unwrap_or(part);
        put_u32(&mut self.bytes, bytes.len() << 1 | usize::from(patch.is_some()));
        self.bytes.extend_from_slice(bytes);
    }

    /// What was written so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A part of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeltaPart<'a> {
    /// The name of the part.
    pub name: Digest,
    /// Its bytes, or how to make them of what the earlier body has in its place.
    pub bytes: &'a [u8],
    /// Which of the two they are.
    pub is_patch: bool,
}

impl DeltaPart<'_> {
    /// The part, where an earlier body has `base` in its place; not verified.
    ///
    /// # Errors
    /// `delta-malformed` for a patch that cannot be one of that base.
    pub fn of(&self, base: &[u8]) -> Result<Vec<u8>, Error> {
        let made =
            if self.is_patch { patched(base, self.bytes) } else { Some(self.bytes.to_vec()) };
        made.ok_or(refusal::DELTA)
    }
}

/// Reads a delta as it arrives, in chunks that may be cut anywhere.
#[derive(Default)]
pub struct DeltaReader {
    pieces: Pieces,
    at: At,
}

/// What comes next.
#[derive(Clone, Copy, Default)]
enum At {
    #[default]
    Magic,
    Header,
    Part {
        name: Digest,
        length: usize,
        is_patch: bool,
    },
}

impl DeltaReader {
    /// Gives every part that a chunk completes to `take`, in the order of the file.
    ///
    /// # Errors
    /// `delta-malformed` for a file that is no delta, and whatever `take` refuses.
    ///
    /// ```
    /// use edgegrant::snapshot::{DeltaPart, DeltaReader};
    ///
    /// let mut reader = DeltaReader::default();
    /// let mut parts = Vec::new();
    /// let mut keep = |part: DeltaPart<'_>| Ok(parts.push((part.name, part.bytes.to_vec())));
    /// reader.feed(b"EG", &mut keep)?;
    /// reader.feed(b"D\x01", &mut keep)?;
    /// assert!(parts.is_empty() && reader.is_complete());
    /// # Ok::<(), edgegrant::Error>(())
    /// ```
    pub fn feed(
        &mut self,
        mut chunk: &[u8],
        mut take: impl FnMut(DeltaPart<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while let Some(piece) = self.pieces.next(self.at.length(), &mut chunk) {
            self.at = match self.at {
                At::Magic if piece == DELTA_MAGIC => At::Header,
                At::Magic => return Err(refusal::DELTA),
                At::Header => header(piece).ok_or(refusal::DELTA)?,
                At::Part { name, is_patch, .. } => {
                    take(DeltaPart { name, bytes: piece, is_patch })?;
                    At::Header
                }
            };
        }
        Ok(())
    }

    /// Whether the chunks so far are a whole file.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self.at, At::Header) && self.pieces.is_empty()
    }
}

impl At {
    const fn length(self) -> usize {
        match self {
            Self::Magic => DELTA_MAGIC.len(),
            Self::Header => DELTA_PART_HEADER_BYTES,
            Self::Part { length, .. } => length,
        }
    }
}

/// The name of a part, how long what follows is, which is never longer than a page may be, and
/// whether that is a patch.
fn header(piece: &[u8]) -> Option<At> {
    let mut reader = Reader::new(piece);
    let name = Digest(*reader.array()?);
    let told = usize::try_from(reader.u32()?).ok()?;
    let (length, is_patch) = (told >> 1, told & 1 == 1);
    (length <= PAGE_BYTES_MAX).then_some(At::Part { name, length, is_patch })
}
