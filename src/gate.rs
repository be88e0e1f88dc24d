//! The gate: trusted keys, one verified snapshot and the usage seen here; it answers questions.
//!
//! It reads no clock and fetches nothing. A refresh has two steps: [`Gate::offer`] verifies a head
//! and says which body it needs, [`Gate::accept`] verifies that body as a whole and swaps it in.
//! Whatever is refused leaves the old snapshot serving.

mod answer;
mod bundle;
mod floor;
mod found;
mod freshness;
mod policy;
mod seen;
mod slice;

use crate::amount::Amount;
use crate::engine::program::{Program, Rule};
use crate::engine::{Explanation, History, HistoryQuery, UsageEvent, WindowSize};
use crate::error::Error;
use crate::snapshot::{Body, Digest, Roots, cut};
use crate::time::Instant;
use crate::trust::{Head, Keyring, TrustedKey, VerifiedHead, verify};
pub use answer::{Answer, Kind, Reason};
pub use bundle::{bundle, unbundle};
use found::{Found, Missing, Sought};
pub use freshness::{Clock, Origin, Status};
use freshness::{Rung, Standing};
pub use policy::{Policies, PolicySource};
use seen::SeenUsage;
pub use slice::SliceGate;

/// What a gate trusts and how it answers before it has a snapshot.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whom heads must be for: tenant and environment.
    pub audience: String,
    /// Whose signatures count, and how many are needed.
    pub keyring: Keyring,
    /// Answer everything with access before the first snapshot, though nobody signed that.
    pub dangerously_open_without_snapshot: bool,
    /// What features answer once a snapshot has expired, apart from what is signed.
    pub policies: Policies,
}

impl Options {
    /// Reads the keys, of which `threshold` must have signed.
    ///
    /// # Errors
    /// Those of [`TrustedKey::parse`] and [`Keyring::new`].
    pub fn parse(
        audience: String,
        trusted_keys: &[String],
        threshold: usize,
    ) -> Result<Self, Error> {
        let keys: Result<Vec<_>, _> = trusted_keys.iter().map(|k| TrustedKey::parse(k)).collect();
        Ok(Self::new(audience, Keyring::new(keys?, threshold)?))
    }

    /// Trusts a keyring for an audience, and answers as the origin signed.
    #[must_use]
    pub fn new(audience: String, keyring: Keyring) -> Self {
        let policies = Policies::default();
        Self { audience, keyring, dangerously_open_without_snapshot: false, policies }
    }
}

/// A question to a gate.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The id or an alias of a subject.
    pub subject: &'a str,
    /// The key of a feature.
    pub feature: &'a str,
    /// The host's clock, by which the snapshot is fresh or not.
    pub clock: Clock,
    /// The instant to answer for, when it is not now.
    pub at: Option<Instant>,
    /// How many units are wanted; any at all when absent.
    pub amount: Option<Amount>,
    /// Usage that the snapshot does not include, from a caller who keeps the count; it replaces
    /// what was recorded here.
    pub used: Option<Amount>,
}

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

/// Owns trusted keys and one verified snapshot, and answers.
pub struct Gate {
    options: Options,
    present: Option<Snapshot>,
    offered: Option<(VerifiedHead, Origin)>,
    /// The latest head that an earlier gate accepted, from a store.
    floor: Option<VerifiedHead>,
    /// The latest `issuedAt` of all heads that were verified: time does not run back behind it.
    latest_issue: Instant,
    seen: SeenUsage,
}

/// A verified head and the body that it names.
struct Snapshot {
    head: VerifiedHead,
    origin: Origin,
    body: Body,
}

/// What the derivation of an answer is told with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The answer that is explained.
    pub answer: Answer,
    /// The engine's derivation, when the engine was asked.
    pub explanation: Option<Explanation>,
    /// The ids of the grants, in the order that the derivation counts them.
    pub grant_ids: Vec<String>,
}

/// A history, and the ids of the grants in the order that it counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The history.
    pub history: History,
    /// The ids.
    pub grant_ids: Vec<String>,
}

