//! The snapshot that is published now, and the facts that it was published from.

use edgegrant::gate::{Answer, Ask, Clock, Demand, Explained, Fit, Gate, Reason};
use edgegrant::snapshot::Roots;
use edgegrant::trust::{HEAD_BYTES_MAX, verify};
use edgegrant::{Amount, Instant};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::facts::Facts;
use super::world::{Options, Unavailable};
use super::{aws_marketplace, openmeter};
use crate::failure::Failure;
use crate::{disk, folder};

/// What is answered from.
pub(super) struct Present {
    options: Options,
    gate: Gate,
    known: Known,
    /// The head that was refused last and when, so that it is told of once and tried again only
    /// now and then: each time all facts are read.
    refused: Option<(Vec<u8>, Instant)>,
}

/// What is known beside the gate since its last head.
pub(super) struct Known {
    head: Vec<u8>,
    roots: Roots,
    pub(super) facts: Facts,
    pub(super) marketplace: aws_marketplace::Shelf,
    pub(super) openmeter: openmeter::Shelf,
}

/// As many bytes of a digest as tell lists apart.
pub(super) type Stamp = [u8; 16];

/// After how long a head is tried again whose facts were not in order, or not there yet.
const AGAIN_MS: u64 = 10_000;

impl Present {
    pub(super) fn open(options: Options) -> Result<Self, Failure> {
        let mut gate = Gate::new(options.gate.clone());
        let head = options.head()?;
        let known = options.take(&mut gate, head)?;
        Ok(Self { options, gate, known, refused: None })
    }

    /// Takes over what was published since. What is refused leaves everything as it was.
    pub(super) fn renew(&mut self) {
        let Ok(head) = self.options.head() else { return };
        if head == self.known.head {
            return;
        }
        let now = (self.options.clock)();
        let refused = self.refused.as_ref().filter(|(refused, _)| *refused == head);
        let refused_at = refused.map(|(_, at)| at.millis());
        if refused_at.is_some_and(|at| now.millis().abs_diff(at) < AGAIN_MS) {
            return;
        }
        match self.options.take(&mut self.gate, head.clone()) {
            Ok(known) => (self.known, self.refused) = (known, None),
            Err(failure) => {
                if refused_at.is_none() {
                    eprintln!("edgegrant: {failure}; answers are those of the snapshot before");
                }
                self.refused = Some((head, now));
            }
        }
    }

    /// The facts and what was made of them.
    pub(super) const fn known(&self) -> &Known {
        &self.known
    }

    /// What a token of a list is good for: the list with a name, of this snapshot and these facts.
    pub(super) fn stamp(&self, list: &impl Serialize) -> Stamp {
        let mut hash = Sha256::new();
        hash.update(self.known.roots.root.0);
        hash.update(self.known.roots.catalogue.0);
        hash.update(self.known.facts.digest());
        hash.update(serde_json::to_vec(list).unwrap_or_default());
        let mut stamp = Stamp::default();
        stamp.iter_mut().zip(hash.finalize()).for_each(|(target, byte)| *target = byte);
        stamp
    }

    /// What the time is, but never before the snapshot was signed.
    pub(super) fn now(&self) -> Instant {
        let now = (self.options.clock)();
        self.gate.now(Clock::At(now)).unwrap_or(now)
    }

    /// The decision about a feature of a subject.
    pub(super) fn check(&self, subject: &str, feature: &str) -> Result<Answer, Unavailable> {
        Ok(self.explain(subject, feature)?.answer)
    }

    /// The decision with its grants.
    pub(super) fn explain(&self, subject: &str, feature: &str) -> Result<Explained, Unavailable> {
        self.explain_at(subject, feature, None)
    }

    /// The decision at an instant, or now.
    pub(super) fn explain_at(
        &self,
        subject: &str,
        feature: &str,
        at: Option<Instant>,
    ) -> Result<Explained, Unavailable> {
        let clock = Clock::At((self.options.clock)());
        let ask = Ask { subject, feature, clock, at, amount: None, used: None };
        let explained = self.gate.explain(&ask);
        match explained.answer.reason {
            reason if is_none(reason) => Err(Unavailable(reason.as_str())),
            _ => Ok(explained),
        }
    }

    /// Whether what is left suffices for a demand.
    pub(super) fn can_fit(
        &self,
        subject: &str,
        wanted: &[(String, Amount)],
    ) -> Result<Fit, Unavailable> {
        let clock = Clock::At((self.options.clock)());
        let demand = Demand { subject, wanted, clock, at: None };
        let fit = self.gate.can_fit(&demand).map_err(|error| Unavailable(error.code()))?;
        let none = fit.missing.iter().map(|short| short.reason).find(|reason| is_none(*reason));
        none.map_or(Ok(fit), |reason| Err(Unavailable(reason.as_str())))
    }

    /// Whether there is a snapshot to decide by, for answers in which it decides nothing else.
    pub(super) fn is_usable(&self) -> Result<(), Unavailable> {
        self.check("", "").map(|_| ())
    }
}

/// Whether a decision is none, since there is no snapshot to decide by.
const fn is_none(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::NoSnapshot
            | Reason::NotResident
            | Reason::PageInvalid
            | Reason::ExpiredSnapshot
            | Reason::DeadSnapshot
    )
}

/// Whether the snapshot has no such entitlement, or none that is in force.
pub(super) const fn is_gone(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::UnknownSubject
            | Reason::UnknownFeature
            | Reason::NotEntitled
            | Reason::NotYet
            | Reason::Ended
    )
}

impl Options {
    fn head(&self) -> Result<Vec<u8>, Failure> {
        disk::read(&self.folder.head(), HEAD_BYTES_MAX as u64)
    }

    /// Reads the facts, and gives the gate the snapshot of a head. All facts take long to read, so
    /// that is done only for a head that somebody trusted has signed.
    fn take(&self, gate: &mut Gate, head: Vec<u8>) -> Result<Known, Failure> {
        let Self { gate: trusted, .. } = self;
        let verified = verify(&head, &trusted.keyring, &trusted.audience);
        let verified = verified.map_err(|error| Failure::refused(&error))?;
        let facts = Facts::read(&self.facts)?;
        let marketplace = aws_marketplace::Shelf::new(&facts)?;
        let openmeter = openmeter::Shelf::new(&facts)?;
        self.folder.give(gate, &head, Clock::At((self.clock)()))?;
        let roots = folder::roots(verified.head());
        Ok(Known { head, roots, facts, marketplace, openmeter })
    }
}
