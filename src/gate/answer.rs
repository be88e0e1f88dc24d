//! One answer of a gate, in the words that JavaScript and the command line share.

use super::freshness::{Origin, Standing};
use super::policy::PolicySource;
use crate::amount::Amount;
use crate::engine::{self, Decision, Period};
use crate::time::Instant;

/// The full decision about one feature of one subject.
///
/// Numbers are absent, not zero, where the type has none or where they are not known. The text is
/// borrowed where answers are given by the million.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<Text = String> {
    /// Whether the feature may be used.
    pub has_access: bool,
    /// The rule that decided.
    pub reason: Reason,
    /// The type of the entitlement, when there is one.
    pub kind: Option<Kind>,
    /// Units left.
    pub balance: Option<Amount>,
    /// Units used in the usage period.
    pub usage: Option<Amount>,
    /// Units used that no grant covers.
    pub overage: Option<Amount>,
    /// Units burnt in the usage period and units left, together.
    pub total_available: Option<Amount>,
    /// Whether the usage of a metered entitlement is known.
    pub usage_known: Option<bool>,
    /// The usage period.
    pub period: Option<Period>,
    /// The first instant at which the answer may differ without new usage; `None` is never.
    pub until: Option<Instant>,
    /// The earliest instant with access if nothing is used any more; `None` is never.
    pub retry_at: Option<Instant>,
    /// The JSON that an active static entitlement carries.
    pub config: Option<Text>,
    /// What amounts count.
    pub unit: Option<Text>,
    /// The version of the snapshot.
    pub version: Option<u64>,
    /// How long ago the snapshot was signed, in milliseconds.
    pub age_millis: Option<i64>,
    /// Whether the snapshot, or the source's own figure in it, is older than it should be.
    pub stale: bool,
    /// Whether the host's clock could be used.
    pub clock_trusted: bool,
    /// Where the snapshot came from.
    pub source: Option<Origin>,
    /// Whose policy is in force for the feature once its snapshot has expired, or before the first.
    pub policy_source: PolicySource,
}

/// The type of an entitlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Access while active.
    Boolean,
    /// Access while active, with a config.
    Static,
    /// Access while something is left.
    Metered,
}

impl Kind {
    /// The word for it in facts and in JavaScript.
    ///
    /// ```
    /// assert_eq!(edgegrant::gate::Kind::Metered.as_str(), "metered");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Static => "static",
            Self::Metered => "metered",
        }
    }
}

impl From<engine::Kind> for Kind {
    fn from(kind: engine::Kind) -> Self {
        match kind {
            engine::Kind::Boolean => Self::Boolean,
            engine::Kind::Static => Self::Static,
            engine::Kind::Metered { .. } => Self::Metered,
        }
    }
}

/// Every rule that may decide, with its word and its number in one table.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $access:literal;)*) => {
        /// The rule that decided.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// All reasons, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word for it, kebab-case, the same everywhere.
            ///
            /// ```
            /// assert_eq!(edgegrant::gate::Reason::NotYet.as_str(), "not-yet");
            /// ```
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Whether this rule gives access.
            #[must_use]
            pub const fn has_access(self) -> bool {
                match self { $(Self::$name => $access,)* }
            }

            /// A small number for it: its place in [`Reason::ALL`].
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }
        }
    };
}

reasons! {
    /// Access because it is a boolean entitlement and active.
    Boolean = "boolean", true;
    /// Access because it is a static entitlement and active.
    Static = "static", true;
    /// Access because enough is left.
    WithinBalance = "within-balance", true;
    /// Access although not enough is left, because the limit is soft.
    SoftLimit = "soft-limit", true;
    /// Access without counting.
    Unlimited = "unlimited", true;
    /// Access for present use until the grace period ends.
    Grace = "grace", true;
    /// Access as the expired snapshot has it.
    LastKnown = "last-known", true;
    /// Access because the feature's policy is open, or the gate's before its first snapshot.
    OpenPolicy = "open-policy", true;
    /// No access: there is no snapshot yet.
    NoSnapshot = "no-snapshot", false;
    /// No access: the subject's page is not resident.
    NotResident = "not-resident", false;
    /// No access: no such subject.
    UnknownSubject = "unknown-subject", false;
    /// No access: no such feature.
    UnknownFeature = "unknown-feature", false;
    /// No access: the subject has no entitlement to the feature.
    NotEntitled = "not-entitled", false;
    /// No access: the entitlement begins later.
    NotYet = "not-yet", false;
    /// No access: the entitlement has ended.
    Ended = "ended", false;
    /// No access: the source suspended the subject or the entitlement.
    Suspended = "suspended", false;
    /// No access: not enough is left.
    Exhausted = "exhausted", false;
    /// No access: the instant is before anything that the snapshot knows.
    BeforeOpening = "before-opening", false;
    /// No access: the bytes of the subject's page are not what the head names.
    PageInvalid = "page-invalid", false;
    /// No access: the snapshot has expired and the feature's policy is closed.
    ExpiredSnapshot = "expired-snapshot", false;
    /// No access: the snapshot is too old for anything.
    DeadSnapshot = "dead-snapshot", false;
}

