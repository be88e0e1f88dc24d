//! From lines to packed subjects, without reading again what stood in lines before.
//!
//! Most subjects have what others have too. A text that was read before gives the same packed
//! entitlement again; a line that gives any trouble is read as a whole, which says what it is.

use std::rc::Rc;

use edgegrant::engine;
use edgegrant::model::{Entitlement, Fact, Status, UnreadSubject};
use edgegrant::snapshot::{EntitlementRecord, PackedEntitlement, Packer};
use edgegrant::{Error, Instant};

use super::common::Common;
use super::cut::{Cutter, Framing, Piece};
use super::known::{Known, Made};
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
    /// How many bytes it is shorter because others have the same.
    pub(crate) spared: usize,
    end: usize,
}

impl Packed {
    /// The items with their bytes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Item, &[u8])> {
        let starts = std::iter::once(0).chain(self.items.iter().map(|item| item.end));
        let bytes = |start: usize, end: usize| self.bytes.get(start..end).unwrap_or_default();
        self.items.iter().zip(starts).map(move |(item, start)| (*item, bytes(start, item.end)))
    }
}

/// Compiles lines of subjects for a snapshot that is published at an instant.
pub(crate) struct Compiler<'a> {
    publish_at: Instant,
    common: &'a Common,
    known: Known,
    cutter: Cutter,
    pieces: Vec<Piece>,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(publish_at: Instant, common: &'a Common) -> Self {
        Self { publish_at, common, known: Known::new(), cutter: Cutter::new(), pieces: Vec::new() }
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
        match self.pieced(declared, number, line, out) {
            Some(()) => Ok(()),
            None => self.whole(declared, number, line, out),
        }
    }

    /// Compiles a line as it stands, and says what is wrong with it.
    fn whole(
        &self,
        declared: &Declared,
        number: u64,
        line: &[u8],
        out: &mut Packed,
    ) -> Result<(), Problem> {
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
    fn pieced(
        &mut self,
        declared: &Declared,
        number: u64,
        line: &[u8],
        out: &mut Packed,
    ) -> Option<()> {
        let Self { publish_at, common, known, cutter, pieces } = self;
        let (rest, cut_at) = cutter.cut(line, known, pieces)?;
        let subject: UnreadSubject<'_> = serde_json::from_str(rest).ok()?;
        // What was cut is the subject's own list, and no other that is called so.
        let [left] = subject.entitlements.as_slice() else { return None };
        let is_own = std::ptr::eq(left.get().as_ptr(), rest.get(cut_at..)?.as_ptr());
        if !is_own || !check::fits(&subject.subject, &subject.aliases) {
            return None;
        }
        out.entitlements.clear();
        let status = subject.status;
        let pack = |entitlement: &Entitlement| {
            pack_entitlement(declared, status, entitlement, *publish_at)
        };
        for Piece { text, name, made, framing } in pieces.drain(..) {
            let packed = match made.filter(|made| made.status == status) {
                Some(made) => made.packed,
                None => {
                    let text = line.get(text)?;
                    let read = || serde_json::from_slice(text).ok();
                    let packed = match framing {
                        Framing::Known(framed) => framed.entitlement(pack)?,
                        Framing::Nothing => pack(&read()?)?,
                        Framing::Named(frame) => {
                            let entitlement = read()?;
                            known.remember_frame(&frame, text, &entitlement);
                            pack(&entitlement)?
                        }
                    };
                    if let Some(name) = name {
                        let told = || Rc::new(common.told(packed.clone()));
                        known.remember(name, text, || Made { status, packed: told() });
                    }
                    Rc::new(packed)
                }
            };
            out.entitlements.push(packed);
        }
        let written_out = out.pack(declared, number, &subject.subject, &subject.aliases).ok()?;
        (written_out <= Packer::RECORD_BYTES_MAX).then_some(())
    }
}

