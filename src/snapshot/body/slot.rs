//! Room for one part.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use super::span::Span;
use crate::error::Error;
use crate::snapshot::{patched, refusal};

/// A part, once it is there, and what was found when it was looked at.
///
/// The bytes have an owner of their own, so that a new body shares them with the old one and either
/// can let go of them alone.
#[derive(Clone, Default)]
pub(super) struct Slot {
    bytes: OnceCell<Rc<[u8]>>,
    /// What the bytes are made of, if they are not there or were made lately.
    patched: Option<Rc<Patched>>,
    verdict: OnceCell<Result<(), Error>>,
    /// Whether it was asked for since eviction last passed by.
    touched: Cell<bool>,
}

/// A part as what another was, which an old body still has, and what has changed.
struct Patched {
    base: Rc<[u8]>,
    patch: Box<[u8]>,
    /// How long the part is.
    length: usize,
    /// Where base and patch lie.
    spans: [Span; 2],
}

impl Slot {
    /// Holds bytes that nobody has looked at.
    pub(super) fn unverified(bytes: &[u8]) -> Self {
        Self { bytes: OnceCell::from(Rc::from(bytes)), ..Self::default() }
    }

    /// Holds bytes that are known to be good.
    pub(super) fn verified(bytes: &[u8]) -> Self {
        Self::unverified(bytes).found_good()
    }

    /// Holds what is known to be good once a patch, which applies, was applied to its base.
    pub(super) fn patched(base: Rc<[u8]>, patch: &[u8], length: usize) -> Self {
        let patch: Box<[u8]> = Box::from(patch);
        let spans = [Span::of(&base), Span::of(&patch)];
        let patched = Some(Rc::new(Patched { base, patch, length, spans }));
        Self { patched, ..Self::default() }.found_good()
    }

    fn found_good(self) -> Self {
        // A new cell is empty, so setting it cannot fail.
        let _ = self.verdict.set(Ok(()));
        self.touched.set(true);
        self
    }

    /// What it takes in memory, the same before and after the bytes were made for the first time.
    pub(super) fn length(&self) -> usize {
        match &self.patched {
            Some(patched) => patched.length + patched.patch.len(),
            None => self.bytes.get().map_or(0, |bytes| bytes.len()),
        }
    }

    /// The bytes, whatever was or will be found of them.
    pub(super) fn bytes(&self) -> Option<&Rc<[u8]>> {
        match self.bytes.get() {
            Some(bytes) => Some(bytes),
            None => self.make(),
        }
    }

    /// Makes the bytes of what they are made of.
    #[cold]
    fn make(&self) -> Option<&Rc<[u8]>> {
        let Patched { base, patch, .. } = self.patched.as_deref()?;
        // It applied when it came, so it does again.
        let make = || patched(base, patch).unwrap_or_default();
        Some(self.bytes.get_or_init(|| Rc::from(make())))
    }

    /// Makes the bytes and lets go of what they were made of. Whether there was any such thing.
    pub(super) fn settle(&mut self) -> bool {
        self.bytes();
        self.patched.take().is_some()
    }

    /// Whether the bytes still hang on what they are made of.
    pub(super) const fn is_patched(&self) -> bool {
        self.patched.is_some()
    }

    /// Where the bytes lie, or what they are made of.
    pub(super) fn span(&self) -> Span {
        match &self.patched {
            Some(patched) => Span::made_of(&patched.spans),
            None => self.bytes.get().map_or(Span::default(), |bytes| Span::of(bytes)),
        }
    }

    pub(super) fn is_resident(&self) -> bool {
        self.bytes.get().is_some() || self.is_patched()
    }

    /// Whether it was looked at and is bad.
    pub(super) fn is_damaged(&self) -> bool {
        matches!(self.verdict.get(), Some(Err(_)))
    }

    /// Whether it was looked at and is good.
    #[inline]
    pub(super) fn is_verified(&self) -> bool {
        matches!(self.verdict.get(), Some(Ok(())))
    }

    /// Whether there is something to answer from, or to find bad.
    pub(super) fn is_usable(&self) -> bool {
        self.is_resident() && !self.is_damaged()
    }

    /// The bytes, if they were looked at and are good.
    #[inline]
    pub(super) fn known(&self) -> Option<&[u8]> {
        if self.is_verified() { self.bytes().map(|bytes| &**bytes) } else { None }
    }

    /// The bytes, known to be good; they are looked at when they are first asked for.
    pub(super) fn get(
        &self,
        look: impl FnOnce(&[u8]) -> Result<(), Error>,
    ) -> Result<&[u8], Error> {
        let Some(bytes) = self.bytes() else { return Err(refusal::NOT_RESIDENT) };
        let verdict = match self.verdict.get() {
            Some(known) => known,
            None => self.verdict.get_or_init(|| look(bytes)),
        };
        match verdict {
            Ok(()) => Ok(bytes),
            Err(error) => Err(error.clone()),
        }
    }

    #[inline]
    pub(super) fn touch(&self) {
        self.touched.set(true);
    }

    /// Whether it was touched since this was last asked.
    pub(super) fn take_touch(&self) -> bool {
        self.touched.replace(false)
    }
}
