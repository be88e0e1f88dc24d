//! Collections of an account, as they are asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgegrant::model::Subject;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::pool::renew;
use super::select::{Filter, order};
use super::{NOT_FOUND, Problem, SYSTEM};
use crate::compat::facts::{is_of, records, typed};
use crate::compat::present::{Present, Stamp};
use crate::compat::query::Query;
use crate::select::{Json, column};

/// The collections, with the kind of their records and what lists of them are.
const COLLECTIONS: [(&str, &str, &str); 3] = [
    ("entitlements", "entitlement", "application/astra-entitlements"),
    ("licenses", "license", "application/astra-licenses"),
    ("subscriptions", "subscription", "application/astra-subscriptions"),
];

/// Lists a collection: what fits, in order, from a place on, as objects or as rows.
pub(super) fn list(
    present: &Present,
    account: &str,
    name: &str,
    query: &Query,
) -> Result<Value, Problem> {
    let (kind, list_type) = collection(name)?;
    let mut found = all(present, account, kind)?;
    if let Some(text) = query.one("filter") {
        let filter = Filter::parse(text).ok_or_else(|| Problem::invalid("filter", FILTER))?;
        found.retain(|json| filter.takes(json));
    }
    if let Some(text) = query.one("orderBy") {
        let order = order(text).ok_or_else(|| Problem::invalid("orderBy", ORDER))?;
        found.sort_by(|one, other| order.of(one, other));
    }
    let counted = flag(query)?.then_some(found.len());
    let stamp = present.stamp(&(account, name, query.one("filter"), query.one("orderBy")));
    let from = from(&stamp, query)?;
    let limit = whole(query, "limit")?.unwrap_or(usize::MAX);
    // Whoever goes on behind a page without items goes on for ever.
    if limit == 0 {
        return Err(Problem::invalid("limit", "it must be above 0"));
    }
    let end = from.saturating_add(limit);
    let more = (end < found.len()).then(|| token(&stamp, end));
    let page = found.into_iter().skip(from).take(limit);
    let items: Vec<Value> = match columns(query)? {
        None => page.map(Value::Object).collect(),
        Some(columns) => page.map(|json| row(&json, &columns)).collect(),
    };
    let mut metadata = Json::new();
    metadata.extend(counted.map(|count| ("count".to_owned(), json!(count))));
    metadata.extend(more.map(|token| ("continue".to_owned(), json!(token))));
    Ok(json!({ "type": list_type, "version": "1.0", "items": items, "metadata": metadata }))
}

/// One record.
pub(super) fn one(
    present: &Present,
    account: &str,
    name: &str,
    id: &str,
) -> Result<Value, Problem> {
    let (kind, _) = collection(name)?;
    let mut found = all(present, account, kind)?.into_iter();
    let is_wanted = |json: &Json| json.get("id").and_then(Value::as_str) == Some(id);
    found.find(is_wanted).map(Value::Object).ok_or(NOT_FOUND)
}

fn collection(name: &str) -> Result<(&'static str, &'static str), Problem> {
    let found = COLLECTIONS.iter().find(|(known, ..)| *known == name);
    found.map(|(_, kind, list_type)| (*kind, *list_type)).ok_or(NOT_FOUND)
}

/// The records of an account, with what the snapshot says of them.
fn all(present: &Present, account: &str, kind: &str) -> Result<Vec<Json>, Problem> {
    let subject = present.known().facts.subject(account).filter(|subject| is_account(subject));
    let subject = subject.ok_or(NOT_FOUND)?;
    let mut found = Vec::new();
    for record in records(&subject.records, SYSTEM, kind) {
        found.push((record.feature.as_deref(), typed(record)?));
    }
    Ok(renew(present, subject, found)?)
}

/// What is reserved for an object of an account is a subject too.
fn is_account(subject: &Subject) -> bool {
    is_of(subject, SYSTEM) && !subject.attributes.contains_key("allocation")
}

/// The columns that are asked for, in order.
fn columns(query: &Query) -> Result<Option<Vec<&str>>, Problem> {
    let Some(lists) = query.all("include") else { return Ok(None) };
    let names: Vec<&str> =
        lists.into_iter().flat_map(|names| names.split(',')).map(str::trim).collect();
    let is_name = |name: &&str| {
        !name.is_empty()
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.')
    };
    if names.iter().all(is_name) {
        Ok(Some(names))
    } else {
        Err(Problem::invalid("include", NAMES))
    }
}

fn row(json: &Json, columns: &[&str]) -> Value {
    columns.iter().map(|name| column(json, name).cloned().unwrap_or_default()).collect()
}

/// Where a page begins. It is for this list alone.
#[derive(Deserialize, Serialize)]
struct Token {
    skip: usize,
    of: Stamp,
}

fn token(stamp: &Stamp, skip: usize) -> String {
    let token = Token { skip, of: *stamp };
    STANDARD.encode(serde_json::to_vec(&token).unwrap_or_default())
}

fn from(stamp: &Stamp, query: &Query) -> Result<usize, Problem> {
    let skip = whole(query, "skip")?;
    let Some(text) = query.one("continue") else { return Ok(skip.unwrap_or_default()) };
    let bytes = STANDARD.decode(text).unwrap_or_default();
    let token: Option<Token> = serde_json::from_slice(&bytes).ok();
    let usable = token.filter(|token| token.of == *stamp);
    usable.map(|token| token.skip).ok_or_else(|| Problem::invalid("continue", TOKEN))
}

fn whole(query: &Query, name: &'static str) -> Result<Option<usize>, Problem> {
    let Some(text) = query.one(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Problem::invalid(name, WHOLE))
}

fn flag(query: &Query) -> Result<bool, Problem> {
    match query.one("count") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::invalid("count", "it must be true or false")),
    }
}

const FILTER: &str = "it must be: field, one of eq, lt, gt, lte and gte, and a text in quotes";
const ORDER: &str = "it must be a field, which asc or desc may follow";
const NAMES: &str = "it must be names of fields, with commas between them";
const TOKEN: &str =
    "it is of another list, or of one that has changed since; begin again without it";
const WHOLE: &str = "it must be a whole number";
