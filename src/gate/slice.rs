//! A gate over a slice: one subject, proved by the signed head that the slice brings.

use super::found::{self, Found, Missing, Sought};
use super::freshness::{self, Clock, Origin, Rung, Standing, Status};
use super::{Answer, Ask, Explained, Expression, Options, Policies, Reason, Told};
use crate::engine::WindowSize;
use crate::error::Error;
use crate::snapshot::{Digest, Entry, Feature, Slice, SliceSubject};
use crate::time::Instant;
use crate::trust::{VerifiedHead, verify};

/// Owns trusted keys and one proved subject, and answers as a [`Gate`](super::Gate) does.
///
/// How old the slice is decides what it is worth, never whether it is opened: whoever holds a slice
/// often has a clock that is wrong, and an old slice answers by the features' signed policies.
#[derive(Debug)]
pub struct SliceGate {
    options: Options,
    subject: String,
    present: Proved,
    /// As in a gate: time does not run back behind a verified head.
    latest_issue: Instant,
    distrusted: bool,
}

/// A verified head and the subject that it proves.
#[derive(Debug)]
struct Proved {
    head: VerifiedHead,
    subject: SliceSubject,
}

impl SliceGate {
    /// Opens a slice. The subject is named by its id, by whoever opens: a slice is no credential.
    ///
    /// # Errors
    /// The codes of [`Slice::read`], [`verify`] and [`Slice::prove`]; `version-not-reached` when
    /// the slice is older than `min_version`.
    pub fn open(
        options: Options,
        subject: String,
        slice: &[u8],
        min_version: u64,
    ) -> Result<Self, Error> {
        let slice = Slice::read(slice)?;
        let head = verify(slice.head(), &options.keyring, &options.audience)?;
        let latest_issue = head.head().issued_at;
        let present = prove(&slice, head, &subject, min_version)?;
        Ok(Self { options, subject, present, latest_issue, distrusted: false })
    }

    /// Takes a newer slice of the same subject. Whatever is refused changes nothing.
    ///
    /// # Errors
    /// Those of [`SliceGate::open`]; `head-rollback` when it is older than the present one,
    /// `head-equivocation` when it has the version of the present one and says something else.
    pub fn replace(&mut self, slice: &[u8], min_version: u64) -> Result<(), Error> {
        let slice = Slice::read(slice)?;
        let head = verify(slice.head(), &self.options.keyring, &self.options.audience)?;
        freshness::supersedes(&head, &self.present.head)?;
        self.present = prove(&slice, head, &self.subject, min_version)?;
        self.latest_issue = self.latest_issue.max(self.present.head.head().issued_at);
        Ok(())
    }

    /// Lets answers be given by policy, as if the slice had expired, until this is taken back.
    pub const fn distrust(&mut self, distrusted: bool) {
        self.distrusted = distrusted;
    }

    /// The policies of this gate's own, to add to them.
    pub const fn policies(&mut self) -> &mut Policies {
        &mut self.options.policies
    }

    /// Whose slice it is.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether the feature may be used.
    #[must_use]
    pub fn has_access(&self, ask: &Ask<'_>) -> bool {
        found::has_access(&self.seek(ask), &ask.options())
    }

    /// The full decision. A slice does not tell features that the subject lacks from those that
    /// nobody has: the reason is [`Reason::NotEntitled`] for both.
    #[must_use]
    pub fn check(&self, ask: &Ask<'_>) -> Answer {
        found::check(&self.seek(ask), &ask.options()).owned()
    }

    /// The decision with its derivation.
    #[must_use]
    pub fn explain(&self, ask: &Ask<'_>) -> Explained {
        found::explain(&self.seek(ask), &ask.options())
    }

    /// Usage and balances over time, as [`Gate::history`](super::Gate::history) tells them.
    ///
    /// # Errors
    /// Those of [`Gate::history`](super::Gate::history).
    pub fn history(
        &self,
        ask: &Ask<'_>,
        from: Instant,
        to: Option<Instant>,
        window: WindowSize,
    ) -> Result<Told, Error> {
        found::history(&self.seek(ask), from, to, window)
    }

    /// Whether an expression holds for the subject, as [`Gate::satisfies`](super::Gate::satisfies)
    /// tells it.
    #[must_use]
    pub fn satisfies(&self, ask: &Ask<'_>, expression: &Expression) -> bool {
        expression.satisfied(|feature| self.check(&Ask { feature, ..*ask }).reason)
    }

    /// The keys of the features that the subject has an entitlement to.
    #[must_use]
    pub fn features(&self) -> Vec<String> {
        self.present.subject.entries().map(|(feature, _)| feature.key.to_owned()).collect()
    }

    /// What the time is here: the clock's, but never before the snapshot was signed.
    #[must_use]
    pub fn now(&self, clock: Clock) -> Instant {
        self.standing(clock).now
    }

    /// Whether the snapshot is too old for anything.
    pub(super) fn is_dead(&self, clock: Clock) -> bool {
        self.standing(clock).rung == Rung::Dead
    }

    /// All that the subject has, with the feature of each, ordered by key.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Feature<'_>, Entry<'_>)> {
        self.present.subject.entries()
    }

    /// What is known of the snapshot that the slice was cut from.
    #[must_use]
    pub fn status(&self, clock: Clock) -> Status {
        self.standing(clock).status(&self.present.head, None)
    }

    fn standing(&self, clock: Clock) -> Standing {
        let head = self.present.head.head();
        let standing = Standing::new(head, Origin::Bytes, clock, self.latest_issue);
        if self.distrusted { standing.expired() } else { standing }
    }

    fn seek<'a>(&'a self, ask: &Ask<'_>) -> Sought<'a> {
        let standing = self.standing(ask.clock).asked_for(ask.at);
        let missing = |reason| Missing { reason, standing: Some(standing) };
        if standing.rung == Rung::Dead {
            return Err(missing(Reason::DeadSnapshot));
        }
        if ask.subject != self.subject {
            return Err(missing(Reason::UnknownSubject));
        }
        let found = self.present.subject.entry(ask.feature);
        let (feature, entry) = found.ok_or(missing(Reason::NotEntitled))?;
        Ok(Found { standing, feature, entry, seen: &[], policies: &self.options.policies })
    }
}

fn prove(
    slice: &Slice<'_>,
    head: VerifiedHead,
    subject: &str,
    min_version: u64,
) -> Result<Proved, Error> {
    if head.head().version < min_version {
        return Err(OLD);
    }
    let root = Digest(head.head().root);
    let subject = slice.prove(&root, head.head().usage_as_of, subject)?;
    Ok(Proved { head, subject })
}

const OLD: Error = Error::new(
    "version-not-reached",
    "the slice is older than the version that is asked for; fetch it again in a moment",
);
