//! The gate: trusted keys, one verified snapshot and the usage seen here; it answers questions.
//!
//! It reads no clock and fetches nothing: whoever does brings it heads and the parts that they
//! name. Whatever is refused leaves the old snapshot serving.

mod answer;
mod bundle;
mod expression;
mod floor;
mod found;
mod freshness;
mod policy;
mod query;
mod refresh;
mod remains;
mod seen;
mod slice;

use crate::amount::Amount;
use crate::engine::program::{Program, Rule};
use crate::engine::{Explanation, History, UsageEvent, WindowSize};
use crate::error::Error;
use crate::snapshot::{Body, Roots, Subject, cut};
/// What callers of a gate name besides.
pub use crate::snapshot::{Digest, PART_BYTES_MAX, Span, Spans, Stream, WhenExpired, patched};
use crate::time::Instant;
use crate::trust::{Head, Keyring, TrustedKey, VerifiedHead};
pub use answer::{Answer, Kind, Reason};
pub use bundle::{bundle, unbundle, unbundle_head};
pub use expression::Expression;
use found::{Found, Missing, Sought};
pub use freshness::{Clock, Origin, Status};
use freshness::{Rung, Standing};
pub use policy::{Policies, PolicySource};
use query::Indexes;
pub use query::{
    CatalogueFeature, Demand, Ending, Filter, Fit, FoundEntitlement, FoundGrant, Listed, Listing,
    Shortfall,
};
use refresh::Pending;
pub use refresh::{Offer, Wanted};
pub use remains::Remains;
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

impl Ask<'_> {
    /// How it is asked, whoever it is about.
    #[must_use]
    pub const fn options(&self) -> AskOptions {
        let Self { clock, at, amount, used, .. } = *self;
        AskOptions { clock, at, amount, used }
    }
}

/// How a question is asked; the members are those of [`Ask`].
#[derive(Clone, Copy, Debug)]
pub struct AskOptions {
    /// The host's clock.
    pub clock: Clock,
    /// The instant to answer for, when it is not now.
    pub at: Option<Instant>,
    /// How many units are wanted.
    pub amount: Option<Amount>,
    /// Usage that the snapshot does not include.
    pub used: Option<Amount>,
}

/// The number of a feature in the body that a gate holds at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureNumber(pub u32);

impl FeatureNumber {
    /// The number that no feature has.
    pub const NONE: Self = Self(u32::MAX);
}

/// Owns trusted keys and one verified snapshot, and answers.
pub struct Gate {
    options: Options,
    present: Option<Snapshot>,
    pending: Option<Pending>,
    /// How much a gate may hold that holds only what it is asked for.
    resident_bytes_max: Option<usize>,
    /// The latest head that an earlier gate accepted, from a store.
    floor: Option<VerifiedHead>,
    /// The latest `issuedAt` of all heads that were verified: time does not run back behind it.
    latest_issue: Instant,
    seen: SeenUsage,
    /// Whether answers are given as if the snapshot had expired.
    distrusted: bool,
}

