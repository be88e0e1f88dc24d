//! Pages of lists, and the links between them.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

use super::wire::Json;
use super::{Asked, Refused, Reply};

const AFTER: &str = "startingAfter";
const BEFORE: &str = "endingBefore";
/// The shortest page that is given, and the longest, which is given when nobody says.
const PER_PAGE: (usize, usize) = (3, 1000);

/// Records with their ids, by which pages are found.
pub(super) type Records = Vec<(String, Json)>;

/// The page that is asked for.
pub(super) fn page(records: Records, asked: &Asked) -> Result<Reply, Refused> {
    let size = size(asked)?;
    let range = range(&records, size, asked)?;
    let links = Links { records: &records, size, asked }.around(&range);
    let bodies = records.into_iter().map(|(_, json)| Value::Object(json));
    let body = bodies.skip(range.start).take(range.len()).collect();
    Ok(Reply { body: Value::Array(body), links: Some(links) })
}

fn size(asked: &Asked) -> Result<usize, Refused> {
    let (least, most) = PER_PAGE;
    let Some(text) = asked.query.one("perPage") else { return Ok(most) };
    let size = text.parse().ok().filter(|size| (least..=most).contains(size));
    size.ok_or_else(|| Refused::bad("'perPage' must be an integer from 3 to 1000"))
}

fn range(records: &Records, size: usize, asked: &Asked) -> Result<Range<usize>, Refused> {
    let place = |id: &str| {
        let place = records.iter().position(|(known, _)| known == id);
        place.ok_or_else(|| Refused::bad(TOKEN_UNKNOWN))
    };
    let (after, before) = (asked.query.one(AFTER), asked.query.one(BEFORE));
    let start = match (after, before) {
        (Some(_), Some(_)) => return Err(Refused::bad(BOTH_TOKENS)),
        (Some(after), None) => place(after)? + 1,
        (None, Some(before)) => {
            let end = place(before)?;
            return Ok(end.saturating_sub(size)..end);
        }
        (None, None) => 0,
    };
    Ok(start..records.len().min(start + size))
}

/// Links are relative to where the API is.
struct Links<'a> {
    records: &'a Records,
    size: usize,
    asked: &'a Asked,
}

impl Links<'_> {
    /// Those of the page with some of the records.
    fn around(&self, range: &Range<usize>) -> String {
        let mut links = vec![self.link("first", None)];
        if range.start > 0 {
            links.extend(self.to("prev", BEFORE, range.start));
        }
        if range.end < self.records.len() {
            links.extend(self.to("next", AFTER, range.end.wrapping_sub(1)));
            let last = self.records.len().saturating_sub(self.size);
            links.extend(self.to("last", AFTER, last.wrapping_sub(1)));
        }
        links.join(", ")
    }

    /// The link from a record on.
    fn to(&self, rel: &str, token: &str, place: usize) -> Option<String> {
        let (id, _) = self.records.get(place)?;
        Some(self.link(rel, Some((token, Cow::Borrowed(id)))))
    }

    fn link(&self, rel: &str, token: Option<(&str, Cow<'_, str>)>) -> String {
        let query = self.asked.query.with(&[AFTER, BEFORE], token.as_slice());
        format!("<{}?{query}>; rel={rel}", self.asked.path)
    }
}

const TOKEN_UNKNOWN: &str = "The page's token is of another list; begin again without it";
const BOTH_TOKENS: &str = "'startingAfter' and 'endingBefore' exclude each other";