/// Compiles an entitlement.
fn pack_entitlement(
    declared: &Declared,
    status: Status,
    entitlement: &Entitlement,
    publish_at: Instant,
) -> Option<PackedEntitlement> {
    let compiled = engine::compile(entitlement, status, publish_at).ok()?;
    let record = EntitlementRecord {
        feature: entitlement.feature.clone(),
        program: compiled.program,
        config: entitlement.config.as_ref().map(|config| config.as_str().to_owned()),
        grant_ids: compiled.grant_ids,
        steady: compiled.steady,
    };
    declared.packer.entitlement(&record).ok()
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
        let spared = self.entitlements.iter().map(|given| given.spared()).sum();
        self.items.push(Item { bucket: packer.bucket(id), spared, end: self.bytes.len() });
        for (alias, tag) in aliases.iter().zip(tag + 1..) {
            packer.alias(&mut self.bytes, tag, alias, id)?;
            let bucket = packer.bucket(alias);
            self.items.push(Item { bucket, spared: 0, end: self.bytes.len() });
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

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a failed unwrap is a failed test"
    )]
    use fastrand::Rng;

    use super::*;
    use crate::generate::{self, GrantIds};

    const AT: &str = "2026-11-20T12:35:00Z";

    /// Facts as they are generated, and some that are written in odd ways.
    fn lines(at: Instant) -> Vec<String> {
        let options = generate::Facts { subjects: 12, seed: 1, at, grant_ids: GrantIds::Derived };
        let facts = generate::facts(options).unwrap().skip(10);
        let mut lines: Vec<_> = facts.map(|fact| serde_json::to_string(&fact).unwrap()).collect();
        let spaced = |line: &String| line.replace("},{", "} ,\t{").replace("\":[", "\" : [ ");
        lines.extend(lines.iter().take(4).map(spaced).collect::<Vec<_>>());
        let sso = r#"{"feature":"sso","type":"boolean"}"#;
        let usage = r#""usage":{"kind":"flow","asOf":"2026-11-20T12:34:00Z"}"#;
        let tokens =
            r#""feature":"tokens","type":"metered","measureUsageFrom":"2026-01-01T00:00:00Z""#;
        lines.extend([
            format!(r#"{{"subject":"a","entitlements":[{{{usage},{tokens}}}]}}"#),
            format!(
                r#"{{"subject":"a","entitlements":[{{{tokens},
                "attributes":{{"a":"usage"}},{usage} }}]}}"#
            ),
            format!(r#"{{"subject":"a","entitlements":[{{{tokens},{usage},{usage}}}]}}"#),
            format!(
                r#"{{"subject":"a","entitlements":[{{"feature":"regions","type":"static",
                "config":{{{usage}}}}}]}}"#
            ),
            format!(r#"{{"subject":"a","entitlements":[{sso}],"aliases":["b{{\"}}"]}}"#),
            format!(r#"{{"entitlements":[{sso}],"status":"suspended","subject":"a"}}"#),
            format!(r#"{{"subject":"a","entitlements":[{sso}],"entitlements":[]}}"#),
            format!(r#"{{"subject":"a","entitlements":[{sso},{sso}]}}"#),
            format!(r#"{{"subject":"a","entitlements":[{sso},]}}"#),
            format!(r#"{{"subject":"a","entitlements":[0{sso}]}}"#),
            r#"{"subject":"a","entitlements":[]}"#.to_owned(),
            r#"{"subject":"a","entitlements":[0]}"#.to_owned(),
            r#"{"subject":"entitlements"}"#.to_owned(),
            format!(
                r#"{{"subject":"a","records":[{{"system":"s","kind":"k","json":
                {{"entitlements":[{sso}]}}}}],"entitlements":[0]}}"#
            ),
            format!(
                r#"{{"subject":"a","records":[{{"system":"s","kind":"k","json":
                {{"entitlements":[{sso}]}}}}],"entitlements":[]}}"#
            ),
        ]);
        lines
    }

    fn declared(at: Instant) -> Declared {
        let options = generate::Facts { subjects: 0, seed: 1, at, grant_ids: GrantIds::Derived };
        let mut declared = Declared { checker: Checker::default(), packer: Packer::new([7; 32]) };
        for fact in generate::facts(options).unwrap() {
            declared.checker.check(&fact).unwrap();
            let Fact::Feature(feature) = fact else { continue };
            declared.packer.declare(&super::super::feature_record(feature)).unwrap();
        }
        declared
    }

    /// Puts, takes or changes a byte here and there.
    fn damaged(dice: &mut Rng, line: &str) -> Vec<u8> {
        let mut bytes = line.as_bytes().to_vec();
        for _ in 0..dice.usize(0..3) {
            let at = dice.usize(0..bytes.len());
            let byte = *dice.choice(b"{}[]\",:\\ \t0a\x0c\xff").unwrap();
            match dice.u8(0..3) {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => _ = bytes.remove(at),
            }
        }
        bytes
    }

    /// The line with other usage in some of its events.
    fn used_otherwise(dice: &mut Rng, line: &str) -> String {
        let mut parts = line.split("Z\",\"amount\":");
        let mut other = parts.next().unwrap().to_owned();
        for part in parts {
            other +=
                dice.choice(["Z\",\"amount\":", "Z\",\"amount\":1", "Z\",\"amount\":-"]).unwrap();
            other += part;
        }
        other
    }

    #[test]
    fn a_line_in_pieces_says_what_it_says_as_a_whole() {
        let at = Instant::parse(AT).unwrap();
        let declared = declared(at);
        let (lines, mut dice) = (lines(at), Rng::with_seed(7));
        let common = Common::full();
        let mut compiler = Compiler::new(at, &common);
        let (mut pieced, mut whole) = (Packed::default(), Packed::default());
        let (mut taken, mut refused) = (0, 0);
        for number in 0..6_000 {
            let line = used_otherwise(&mut dice, &lines[number as usize % lines.len()]);
            let line = damaged(&mut dice, &line);
            let told = compiler.pieced(&declared, number, &line, &mut pieced);
            let expected = compiler.whole(&declared, number, &line, &mut whole);
            if told.is_some() {
                expected.unwrap();
                let line = String::from_utf8_lossy(&line);
                let shown = |packed: &Packed| {
                    let items = packed.iter().map(|(item, bytes)| (item.bucket, bytes.to_vec()));
                    let as_of = packed.entitlements.iter().map(|given| given.usage_as_of());
                    (items.collect::<Vec<_>>(), as_of.collect::<Vec<_>>())
                };
                assert_eq!(shown(&pieced), shown(&whole), "{line}");
                taken += 1;
            } else if expected.is_err() {
                refused += 1;
            }
        }
        assert!(taken > 1_000 && refused > 1_500, "{taken} taken, {refused} refused");
    }
}
