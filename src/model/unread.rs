//! A subject of which only the outline was read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Record, Source, Status, json};

/// A [`Subject`](super::Subject) whose entitlements stand as they were written, for whoever has
/// read the same text before. Where this cannot be read, a subject cannot.
///
/// ```
/// use edgegrant::model::UnreadSubject;
///
/// let text = r#"{"subject":"acme","entitlements":[{"feature":"sso","type":"boolean"}]}"#;
/// let subject: UnreadSubject<'_> = serde_json::from_str(text)?;
/// assert_eq!(subject.entitlements[0].get(), r#"{"feature":"sso","type":"boolean"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnreadSubject<'a> {
    /// The id.
    #[serde(borrow)]
    pub subject: Cow<'a, str>,
    /// Other ids of the same subject.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Whether it is suspended.
    #[serde(default)]
    pub status: Status,
    /// Descriptions.
    #[serde(default, deserialize_with = "json::unique_names")]
    pub attributes: BTreeMap<String, String>,
    /// Where this was imported from.
    #[serde(default)]
    pub source: Option<Source>,
    /// The text of each entitlement.
    #[serde(borrow, default)]
    pub entitlements: Vec<&'a RawValue>,
    /// What sources said.
    #[serde(default)]
    pub records: Vec<Record>,
}
