//! Filters and orders, as the service writes them.

use std::cmp::Ordering;

use crate::select::{Json, Order, Said, column};

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

/// A field, which `asc` or `desc` may follow.
pub(super) fn order(text: &str) -> Option<Order<'_>> {
    let mut words = text.split_ascii_whitespace();
    let field = words.next()?;
    let descending = match words.next() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return None,
    };
    words.next().is_none().then_some(Order { field, descending })
}
