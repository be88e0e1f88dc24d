//! Facts: what importers produce and people write by hand, one JSON object a line.
//!
//! A line declares either a feature or a subject. Every type refuses unknown fields. Rules that
//! span fields (order of instants, duplicates, undeclared features) are checked by
//! [`compile`](crate::engine::compile) and by whoever reads the lines.

mod json;
mod unread;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::time::{ExpirationUnit, Interval, Timestamp};
pub use unread::UnreadSubject;

/// One line of facts. A reader chooses by the key that is present, so that errors name their field.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Fact {
    /// A line with the key `feature`.
    Feature(Feature),
    /// A line with the key `subject`.
    Subject(Subject),
}

/// Something that may be entitled; declared on a line before the first subject that uses it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Feature {
    /// The key, unique among features, 1 to 128 bytes.
    pub feature: String,
    /// What amounts count, for people: `request`, `seat`, `TiB`; 1 to 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What to answer once the snapshot has expired; `last-known` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_expired: Option<WhenExpired>,
    /// Descriptions for people and filters; they decide nothing.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "json::unique_names"
    )]
    pub attributes: BTreeMap<String, String>,
    /// Where this was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What sources said, for whoever asks in their words; no snapshot holds it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Record>,
}

impl Feature {
    /// A feature with nothing else said.
    ///
    /// ```
    /// use edgegrant::model::Feature;
    ///
    /// assert_eq!(Feature::new("api_calls").unit, None);
    /// ```
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self {
            feature: key.into(),
            unit: None,
            when_expired: None,
            attributes: BTreeMap::new(),
            source: None,
            records: Vec::new(),
        }
    }
}

/// The answer after `expiresAt` of the snapshot and before its `deadAt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenExpired {
    /// As before, marked stale.
    #[default]
    LastKnown,
    /// No access.
    Closed,
    /// Access for every subject that is entitled in the last verified snapshot.
    Open,
}

/// Whoever is entitled: a customer, an account, an organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subject {
    /// The id, unique among subjects and aliases, 1 to 256 bytes, compared byte for byte.
    pub subject: String,
    /// Other ids of the same subject.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// `suspended` denies everything.
    #[serde(default, skip_serializing_if = "Status::is_active")]
    pub status: Status,
    /// Descriptions for people and filters; they decide nothing.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "json::unique_names"
    )]
    pub attributes: BTreeMap<String, String>,
    /// Where this was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What the subject may use, at most one for each feature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<Entitlement>,
    /// What sources said, for whoever asks in their words; no snapshot holds it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Record>,
}

impl Subject {
    /// A subject that may use nothing.
    ///
    /// ```
    /// use edgegrant::model::Subject;
    ///
    /// assert!(Subject::new("acme").entitlements.is_empty());
    /// ```
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            subject: id.into(),
            aliases: Vec::new(),
            status: Status::Active,
            attributes: BTreeMap::new(),
            source: None,
            entitlements: Vec::new(),
            records: Vec::new(),
        }
    }
}

/// Whether the source lets a subject or an entitlement be used at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The other rules decide.
    #[default]
    Active,
    /// No access, whatever the other rules say.
    Suspended,
}

impl Status {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde calls")]
    fn is_active(&self) -> bool {
        *self == Self::Active
    }
}

/// The record of a foreign system that a fact was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// The system, in kebab-case.
    pub system: String,
    /// The record's id there.
    pub id: String,
}

/// What a foreign system said, as it said it. Nothing is decided by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// The system, in kebab-case.
    pub system: String,
    /// What kind of record it is there, in kebab-case: `entitlement`, `subscription`.
    pub kind: String,
    /// The key of the feature that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// The record.
    pub json: Config,
}

/// A subject's right to a feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entitlement {
    /// The key of a declared feature.
    pub feature: String,
    /// What kind of answer it gives.
    #[serde(rename = "type")]
    pub kind: EntitlementType,
    /// `suspended` denies.
    #[serde(default, skip_serializing_if = "Status::is_active")]
    pub status: Status,
    /// From when it is active, inclusive; always when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_from: Option<Timestamp>,
    /// Until when it is active, exclusive; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_to: Option<Timestamp>,
    /// When it was deleted; ends it like `activeTo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Before this, present use keeps access whatever the balance is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_until: Option<Timestamp>,
    /// Access without counting.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unlimited: bool,
    /// The JSON that a static entitlement carries; at most 65,536 bytes without spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Config>,
    /// Metered: usage before this is not counted; floored to the minute. Needed for flow usage
    /// unless there is an opening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure_usage_from: Option<Timestamp>,
    /// Metered: when usage resets by itself; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_period: Option<Recurrence>,
    /// Metered: access also without balance.
    #[serde(default, skip_serializing_if = "is_false")]
    pub soft_limit: bool,
    /// Metered: overage is burnt from the next period's grants instead of being forgiven.
    #[serde(default, skip_serializing_if = "is_false")]
    pub preserve_overage_at_reset: bool,
    /// Metered: what may be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// Metered: resets by hand, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resets: Vec<Reset>,
    /// Metered: the state at an instant, when the ledger before it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Opening>,
    /// Metered: what has been used; an empty flow when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Descriptions for people and filters; they decide nothing.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "json::unique_names"
    )]
    pub attributes: BTreeMap<String, String>,
    /// Where this was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