/// A verified head and the body that it names.
struct Snapshot {
    head: VerifiedHead,
    origin: Origin,
    body: Body,
    indexes: Indexes,
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
            pending: None,
            resident_bytes_max: None,
            floor: None,
            latest_issue: Instant::MIN,
            seen: SeenUsage::default(),
            distrusted: false,
        }
    }

    /// Whether the feature may be used; nothing is allocated.
    #[must_use]
    pub fn has_access(&self, ask: &Ask<'_>) -> bool {
        self.has_access_by_number(
            ask.subject.as_bytes(),
            self.feature_number(ask.feature),
            &ask.options(),
        )
    }

    /// The number of a feature, by which a gate finds it faster than by its key. It holds until the
    /// next swap; [`FeatureNumber::NONE`] when there is no such feature.
    #[must_use]
    pub fn feature_number(&self, key: &str) -> FeatureNumber {
        let catalogue = self.present.as_ref().map(|present| present.body.catalogue());
        let number = catalogue.and_then(|catalogue| catalogue.number(key));
        let number = number.and_then(|number| u32::try_from(number).ok());
        number.map_or(FeatureNumber::NONE, FeatureNumber)
    }

    /// As [`Gate::has_access`], of a subject whose name need not be text and of a feature with
    /// a number.
    #[must_use]
    pub fn has_access_by_number(
        &self,
        subject: &[u8],
        feature: FeatureNumber,
        options: &AskOptions,
    ) -> bool {
        found::has_access(&self.seek_inlined(subject, feature, options), options)
    }

    /// As [`Gate::check`], of what [`Gate::has_access_by_number`] is asked about.
    /// The answer's text is the snapshot's own.
    #[must_use]
    #[inline(always)]
    pub fn check_by_number(
        &self,
        subject: &[u8],
        feature: FeatureNumber,
        options: &AskOptions,
    ) -> Answer<&str> {
        found::check(&self.seek_by_number(subject, feature, options), options)
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
        found::check(&self.seek(ask), &ask.options()).owned()
    }

    /// The decision with its derivation.
    #[must_use]
    pub fn explain(&self, ask: &Ask<'_>) -> Explained {
        found::explain(&self.seek(ask), &ask.options())
    }

    /// Whether an expression holds for a subject. An ask's feature is left aside. Where it cannot
    /// be told whether there is access, say before the first snapshot, neither a name nor its
    /// negation holds.
    #[must_use]
    pub fn satisfies(&self, ask: &Ask<'_>, expression: &Expression) -> bool {
        expression.satisfied(|feature| self.check(&Ask { feature, ..*ask }).reason)
    }

    /// Every entitlement of a subject, with the feature's key; nothing for an unknown subject.
    ///
    /// # Errors
    /// Those of [`Gate::features`].
    pub fn entitlements(
        &self,
        subject: &str,
        clock: Clock,
        at: Option<Instant>,
    ) -> Result<Vec<(String, Answer)>, Error> {
        let answered = self.features(subject)?.into_iter().map(|feature| {
            let ask = Ask { subject, feature: &feature, clock, at, amount: None, used: None };
            let answer = self.check(&ask);
            (feature, answer)
        });
        Ok(answered.collect())
    }

    /// The keys of the features that a subject has an entitlement to; none for an unknown subject.
    ///
    /// # Errors
    /// Where that cannot be told, since an empty list would say that there is nothing:
    /// `no-snapshot` before the first, and the codes of [`Body::subject`], such as `not-resident`.
    pub fn features(&self, subject: &str) -> Result<Vec<String>, Error> {
        let body = &self.present.as_ref().ok_or(NO_SNAPSHOT)?.body;
        let found = body.subject(subject)?;
        let entries = found.iter().flat_map(Subject::entries);
        Ok(entries.map(|(feature, _)| feature.key.to_owned()).collect())
    }

    /// Usage and balances over time, as far back as the snapshot goes; up to now unless `to` says
    /// otherwise.
    ///
    /// # Errors
    /// The reason of [`Gate::check`] as a code when no such entitlement is found;
    /// `history-not-metered-by-usage` when it is not counted so; and those of
    /// [`Metered::history`](crate::engine::program::Metered::history).
    pub fn history(
        &self,
        ask: &Ask<'_>,
        from: Instant,
        to: Option<Instant>,
        window: WindowSize,
    ) -> Result<Told, Error> {
        found::history(&self.seek(ask), from, to, window)
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

    #[inline(always)]
    fn standing(&self, present: &Snapshot, clock: Clock) -> Standing {
        let standing = Standing::new(present.head.head(), present.origin, clock, self.latest_issue);
        if self.distrusted { standing.expired() } else { standing }
    }

    /// The entitlement that is asked about, or why there is none.
    fn seek(&self, ask: &Ask<'_>) -> Sought<'_> {
        self.seek_by_number(
            ask.subject.as_bytes(),
            self.feature_number(ask.feature),
            &ask.options(),
        )
    }

    #[inline(never)]
    fn seek_by_number(
        &self,
        subject: &[u8],
        feature: FeatureNumber,
        options: &AskOptions,
    ) -> Sought<'_> {
        self.seek_inlined(subject, feature, options)
    }

    #[inline(always)]
    fn seek_inlined(
        &self,
        subject: &[u8],
        FeatureNumber(feature): FeatureNumber,
        ask: &AskOptions,
    ) -> Sought<'_> {
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
        let subject = match present.body.subject_inlined(subject) {
            Ok(Some(subject)) => subject,
            Ok(None) => return Err(missing(Reason::UnknownSubject)),
            Err(error) => return Err(missing(lacking(&error))),
        };
        let Some(feature) = present.body.catalogue().numbered(feature as usize) else {
            return Err(missing(Reason::UnknownFeature));
        };
        let Some(entry) = subject.entry_inlined(&feature) else {
            return Err(missing(Reason::NotEntitled));
        };
        let seen = self.seen.of(&subject, feature.key);
        let policies = &self.options.policies;
        Ok(Found { standing, feature, entry, seen, policies })
    }
}

/// Why a body cannot tell whether there is a subject.
#[cold]
fn lacking(error: &Error) -> Reason {
    let resident = error.code() != Reason::NotResident.as_str();
    if resident { Reason::PageInvalid } else { Reason::NotResident }
}

const NO_SNAPSHOT: Error =
    Error::new("no-snapshot", "there is no snapshot yet; refresh, or wait until one is published");
const UNKNOWN_SUBJECT: Error = Error::new(
    "unknown-subject",
    "the snapshot has no subject of that name; check the name, and whether its facts are published",
);

fn roots(head: &Head) -> Roots {
    Roots {
        root: Digest(head.root),
        catalogue: Digest(head.catalogue),
        pack_length: head.pack_length,
    }
}
