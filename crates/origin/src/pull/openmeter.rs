//! OpenMeter's API: customers, features, meters, entitlements and grants; for each metered
//! entitlement its value at one minute, and for each feature with a meter the usage since then.

use edgegrant::Instant;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{self, RawValue};

use super::{Answer, Api, Caller, Http, Request, Secret};
use crate::failure::Failure;

/// Who asks, where that matters.
#[derive(Debug)]
pub struct OpenMeter {
    /// The token of the API; servers of one's own may want none.
    pub token: Option<Secret>,
}

impl OpenMeter {
    /// Where it answers unless said otherwise.
    pub const ENDPOINT: &str = "https://openmeter.cloud";
}

const PAGE: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    items: Vec<T>,
    total_count: Option<usize>,
    page_size: Option<usize>,
}

/// A value, with what it does not say.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Value<'a> {
    entitlement_id: &'a str,
    time: Option<String>,
    value: Box<RawValue>,
}

/// Usage, with what it does not say.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage<'a> {
    feature_key: &'a str,
    usage: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entitlement {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    customer_id: Option<String>,
    subject_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feature {
    key: String,
    meter_slug: Option<String>,
    #[serde(default)]
    meter_group_by_filters: Option<std::collections::BTreeMap<String, String>>,
}

impl Caller for OpenMeter {
    fn headers(
        &self,
        _: &Http<'_>,
        _: &Request,
        _: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        Ok(self.token.iter().map(Secret::bearer).chain([super::accept_json()]).collect())
    }
}

impl Api for OpenMeter {
    fn first(&self, _: Instant) -> Vec<Request> {
        vec![
            numbered("customers", "/api/v1/customers", 1),
            Request::get("meters", "/api/v1/meters".into(), &[]),
            numbered("features", "/api/v1/features", 1),
            numbered("entitlements", "/api/v2/entitlements", 1),
            numbered("grants", "/api/v2/grants", 1),
        ]
    }

    fn next(
        &self,
        asked: &Request,
        answer: &Answer,
        begun_at: Instant,
    ) -> Result<Vec<Request>, Failure> {
        let time = begun_at.floor_minute().to_string();
        match &*asked.kind {
            "entitlements" => {
                let page: Page<Entitlement> = read(asked, answer)?;
                let metered = page.items.iter().filter(|given| given.kind == "metered");
                let values = metered.filter_map(|given| value(given, &time));
                Ok(next_page(asked, &page).into_iter().chain(values).collect())
            }
            "features" => {
                let page: Page<Feature> = read(asked, answer)?;
                let usage = page.items.iter().filter_map(|feature| usage(feature, &time));
                Ok(next_page(asked, &page).into_iter().chain(usage).collect())
            }
            "customers" | "grants" => {
                let page: Page<serde::de::IgnoredAny> = read(asked, answer)?;
                Ok(next_page(asked, &page).into_iter().collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Values and usage do not say what they are about.
    fn keep(&self, asked: &Request, body: Box<RawValue>) -> Result<Box<RawValue>, Failure> {
        let about = asked.about.as_deref().unwrap_or_default();
        let told = match &*asked.kind {
            "values" => {
                let time = form_urlencoded::parse(asked.query.as_bytes())
                    .find_map(|(name, value)| (name == "time").then(|| value.into_owned()));
                value::to_raw_value(&Value { entitlement_id: about, time, value: body })
            }
            "usage" => value::to_raw_value(&Usage { feature_key: about, usage: body }),
            _ => return Ok(body),
        };
        told.map_err(|error| Failure::bad_input("answer-malformed", error.to_string()))
    }
}

fn read<T: DeserializeOwned>(asked: &Request, answer: &Answer) -> Result<Page<T>, Failure> {
    super::parsed(asked, answer.body.get())
}

fn numbered(kind: &str, path: &str, number: usize) -> Request {
    let (number, size) = (number.to_string(), PAGE.to_string());
    let mut query = vec![("page", number.as_str()), ("pageSize", size.as_str())];
    if kind == "entitlements" {
        query.push(("excludeInactive", "false"));
    }
    Request::get(kind, path.into(), &query)
}

/// A page that is full may have another behind it, however little the server takes for full.
fn next_page<T>(asked: &Request, page: &Page<T>) -> Option<Request> {
    let number = form_urlencoded::parse(asked.query.as_bytes())
        .find_map(|(name, value)| (name == "page").then(|| value.parse::<usize>().ok())?)?;
    let size = page.page_size.filter(|size| *size > 0).unwrap_or(PAGE).min(PAGE);
    let items = page.items.len();
    let more = page.total_count.map_or(items >= size, |all| number.saturating_mul(size) < all);
    (items > 0 && more).then(|| numbered(&asked.kind, &asked.path, number + 1))
}

fn value(given: &Entitlement, time: &str) -> Option<Request> {
    let id = &given.id;
    let path = match (&given.customer_id, &given.subject_key) {
        (Some(customer), _) => format!("/api/v2/customers/{customer}/entitlements/{id}/value"),
        (None, Some(subject)) => {
            let subject: String = form_urlencoded::byte_serialize(subject.as_bytes()).collect();
            format!("/api/v1/subjects/{subject}/entitlements/{id}/value")
        }
        (None, None) => return None,
    };
    // One that has ended since has no value.
    Some(Request::get("values", path, &[("time", time)]).about(id).optional())
}

fn usage(feature: &Feature, time: &str) -> Option<Request> {
    let slug = feature.meter_slug.as_deref()?;
    let filters = feature.meter_group_by_filters.iter().flatten();
    let filters: Vec<(String, &String)> =
        filters.map(|(name, value)| (format!("filterGroupBy[{name}]"), value)).collect();
    let mut query = vec![("from", time), ("windowSize", "MINUTE"), ("groupBy", "customerId")];
    query.extend(filters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let path = format!("/api/v1/meters/{slug}/query");
    Some(Request::get("usage", path, &query).about(&feature.key))
}
