//! What is asked and answered, as the service model has it.

use std::collections::BTreeMap;

use edgegrant::Amount;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::sources::wire::{Epoch, Number, or_default};

/// What is asked. Members that the model does not know are passed over, as the service does.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    pub(super) product_code: Option<String>,
    pub(super) filter: Option<BTreeMap<String, Vec<String>>>,
    pub(super) next_token: Option<String>,
    pub(super) max_results: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    pub(super) entitlements: Vec<Entitlement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<String>,
}

/// An entitlement, as it is in records and as it is answered.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entitlement {
    pub(super) product_code: String,
    pub(super) dimension: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) customer_identifier: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) value: Value,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub(super) expiration_date: Option<Epoch>,
    #[serde(rename = "CustomerAWSAccountId", skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) license_arn: Option<String>,
}

/// A union: one of its members is there, or none.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Value {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) integer_value: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) double_value: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) boolean_value: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) string_value: Option<String>,
}

impl Value {
    /// The number that it is, if it is one.
    pub(super) fn number(&self) -> Option<Amount> {
        let text = self.integer_value.as_ref().or(self.double_value.as_ref())?;
        let number: Number = serde_json::from_str(text.get()).ok()?;
        Some(number.0)
    }

    /// The same member with another number.
    pub(super) fn with_number(self, number: Amount) -> Self {
        let number = RawValue::from_string(number.to_string()).ok();
        if self.double_value.is_some() {
            Self { double_value: number, ..self }
        } else {
            Self { integer_value: number, ..self }
        }
    }
}

/// Seconds since 1970, with as many digits as there are. Clients refuse the milliseconds that some
/// examples have.
fn seconds<S: Serializer>(date: &Option<Epoch>, serializer: S) -> Result<S::Ok, S::Error> {
    let millis = date.map_or(0, |Epoch(at)| at.ceil_millis().millis());
    let (whole, rest) = (millis.div_euclid(1000), millis.rem_euclid(1000));
    if rest == 0 {
        return whole.serialize(serializer);
    }
    // Milliseconds since 1970 are exact in a double until far behind the year 9999.
    let text =
        if whole < 0 { None } else { RawValue::from_string(format!("{whole}.{rest:03}")).ok() };
    text.serialize(serializer)
}
