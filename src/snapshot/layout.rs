//! Every number that the reader and the writer must agree on, and every limit.
//!
//! All integers are little-endian. `docs/FORMAT.md` says what they mean.

/// The version of the format, the fourth byte of every part that has a magic.
pub(super) const FORMAT: u8 = 1;
pub(super) const PACK_MAGIC: [u8; 4] = [b'E', b'G', b'B', FORMAT];
pub(super) const CATALOGUE_MAGIC: [u8; 4] = [b'E', b'G', b'C', FORMAT];
pub(super) const PAGE_MAGIC: [u8; 4] = [b'E', b'G', b'P', FORMAT];
pub(super) const RECORD_MAGIC: [u8; 4] = [b'E', b'G', b'R', FORMAT];
pub(super) const SLICE_MAGIC: [u8; 4] = [b'E', b'G', b'S', FORMAT];
pub(super) const DELTA_MAGIC: [u8; 4] = [b'E', b'G', b'D', FORMAT];

pub(super) const DIGEST_BYTES: usize = 32;
pub(super) const PEPPER_BYTES: usize = 16;
pub(super) const SALT_BYTES: usize = 16;

/// Prefixes that keep hashes of different things apart.
pub(super) const PREFIX_PAGE: &[u8] = &[0];
pub(super) const PREFIX_PAIR: &[u8] = &[1];
pub(super) const PREFIX_SUBJECT: &[u8] = &[2];
pub(super) const PREFIX_PEPPER: &[u8] = &[3];
pub(super) const PREFIX_SALT: &[u8] = &[4];

/// The binary logarithm of the entries of a node.
pub(super) const NODE_BITS: u8 = 8;
/// The most page bits: 16,777,216 pages.
pub(super) const PAGE_BITS_MAX: u8 = 24;
/// The largest mean of pages that the writer chooses, and the means with which it stays.
pub(super) const PAGE_BYTES_CHOSEN: u64 = 8 * 1024;
pub(super) const PAGE_BYTES_KEPT: core::ops::RangeInclusive<u64> = 3 * 1024..=12 * 1024;

/// What a subject takes at least in a page: slot, end, the length of an id of one byte, and a plan.
pub(super) const SUBJECT_BYTES_MIN: u64 = 2 + 3 + 2 + 1;

pub(super) const CATALOGUE_BYTES_MAX: usize = 256 * 1024;
pub(super) const PAGE_BYTES_MAX: usize = 1024 * 1024;
pub(super) const PACK_BYTES_MAX: u64 = u32::MAX as u64;
/// One subject with its keys, shapes and configs written out.
pub(super) const RECORD_BYTES_MAX: usize = 256 * 1024;
/// All records of a page written out: what a small page may grow to in memory.
pub(super) const PAGE_EXPANDED_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(super) const ID_BYTES_MAX: usize = 256;
pub(super) const KEY_BYTES_MAX: usize = 128;
pub(super) const UNIT_BYTES_MAX: usize = 128;
pub(super) const GRANT_ID_BYTES_MAX: usize = 128;
pub(super) const CONFIG_BYTES_MAX: usize = 64 * 1024;
/// A slice: a head, a record and two paths.
pub(super) const SLICE_BYTES_MAX: usize = RECORD_BYTES_MAX + 8 * 1024;
pub(super) const SLICE_HEAD_BYTES_MAX: usize = 1024;
/// The longest path within a page, which has at most 65,535 records.
pub(super) const SUBJECT_STEPS_MAX: usize = 16;
pub(super) const ENTITLEMENTS_MAX: usize = 4096;
pub(super) const GRANTS_MAX: usize = 4096;
pub(super) const STRETCHES_MAX: usize = 16_384;

/// Of a feature's row: its hash and where its text ends.
pub(super) const FEATURE_ROW_BYTES: usize = 8 + 4;

/// Of a page's body: magic, pepper, page bits, index and five counts of 2 bytes.
pub(super) const PAGE_HEADER_BYTES: usize = 4 + PEPPER_BYTES + 1 + 4 + 10;
/// Where the counts of a page stand.
pub(super) const PAGE_COUNTS_AT: usize = DIGEST_BYTES + PAGE_HEADER_BYTES - 10;
/// Of a plan's entry: feature and shape.
pub(super) const PLAN_ENTRY_BYTES: usize = 4;

/// Of a pack: magic and the length of the catalogue.
pub(super) const PACK_HEADER_BYTES: usize = 4 + 4;

/// Of a part in a delta: its digest and how it is told.
pub(super) const DELTA_PART_HEADER_BYTES: usize = DIGEST_BYTES + 4;

/// The steps of a patch, the two lowest bits of each.
pub(super) const PATCH_INSERT: u64 = 0;
pub(super) const PATCH_COPY: u64 = 1;
pub(super) const PATCH_MOVE: u64 = 2;
pub(super) const PATCH_SHIFT: u64 = 3;
/// Of a number that a patch shifts: an end in a page's table is as wide.
pub(super) const NUMBER_BYTES: usize = 3;
