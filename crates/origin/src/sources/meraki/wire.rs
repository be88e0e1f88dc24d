//! What the dashboard answers: only the fields that are used.

use std::collections::BTreeMap;

use edgegrant::time::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::sources::wire::{Number, name, or_default};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    #[serde(default, deserialize_with = "name")]
    pub(super) subscription_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) status: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) start_date: Option<Timestamp>,
    pub(super) end_date: Option<Timestamp>,
    pub(super) last_updated_at: Option<Timestamp>,
    pub(super) product_types: Option<Vec<String>>,
    pub(super) entitlements: Option<Vec<Entitlement>>,
    pub(super) counts: Option<Counts>,
    pub(super) enterprise_agreement: Option<EnterpriseAgreement>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Entitlement {
    #[serde(default, deserialize_with = "name")]
    pub(super) sku: Option<String>,
    pub(super) seats: Option<Seats>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Seats {
    pub(super) assigned: Option<Number>,
    pub(super) available: Option<Number>,
    pub(super) limit: Option<Number>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Counts {
    pub(super) seats: Option<Seats>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct EnterpriseAgreement {
    pub(super) suites: Option<Vec<String>>,
}

/// An entry of the catalogue of skus.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sku {
    #[serde(default, deserialize_with = "name")]
    pub(super) sku: Option<String>,
    pub(super) name: Option<String>,
    pub(super) product_type: Option<String>,
    pub(super) product_class: Option<String>,
    pub(super) feature_tier: Option<String>,
    pub(super) is_add_on: Option<bool>,
    pub(super) is_free: Option<bool>,
}

/// Where a subscription falls short.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Compliance {
    pub(super) subscription: Named,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) violations: Violations,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Named {
    #[serde(default, deserialize_with = "name")]
    pub(super) id: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Violations {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) by_product_class: Vec<Violation>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Violation {
    pub(super) product_class: Option<String>,
    pub(super) grace_period_ends_at: Option<Timestamp>,
    pub(super) missing: Option<Missing>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Missing {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) entitlements: Vec<Entitlement>,
}

/// What an organization has whose licences end together.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Overview {
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "date")]
    pub(super) expiration_date: Option<Timestamp>,
    /// Absent where each device has a licence of its own.
    pub(super) licensed_device_counts: Option<BTreeMap<String, Number>>,
}

/// A licence with co-termination.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct License {
    #[serde(default, deserialize_with = "name")]
    pub(super) key: Option<String>,
    pub(super) organization_id: Option<String>,
}

/// A licence of one device.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceLicense {
    #[serde(default, deserialize_with = "name")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "name")]
    pub(super) license_type: Option<String>,
    pub(super) state: Option<String>,
    pub(super) seat_count: Option<Number>,
    pub(super) expiration_date: Option<Timestamp>,
}

/// Midnight of a date like `Mar 13, 2027 UTC`; none for `N/A`, which an organization has that
/// never had a licence.
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    const MALFORMED: &str = "[date-malformed] the date is not like `Mar 13, 2027 UTC`";
    let text = Option::<String>::deserialize(deserializer)?;
    let Some(text) = text.filter(|text| text != "N/A") else { return Ok(None) };
    midnight(&text).map(Some).ok_or_else(|| serde::de::Error::custom(MALFORMED))
}

fn midnight(text: &str) -> Option<Timestamp> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let (month, rest) = text.strip_suffix(" UTC")?.split_once(' ')?;
    let (day, year) = rest.split_once(", ")?;
    let month = MONTHS.find(month).filter(|at| month.len() == 3 && at % 3 == 0)? / 3 + 1;
    let (day, year): (u8, u16) = (day.parse().ok()?, year.parse().ok()?);
    Timestamp::parse(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z")).ok()
}
