//! A part told as what changed in another part.
//!
//! A patch is not believed: whoever applies one verifies what comes out as if it had come alone.

use super::bytes::{Reader, unzigzag};
use super::layout::{NUMBER_BYTES, PAGE_BYTES_MAX, PATCH_COPY, PATCH_INSERT, PATCH_MOVE};

/// What a patch makes of a base, not verified; `None` where it cannot be one of that base.
///
/// ```
/// use edgegrant::snapshot::patched;
///
/// // 9 bytes: 4 of the base, then the 5 that follow.
/// let patch = [&[9, 4 << 2 | 1, 5 << 2], b"patch".as_slice()].concat();
/// assert_eq!(patched(b"the base", &patch).as_deref(), Some(b"the patch".as_slice()));
/// assert_eq!(patched(b"the", &patch), None);
/// ```
#[must_use]
pub fn patched(base: &[u8], patch: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(patch);
    let length = reader.count(PAGE_BYTES_MAX)?;
    let mut out = Vec::with_capacity(length);
    let mut at = 0_usize;
    while !reader.is_empty() {
        let step = reader.varint()?;
        let (kind, count) = (step & 3, step >> 2);
        if kind == PATCH_MOVE {
            at = at.checked_add_signed(isize::try_from(unzigzag(count)).ok()?)?;
            continue;
        }
        let unit = if kind > PATCH_MOVE { NUMBER_BYTES } else { 1 };
        let bytes = usize::try_from(count).ok()?.checked_mul(unit)?;
        // Asked before anything is copied, so that memory is bounded by what was announced.
        if bytes > length - out.len() {
            return None;
        }
        let end = at.checked_add(bytes)?;
        match kind {
            PATCH_INSERT => out.extend_from_slice(reader.take(bytes)?),
            PATCH_COPY => out.extend_from_slice(base.get(at..end)?),
            _ => shift(base.get(at..end)?, reader.varint()?, &mut out),
        }
        at = end;
    }
    (out.len() == length).then_some(out)
}

/// Numbers of three bytes, each more by the same.
fn shift(numbers: &[u8], by: u64, out: &mut Vec<u8>) {
    for [low, middle, high] in numbers.as_chunks::<NUMBER_BYTES>().0 {
        let number = u32::from_le_bytes([*low, *middle, *high, 0]).wrapping_add(by as u32);
        let [low, middle, high, _] = number.to_le_bytes();
        out.extend_from_slice(&[low, middle, high]);
    }
}
