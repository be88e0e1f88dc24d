//! A whole snapshot in one file: its head and its pack, one after the other.
//!
//! `EGB1`, the length of the head as a little-endian u32, the head, the pack. The frame is not
//! signed and needs not be: head and pack are verified as if they had come alone.

use crate::error::Error;
use crate::snapshot::Slice;
use crate::trust::HEAD_BYTES_MAX;

const MAGIC: [u8; 4] = *b"EGB1";
const PREFIX: usize = 8;

/// Puts a head and a pack into one file.
///
/// ```
/// use edgegrant::gate::{bundle, unbundle};
///
/// let file = bundle(b"head", b"pack");
/// assert_eq!(unbundle(file)?, (b"head".to_vec(), b"pack".to_vec()));
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[must_use]
pub fn bundle(head: &[u8], pack: &[u8]) -> Vec<u8> {
    [&frame(head), head, pack].concat()
}

/// What stands before the head.
pub(super) fn frame(head: &[u8]) -> Vec<u8> {
    let length = u32::try_from(head.len()).unwrap_or(u32::MAX);
    [MAGIC, length.to_le_bytes()].concat()
}

/// Takes a file apart into head and pack; the pack keeps the file's memory.
///
/// # Errors
/// `bundle-malformed` when the file does not begin as a bundle does, or ends within its head, and
/// for a slice `snapshot-is-slice`.
pub fn unbundle(mut file: Vec<u8>) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let head = unbundle_head(&file)?.to_vec();
    file.drain(..PREFIX + head.len());
    Ok((head, file))
}

/// The head of a snapshot in one file. The front of the file is enough if it is as long as a slice
/// may be; the pack begins 8 bytes further on than the head is long.
///
/// # Errors
/// As [`unbundle`].
pub fn unbundle_head(file: &[u8]) -> Result<&[u8], Error> {
    if Slice::read(file).is_ok() {
        return Err(SLICE);
    }
    let (magic, rest) = file.split_first_chunk().ok_or(MALFORMED)?;
    let (length, rest) = rest.split_first_chunk().ok_or(MALFORMED)?;
    let length = u32::from_le_bytes(*length) as usize;
    if *magic != MAGIC || length > HEAD_BYTES_MAX {
        return Err(MALFORMED);
    }
    rest.get(..length).ok_or(MALFORMED)
}

const SLICE: Error = Error::new(
    "snapshot-is-slice",
    "the bytes are the slice of one subject; open it with `openSlice` of `edgegrant/browser`, or \
     give the gate a whole snapshot",
);
const MALFORMED: Error = Error::new(
    "bundle-malformed",
    "the bytes are no snapshot in one file; give what `edgegrant publish --bundle` wrote, or the \
     head and the pack apart",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_refused() {
        let whole = bundle(b"head", b"");
        for length in 0..whole.len() {
            let cut = whole.iter().copied().take(length).collect();
            assert_eq!(unbundle(cut), Err(MALFORMED), "{length}");
        }
        let long = bundle(&[0; HEAD_BYTES_MAX + 1], b"");
        for other in [b"EGB2\0\0\0\0".to_vec(), b"EGB1\xff\xff\xff\xff".to_vec(), long] {
            assert_eq!(unbundle(other), Err(MALFORMED));
        }
        assert_eq!(unbundle(bundle(b"", b"")), Ok((Vec::new(), Vec::new())));
    }
}
