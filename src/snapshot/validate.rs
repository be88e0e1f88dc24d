//! Whether a page makes sense. It is asked once, before the first answer from the page.

use super::bytes::{Reader, text};
use super::catalogue::Catalogue;
use super::fields::{Fields, IdKind, blank_program};
use super::hash::{page_of, slot_of};
use super::layout::{
    CONFIG_BYTES_MAX, DIGEST_BYTES, ENTITLEMENTS_MAX, ID_BYTES_MAX, PAGE_BYTES_MAX,
    PAGE_EXPANDED_BYTES_MAX, PAGE_MAGIC, PLAN_ENTRY_BYTES, RECORD_BYTES_MAX,
};
use super::page::{EntryBytes, Page, Record, SubjectBytes, part};
use super::{check, grant_id, refusal};
use crate::engine::program::Program;
use crate::error::Error;
use crate::time::Instant;

/// What an entitlement takes at least when it is written out, beside its config and fields.
const ENTRY_OVERHEAD: usize = 8;

/// Validates the page at an index of a snapshot; its digest was verified.
pub(super) fn page<'a>(
    bytes: &'a [u8],
    index: u32,
    catalogue: &Catalogue,
    usage_as_of: Instant,
) -> Result<Page<'a>, Error> {
    if bytes.len() > PAGE_BYTES_MAX {
        return Err(refusal::LIMIT);
    }
    if bytes.get(DIGEST_BYTES..DIGEST_BYTES + PAGE_MAGIC.len()) != Some(&PAGE_MAGIC) {
        return Err(refusal::FORMAT);
    }
    let page = Page::open(bytes).ok_or(refusal::BOUNDS)?;
    let seed = catalogue.seed();
    let page_bits = catalogue.page_bits();
    if page.placed() != Some((&seed.pepper(page_bits, index), page_bits, index)) {
        return Err(refusal::MISPLACED);
    }
    items(&page)?;
    features(&page, catalogue)?;
    for config in 0..page.configs() {
        let text = page.config(config).and_then(|bytes| text(bytes, CONFIG_BYTES_MAX));
        text.ok_or(refusal::TEXT)?;
    }
    let lengths = (0..page.shapes()).map(|shape| written_out(&page, shape));
    let lengths: Vec<usize> = lengths.collect::<Option<_>>().ok_or(refusal::BOUNDS)?;
    for plan in 0..page.plans() {
        self::plan(&page, page.plan(plan).ok_or(refusal::BOUNDS)?)?;
    }
    records(&page, index, catalogue, &mut EntryCheck::new(lengths, usage_as_of))?;
    Ok(page)
}

/// How long an entitlement without an own part is that is written out by a shape.
fn written_out(page: &Page<'_>, shape: usize) -> Option<usize> {
    let (config, shape) = page.shape(shape)?;
    let config = config.and_then(|config| page.config(config));
    Some(ENTRY_OVERHEAD + config.map_or(0, <[u8]>::len) + shape.len())
}

/// Items lie one behind the other and fill the heap.
fn items(page: &Page<'_>) -> Result<(), Error> {
    let mut start = 0;
    for item in 0..page.items() {
        let end = page.end(item).filter(|end| *end >= start).ok_or(refusal::BOUNDS)?;
        start = end;
    }
    if start == page.heap().len() { Ok(()) } else { Err(refusal::BOUNDS) }
}

/// A page's features ascend, and the catalogue knows them.
pub(super) fn features(page: &Page<'_>, catalogue: &Catalogue) -> Result<(), Error> {
    let mut previous = None;
    for index in 0..page.features() {
        let place = page.feature(index).ok_or(refusal::BOUNDS)?;
        if previous.is_some_and(|previous| previous >= place) {
            return Err(refusal::ORDER);
        }
        catalogue.feature_at(place).ok_or(refusal::UNDECLARED_FEATURE)?;
        previous = Some(place);
    }
    Ok(())
}

/// A plan names features of the page in ascending order, each with a shape of the page.
fn plan(page: &Page<'_>, plan: &[u8]) -> Result<(), Error> {
    if !plan.len().is_multiple_of(PLAN_ENTRY_BYTES) {
        return Err(refusal::BOUNDS);
    }
    if plan.len() / PLAN_ENTRY_BYTES > ENTITLEMENTS_MAX {
        return Err(refusal::LIMIT);
    }
    let mut previous = None;
    for [a, b, c, d] in plan.as_chunks::<PLAN_ENTRY_BYTES>().0 {
        let feature = usize::from(u16::from_le_bytes([*a, *b]));
        let shape = usize::from(u16::from_le_bytes([*c, *d]));
        if feature >= page.features() || shape >= page.shapes() {
            return Err(refusal::BOUNDS);
        }
        if previous.is_some_and(|previous| previous >= feature) {
            return Err(refusal::ORDER);
        }
        previous = Some(feature);
    }
    Ok(())
}

