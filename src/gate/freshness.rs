//! How old a snapshot may be, and what it is worth at its age.

use crate::error::Error;
use crate::time::Instant;
use crate::trust::{Head, VerifiedHead};

/// What a host says the time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// A time that can be.
    At(Instant),
    /// No time: zero, not a number, or outside what a clock can show.
    Untrusted,
}

/// A clock that shows an earlier time, 9 September 2001, counts seconds or nothing at all.
const EARLIEST_MILLIS: f64 = 1e12;
/// How far ahead of the clock a head may be signed.
const FUTURE_MILLIS: i64 = 24 * 3_600_000;

impl Clock {
    /// The clock that shows Unix milliseconds.
    ///
    /// ```
    /// use edgegrant::gate::Clock;
    ///
    /// assert_eq!(Clock::from_millis(0.0), Clock::Untrusted);
    /// assert_eq!(Clock::from_millis(f64::NAN), Clock::Untrusted);
    /// assert!(matches!(Clock::from_millis(1_700_000_000_000.0), Clock::At(_)));
    /// ```
    #[must_use]
    pub fn from_millis(millis: f64) -> Self {
        if !(EARLIEST_MILLIS..=Instant::MAX.millis() as f64).contains(&millis) {
            return Self::Untrusted;
        }
        Instant::from_millis(millis as i64).map_or(Self::Untrusted, Self::At)
    }
}

/// Where a snapshot came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From the origin, over the network.
    Network,
    /// From the gate's own store of the last good snapshot.
    Store,
    /// From bytes that the integrator gave.
    Bytes,
}

impl Origin {
    /// The word for it in decisions.
    ///
    /// ```
    /// assert_eq!(edgegrant::gate::Origin::Network.as_str(), "origin");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "origin",
            Self::Store => "store",
            Self::Bytes => "bytes",
        }
    }
}

/// What a snapshot is worth at its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    Fresh,
    Stale,
    Expired,
    Dead,
}

/// A snapshot's age and worth at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// The host's time, or that of the latest head when it is later: time never runs back behind a
    /// signature.
    pub(super) now: Instant,
    pub(super) rung: Rung,
    pub(super) clock_trusted: bool,
    /// When the worth changes so that answers do.
    pub(super) changes_at: Option<Instant>,
    pub(super) age_millis: i64,
    pub(super) version: u64,
    pub(super) origin: Origin,
}

impl Standing {
    #[inline(always)]
    pub(super) fn new(head: &Head, origin: Origin, clock: Clock, not_before: Instant) -> Self {
        let earliest = head.issued_at.max(not_before);
        let (now, clock_trusted) = match clock {
            Clock::At(now) => (now.max(earliest), true),
            Clock::Untrusted => (earliest, false),
        };
        let rung = match now {
            now if now >= head.dead_at => Rung::Dead,
            now if now >= head.expires_at => Rung::Expired,
            now if now >= head.stale_after || !clock_trusted => Rung::Stale,
            _ => Rung::Fresh,
        };
        let changes_at = match rung {
            Rung::Fresh | Rung::Stale => Some(head.expires_at),
            Rung::Expired => Some(head.dead_at),
            Rung::Dead => None,
        };
        let age_millis = now.millis() - head.issued_at.millis();
        let version = head.version;
        Self { now, rung, clock_trusted, changes_at, age_millis, version, origin }
    }

    /// The same for a snapshot that is not to be relied on.
    pub(super) const fn expired(mut self) -> Self {
        if !matches!(self.rung, Rung::Dead) {
            self.rung = Rung::Expired;
        }
        self
    }

    pub(super) fn is_stale(&self) -> bool {
        self.rung != Rung::Fresh
    }

    /// The same for a question about an instant: the snapshot's age changes what is answered now,
    /// not what is answered for an instant.
    #[inline]
    pub(super) fn asked_for(mut self, at: Option<Instant>) -> Self {
        self.changes_at = self.changes_at.filter(|_| at.is_none());
        self
    }

