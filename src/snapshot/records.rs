//! What a snapshot is made from: compiled subjects and declared features.

use crate::engine::program::{Program, Steady};

/// A feature as the catalogue keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureRecord {
    /// The key, unique among features, 1 to 128 bytes.
    pub key: String,
    /// What amounts count, for people; 1 to 128 bytes.
    pub unit: Option<String>,
    /// The answer once the snapshot has expired.
    pub when_expired: WhenExpired,
}

/// The answer after `expiresAt` of the snapshot and before its `deadAt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenExpired {
    /// As before, marked stale.
    #[default]
    LastKnown,
    /// No access.
    Closed,
    /// Access for every subject that is entitled in the last verified snapshot.
    Open,
}

impl WhenExpired {
    /// The word for it in facts and in JavaScript.
    ///
    /// ```
    /// assert_eq!(edgegrant::snapshot::WhenExpired::LastKnown.as_str(), "last-known");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LastKnown => "last-known",
            Self::Closed => "closed",
            Self::Open => "open",
        }
    }
}

/// A compiled subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectRecord {
    /// The id, unique among subjects and aliases, 1 to 256 bytes, compared byte for byte.
    pub id: String,
    /// Other ids of the same subject, under the same rules.
    pub aliases: Vec<String>,
    /// At most one for each feature, in any order.
    pub entitlements: Vec<EntitlementRecord>,
}

/// A compiled entitlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntitlementRecord {
    /// The key of a declared feature.
    pub feature: String,
    /// What decides.
    pub program: Program,
    /// The JSON text of a static entitlement; 1 to 65,536 bytes.
    pub config: Option<String>,
    /// The ids of the program's grants, in its order; each 1 to 128 bytes. Ids of the form
    /// `<feature>-<number>` cost no bytes and ULIDs 16.
    pub grant_ids: Vec<String>,
    /// The state between two boundaries, when the compiler could tell.
    pub steady: Option<Steady>,
}
