//! Lists: what is asked of them, in which order, and which part.

use std::cmp::Ordering;
use std::collections::HashSet;

use edgegrant::time::Timestamp;
use serde_json::{Value, json};

use super::{Asked, Problem, Version};
use crate::compat::query::Query;

/// How many records are given when nobody says, but for lists of one owner, and at most.
const SIZE: usize = 100;
const SIZE_MAX: usize = 1000;

/// What a list can be sorted by; the first is what it is sorted by when nobody says.
pub(super) type Keys<T> = [(&'static str, fn(&T) -> Key<'_>)];

/// Where a record stands among others.
pub(super) type Key<'a> = (Option<Timestamp>, &'a str);

/// A list in the order that is asked for, and of it the part that is asked for.
pub(super) fn answer<T>(
    found: Vec<&T>,
    asked: &Asked,
    keys: &Keys<T>,
    shape: impl Fn(&T) -> Result<Value, Problem>,
) -> Result<Value, Problem> {
    part(found, asked, keys, Part::new(asked, SIZE)?, shape)
}

/// A list that version 1 cuts only where it is asked to.
pub(super) fn of_one<T>(
    found: Vec<&T>,
    asked: &Asked,
    keys: &Keys<T>,
    shape: impl Fn(&T) -> Result<Value, Problem>,
) -> Result<Value, Problem> {
    let size = if asked.version == Version::One { SIZE_MAX } else { SIZE };
    part(found, asked, keys, Part::new(asked, size)?, shape)
}

/// An array of everything, in the order that is asked for.
pub(super) fn whole<T>(
    found: Vec<&T>,
    asked: &Asked,
    keys: &Keys<T>,
    shape: impl Fn(&T) -> Result<Value, Problem>,
) -> Result<Value, Problem> {
    part(found, asked, keys, Part::WHOLE, shape)
}

fn part<T>(
    mut found: Vec<&T>,
    asked: &Asked,
    keys: &Keys<T>,
    part: Part,
    shape: impl Fn(&T) -> Result<Value, Problem>,
) -> Result<Value, Problem> {
    let order = Order::new(&asked.query, keys)?;
    found.sort_by(|one, other| order.compare(one, other));
    let items = found.iter().skip(part.skip).take(part.take).map(|record| shape(record));
    let items = items.collect::<Result<Vec<Value>, Problem>>()?;
    Ok(match part.page {
        None => Value::Array(items),
        Some(page) => json!({
            "items": items, "page": page, "pageSize": part.take, "totalCount": found.len(),
        }),
    })
}

/// A parameter that is true or false, and false when nobody says.
pub(super) fn flag(query: &Query, name: &str) -> Result<bool, Problem> {
    match query.one(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::bad(format!("{name} must be true or false"))),
    }
}

/// The values of a parameter of which one must fit, read once for all records.
pub(super) struct Wanted<'a>(Option<HashSet<&'a str>>);

impl<'a> Wanted<'a> {
    pub(super) fn new(query: &'a Query, name: &str) -> Self {
        Self(query.all(name).map(HashSet::from_iter))
    }

    /// Whether something with these names is wanted; so it is too where nobody says what is.
    pub(super) fn any<'b>(&self, names: impl IntoIterator<Item = &'b str>) -> bool {
        self.0.as_ref().is_none_or(|wanted| names.into_iter().any(|name| wanted.contains(name)))
    }
}

struct Order<T> {
    key: fn(&T) -> Key<'_>,
    descending: bool,
}

impl<T> Order<T> {
    fn new(query: &Query, keys: &Keys<T>) -> Result<Self, Problem> {
        let descending = match query.one("order") {
            None | Some("ASC") => false,
            Some("DESC") => true,
            Some(_) => return Err(Problem::bad("order must be ASC or DESC")),
        };
        let name = query.one("orderBy");
        let key = keys.iter().find(|(known, _)| name.is_none_or(|name| name == *known));
        let key = key.map(|(_, key)| *key).ok_or_else(|| {
            let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
            Problem::bad(format!("orderBy must be one of {}", names.join(", ")))
        })?;
        Ok(Self { key, descending })
    }

    fn compare(&self, one: &T, other: &T) -> Ordering {
        let order = (self.key)(one).cmp(&(self.key)(other));
        if self.descending { order.reverse() } else { order }
    }
}

/// A part of a list, and the number of the page that it is.
struct Part {
    skip: usize,
    take: usize,
    page: Option<usize>,
}

impl Part {
    const WHOLE: Self = Self { skip: 0, take: usize::MAX, page: None };

    /// Pages go before limits. Version 1 answers with an array, unless a page is asked for, and
    /// with this many records when nobody says how many.
    fn new(asked: &Asked, usual: usize) -> Result<Self, Problem> {
        let query = &asked.query;
        let page = number(query, "page", 1, usize::MAX)?;
        let size = number(query, "pageSize", 1, SIZE_MAX)?;
        let limit = number(query, "limit", 1, SIZE_MAX)?;
        let offset = number(query, "offset", 0, usize::MAX)?;
        if page.is_some() || size.is_some() {
            let (page, take) = (page.unwrap_or(1), size.unwrap_or(SIZE));
            let skip = (page - 1).saturating_mul(take);
            return Ok(Self { skip, take, page: Some(page) });
        }
        let (skip, take) = (offset.unwrap_or(0), limit.unwrap_or(usual));
        let page = (asked.version == Version::Two).then(|| (skip / take).saturating_add(1));
        Ok(Self { skip, take, page })
    }
}

fn number(query: &Query, name: &str, from: usize, to: usize) -> Result<Option<usize>, Problem> {
    let Some(text) = query.one(name) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (from..=to).contains(number));
    number.map(Some).ok_or_else(|| {
        let end = if to == usize::MAX { String::new() } else { format!(" to {to}") };
        Problem::bad(format!("{name} must be a whole number from {from}{end}"))
    })
}
