//! What is read of records. Everything else in them is answered as it came.

use edgegrant::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub(super) use crate::sources::openmeter::Customer;

/// An object, as it came.
pub(super) type Json = Map<String, Value>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entitlement {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, deserialize_with = "if_readable")]
    pub(super) feature_id: Option<String>,
    pub(super) feature_key: String,
    pub(super) customer_id: Option<String>,
    pub(super) customer_key: Option<String>,
    pub(super) subject_key: Option<String>,
    pub(super) active_from: Option<Timestamp>,
    pub(super) active_to: Option<Timestamp>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) deleted_at: Option<Timestamp>,
    pub(super) last_reset: Option<Timestamp>,
}

impl Entitlement {
    /// Whether it is active at an instant, apart from its deletion; the end is exclusive.
    pub(super) fn is_active(&self, at: Timestamp) -> bool {
        let start = self.active_from.or(self.created_at);
        start.is_none_or(|start| start <= at) && self.active_to.is_none_or(|end| at < end)
    }

    /// Version 1 of the API knows subjects, version 2 customers.
    pub(super) const fn is_of_version_1(&self) -> bool {
        self.customer_id.is_none() && self.customer_key.is_none()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Grant {
    pub(super) id: String,
    pub(super) entitlement_id: String,
    pub(super) effective_at: Option<Timestamp>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) deleted_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Feature {
    pub(super) id: String,
    pub(super) key: String,
    #[serde(default, deserialize_with = "if_readable")]
    pub(super) name: Option<String>,
    pub(super) meter_slug: Option<String>,
    #[serde(default, deserialize_with = "if_readable")]
    pub(super) created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "if_readable")]
    pub(super) updated_at: Option<Timestamp>,
    pub(super) archived_at: Option<Timestamp>,
    pub(super) deleted_at: Option<Timestamp>,
}

/// What an import does not read, it does not refuse either: where it cannot be read, lists are
/// ordered and filtered as if it were absent, and the record goes out as it came.
fn if_readable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let token = Box::<RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(token.get()).ok())
}
