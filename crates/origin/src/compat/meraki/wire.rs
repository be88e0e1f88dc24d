//! What is read of records. Everything else in them is answered as it came.

use edgegrant::Amount;
use edgegrant::time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::sources::wire::Number;

/// An object, as it came.
pub(super) type Json = Map<String, Value>;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    pub(super) name: Option<String>,
    pub(super) start_date: Option<Timestamp>,
    pub(super) end_date: Option<Timestamp>,
    pub(super) product_types: Option<Vec<String>>,
    pub(super) entitlements: Option<Vec<Line>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Line {
    pub(super) sku: Option<String>,
}

/// A network, and what of which sku it needs.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Network {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) entitlements: Vec<Needed>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Needed {
    pub(super) sku: String,
    pub(super) quantity: Number,
}

/// Networks that are to be bound.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Binding {
    #[serde(default)]
    pub(super) network_ids: Vec<String>,
}

/// The amount that a number of the wire is.
pub(super) fn amount(number: &Value) -> Option<Amount> {
    let Number(amount) = serde_json::from_value(number.clone()).ok()?;
    Some(amount)
}
