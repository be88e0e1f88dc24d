//! Room for one part.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use crate::error::Error;
use crate::snapshot::refusal;

/// A part, once it is there, and what was found when it was looked at.
///
/// The bytes have an owner of their own, so that a new body shares them with the old one and either
/// can let go of them alone.
#[derive(Clone, Default)]
pub(super) struct Slot {
    bytes: Option<Rc<[u8]>>,
    verdict: OnceCell<Result<(), Error>>,
    /// Whether it was asked for since eviction last passed by.
    touched: Cell<bool>,
}

impl Slot {
    /// Holds bytes that nobody has looked at.
    pub(super) fn unverified(bytes: &[u8]) -> Self {
        Self { bytes: Some(Rc::from(bytes)), ..Self::default() }
    }

    /// Holds bytes that are known to be good.
    pub(super) fn verified(bytes: &[u8]) -> Self {
        let slot = Self::unverified(bytes);
        // A new cell is empty, so setting it cannot fail.
        let _ = slot.verdict.set(Ok(()));
        slot.touched.set(true);
        slot
    }

    pub(super) fn length(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.len())
    }

    /// The bytes, whatever was or will be found of them.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }

    pub(super) const fn is_resident(&self) -> bool {
        self.bytes.is_some()
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
        if self.is_verified() { self.bytes.as_deref() } else { None }
    }

    /// The bytes, known to be good; they are looked at when they are first asked for.
    pub(super) fn get(
        &self,
        look: impl FnOnce(&[u8]) -> Result<(), Error>,
    ) -> Result<&[u8], Error> {
        let Some(bytes) = self.bytes.as_deref() else { return Err(refusal::NOT_RESIDENT) };
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