fn records(
    page: &Page<'_>,
    page_index: u32,
    catalogue: &Catalogue,
    check: &mut EntryCheck,
) -> Result<(), Error> {
    let mut previous: Option<(usize, &str)> = None;
    let mut expanded = 0;
    for index in 0..page.records() {
        let slot = page.slot(index).ok_or(refusal::BOUNDS)?;
        let record = page.record(index).ok_or(refusal::BOUNDS)?;
        let id = text(record.id(), ID_BYTES_MAX).ok_or(refusal::TEXT)?;
        let place = catalogue.seed().place(id);
        let here = page_of(place, catalogue.page_bits()) == page_index;
        if !here || usize::from(slot_of(place)) != slot {
            return Err(refusal::MISPLACED);
        }
        if previous.is_some_and(|previous| previous >= (slot, id)) {
            return Err(refusal::ORDER);
        }
        previous = Some((slot, id));
        let length = match record {
            Record::Subject(subject) => check.subject(page, &subject)?,
            Record::Alias { target, .. } => text(target, ID_BYTES_MAX).ok_or(refusal::TEXT)?.len(),
        };
        expanded += length;
        if expanded > PAGE_EXPANDED_BYTES_MAX {
            return Err(refusal::LIMIT);
        }
    }
    Ok(())
}

/// Checks entries, those without an own part once for each shape.
pub(super) struct EntryCheck {
    program: Program,
    kinds: Vec<IdKind>,
    /// What each shape takes written out, and whether it was seen without an own part.
    lengths: Vec<usize>,
    seen: Vec<bool>,
    usage_as_of: Instant,
}

impl EntryCheck {
    pub(super) fn new(lengths: Vec<usize>, usage_as_of: Instant) -> Self {
        let program = blank_program();
        let seen = vec![false; lengths.len()];
        Self { program, kinds: Vec::new(), lengths, seen, usage_as_of }
    }

    /// Checks a subject's entries and says how long they are with everything shared written out.
    fn subject(&mut self, page: &Page<'_>, subject: &SubjectBytes<'_>) -> Result<usize, Error> {
        let entries = subject.entries();
        if (entries..subject.marks.len() * 8).any(|beyond| subject.is_marked(beyond)) {
            return Err(refusal::VALUE);
        }
        let mut parts = subject.parts;
        let mut length = 0;
        for index in 0..entries {
            let (_, number) = subject.entry(index).ok_or(refusal::BOUNDS)?;
            length += self.lengths.get(number).ok_or(refusal::BOUNDS)?;
            let own = if subject.is_marked(index) {
                part(&mut parts).filter(|own| !own.is_empty()).ok_or(refusal::BOUNDS)?
            } else {
                &[]
            };
            length += own.len();
            // Asked before the entry is read, so that reading costs no more than the record is
            // long.
            if length > RECORD_BYTES_MAX {
                return Err(refusal::LIMIT);
            }
            if !own.is_empty() || !self.was_seen(number) {
                let (config, shape) = page.shape(number).ok_or(refusal::BOUNDS)?;
                let config = config.and_then(|config| page.config(config));
                self.entry(&EntryBytes { config, shape, own }).ok_or(refusal::VALUE)?;
            }
        }
        if parts.is_empty() { Ok(length) } else { Err(refusal::BOUNDS) }
    }

    /// Whether the bare shape was checked before; from now on it was.
    fn was_seen(&mut self, shape: usize) -> bool {
        self.seen.get_mut(shape).is_some_and(|seen| core::mem::replace(seen, true))
    }

    pub(super) fn entry(&mut self, entry: &EntryBytes<'_>) -> Option<()> {
        let mut fields = Fields::new(entry.shape, entry.own)?;
        self.kinds.clear();
        let kinds = &mut self.kinds;
        let steady =
            fields.program(self.usage_as_of, &mut self.program, &mut |kind| kinds.push(kind))?;
        let mut ids = Reader::new(fields.end()?);
        self.kinds.iter().try_for_each(|kind| grant_id::skip(&mut ids, *kind))?;
        (ids.is_empty() && check::program(&self.program, steady.as_ref())).then_some(())
    }
}
