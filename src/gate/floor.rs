//! The version floor, and what a store gives back after a restart.
//!
//! The floor is the latest head that was ever accepted, signatures and all: whoever holds the store
//! can take it away or put an older one there, but can raise it no further than the key holder did.
//! A head of keys that are no longer trusted is no floor, so only configuration resets it.

use super::{Gate, Offer, roots, unbundle};
use crate::error::Error;
use crate::trust::{VerifiedHead, verify};

use super::freshness::{self, Clock, Origin};

impl Gate {
    /// The latest head that was accepted, by epoch and then by version; to be kept in a store.
    #[must_use]
    pub fn floor(&self) -> Option<&[u8]> {
        self.lowest().map(VerifiedHead::bytes)
    }

    /// Takes over the floor that an earlier gate left in a store. One that is lower than what this
    /// gate has seen changes nothing.
    ///
    /// # Errors
    /// The codes of [`verify`]; `head-from-future` when it was signed more than a day ahead of the
    /// clock.
    pub fn raise_floor(&mut self, head: &[u8], clock: Clock) -> Result<(), Error> {
        let head = verify(head, &self.options.keyring, &self.options.audience)?;
        freshness::admit(head.head(), clock, Origin::Store)?;
        self.latest_issue = self.latest_issue.max(head.head().issued_at);
        if self.lowest().is_none_or(|floor| freshness::place(&head) > freshness::place(floor)) {
            self.floor = Some(head);
        }
        Ok(())
    }

    /// Whether a head, verified like any other, names the present body.
    #[must_use]
    pub fn names_body(&self, head: &[u8]) -> bool {
        let Some(present) = &self.present else { return false };
        verify(head, &self.options.keyring, &self.options.audience)
            .is_ok_and(|head| roots(head.head()) == *present.body.roots())
    }

    /// Takes a snapshot in one file from a store, at or above the floor. It may have expired; the
    /// floor's head counts in place of its own when it names the same body.
    ///
    /// # Errors
    /// Those of [`unbundle`], [`Gate::offer`] and [`Gate::accept`].
    pub fn restore(&mut self, file: Vec<u8>, clock: Clock) -> Result<(), Error> {
        let (head, pack) = unbundle(file)?;
        let head = self.renewed(&head)?.unwrap_or(head);
        match self.offer(&head, clock, Origin::Store)? {
            Offer::Unchanged => Ok(()),
            Offer::Body { .. } => self.accept(pack),
        }
    }

    /// The floor's head, when it is a later one of the same body.
    fn renewed(&self, head: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some(floor) = self.lowest() else { return Ok(None) };
        let head = verify(head, &self.options.keyring, &self.options.audience)?;
        let same = roots(head.head()) == roots(floor.head());
        let later = freshness::place(floor) > freshness::place(&head);
        Ok((same && later).then(|| floor.bytes().to_vec()))
    }

    /// What no head may be older than.
    pub(super) fn lowest(&self) -> Option<&VerifiedHead> {
        let present = self.present.as_ref().map(|present| &present.head);
        [self.floor.as_ref(), present]
            .into_iter()
            .flatten()
            .max_by_key(|head| freshness::place(head))
    }
}
