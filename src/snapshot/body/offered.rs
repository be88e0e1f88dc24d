//! A body that was offered, while its parts arrive.
//!
//! It takes over from the present body what has the same digest in the same place, and wants the
//! rest: first what names other parts, then what is named. Every part is verified and validated as
//! it arrives, so that the swap at the end changes everything at once and has nothing left to
//! refuse. The first body alone may be taken as it comes: its parts are looked at when they are
//! touched, for nothing better is there to answer in the meantime.

use std::rc::Rc;

use super::Body;
use super::pack::{PackReader, pack_length};
use super::parts::Spot;
use super::slot::Slot;
use super::wanted::WantedParts;
use crate::error::Error;
use crate::snapshot::catalogue::Catalogue;
use crate::snapshot::delta::{DeltaPart, DeltaReader};
use crate::snapshot::page::Page;
use crate::snapshot::{Digest, Roots, refusal, tree};
use crate::time::Instant;

/// A body on its way, and the names of the parts that it wants next.
pub struct Offered {
    roots: Roots,
    usage_as_of: Instant,
    /// Whether all parts are wanted, or those that the present body holds.
    whole: bool,
    body: Option<Body>,
    wanted: WantedParts,
    /// Tells this offer from others of the same body.
    identity: Rc<()>,
}

/// A file with many parts, read as it arrives. Each download has its own.
pub struct Stream {
    roots: Roots,
    reader: Reader,
    /// Which offer took the first chunk: another lacks what was in it.
    begun: Option<Rc<()>>,
}

enum Reader {
    Pack(PackReader),
    Delta(DeltaReader),
}

impl Stream {
    /// The pack of a body.
    ///
    /// # Errors
    /// `snapshot-limit` for a pack longer than any may be, `snapshot-format` for one shorter.
    pub fn pack(roots: &Roots) -> Result<Self, Error> {
        Ok(Self::new(roots, Reader::Pack(PackReader::new(roots.pack_length)?)))
    }

    /// A delta to a body.
    #[must_use]
    pub fn delta(roots: &Roots) -> Self {
        Self::new(roots, Reader::Delta(DeltaReader::default()))
    }

    const fn new(roots: &Roots, reader: Reader) -> Self {
        Self { roots: *roots, reader, begun: None }
    }

    /// Says that no more chunks come.
    ///
    /// # Errors
    /// `snapshot-length` for a pack that ended early, `delta-malformed` for a delta that did.
    pub fn finish(&self) -> Result<(), Error> {
        match &self.reader {
            Reader::Pack(reader) => reader.finish(),
            Reader::Delta(reader) if reader.is_complete() => Ok(()),
            Reader::Delta(_) => Err(refusal::DELTA),
        }
    }
}

impl Offered {
    /// Begins a body by what a verified head says of it. With `whole` it wants everything, else
    /// what the present body holds.
    ///
    /// # Errors
    /// Those of [`Offered::supply`] for what is taken over from the present body.
    pub fn new(
        roots: &Roots,
        usage_as_of: Instant,
        whole: bool,
        present: Option<&Body>,
    ) -> Result<Self, Error> {
        let wanted = WantedParts::from_iter([(roots.catalogue, Spot::Catalogue)]);
        let identity = Rc::default();
        let mut offered = Self { roots: *roots, usage_as_of, whole, body: None, wanted, identity };
        if let Some(present) = present.filter(|body| body.roots.catalogue == roots.catalogue) {
            offered.wanted.clear();
            offered.begin(present.catalogue.clone(), Some(present))?;
        }
        Ok(offered)
    }

    /// The body that was offered.
    #[must_use]
    pub const fn roots(&self) -> &Roots {
        &self.roots
    }

    /// Whether all parts are wanted.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// Takes over what a newer head of the same parts says about usage.
    pub const fn renew(&mut self, usage_as_of: Instant) {
        self.usage_as_of = usage_as_of;
    }

    /// The names of parts that are wanted next. More may be wanted once these are there.
    pub fn wanted(&self) -> impl Iterator<Item = Digest> {
        self.wanted.keys().copied()
    }

    /// How many parts are wanted, at least: below each wanted node there is another part.
    #[must_use]
    pub fn wanted_min(&self) -> usize {
        let below = |spot: &Spot| usize::from(matches!(spot, Spot::Node { .. }));
        self.wanted.values().map(|spot| 1 + below(spot)).sum()
    }