impl Reason {
    /// Whether the entitlement itself is not in force, so that no policy may open it.
    pub(super) const fn is_closed(self) -> bool {
        matches!(self, Self::Suspended | Self::NotYet | Self::Ended)
    }

    /// Whether it says something of the subject, and not only that nothing can be told.
    pub(super) const fn is_known(self) -> bool {
        !matches!(
            self,
            Self::NoSnapshot
                | Self::NotResident
                | Self::PageInvalid
                | Self::BeforeOpening
                | Self::ExpiredSnapshot
                | Self::DeadSnapshot
        )
    }
}

impl From<engine::Reason> for Reason {
    fn from(reason: engine::Reason) -> Self {
        match reason {
            engine::Reason::Boolean => Self::Boolean,
            engine::Reason::Static => Self::Static,
            engine::Reason::WithinBalance => Self::WithinBalance,
            engine::Reason::SoftLimit => Self::SoftLimit,
            engine::Reason::Unlimited => Self::Unlimited,
            engine::Reason::Grace => Self::Grace,
            engine::Reason::NotYet => Self::NotYet,
            engine::Reason::Ended => Self::Ended,
            engine::Reason::Suspended => Self::Suspended,
            engine::Reason::Exhausted => Self::Exhausted,
            engine::Reason::BeforeOpening => Self::BeforeOpening,
        }
    }
}

impl<Text> Answer<Text> {
    fn map<'a, Other>(&'a self, text: impl Fn(&'a Text) -> Other) -> Answer<Other> {
        Answer {
            has_access: self.has_access,
            reason: self.reason,
            kind: self.kind,
            balance: self.balance,
            usage: self.usage,
            overage: self.overage,
            total_available: self.total_available,
            usage_known: self.usage_known,
            period: self.period,
            until: self.until,
            retry_at: self.retry_at,
            config: self.config.as_ref().map(&text),
            unit: self.unit.as_ref().map(&text),
            version: self.version,
            age_millis: self.age_millis,
            stale: self.stale,
            clock_trusted: self.clock_trusted,
            source: self.source,
            policy_source: self.policy_source,
        }
    }
}

impl Answer {
    /// The same, with text that is this one's.
    #[must_use]
    pub fn borrowed(&self) -> Answer<&str> {
        self.map(|text| &**text)
    }
}

impl Answer<&str> {
    /// The same, with text of its own.
    #[must_use]
    pub fn owned(&self) -> Answer {
        self.map(|text| (*text).to_owned())
    }

    /// An answer without an entitlement behind it.
    #[inline(always)]
    pub(super) fn bare(reason: Reason, standing: Option<Standing>) -> Self {
        Self {
            has_access: reason.has_access(),
            reason,
            kind: None,
            balance: None,
            usage: None,
            overage: None,
            total_available: None,
            usage_known: None,
            period: None,
            until: standing.and_then(|standing| standing.changes_at),
            retry_at: None,
            config: None,
            unit: None,
            version: standing.map(|standing| standing.version),
            age_millis: standing.map(|standing| standing.age_millis),
            stale: standing.is_some_and(|standing| standing.is_stale()),
            clock_trusted: standing.is_none_or(|standing| standing.clock_trusted),
            source: standing.map(|standing| standing.origin),
            policy_source: match (standing, reason) {
                (None, Reason::OpenPolicy) => PolicySource::Local,
                _ => PolicySource::Signed,
            },
        }
    }

    /// Takes over what the engine decided, under the reason that counts in the end.
    #[inline(always)]
    pub(super) fn with(mut self, decision: &Decision) -> Self {
        if let Some(numbers) = decision.numbers {
            self.balance = numbers.balance;
            self.usage = numbers.usage;
            self.overage = numbers.overage;
            self.total_available = numbers.total_available;
            self.usage_known = Some(numbers.usage.is_some());
            self.period = Some(numbers.period);
        }
        self.until = match (self.until, decision.until) {
            (Some(ladder), Some(engine)) => Some(ladder.min(engine)),
            (ladder, engine) => ladder.or(engine),
        };
        self.retry_at = decision.retry_at.filter(|_| !self.has_access);
        self.stale |= decision.lapsed;
        self
    }
}
