//! How a snapshot takes the place of another.
//!
//! [`Gate::offer`] verifies a head. As long as [`Gate::wanted`] names files, whoever fetches brings
//! them with [`Gate::supply`] and [`Gate::feed`], a part or a chunk at a time, so that no step
//! takes long. [`Gate::swap`] changes everything at once, and [`Gate::settle`] gives back what the
//! old snapshot took. Several may fetch at the same time: what one has brought is not wanted from
//! the others.

use super::freshness::{self, Clock, Origin};
use super::{Gate, Indexes, Snapshot, roots};
use crate::error::Error;
use crate::snapshot::{Body, Digest, Offered, Stream, delta_name};
use crate::trust::{VerifiedHead, verify};

/// What a refresh needs after its head was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Nothing: the snapshot is the present one, perhaps with a renewed head.
    Unchanged,
    /// The body with this file name under `private/pack/` and exactly this many bytes.
    Body {
        /// The file name.
        name: String,
        /// The length in bytes; whoever fetches stops there.
        length: u64,
    },
}

/// What to fetch next from below `private/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing; everything is there for [`Gate::swap`].
    Nothing,
    /// Parts, each under `part/` by its name. More may be wanted once these are there.
    Parts(Vec<Digest>),
    /// A file under `delta/`, which may not be there; it is asked for once.
    Delta {
        /// The file name.
        name: String,
        /// If it is longer in bytes, parts are the shorter way.
        length_max: u64,
    },
    /// A file under `pack/`.
    Pack {
        /// The file name.
        name: String,
        /// Its length in bytes.
        length: u64,
    },
}

/// A verified head whose body is not there yet.
pub(super) struct Pending {
    head: VerifiedHead,
    origin: Origin,
    body: Offered,
    /// How often more was wanted when all seemed there.
    rounds: u8,
}

/// How many parts are named at a time.
const PARTS_AT_ONCE: usize = 64;
/// What a request costs, told in bytes of a large file that are fetched in the same time.
const REQUEST_BYTES: u64 = 64 * 1024;
/// With so many parts, a paged gate asks for a delta.
const DELTA_PARTS_MIN: usize = 16;
/// How many bytes of pages are made at a time, which takes about a millisecond.
const SETTLED_AT_ONCE: usize = 1024 * 1024;
/// How often a paged gate catches up with what was asked for during a refresh.
const ROUNDS_MAX: u8 = 4;

impl Gate {
    /// Lets a gate hold only what it is asked for, in at most so many bytes.
    pub fn hold_pages(&mut self, resident_bytes_max: usize) {
        self.resident_bytes_max = Some(resident_bytes_max);
    }

    /// Verifies a head and says what else is needed. A newer head of the present body is taken over
    /// at once, so that publishing what has not changed costs only the head; anything else changes
    /// nothing until [`Gate::swap`].
    ///
    /// # Errors
    /// The codes of [`verify`]; `head-from-future` when it was signed more than a day ahead of the
    /// clock; `head-expired` unless it comes from the own store; `head-rollback` when it is older
    /// than the floor; `head-equivocation` when it has the version of the floor and says something
    /// else.
    pub fn offer(&mut self, head: &[u8], clock: Clock, origin: Origin) -> Result<Offer, Error> {
        let pending = self.pending.take();
        let head = verify(head, &self.options.keyring, &self.options.audience)?;
        freshness::admit(head.head(), clock, origin)?;
        self.begin(head, origin, pending)
    }

    /// Takes a verified head over, or begins the body that it names, if `pending` is not about it.
    pub(super) fn begin(
        &mut self,
        head: VerifiedHead,
        origin: Origin,
        pending: Option<Pending>,
    ) -> Result<Offer, Error> {
        if let Some(floor) = self.lowest() {
            freshness::supersedes(&head, floor)?;
        }
        self.latest_issue = self.latest_issue.max(head.head().issued_at);
        let roots = roots(head.head());
        let usage_as_of = head.head().usage_as_of;
        if let Some(present) = &mut self.present
            && *present.body.roots() == roots
            && !present.body.is_damaged()
        {
            present.body.renew(usage_as_of);
            present.head = head;
            present.origin = origin;
            self.seen.forget_included(&present.body);
            return Ok(Offer::Unchanged);
        }
        let present = self.present.as_ref().map(|present| &present.body);
        // What somebody who has given bytes brings is there as a whole.
        let whole = self.resident_bytes_max.is_none() || origin != Origin::Network;
        let fits = |offered: &Offered| *offered.roots() == roots && (offered.is_whole() || !whole);
        let body = match pending.filter(|pending| fits(&pending.body)) {
            Some(Pending { mut body, .. }) => {
                body.renew(usage_as_of);
                body
            }
            None => Offered::new(&roots, usage_as_of, whole, present)?,
        };
        self.pending = Some(Pending { head, origin, body, rounds: 0 });
        Ok(Offer::Body { name: roots.pack_name(), length: roots.pack_length })
    }