    /// Takes a part by its name. What is not wanted is left aside.
    ///
    /// # Errors
    /// `snapshot-digest` for a part that is not what its name says; the codes of
    /// [`Body::open`] and [`Body::verify`] for one that makes no sense. The offered body is then of
    /// no use any more.
    pub fn supply(
        &mut self,
        name: Digest,
        bytes: &[u8],
        present: Option<&Body>,
    ) -> Result<(), Error> {
        let Some(spot) = self.wanted.get(&name).copied() else { return Ok(()) };
        self.admit(spot, name, bytes, present, || Slot::verified(bytes))
    }

    /// Takes a part that is what its name says and makes sense, as `slot` holds it.
    fn admit(
        &mut self,
        spot: Spot,
        name: Digest,
        bytes: &[u8],
        present: Option<&Body>,
        slot: impl FnOnce() -> Slot,
    ) -> Result<(), Error> {
        if spot == Spot::Catalogue {
            let catalogue = Catalogue::named(&name, bytes)?;
            self.wanted.remove(&name);
            return self.begin(catalogue, present);
        }
        let body = self.body.as_mut().ok_or(refusal::INCOMPLETE)?;
        body.look_at(spot, name, bytes)?;
        body.parts.put(spot, slot());
        self.wanted.remove(&name);
        self.below(spot, name, present)
    }

    /// Takes what a delta says of a part. Where the present body lacks what a patch is one of, the
    /// part is wanted still.
    fn take_change(&mut self, part: &DeltaPart<'_>, present: Option<&Body>) -> Result<(), Error> {
        let name = part.name;
        let Some(spot) = self.wanted.get(&name).copied().filter(|_| part.is_patch) else {
            return self.supply(name, part.bytes, present);
        };
        let Some(present) = present else { return Ok(()) };
        if spot == Spot::Catalogue {
            let made = part.of(present.catalogue.bytes())?;
            return self.supply(name, &made, Some(present));
        }
        let Some(base) = self.body.as_ref().and_then(|body| present.base(spot, body)) else {
            return Ok(());
        };
        let made = part.of(base)?;
        let slot = || match spot {
            // The page is made again when the present body is gone, lest both take memory.
            Spot::Page(_) if part.bytes.len() < made.len() => {
                Slot::patched(Rc::clone(base), part.bytes, made.len())
            }
            _ => Slot::verified(&made),
        };
        self.admit(spot, name, &made, Some(present), slot)
    }

    /// Whether a file is of use here: it is of this body, and no other offer took its front.
    #[must_use]
    pub fn takes(&self, stream: &Stream) -> bool {
        let begun_here = |begun: &Rc<()>| Rc::ptr_eq(begun, &self.identity);
        stream.roots == self.roots && stream.begun.as_ref().is_none_or(begun_here)
    }

    /// Takes what is wanted from the next chunk of a file. Chunks may be cut anywhere; parts in
    /// them are verified, unless there is no present body.
    ///
    /// # Errors
    /// Those of [`Offered::supply`], and those for a file that is no pack or delta.
    pub fn feed(
        &mut self,
        stream: &mut Stream,
        mut chunk: &[u8],
        present: Option<&Body>,
    ) -> Result<(), Error> {
        if !self.takes(stream) {
            return Ok(());
        }
        stream.begun.get_or_insert_with(|| Rc::clone(&self.identity));
        match &mut stream.reader {
            Reader::Delta(reader) => reader.feed(chunk, |part| self.take_change(&part, present)),
            Reader::Pack(reader) => {
                reader.expect(chunk)?;
                while let Some((spot, bytes)) = reader.next(&mut chunk, self.levels())? {
                    self.take(spot, bytes, present)?;
                }
                if reader.is_read() && present.is_none() {
                    self.wanted.clear();
                }
                Ok(())
            }
        }
    }

    /// Takes what is wanted from a whole pack.
    ///
    /// # Errors
    /// `snapshot-length` for a pack of another length than the head says, and those of
    /// [`Offered::feed`].
    pub fn read(&mut self, pack: &[u8], present: Option<&Body>) -> Result<(), Error> {
        let mut stream = Stream::pack(&self.roots)?;
        if pack.len() as u64 != self.roots.pack_length {
            return Err(refusal::LENGTH);
        }
        self.feed(&mut stream, pack, present)
    }

