//! A subject written out so that it stands alone: what its salted digest is over, and what a slice
//! carries.

use super::bytes::{Reader, put_part, put_varint};
use super::catalogue::{Feature, policy, policy_byte};
use super::layout::{
    CONFIG_BYTES_MAX, ENTITLEMENTS_MAX, ID_BYTES_MAX, KEY_BYTES_MAX, RECORD_BYTES_MAX,
    RECORD_MAGIC, UNIT_BYTES_MAX,
};
use super::page::EntryBytes;
use super::refusal;
use super::validate::EntryCheck;
use crate::error::Error;
use crate::time::Instant;

/// A record and its entries, each with its feature.
pub(super) struct Record<'a> {
    pub(super) id: &'a str,
    pub(super) entries: Vec<(Feature<'a>, EntryBytes<'a>)>,
}

impl<'a> Record<'a> {
    /// Takes a record apart. `None` when it has another format, or more or less than it should.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.array() != Some(&RECORD_MAGIC) {
            return None;
        }
        let id = reader.text(ID_BYTES_MAX)?;
        let count = reader.count(ENTITLEMENTS_MAX)?;
        let entries = (0..count).map(|_| entry(&mut reader)).collect::<Option<_>>()?;
        reader.is_empty().then_some(Self { id, entries })
    }

    /// Whether keys are in order and every program makes sense.
    pub(super) fn validate(&self, usage_as_of: Instant) -> Result<(), Error> {
        let ordered = self.entries.is_sorted_by(|one, other| one.0.key < other.0.key);
        if !ordered {
            return Err(refusal::ORDER);
        }
        let mut check = EntryCheck::new(Vec::new(), usage_as_of);
        let mut each = self.entries.iter().map(|(_, entry)| check.entry(entry));
        if each.all(|valid| valid.is_some()) { Ok(()) } else { Err(refusal::VALUE) }
    }
}

/// An entitlement with everything written out that it shares with others.
pub(super) struct Line<'a> {
    pub(super) feature: Feature<'a>,
    pub(super) config: Option<&'a [u8]>,
    pub(super) shape: Vec<u8>,
    /// The ids of grants that are not derived.
    pub(super) ids: &'a [u8],
}

/// Writes a subject; its lines may come in any order.
pub(super) fn write(id: &str, lines: &[Line<'_>]) -> Vec<u8> {
    let mut ordered: Vec<&Line<'_>> = Vec::with_capacity(lines.len());
    for line in lines {
        // A sort would take its place in the wasm; most subjects have a handful.
        let at = ordered.partition_point(|before| before.feature.key < line.feature.key);
        ordered.insert(at, line);
    }
    let mut out = Vec::new();
    begin(&mut out, id, ordered.len());
    ordered.into_iter().for_each(|line| put_line(&mut out, line));
    out
}

/// No record begins with more.
pub(super) const BEGUN_BYTES_MAX: usize = RECORD_MAGIC.len() + 2 + ID_BYTES_MAX + 2;

/// What a line takes at most beside its feature's key and unit, its config, its fields and its ids:
/// their lengths, a policy and a group of marks.
pub(super) const LINE_OVERHEAD_BYTES_MAX: usize = 2 + 1 + 2 + 3 + 3 + 3 + 1;

/// Writes what a record begins with, before its lines, which are in the order of their keys.
pub(super) fn begin(out: &mut Vec<u8>, id: &str, lines: usize) {
    out.extend_from_slice(&RECORD_MAGIC);
    put_part(out, id.as_bytes());
    put_varint(out, lines as u64);
}

pub(super) fn put_line(out: &mut Vec<u8>, line: &Line<'_>) {
    let Line { feature, config, shape, ids } = line;
    put_part(out, feature.key.as_bytes());
    out.push(policy_byte(feature.when_expired));
    put_part(out, feature.unit.unwrap_or_default().as_bytes());
    put_part(out, config.unwrap_or_default());
    put_part(out, shape);
    if ids.is_empty() {
        out.push(0);
    } else {
        // One group of marks, none of them set, stands before the ids.
        put_varint(out, ids.len() as u64 + 1);
        out.push(0);
        out.extend_from_slice(ids);
    }
}

fn entry<'a>(reader: &mut Reader<'a>) -> Option<(Feature<'a>, EntryBytes<'a>)> {
    let key = reader.text(KEY_BYTES_MAX)?;
    let when_expired = policy(reader.byte()?)?;
    let unit = optional(reader, UNIT_BYTES_MAX)?;
    let config = optional(reader, CONFIG_BYTES_MAX)?;
    let shape_bytes = reader.count(RECORD_BYTES_MAX)?;
    let shape = reader.take(shape_bytes)?;
    let own_bytes = reader.count(RECORD_BYTES_MAX)?;
    let own = reader.take(own_bytes)?;
    // Pages find features by hash; a record is short enough to look through.
    let feature = Feature { place: 0, key, unit, when_expired };
    Some((feature, EntryBytes { config: config.map(str::as_bytes), shape, own }))
}

/// Text behind its length, where none is no text.
fn optional<'a>(reader: &mut Reader<'a>, max: usize) -> Option<Option<&'a str>> {
    if reader.rest().first() == Some(&0) {
        reader.byte()?;
        return Some(None);
    }
    reader.text(max).map(Some)
}