impl Entitlement {
    /// An entitlement of a type with nothing else said.
    ///
    /// ```
    /// use edgegrant::model::{Entitlement, EntitlementType};
    ///
    /// let sso = Entitlement::new("sso", EntitlementType::Boolean);
    /// assert!(sso.grants.is_empty());
    /// ```
    #[must_use]
    pub fn new(feature: impl Into<String>, kind: EntitlementType) -> Self {
        Self {
            feature: feature.into(),
            kind,
            status: Status::Active,
            active_from: None,
            active_to: None,
            deleted_at: None,
            grace_until: None,
            unlimited: false,
            config: None,
            measure_usage_from: None,
            usage_period: None,
            soft_limit: false,
            preserve_overage_at_reset: false,
            grants: Vec::new(),
            resets: Vec::new(),
            opening: None,
            usage: None,
            attributes: BTreeMap::new(),
            source: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde calls")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// What kind of answer an entitlement gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntitlementType {
    /// Access while active.
    Boolean,
    /// Access while active, with a `config`.
    Static,
    /// Access while something is left.
    Metered,
}

/// Any JSON value, kept as the compact text it was written as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config(pub(crate) String);

/// The points `anchor + n * interval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recurrence {
    /// An ISO 8601 duration of whole minutes, at least an hour.
    pub interval: Interval,
    /// A point that every other is computed from; floored to the minute.
    pub anchor: Timestamp,
}

/// An amount that may be used within a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grant {
    /// Unique within the entitlement; 1 to 128 bytes.
    pub id: String,
    /// Units, not negative.
    pub amount: Amount,
    /// Lower burns first; 0 when absent, which burns before everything.
    #[serde(default)]
    pub priority: u8,
    /// From when it counts; floored to the minute.
    pub effective_at: Timestamp,
    /// How long it lasts; orders the grant among those of its priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    /// When it ends, exclusive. Computed from `expiration` when absent; alone it does not take part
    /// in the burn order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it is filled up to its amount again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// At a reset the balance is raised to this; 0 when absent.
    #[serde(default)]
    pub min_rollover: Amount,
    /// At a reset the balance is cut to this, which wins over `minRollover`; 0 when absent.
    #[serde(default)]
    pub max_rollover: Amount,
    /// When it was voided; floored to the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voided_at: Option<Timestamp>,
    /// When it was deleted, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Breaks ties of the burn order; grants without it count as created in the order listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

impl Grant {
    /// A grant that counts from an instant on, with nothing else said.
    ///
    /// ```
    /// use edgegrant::model::Grant;
    /// use edgegrant::{Amount, Instant};
    ///
    /// let from = Instant::parse("2026-01-01T00:00:00Z")?.into();
    /// assert_eq!(Grant::new("seats", Amount::from_units(25), from).expires_at, None);
    /// # Ok::<(), edgegrant::Error>(())
    /// ```
    #[must_use]
    pub fn new(id: impl Into<String>, amount: Amount, effective_at: Timestamp) -> Self {
        Self {
            id: id.into(),
            amount,
            priority: 0,
            effective_at,
            expiration: None,
            expires_at: None,
            recurrence: None,
            min_rollover: Amount::ZERO,
            max_rollover: Amount::ZERO,
            voided_at: None,
            deleted_at: None,
            created_at: None,
        }
    }
}

/// How long a grant lasts, in calendar units that overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expiration {
    /// The unit.
    pub duration: ExpirationUnit,
    /// How many, at least 1.
    pub count: u32,
}

/// A reset by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reset {
    /// When; floored to the minute.
    pub at: Timestamp,
    /// Whether automatic resets keep their grid; otherwise it starts here.
    #[serde(default)]
    pub retain_anchor: bool,
    /// Overrides `preserveOverageAtReset` for this reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preserve_overage: Option<bool>,
}

/// The state at an instant: usage before `at` is burnt, nothing that happens *at* `at` has
/// happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Opening {
    /// The instant, a whole minute.
    pub at: Timestamp,
    /// What is left of each grant, by id; 0 when absent.
    #[serde(deserialize_with = "json::unique_names")]
    pub balances: BTreeMap<String, Amount>,
    /// Usage that no grant covered.
    #[serde(default)]
    pub overage: Amount,
    /// Usage in the usage period so far.
    #[serde(default)]
    pub usage: Amount,
    /// What was burnt from grants in the usage period so far.
    #[serde(default)]
    pub grant_usage: Amount,
    /// When the usage period began.
    pub period_start: Timestamp,
    /// The anchor in force; that of `usagePeriod` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Timestamp>,
}

/// What has been used, and how that is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Usage {
    /// What the other fields mean.
    pub kind: UsageKind,
    /// Flow: sums by second or coarser, in any order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<UsageEvent>,
    /// Level: units in use now. Value: usage in the period as the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Value: the balance as the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Amount>,
    /// Value: the overage as the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overage: Option<Amount>,
    /// Usage before this instant is included; the time of publishing when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
}

impl Usage {
    /// Usage of a kind with nothing else said.
    ///
    /// ```
    /// use edgegrant::model::{Usage, UsageKind};
    ///
    /// assert_eq!(Usage::new(UsageKind::Unknown).amount, None);
    /// ```
    #[must_use]
    pub const fn new(kind: UsageKind) -> Self {
        Self { kind, events: Vec::new(), amount: None, balance: None, overage: None, as_of: None }
    }
}

/// How usage is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UsageKind {
    /// Events, burnt from grants.
    Flow,
    /// A current value, held against the grants active now.
    Level,
    /// Nothing is known; a caller may say.
    Unknown,
    /// The source's own answer, which holds until the next boundary.
    Value,
}

/// Units used at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UsageEvent {
    /// When; floored to the second.
    pub at: Timestamp,
    /// Units; a correction may be negative.
    pub amount: Amount,
}
