//! What the service answers: only the fields that are used.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::sources::wire::{Epoch, Number, name, or_default};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    pub(super) entitlements: Vec<Box<RawValue>>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entitlement {
    #[serde(default, deserialize_with = "name")]
    pub(super) product_code: Option<String>,
    #[serde(default, deserialize_with = "name")]
    pub(super) dimension: Option<String>,
    #[serde(default, deserialize_with = "name")]
    pub(super) customer_identifier: Option<String>,
    #[serde(rename = "CustomerAWSAccountId", default, deserialize_with = "name")]
    pub(super) account: Option<String>,
    #[serde(default, deserialize_with = "name")]
    pub(super) license_arn: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) value: Value,
    pub(super) expiration_date: Option<Epoch>,
}

/// A union: one of its members is there, or none.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Value {
    integer_value: Option<Number>,
    double_value: Option<Number>,
    boolean_value: Option<bool>,
    string_value: Option<String>,
}

/// What a value says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Number(Number),
    Boolean(bool),
    Text(String),
    Nothing,
}

impl Entitlement {
    /// The key of the feature, if the record has one.
    pub(super) fn feature(&self) -> Option<String> {
        Some(format!("{}/{}", self.product_code.as_ref()?, self.dimension.as_ref()?))
    }
}

impl Value {
    /// What is said, or `None` if it is more than one thing.
    pub(super) fn said(self) -> Option<Said> {
        let number = |number: Option<Number>| number.map(Said::Number);
        let said = [
            number(self.integer_value),
            number(self.double_value),
            self.boolean_value.map(Said::Boolean),
            self.string_value.map(Said::Text),
        ];
        let mut said = said.into_iter().flatten();
        match (said.next(), said.next()) {
            (None, _) => Some(Said::Nothing),
            (Some(only), None) => Some(only),
            (Some(_), Some(_)) => None,
        }
    }
}
