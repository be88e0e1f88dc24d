//! Filters and orders.

use std::cmp::Ordering;

use edgegrant::Amount;
use edgegrant::time::Timestamp;
use serde_json::Value;

use super::collection::Json;

/// A field; a dot goes into an object.
pub(super) fn column<'a>(json: &'a Json, name: &str) -> Option<&'a Value> {
    let mut names = name.split('.');
    let first = json.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name))
}

/// `field eq 'text'`, or with another relation.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    field: &'a str,
    relation: fn(Ordering) -> bool,
    said: Said,
}

impl<'a> Filter<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (field, rest) = text.trim().split_once(' ')?;
        let (word, quoted) = rest.trim_start().split_once(' ')?;
        let relation: fn(Ordering) -> bool = match word {
            "eq" => Ordering::is_eq,
            "lt" => Ordering::is_lt,
            "gt" => Ordering::is_gt,
            "lte" => Ordering::is_le,
            "gte" => Ordering::is_ge,
            _ => return None,
        };
        let text = quoted.trim().strip_prefix('\'')?.strip_suffix('\'')?;
        (!text.contains('\'')).then(|| Self { field, relation, said: Said::parse(text) })
    }

    /// What a record lacks fits nothing, and a number is not compared with a text.
    pub(super) fn takes(&self, json: &Json) -> bool {
        let said = column(json, self.field).and_then(Said::of);
        said.is_some_and(|said| said.is_like(&self.said) && (self.relation)(said.cmp(&self.said)))
    }
}

/// A field, and whether the largest comes first.
#[derive(Debug)]
pub(super) struct Order<'a> {
    field: &'a str,
    descending: bool,
}

impl<'a> Order<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let field = words.next()?;
        let descending = match words.next() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return None,
        };
        words.next().is_none().then_some(Self { field, descending })
    }

    /// What a record lacks comes last.
    pub(super) fn of(&self, one: &Json, other: &Json) -> Ordering {
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
enum Said {
    Number(Amount),
    Instant(Timestamp),
    Text(String),
}

impl Said {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::parse(text)),
            Value::Number(_) | Value::Bool(_) => Some(Self::parse(&value.to_string())),
            _ => None,
        }
    }

    fn parse(text: &str) -> Self {
        let number = Amount::parse(text).map(Self::Number);
        let said = number.or_else(|_| Timestamp::parse(text).map(Self::Instant));
        said.unwrap_or_else(|_| Self::Text(text.to_owned()))
    }

    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}
