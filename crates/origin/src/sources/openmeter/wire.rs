//! What OpenMeter's API answers: versions 1 and 2, only the fields that are used.
//!
//! Field names are those of the server's OpenAPI document (`api/openapi.yaml`).

use std::collections::BTreeMap;

use edgegrant::model::EntitlementType;
use edgegrant::time::{ExpirationUnit, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::sources::wire::{Number, or_default};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) key: Option<String>,
    pub(crate) usage_attribution: Option<UsageAttribution>,
    pub(crate) deleted_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageAttribution {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) subject_keys: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Feature {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) meter_slug: Option<String>,
    pub(super) archived_at: Option<Timestamp>,
    pub(super) deleted_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Meter {
    pub(super) slug: String,
    pub(super) aggregation: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entitlement {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: EntitlementType,
    pub(super) feature_key: String,
    pub(super) customer_id: Option<String>,
    pub(super) customer_key: Option<String>,
    pub(super) subject_key: Option<String>,
    pub(super) active_from: Option<Timestamp>,
    pub(super) active_to: Option<Timestamp>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) deleted_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) annotations: Option<BTreeMap<String, Box<RawValue>>>,
    pub(super) config: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) is_soft_limit: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) preserve_overage_at_reset: bool,
    pub(super) measure_usage_from: Option<Timestamp>,
    pub(super) last_reset: Option<Timestamp>,
    pub(super) current_usage_period: Option<Period>,
    pub(super) usage_period: Option<Recurrence>,
}

impl Entitlement {
    /// Version 1 of the API knows subjects, version 2 customers.
    pub(super) fn is_v1(&self) -> bool {
        self.customer_id.is_none() && self.customer_key.is_none()
    }

    pub(super) fn has_annotation(&self, name: &str) -> bool {
        self.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(name))
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Period {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recurrence {
    pub(super) anchor: Timestamp,
    pub(super) interval: Option<String>,
    #[serde(rename = "intervalISO")]
    pub(super) interval_iso: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Grant {
    pub(super) id: String,
    pub(super) entitlement_id: String,
    pub(super) amount: Number,
    pub(super) priority: Option<u8>,
    pub(super) effective_at: Timestamp,
    pub(super) expiration: Option<Expiration>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) max_rollover_amount: Option<Number>,
    pub(super) min_rollover_amount: Option<Number>,
    pub(super) recurrence: Option<Recurrence>,
    pub(super) voided_at: Option<Timestamp>,
    pub(super) deleted_at: Option<Timestamp>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Expiration {
    pub(super) duration: ExpirationUnit,
    pub(super) count: u32,
}

/// A line of `values`: an answer with what it does not say itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ValueAnswer {
    pub(super) entitlement_id: String,
    pub(super) time: Timestamp,
    pub(super) value: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Value {
    pub(super) balance: Option<Number>,
    pub(super) usage: Option<Number>,
    pub(super) overage: Option<Number>,
    pub(super) total_available_grant_amount: Option<Number>,
    pub(super) grant_balances: Option<BTreeMap<String, Number>>,
}

/// A line of `usage`: a meter's answer with whose it is, which the answer need not say.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageAnswer {
    pub(super) entitlement_id: Option<String>,
    pub(super) feature_key: Option<String>,
    pub(super) usage: MeterQuery,
}

#[derive(Debug, Deserialize)]
pub(super) struct MeterQuery {
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) data: Vec<MeterRow>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MeterRow {
    pub(super) value: Number,
    pub(super) window_start: Timestamp,
    pub(super) window_end: Timestamp,
    pub(super) subject: Option<String>,
    pub(super) customer_id: Option<String>,
    pub(super) group_by: Option<Box<RawValue>>,
}
