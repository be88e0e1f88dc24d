//! Fields of records: which there are, what they say, and what comes before what.

use std::cmp::Ordering;

use edgegrant::Amount;
use edgegrant::time::Timestamp;
use serde_json::{Map, Value};

/// An object, as it came.
pub(crate) type Json = Map<String, Value>;

/// A field; a dot goes into an object.
pub(crate) fn column<'a>(json: &'a Json, name: &str) -> Option<&'a Value> {
    let mut names = name.split('.');
    let first = json.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name))
}

/// Everything that a field says; a dot goes into an object, and into each item of a list.
pub(crate) fn values<'a>(json: &'a Json, name: &str) -> Vec<&'a Value> {
    let mut names = name.split('.');
    let mut found: Vec<&Value> = names.next().and_then(|name| json.get(name)).into_iter().collect();
    for name in names {
        found = found.into_iter().flat_map(items).filter_map(|value| value.get(name)).collect();
    }
    found.into_iter().flat_map(items).collect()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// A field, and whether the largest comes first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    pub(crate) field: &'a str,
    pub(crate) descending: bool,
}

impl Order<'_> {
    /// What a record lacks comes last.
    pub(crate) fn of(&self, one: &Json, other: &Json) -> Ordering {
        let said = |json| column(json, self.field).and_then(Said::of);
        match (said(one), said(other)) {
            (Some(one), Some(other)) if self.descending => other.cmp(&one),
            (Some(one), Some(other)) => one.cmp(&other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        }
    }
}

/// Numbers and instants stand in texts; they come before other texts.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Said {
    Number(Amount),
    Instant(Timestamp),
    Text(String),
}

impl Said {
    /// What a member of a record says, if it is one thing.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::parse(text)),
            Value::Number(_) | Value::Bool(_) => Some(Self::parse(&value.to_string())),
            _ => None,
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        let number = Amount::parse(text).map(Self::Number);
        let said = number.or_else(|_| Timestamp::parse(text).map(Self::Instant));
        said.unwrap_or_else(|_| Self::Text(text.to_owned()))
    }

    /// Whether the two can be compared.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}
