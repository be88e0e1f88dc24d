//! Why bytes or records are refused, one code for each cause.

use crate::error::Error;

pub(super) const DIGEST: Error = Error::new(
    "snapshot-digest",
    "a part of the snapshot is not what the signed head names; fetch it again",
);
pub(super) const LENGTH: Error = Error::new(
    "snapshot-length",
    "the pack does not have the length that the signed head names; fetch it again",
);
pub(super) const FORMAT: Error = Error::new(
    "snapshot-format",
    "a part of the snapshot has another type or format version; upgrade edgegrant or publish again",
);
pub(super) const BOUNDS: Error = Error::new(
    "snapshot-bounds",
    "something in the snapshot lies outside of its part; publish again and check who publishes",
);
pub(super) const ORDER: Error = Error::new(
    "snapshot-order",
    "something in the snapshot is out of order or there twice; publish again with an unmodified \
     publisher",
);
pub(super) const TEXT: Error = Error::new(
    "snapshot-text",
    "an id, key, unit, config or grant id in the snapshot is empty, too long or no UTF-8",
);
pub(super) const VALUE: Error = Error::new(
    "snapshot-value",
    "an entitlement in the snapshot has a field that cannot be; publish again with an unmodified \
     publisher",
);
pub(super) const MISPLACED: Error = Error::new(
    "snapshot-misplaced",
    "a subject or a page of the snapshot is in a place where nobody would look for it",
);
pub(super) const LIMIT: Error = Error::new(
    "snapshot-limit",
    "a part of the snapshot exceeds a limit of the format; docs/FORMAT.md lists them",
);
pub(super) const NO_PACK: Error = Error::new(
    "snapshot-without-pack",
    "the snapshot exceeds 4 GiB and is in no single file; hold it page by page, with `paged`",
);
pub(super) const COUNTS: Error = Error::new(
    "snapshot-counts",
    "the catalogue counts other numbers than the pages hold; publish again with an unmodified \
     publisher",
);
pub(super) const NOT_RESIDENT: Error = Error::new(
    "not-resident",
    "the part of the snapshot that would say so is not in memory; make the subject resident first",
);
pub(super) const INCOMPLETE: Error = Error::new(
    "snapshot-incomplete",
    "parts of the body that was offered are missing; supply what is wanted before it is accepted",
);
pub(super) const DELTA: Error = Error::new(
    "delta-malformed",
    "the bytes are no delta between two bodies, or not a whole one; fetch the parts one by one",
);
pub(super) const SLICE: Error = Error::new(
    "slice-malformed",
    "the bytes are no slice; a gate and the command line cut them, and pages and packs are none",
);
pub(super) const SNAPSHOT_FOR_SLICE: Error = Error::new(
    "slice-is-snapshot",
    "the bytes are a whole snapshot, which shows every subject; give out the slice of one, as a \
     gate and the command line cut it",
);
pub(super) const SLICE_SUBJECT: Error = Error::new(
    "slice-subject",
    "the slice is for another subject than the one that was named; fetch the right one",
);

pub(super) const ID: Error = Error::new(
    "subject-id-length",
    "a subject id or alias is empty or longer than 256 bytes; shorten it",
);
pub(super) const DUPLICATE_ID: Error = Error::new(
    "subject-id-duplicate",
    "an id or alias names two subjects; ids and aliases together must be unique",
);
pub(super) const FEATURE_KEY: Error = Error::new(
    "feature-key-length",
    "a feature's key or unit is empty or longer than 128 bytes; shorten it",
);
pub(super) const DUPLICATE_FEATURE: Error =
    Error::new("feature-duplicate", "a feature is declared or entitled twice; say it once");
pub(super) const UNDECLARED_FEATURE: Error = Error::new(
    "feature-undeclared",
    "an entitlement names a feature that is not declared; declare it or correct its key",
);
pub(super) const COLLISION: Error = Error::new(
    "feature-collision",
    "two features have the same keyed hash; publish with a new seed",
);
pub(super) const CONFIG: Error =
    Error::new("config-length", "a config is empty or longer than 65536 bytes; shorten it");
pub(super) const GRANT_IDS: Error = Error::new(
    "grant-id-invalid",
    "grant ids are as many as the grants, unique within their entitlement, and 1 to 128 bytes long",
);
pub(super) const PROGRAM: Error = Error::new(
    "program-invalid",
    "a program contradicts itself: a negative amount, an amount beyond 2^53 - 1, an end before its \
     start or instants out of order; correct its facts",
);
pub(super) const TOO_MUCH: Error = Error::new(
    "snapshot-limit",
    "a subject has more than 4096 entitlements, or 4096 grants or 16384 resets of one, or takes \
     more than 256 KiB written out; split it",
);
pub(super) const CATALOGUE_SIZE: Error = Error::new(
    "catalogue-too-large",
    "the features take more than 256 KiB; declare fewer or shorten their keys and units",
);
