//! What Astra answers: only the fields that are used.

use edgegrant::Amount;
use edgegrant::time::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::sources::wire::name;

/// A list, or a record by itself.
#[derive(Debug, Deserialize)]
pub(super) struct Body<'a> {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(borrow)]
    pub(super) items: Option<Vec<&'a RawValue>>,
    pub(super) metadata: Option<Metadata>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) modification_timestamp: Option<Timestamp>,
    /// The token with which the next page is asked for.
    #[serde(rename = "continue")]
    pub(super) more: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entitlement {
    #[serde(default, deserialize_with = "name")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "name")]
    pub(super) product: Option<String>,
    #[serde(default, deserialize_with = "name")]
    pub(super) entitlement_type: Option<String>,
    pub(super) entitlement_value: Option<Scalar>,
    pub(super) entitlement_consumption: Option<Scalar>,
    #[serde(default, deserialize_with = "name")]
    pub(super) source_subscription: Option<String>,
    #[serde(default, deserialize_with = "name")]
    pub(super) allocation: Option<String>,
    pub(super) valid_from_timestamp: Option<Timestamp>,
    pub(super) valid_until_timestamp: Option<Timestamp>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct License {}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    #[serde(default, deserialize_with = "name")]
    pub(super) id: Option<String>,
    pub(super) status: Option<String>,
    /// Days; -1 where there are none.
    pub(super) grace_period: Option<i32>,
    pub(super) metadata: Option<Metadata>,
}

/// Text that may be a number: the schema does not say what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Number(Amount),
    Text(String),
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = Box::<RawValue>::deserialize(deserializer)?;
        let text = serde_json::from_str(token.get()).unwrap_or_else(|_| token.get().to_owned());
        match Amount::parse_rounded(&text) {
            Ok(number) => Ok(Self::Number(number)),
            Err(error) if error.code() == "amount-malformed" => Ok(Self::Text(text)),
            Err(error) => {
                Err(D::Error::custom(format_args!("[{}] {}", error.code(), error.message())))
            }
        }
    }
}
