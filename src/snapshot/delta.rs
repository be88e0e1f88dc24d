//! What one body has and an earlier one has not, in one file.
//!
//! The file is not signed and need not be: each part in it is verified as if it had come alone.

use super::bytes::{Reader, put_u32};
use super::layout::{DELTA_MAGIC, DELTA_PART_HEADER_BYTES, PAGE_BYTES_MAX};
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

    /// The delta from the body that has the parts that `has` knows.
    #[must_use]
    pub fn delta(&self, has: impl Fn(&Digest) -> bool) -> Vec<u8> {
        let mut file = DELTA_MAGIC.to_vec();
        for part in self.parts().filter(|part| !has(&part.digest)) {
            file.extend_from_slice(&part.digest.0);
            put_u32(&mut file, part.bytes.len());
            file.extend_from_slice(&part.bytes);
        }
        file
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
    Part(Digest, usize),
}

impl DeltaReader {
    /// Gives every part that a chunk completes to `part`, in the order of the file.
    ///
    /// # Errors
    /// `delta-malformed` for a file that is no delta, and whatever `part` refuses.
    ///
    /// ```
    /// use edgegrant::snapshot::DeltaReader;
    ///
    /// let mut reader = DeltaReader::default();
    /// let mut parts = Vec::new();
    /// let mut keep = |digest, bytes: &[u8]| Ok(parts.push((digest, bytes.to_vec())));
    /// reader.feed(b"EG", &mut keep)?;
    /// reader.feed(b"D\0", &mut keep)?;
    /// assert!(parts.is_empty() && reader.is_complete());
    /// # Ok::<(), edgegrant::Error>(())
    /// ```
    pub fn feed(
        &mut self,
        mut chunk: &[u8],
        mut part: impl FnMut(Digest, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while let Some(piece) = self.pieces.next(self.at.length(), &mut chunk) {
            self.at = match self.at {
                At::Magic if piece == DELTA_MAGIC => At::Header,
                At::Magic => return Err(refusal::DELTA),
                At::Header => header(piece).ok_or(refusal::DELTA)?,
                At::Part(digest, _) => {
                    part(digest, piece)?;
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
            Self::Part(_, length) => length,
        }
    }
}

/// The name and the length of a part, which is never longer than a page may be.
fn header(piece: &[u8]) -> Option<At> {
    let mut reader = Reader::new(piece);
    let digest = Digest(*reader.array()?);
    let length = usize::try_from(reader.u32()?).ok()?;
    (length <= PAGE_BYTES_MAX).then_some(At::Part(digest, length))
}
