//! What the service answers: only the fields that are used.

use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) use crate::sources::wire::{Epoch, Number};

/// The entitlements of an account.
#[derive(Debug, Deserialize)]
pub(super) struct EntitlementList {
    pub(super) account_id: String,
    pub(super) entitlements: Vec<Box<RawValue>>,
    pub(super) legacy_features: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Entitlement {
    /// The service's example gives one id to two families, so it names no record by itself.
    pub(super) id: Option<String>,
    pub(super) subscription_id: Option<String>,
    pub(super) product_family: Option<String>,
    pub(super) status: Option<String>,
    pub(super) start_date: Option<Epoch>,
    pub(super) end_date: Option<Epoch>,
    pub(super) value: Option<Box<RawValue>>,
    pub(super) value_type: Option<String>,
    pub(super) usage_based: Option<bool>,
}

/// The subscriptions of an account.
#[derive(Debug, Deserialize)]
pub(super) struct SubscriptionList {
    pub(super) subscriptions: Vec<Box<RawValue>>,
}

/// A subscription. The document gives it a `status`, the service an `active`.
#[derive(Debug, Deserialize)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) account_id: String,
    active: Option<bool>,
    status: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    /// Only where a subscription was asked for by its id.
    pub(super) entitlements: Option<Vec<Box<RawValue>>>,
}

impl Subscription {
    pub(super) fn is_active(&self) -> Option<bool> {
        self.active.or_else(|| self.status.as_ref().map(|status| status == "active"))
    }
}