impl Gate {
    /// A gate without a snapshot.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            present: None,
            offered: None,
            floor: None,
            latest_issue: Instant::MIN,
            seen: SeenUsage::default(),
        }
    }

    /// Verifies a head and says what else is needed. A newer head of the present body is taken over
    /// at once, so that publishing what has not changed costs only the head; anything else changes
    /// nothing until [`Gate::accept`].
    ///
    /// # Errors
    /// The codes of [`verify`]; `head-from-future` when it was signed more than a day ahead of the
    /// clock; `head-expired` unless it comes from the own store; `head-rollback` when it is older
    /// than the floor; `head-equivocation` when it has the version of the floor and says something
    /// else.
    pub fn offer(&mut self, head: &[u8], clock: Clock, origin: Origin) -> Result<Offer, Error> {
        self.offered = None;
        let head = verify(head, &self.options.keyring, &self.options.audience)?;
        freshness::admit(head.head(), clock, origin)?;
        if let Some(floor) = self.lowest() {
            freshness::supersedes(&head, floor)?;
        }
        self.latest_issue = self.latest_issue.max(head.head().issued_at);
        if let Some(present) = &mut self.present {
            let same = roots(head.head()) == roots(present.head.head());
            if same && !present.body.is_damaged() {
                present.body.renew(head.head().usage_as_of);
                present.head = head;
                present.origin = origin;
                self.seen.forget_included(&present.body);
                return Ok(Offer::Unchanged);
            }
        }
        let roots = roots(head.head());
        self.offered = Some((head, origin));
        Ok(Offer::Body { name: roots.pack_name(), length: roots.pack_length })
    }

    /// Whether a part of the snapshot turned out to be bad when it was first touched. The next
    /// offer then asks for the body again, also under the same head.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.present.as_ref().is_some_and(|present| present.body.is_damaged())
    }

    /// Takes the body that the offered head names. When there is a snapshot already, every part of
    /// the new one is verified before it takes its place; the first one is verified as it is
    /// touched.
    ///
    /// # Errors
    /// `not-offered` without an offer before; `snapshot-shrunk` when more than half of the subjects
    /// are gone and the head does not say that this was meant; the codes of [`Body::open`] and of
    /// its parts.
    pub fn accept(&mut self, pack: Vec<u8>) -> Result<(), Error> {
        let (head, origin) = self.offered.take().ok_or(NOT_OFFERED)?;
        let body = Body::open(pack, &roots(head.head()), head.head().usage_as_of)?;
        if let Some(present) = &self.present {
            let subjects = |body: &Body| body.catalogue().counts().subjects;
            freshness::admit_loss(&head, subjects(&body), &present.head, subjects(&present.body))?;
            body.verify_parts()?;
        }
        self.seen.forget_included(&body);
        self.present = Some(Snapshot { head, origin, body });
        Ok(())
    }

    /// Whether the feature may be used; nothing is allocated.
    #[must_use]
    pub fn has_access(&self, ask: &Ask<'_>) -> bool {
        found::has_access(&self.find(ask), ask)
    }

    /// Units left; `None` where the type has none or they are not known.
    #[must_use]
    pub fn balance(&self, ask: &Ask<'_>) -> Option<Amount> {
        self.check(ask).balance
    }

    /// Units used in the usage period; `None` where the type has none or they are not known.
    #[must_use]
    pub fn usage(&self, ask: &Ask<'_>) -> Option<Amount> {
        self.check(ask).usage
    }

    /// Units used that no grant covers; `None` where the type has none or they are not known.
    #[must_use]
    pub fn overage(&self, ask: &Ask<'_>) -> Option<Amount> {
        self.check(ask).overage
    }

    /// The full decision.
    #[must_use]
    pub fn check(&self, ask: &Ask<'_>) -> Answer {
        found::check(&self.find(ask), ask)
    }

    /// The decision with its derivation.
    #[must_use]
    pub fn explain(&self, ask: &Ask<'_>) -> Explained {
        found::explain(&self.find(ask), ask)
    }

    /// Every entitlement of a subject, with the feature's key; nothing for an unknown subject.
    #[must_use]
    pub fn entitlements(
        &self,
        subject: &str,
        clock: Clock,
        at: Option<Instant>,
    ) -> Vec<(String, Answer)> {
        let answered = self.features(subject).into_iter().map(|feature| {
            let ask = Ask { subject, feature: &feature, clock, at, amount: None, used: None };
            let answer = self.check(&ask);
            (feature, answer)
        });
        answered.collect()
    }

    /// The keys of the features that a subject has an entitlement to; none for an unknown subject.
    #[must_use]
    pub fn features(&self, subject: &str) -> Vec<String> {
        let Some(present) = &self.present else { return Vec::new() };
        let Ok(Some(found)) = present.body.subject(subject) else { return Vec::new() };
        found.entries().map(|(feature, _)| feature.key.to_owned()).collect()
    }

    /// Usage and balances over time, as far back as the snapshot goes.
    ///
    /// # Errors
    /// The reason as a code when there is no such entitlement, and those of
    /// [`Metered::history`](engine::program::Metered::history).
    pub fn history(
        &self,
        ask: &Ask<'_>,
        from: Instant,
        to: Instant,
        window: WindowSize,
    ) -> Result<Told, Error> {
        let found = self.find(ask).map_err(|_| NOT_FOUND)?;
        let Rule::Metered(metered) = found.entry.program()?.rule else { return Err(NOT_METERED) };
        let history = metered.history(&HistoryQuery { from, to, window, extra: found.seen })?;
        Ok(Told { history, grant_ids: found.entry.grant_ids(&found.feature)? })
    }

    /// Counts usage seen here, on top of the snapshot, until a snapshot arrives that includes it.
    ///
    /// `false` when the subject has no metered entitlement to the feature: nothing is kept then.
    pub fn record(&mut self, subject: &str, feature: &str, amount: Amount, at: Instant) -> bool {
        let Some(present) = &self.present else { return false };
        let Ok(Some(found)) = present.body.subject(subject) else { return false };
        let declared = present.body.catalogue().feature(feature);
        let Some(entry) = declared.and_then(|feature| found.entry(&feature)) else { return false };
        let Ok(Program { rule: Rule::Metered(metered), .. }) = entry.program() else {
            return false;
        };
        self.seen.record(found.id(), feature, UsageEvent { at, amount }, &metered);
        true
    }

    /// Cuts the slice of a subject, named by its id or an alias: its entitlements, and the proof
    /// that the present head stands for them. Only who names the subject's id can open it.
    ///
    /// # Errors
    /// `no-snapshot` before the first; `unknown-subject` when the snapshot has none of that name;
    /// the codes of [`Body::subject`] and of [`cut`].
    pub fn slice(&self, subject: &str) -> Result<Vec<u8>, Error> {
        let Snapshot { head, body, .. } = self.present.as_ref().ok_or(NO_SNAPSHOT)?;
        let subject = body.subject(subject)?.ok_or(UNKNOWN_SUBJECT)?;
        cut(body, &subject, head.bytes())
    }

    /// What the time is here: the clock's, but never before the snapshot was signed; `None` before
    /// the first.
    #[must_use]
    pub fn now(&self, clock: Clock) -> Option<Instant> {
        Some(self.standing(self.present.as_ref()?, clock).now)
    }

    /// What is known of the snapshot; `None` before the first.
    #[must_use]
    pub fn status(&self, clock: Clock) -> Option<Status> {
        let present = self.present.as_ref()?;
        let standing = self.standing(present, clock);
        let subjects = present.body.catalogue().counts().subjects;
        Some(standing.status(&present.head, Some(subjects)))
    }

    #[inline]
    fn standing(&self, present: &Snapshot, clock: Clock) -> Standing {
        Standing::new(present.head.head(), present.origin, clock, self.latest_issue)
    }

    /// The entitlement that is asked about, or why there is none.
    #[inline]
    fn find<'a>(&'a self, ask: &Ask<'_>) -> Sought<'a> {
        let Some(present) = &self.present else {
            let open = self.options.dangerously_open_without_snapshot;
            let reason = if open { Reason::OpenPolicy } else { Reason::NoSnapshot };
            return Err(Missing { reason, standing: None });
        };
        let standing = self.standing(present, ask.clock).asked_for(ask.at);
        let missing = |reason| Missing { reason, standing: Some(standing) };
        if standing.rung == Rung::Dead {
            return Err(missing(Reason::DeadSnapshot));
        }
        let subject =
            present.body.subject(ask.subject).map_err(|_| missing(Reason::PageInvalid))?;
        let subject = subject.ok_or(missing(Reason::UnknownSubject))?;
        let feature = present.body.catalogue().feature(ask.feature);
        let feature = feature.ok_or(missing(Reason::UnknownFeature))?;
        let entry = subject.entry(&feature).ok_or(missing(Reason::NotEntitled))?;
        let seen = self.seen.of(subject.id(), feature.key);
        let policies = &self.options.policies;
        Ok(Found { standing, feature, entry, seen, policies })
    }
}

const NO_SNAPSHOT: Error =
    Error::new("no-snapshot", "there is no snapshot yet; refresh, or wait until one is published");
const UNKNOWN_SUBJECT: Error = Error::new(
    "unknown-subject",
    "the snapshot has no subject of that name; check the name, and whether its facts are published",
);
const NOT_FOUND: Error = Error::new(
    "not-entitled",
    "there is no such entitlement in the snapshot; `check` says which part of it is unknown",
);
const NOT_METERED: Error = Error::new(
    "history-not-metered-by-usage",
    "the entitlement does not count usage over time; only those that do have a history",
);
const NOT_OFFERED: Error = Error::new(
    "not-offered",
    "a body was given without a head before it; offer the head that names it first",
);

fn roots(head: &Head) -> Roots {
    Roots {
        root: Digest(head.root),
        catalogue: Digest(head.catalogue),
        pack_length: head.pack_length,
    }
}
