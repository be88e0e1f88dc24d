//! An allocator that counts, and the most that reading may take.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What reading may take whatever it reads, in bytes.
const BASE: usize = 64 * 1024;
/// What it may take for each byte that it reads. The widest gap between bytes and memory is a grant
/// of a program: a dozen bytes for 300.
const PER_BYTE: usize = 64;

/// Reads `length` bytes of input within the cap.
///
/// # Panics
/// When more memory was in use at one time.
pub fn reading<T>(length: usize, read: impl FnOnce() -> T) -> T {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let outcome = read();
    let taken = ALLOCATOR.peak_usage().saturating_sub(before);
    let cap = BASE + PER_BYTE * length;
    assert!(taken <= cap, "reading {length} bytes took {taken} bytes of memory, more than {cap}");
    outcome
}
