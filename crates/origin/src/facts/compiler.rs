//! From lines to packed subjects, without reading again what stood in lines before.
//!
//! Most subjects have what others have too. A text that was read before gives the same packed
//! entitlement again; a line that gives any trouble is read as a whole, which says what it is.

use std::hash::BuildHasher as _;
use std::rc::Rc;

use edgegrant::engine;
use edgegrant::model::{Entitlement, Fact, Status, UnreadSubject};
use edgegrant::snapshot::{EntitlementRecord, PackedEntitlement, Packer};
use edgegrant::{Error, Instant};

use super::{Checker, Entry, Problem, check, parse_line};

/// What the lines before have declared.
#[derive(Clone)]
pub(crate) struct Declared {
    pub(crate) checker: Checker,
    pub(crate) packer: Packer,
}

/// A subject as it waits for its page.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    /// Of the subject, then of each of its aliases.
    pub(crate) items: Vec<Item>,
    /// Its entitlements.
    pub(crate) entitlements: Vec<Rc<PackedEntitlement>>,
    bytes: Vec<u8>,
}

/// One thing with a place of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) bucket: usize,
    end: usize,
}

impl Packed {
    /// The items with their bytes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let starts = std::iter::once(0).chain(self.items.iter().map(|item| item.end));
        let bytes = |start: usize, end: usize| self.bytes.get(start..end).unwrap_or_default();
        self.items
            .iter()
            .zip(starts)
            .map(move |(item, start)| (item.bucket, bytes(start, item.end)))
    }
}

/// Compiles lines of subjects for a snapshot that is published at an instant.
pub(crate) struct Compiler {
    publish_at: Instant,
    seen: Vec<Option<Seen>>,
    hasher: foldhash::fast::RandomState,
}

/// An entitlement that was compiled for subjects of a status.
struct Seen {
    status: Status,
    text: Box<str>,
    packed: Rc<PackedEntitlement>,
}

/// How many texts are remembered, each in the only place that it may have: what is rare takes the
/// place of little that is not.
const SEEN: usize = 4096;
/// Longer texts are not remembered.
const SEEN_BYTES_MAX: usize = 2048;

impl Compiler {
    pub(crate) fn new(publish_at: Instant) -> Self {
        let mut seen = Vec::with_capacity(SEEN);
        seen.resize_with(SEEN, || None);
        Self { publish_at, seen, hasher: foldhash::fast::RandomState::default() }
    }

    /// Compiles the line of a subject, the `number`th of all.
    ///
    /// # Errors
    /// A [`Problem`] without its line number, of which that an id is there twice is none.
    pub(crate) fn line(
        &mut self,
        declared: &Declared,
        number: u64,
        line: &[u8],
        out: &mut Packed,
    ) -> Result<(), Problem> {
        if self.outlined(declared, number, line, out).is_some() {
            return Ok(());
        }
        let Fact::Subject(subject) = parse_line(line)? else { return Ok(()) };
        declared.checker.check_alone(&subject)?;
        let entry = Entry::new(Fact::Subject(subject), self.publish_at)?;
        declared.checker.admit(&entry)?;
        let Entry::Subject(record) = entry else { return Ok(()) };
        let refused = |error: Error| Problem::new("", error.code(), error.message());
        let packed = record.entitlements.iter().map(|given| declared.packer.entitlement(given));
        out.entitlements =
            packed.map(|given| given.map(Rc::new)).collect::<Result<_, _>>().map_err(refused)?;
        out.pack(declared, number, &record.id, &record.aliases).map(|_| ()).map_err(refused)
    }

    /// Compiles a line by the texts of its entitlements; `None` when somebody has to look at it.
    fn outlined(
        &mut self,
        declared: &Declared,
        number: u64,
        line: &[u8],
        out: &mut Packed,
    ) -> Option<()> {
        let subject: UnreadSubject<'_> =
            serde_json::from_str(std::str::from_utf8(line).ok()?).ok()?;
        if !check::fits(&subject.subject, &subject.aliases) {
            return None;
        }
        out.entitlements.clear();
        for text in &subject.entitlements {
            out.entitlements.push(self.entitlement(declared, subject.status, text.get())?);
        }
        let written_out = out.pack(declared, number, &subject.subject, &subject.aliases).ok()?;
        (written_out <= Packer::RECORD_BYTES_MAX).then_some(())
    }

    fn entitlement(
        &mut self,
        declared: &Declared,
        status: Status,
        text: &str,
    ) -> Option<Rc<PackedEntitlement>> {
        let place = self.hasher.hash_one(text) as usize % SEEN;
        let seen = self.seen.get_mut(place)?;
        let known = seen.as_ref().filter(|seen| *seen.text == *text && seen.status == status);
        if let Some(known) = known {
            return Some(Rc::clone(&known.packed));
        }
        let entitlement: Entitlement = serde_json::from_str(text).ok()?;
        let compiled = engine::compile(&entitlement, status, self.publish_at).ok()?;
        let record = EntitlementRecord {
            feature: entitlement.feature,
            program: compiled.program,
            config: entitlement.config.map(|config| config.as_str().to_owned()),
            grant_ids: compiled.grant_ids,
            steady: compiled.steady,
        };
        let packed = Rc::new(declared.packer.entitlement(&record).ok()?);
        if text.len() <= SEEN_BYTES_MAX {
            *seen = Some(Seen { status, text: text.into(), packed: Rc::clone(&packed) });
        }
        Some(packed)
    }
}

impl Packed {
    /// Packs a subject with the entitlements that were put here before, and says how long it is
    /// written out.
    fn pack(
        &mut self,
        declared: &Declared,
        number: u64,
        id: &str,
        aliases: &[String],
    ) -> Result<usize, Error> {
        self.bytes.clear();
        self.items.clear();
        let packer = &declared.packer;
        let mut given: Vec<&PackedEntitlement> = self.entitlements.iter().map(Rc::as_ref).collect();
        let tag = number << TAG_ALIAS_BITS;
        let written_out = packer.subject(&mut self.bytes, tag, id, &mut given)?;
        self.items.push(Item { bucket: packer.bucket(id), end: self.bytes.len() });
        for (alias, tag) in aliases.iter().zip(tag + 1..) {
            packer.alias(&mut self.bytes, tag, alias, id)?;
            self.items.push(Item { bucket: packer.bucket(alias), end: self.bytes.len() });
        }
        Ok(written_out)
    }
}

/// A tag tells the number of a line and, of its subject, which alias.
const TAG_ALIAS_BITS: u32 = 9;

/// The line with a tag, and what is wrong when its id is there twice.
pub(crate) fn twice(tag: u64) -> (u64, Problem) {
    let alias = tag & ((1 << TAG_ALIAS_BITS) - 1);
    (tag >> TAG_ALIAS_BITS, check::duplicate(alias.checked_sub(1)))
}