    /// Takes a part of a pack by its place.
    fn take(&mut self, spot: Spot, bytes: &[u8], present: Option<&Body>) -> Result<(), Error> {
        let body = match (&mut self.body, spot) {
            (_, Spot::Catalogue) => return self.supply(self.roots.catalogue, bytes, present),
            (None, _) => return Err(refusal::INCOMPLETE),
            (Some(body), _) => body,
        };
        if present.is_none() {
            body.parts.put(spot, Slot::unverified(bytes));
            return Ok(());
        }
        // The way to a part that nobody wants need not be there.
        match body.parts.expected(spot) {
            Ok(name) if self.wanted.get(&name) == Some(&spot) => self.supply(name, bytes, present),
            _ => Ok(()),
        }
    }

    fn levels(&self) -> Option<tree::Levels> {
        self.body.as_ref().map(|body| body.parts.levels)
    }

    /// Gives the body once everything that is wanted is there.
    ///
    /// # Errors
    /// `snapshot-incomplete`, and `snapshot-digest` for a first body whose root is wrong.
    pub fn finish(self) -> Result<Body, Error> {
        let complete = self.body.filter(|_| self.wanted.is_empty()).ok_or(refusal::INCOMPLETE)?;
        let body = Body { usage_as_of: self.usage_as_of, ..complete };
        // A single page is the root, and waits like any page until it is touched.
        if let (true, top @ Spot::Node { level, node }) = (self.whole, body.parts.top()) {
            let root = body.parts.expected(top)?;
            body.parts.node(level, node, root)?;
        }
        Ok(body)
    }

    /// Wants also what became resident in the present body since its node was looked at.
    ///
    /// # Errors
    /// Those of [`Offered::supply`].
    pub fn catch_up(&mut self, present: &Body) -> Result<(), Error> {
        let Some(body) = self.body.as_ref().filter(|_| !self.whole) else { return Ok(()) };
        let top = body.parts.top();
        self.visit(top, self.roots.root, Some(present))
    }

    /// Wants nodes and pages no more, unless it is to be whole: what is not resident when it takes
    /// its place is fetched when it is asked for.
    pub fn give_up(&mut self) {
        if !self.whole {
            self.wanted.retain(|_, spot| *spot == Spot::Catalogue);
        }
    }

    fn begin(&mut self, catalogue: Catalogue, present: Option<&Body>) -> Result<(), Error> {
        let pages = tree::Levels::new(catalogue.page_bits()).pages();
        let length_min = pack_length(0, catalogue.page_bits(), pages * Page::BYTES_MIN);
        // Room for pages is made before they arrive, so there cannot be more than the pack holds.
        if self.roots.pack_length < length_min as u64 {
            return Err(refusal::BOUNDS);
        }
        let body = Body::empty(catalogue, self.roots, self.usage_as_of);
        let top = body.parts.top();
        self.body = Some(body);
        self.visit(top, self.roots.root, present)
    }

    /// Decides about a part whose name is known: it is there, is taken over, is wanted, or nobody
    /// needs it.
    fn visit(&mut self, spot: Spot, name: Digest, present: Option<&Body>) -> Result<(), Error> {
        let Some(body) = &mut self.body else { return Ok(()) };
        let there = body.parts.slot(spot).is_some_and(Slot::is_resident);
        let needed = |old: &Body| old.holds_below(spot, body);
        if !there && !self.whole && !present.is_some_and(needed) {
            return Ok(());
        }
        if there || body.take_over(spot, name, present)? {
            if body.is_full_below(spot) {
                return Ok(());
            }
            if body.leads_on(spot, name) {
                return self.below(spot, name, present);
            }
        }
        // One part in two places fits neither, for pages know their place.
        let twice = self.wanted.insert(name, spot).is_some_and(|other| other != spot);
        if twice { Err(refusal::MISPLACED) } else { Ok(()) }
    }

    /// Decides about everything that a node names.
    fn below(&mut self, spot: Spot, name: Digest, present: Option<&Body>) -> Result<(), Error> {
        let (Spot::Node { level, node }, Some(body)) = (spot, &self.body) else { return Ok(()) };
        let levels = body.parts.levels;
        let entries = tree::entries(body.parts.node(level, node, name)?);
        for (entry, name) in entries.into_iter().enumerate() {
            self.visit(Spot::child(levels, level, node, entry), name, present)?;
        }
        Ok(())
    }
}