    /// The version of the head whose body is wanted, if one was offered.
    #[must_use]
    pub fn offered(&self) -> Option<u64> {
        self.pending.as_ref().map(|pending| pending.head.head().version)
    }

    /// Whether a part of the snapshot turned out to be bad when it was first touched. The next
    /// offer then asks for that part again, also under the same head.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.present.as_ref().is_some_and(|present| present.body.is_damaged())
    }

    /// What to fetch next for the body that was offered. A delta is only named to whoever has not
    /// tried it.
    ///
    /// A first body comes in one file, and so does one that takes longer in parts.
    #[must_use]
    pub fn wanted(&self, delta_untried: bool) -> Wanted {
        let Some(Pending { body, .. }) = &self.pending else { return Wanted::Nothing };
        let (whole, to) = (body.is_whole(), body.roots());
        let present = self.present.as_ref().map(|present| present.body.roots());
        let parts = body.wanted_min();
        let as_parts = parts as u64 * REQUEST_BYTES;
        match present {
            _ if parts == 0 => Wanted::Nothing,
            Some(from) if delta_untried && from != to && (whole || parts > DELTA_PARTS_MIN) => {
                let length_max = if whole { to.pack_length } else { as_parts };
                Wanted::Delta { name: delta_name(from, to), length_max }
            }
            _ if whole && (present.is_none() || as_parts > to.pack_length) => {
                Wanted::Pack { name: to.pack_name(), length: to.pack_length }
            }
            _ => Wanted::Parts(body.wanted().take(PARTS_AT_ONCE).collect()),
        }
    }

    /// Takes a part of the offered body by its name. What is not wanted is left aside.
    ///
    /// # Errors
    /// Those of [`Offered::supply`]. The offer is then refused as a whole.
    pub fn supply(&mut self, name: Digest, bytes: &[u8]) -> Result<(), Error> {
        self.with_offered(|body, present| body.supply(name, bytes, present))
    }

    /// Begins to read the delta to the offered body, or its pack.
    ///
    /// # Errors
    /// `not-offered` without an offer; `snapshot-limit` for a pack that is too long.
    pub fn stream(&self, delta: bool) -> Result<Stream, Error> {
        let roots = self.pending.as_ref().ok_or(NOT_OFFERED)?.body.roots();
        if delta { Ok(Stream::delta(roots)) } else { Stream::pack(roots) }
    }

    /// Takes what is wanted from the next chunk of a file, and says whether the rest is of use.
    ///
    /// # Errors
    /// Those of [`Offered::feed`]. The offer is then refused as a whole.
    pub fn feed(&mut self, stream: &mut Stream, chunk: &[u8]) -> Result<bool, Error> {
        self.with_offered(|body, present| body.feed(stream, chunk, present))?;
        Ok(self.pending.as_ref().is_some_and(|pending| pending.body.takes(stream)))
    }

    /// Changes the offered body, if there is one, and refuses it when that fails.
    fn with_offered(
        &mut self,
        change: impl FnOnce(&mut Offered, Option<&Body>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(pending) = &mut self.pending else { return Ok(()) };
        let present = self.present.as_ref().map(|present| &present.body);
        let changed = change(&mut pending.body, present);
        if changed.is_err() {
            self.pending = None;
        }
        changed
    }

    /// Lets the offered snapshot take the place of the present one, all at once; `false` when more
    /// is wanted for that.
    ///
    /// # Errors
    /// `not-offered` without an offer; `snapshot-shrunk` when more than half of the subjects are
    /// gone and the head does not say that this was meant; `snapshot-digest` for a first body whose
    /// root is wrong. The offer is then refused as a whole.
    pub fn swap(&mut self) -> Result<bool, Error> {
        let Some(pending) = &mut self.pending else { return Err(NOT_OFFERED) };
        pending.rounds = pending.rounds.saturating_add(1);
        let rounds = pending.rounds;
        self.with_offered(|body, present| match present {
            Some(present) if rounds <= ROUNDS_MAX => body.catch_up(present),
            _ => {
                body.give_up();
                Ok(())
            }
        })?;
        match self.pending.take().ok_or(NOT_OFFERED)? {
            complete if complete.body.wanted_min() == 0 => self.take(complete).map(|()| true),
            wanting => {
                self.pending = Some(wanting);
                Ok(false)
            }
        }
    }

    /// Does some of what a swap left to be done: pages that came as what changed are made of what
    /// was before, and the memory of that is given back. Whether more is left. Answers do not wait
    /// for it.
    pub fn settle(&mut self) -> bool {
        self.present.as_mut().is_some_and(|present| present.body.settle(SETTLED_AT_ONCE))
    }

    fn take(&mut self, pending: Pending) -> Result<(), Error> {
        let Pending { head, origin, body, .. } = pending;
        if let Some(floor) = self.lowest() {
            freshness::supersedes(&head, floor)?;
        }
        let mut body = body.finish()?;
        if let Some(present) = &self.present {
            let subjects = |body: &Body| body.catalogue().counts().subjects;
            freshness::admit_loss(&head, subjects(&body), &present.head, subjects(&present.body))?;
        }
        body.evict(self.resident_bytes_max.unwrap_or(usize::MAX), &[]);
        self.seen.forget_included(&body);
        self.present = Some(Snapshot { head, origin, body, indexes: Indexes::default() });
        Ok(())
    }

    /// Takes the body that the offered head names from its pack, in one go. When there is a
    /// snapshot already, every part that is new is verified before it takes its place; the first
    /// body is verified as it is touched.
    ///
    /// # Errors
    /// Those of [`Offered::read`] and [`Gate::swap`].
    pub fn accept(&mut self, pack: impl AsRef<[u8]>) -> Result<(), Error> {
        let accepted = self.read_pack(pack.as_ref());
        self.pending = None;
        accepted
    }

    fn read_pack(&mut self, pack: &[u8]) -> Result<(), Error> {
        if self.pending.is_none() {
            return Err(NOT_OFFERED);
        }
        self.with_offered(|body, present| body.read(pack, present))?;
        if self.swap()? { Ok(()) } else { Err(INCOMPLETE) }
    }

    /// What nodes and pages of the present body take in memory, in bytes, with the room for them; 0
    /// before the first.
    #[must_use]
    pub fn resident_bytes(&self) -> usize {
        self.present.as_ref().map_or(0, |present| present.body.resident_bytes())
    }

    /// The name of the part that has to be fetched next to answer for a subject; `None` when there
    /// is an answer.
    ///
    /// # Errors
    /// Those of [`Body::needs`].
    pub fn needs(&self, subject: &str) -> Result<Option<Digest>, Error> {
        self.present.as_ref().map_or(Ok(None), |present| present.body.needs(subject))
    }

    /// Takes the part that a subject needs next. A part of a snapshot that has been replaced
    /// meanwhile is left aside.
    ///
    /// # Errors
    /// Those of [`Body::keep`]; the snapshot goes on without the part.
    pub fn keep(&mut self, subject: &str, name: Digest, bytes: &[u8]) -> Result<(), Error> {
        let Some(present) = &mut self.present else { return Ok(()) };
        let resident_bytes_max = self.resident_bytes_max.unwrap_or(usize::MAX);
        if let Some(page) = present.body.keep(subject, name, bytes, resident_bytes_max)? {
            self.seen.forget_included_in(&present.body, page);
        }
        Ok(())
    }
}

const NOT_OFFERED: Error = Error::new(
    "not-offered",
    "a body was given without a head before it; offer the head that names it first",
);
const INCOMPLETE: Error = Error::new(
    "snapshot-incomplete",
    "the pack does not hold what the signed head names; fetch it again",
);