    /// What is known of the snapshot that a head stands for.
    pub(super) const fn status(&self, head: &VerifiedHead, subjects: Option<u64>) -> Status {
        let Head { version, issued_at, stale_after, expires_at, dead_at, usage_as_of, .. } =
            *head.head();
        Status {
            version,
            epoch: head.epoch(),
            issued_at,
            stale_after,
            expires_at,
            dead_at,
            usage_as_of,
            age_millis: self.age_millis,
            stale: !matches!(self.rung, Rung::Fresh),
            clock_trusted: self.clock_trusted,
            source: self.origin,
            subjects,
        }
    }
}

/// What a gate knows of its snapshot or slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The version of the snapshot.
    pub version: u64,
    /// The epoch of the keys that signed it.
    pub epoch: u32,
    /// When it was signed.
    pub issued_at: Instant,
    /// From then on answers are marked stale.
    pub stale_after: Instant,
    /// From then on each feature's policy answers.
    pub expires_at: Instant,
    /// From then on everything is closed.
    pub dead_at: Instant,
    /// Usage before this is included.
    pub usage_as_of: Instant,
    /// How long ago it was signed, in milliseconds.
    pub age_millis: i64,
    /// Whether it is older than it should be.
    pub stale: bool,
    /// Whether the host's clock could be used.
    pub clock_trusted: bool,
    /// Where it came from.
    pub source: Origin,
    /// How many subjects it holds; a slice does not say.
    pub subjects: Option<u64>,
}

/// Refuses a head whose times are not for now.
pub(super) fn admit(head: &Head, clock: Clock, origin: Origin) -> Result<(), Error> {
    let Clock::At(now) = clock else { return Ok(()) };
    if head.issued_at.millis() - now.millis() > FUTURE_MILLIS {
        return Err(FROM_FUTURE);
    }
    if now >= head.expires_at && origin != Origin::Store {
        return Err(EXPIRED);
    }
    Ok(())
}

/// What orders heads: a new epoch begins versions anew.
pub(super) const fn place(head: &VerifiedHead) -> (u32, u64) {
    (head.epoch(), head.head().version)
}

/// Refuses a head that is older than the present one, or contradicts it.
pub(super) fn supersedes(head: &VerifiedHead, present: &VerifiedHead) -> Result<(), Error> {
    match place(head).cmp(&place(present)) {
        core::cmp::Ordering::Greater => Ok(()),
        core::cmp::Ordering::Less => Err(ROLLBACK),
        core::cmp::Ordering::Equal if head.head() == present.head() => Ok(()),
        core::cmp::Ordering::Equal => Err(EQUIVOCATION),
    }
}

/// Refuses a body that lost more than half of the present one's subjects, unless the head says that
/// this was meant since. Whoever configured a new epoch has looked already.
pub(super) fn admit_loss(
    head: &VerifiedHead,
    subjects: u64,
    present: &VerifiedHead,
    present_subjects: u64,
) -> Result<(), Error> {
    let meant =
        head.epoch() > present.epoch() || head.head().shrunk_at_version > present.head().version;
    if meant || subjects >= present_subjects.div_ceil(2) { Ok(()) } else { Err(SHRUNK) }
}

const SHRUNK: Error = Error::new(
    "snapshot-shrunk",
    "more than half of the subjects are gone; check the facts, and publish them with \
     --allow-shrink if that is meant",
);
const FROM_FUTURE: Error = Error::new(
    "head-from-future",
    "the head was signed more than a day ahead of this clock; set the clock",
);
const EXPIRED: Error = Error::new("head-expired", "the head has expired; publish again");
const ROLLBACK: Error = Error::new(
    "head-rollback",
    "the head is older than the present one; an old copy was served, ask the origin again",
);
const EQUIVOCATION: Error = Error::new(
    "head-equivocation",
    "two signed heads have one version and say different things; check who holds the signing key",
);
