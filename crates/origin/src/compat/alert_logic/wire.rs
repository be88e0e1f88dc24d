//! What is answered. Records go out as they came in, member by member.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A record.
pub(super) type Members = BTreeMap<String, Box<RawValue>>;

/// What of an entitlement decides.
#[derive(Debug, Deserialize)]
pub(super) struct Entitlement {
    pub(super) product_family: Option<String>,
    pub(super) status: Option<String>,
    pub(super) subscription_id: Option<String>,
}

impl Entitlement {
    /// Whether its status lets it be used.
    pub(super) fn is_usable(&self) -> bool {
        is_usable(self.status.as_deref())
    }
}

/// Whether a status is one of those that the vendor's client takes for access.
pub(super) fn is_usable(status: Option<&str>) -> bool {
    matches!(status, Some("active" | "pending_activation"))
}

/// What of a subscription is asked about.
#[derive(Debug, Deserialize)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) account_id: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) entitlements: Option<Vec<Box<RawValue>>>,
}

/// What of an account's list is asked about.
#[derive(Debug, Deserialize)]
pub(super) struct AccountRecord {
    pub(super) account_id: String,
    pub(super) legacy_features: Option<Vec<String>>,
}

#[derive(Serialize)]
pub(super) struct EntitlementList {
    pub(super) account_id: String,
    pub(super) entitlements: Vec<Members>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) legacy_features: Option<Vec<String>>,
}

#[derive(Serialize)]
pub(super) struct SubscriptionList {
    pub(super) subscriptions: Vec<Members>,
}

#[derive(Serialize)]
pub(super) struct AccountIds {
    pub(super) account_ids: Vec<String>,
}
