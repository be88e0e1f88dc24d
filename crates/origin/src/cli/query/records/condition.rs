//! Conditions on fields, such as `status=active` or `startDate>=2026-01-01`.

use std::cmp::Ordering;

use edgegrant::Error;
use serde_json::Value;

use super::Attributes;
use crate::select::{Json, Said, values};

/// What a field must say.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    field: String,
    relation: Relation,
    text: String,
}

#[derive(Clone, Copy, Debug)]
enum Relation {
    Equal,
    Different,
    Containing,
    /// As numbers, as instants or as texts, whatever both are.
    Compared(fn(Ordering) -> bool),
}

/// Longer signs come before those that they begin with.
const RELATIONS: [(&str, Relation); 7] = [
    ("!=", Relation::Different),
    ("<=", Relation::Compared(Ordering::is_le)),
    (">=", Relation::Compared(Ordering::is_ge)),
    ("=", Relation::Equal),
    ("<", Relation::Compared(Ordering::is_lt)),
    (">", Relation::Compared(Ordering::is_gt)),
    ("~", Relation::Containing),
];

/// Whether a record fits all conditions. Of texts that a field is to be equal to one is enough.
pub(super) fn fits(conditions: &[Condition], json: &Json, known: &[Option<&Attributes>]) -> bool {
    let is_equal = |one: &&Condition| matches!(one.relation, Relation::Equal);
    conditions.iter().all(|condition| {
        let alike = |other: &&Condition| is_equal(other) && other.field == condition.field;
        match condition.relation {
            Relation::Equal => {
                conditions.iter().filter(alike).any(|other| other.takes(json, known))
            }
            _ => condition.takes(json, known),
        }
    })
}

impl Condition {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let (field, rest) = text
            .find(['=', '!', '<', '>', '~'])
            .and_then(|place| text.split_at_checked(place))
            .filter(|(field, _)| !field.is_empty())
            .ok_or(MALFORMED)?;
        let mut relations = RELATIONS.into_iter();
        let (relation, text) = relations
            .find_map(|(sign, relation)| Some((relation, rest.strip_prefix(sign)?)))
            .ok_or(MALFORMED)?;
        Ok(Self { field: field.to_owned(), relation, text: text.to_owned() })
    }

    /// What is not there is different from everything, and nothing else.
    fn takes(&self, json: &Json, known: &[Option<&Attributes>]) -> bool {
        let attribute = || {
            let mut attributes = known.iter().flatten();
            attributes.find_map(|attributes| attributes.get(&self.field))
        };
        let found = values(json, &self.field);
        if found.is_empty() {
            let said = attribute().map(|text| Value::String(text.clone()));
            return self.takes_any(said.iter());
        }
        self.takes_any(found.into_iter())
    }

    fn takes_any<'a>(&self, mut found: impl Iterator<Item = &'a Value>) -> bool {
        let equal = |value: &Value| Said::of(value) == Some(Said::parse(&self.text));
        match self.relation {
            Relation::Equal => found.any(equal),
            Relation::Different => !found.any(equal),
            Relation::Containing => {
                let wanted = self.text.to_lowercase();
                let contains = |text: &str| text.to_lowercase().contains(&wanted);
                found.any(|value| value.as_str().is_some_and(contains))
            }
            Relation::Compared(relation) => {
                let wanted = self.instant_or_other();
                found
                    .filter_map(Said::of)
                    .any(|said| said.is_like(&wanted) && relation(said.cmp(&wanted)))
            }
        }
    }

    /// A date by itself is its midnight.
    fn instant_or_other(&self) -> Said {
        let midnight = Said::parse(&format!("{}T00:00:00Z", self.text));
        if matches!(midnight, Said::Instant(_)) { midnight } else { Said::parse(&self.text) }
    }
}

const MALFORMED: Error = Error::new(
    "condition-malformed",
    "the condition is not like status=active; write a field, one of = != < <= > >= ~, and a text",
);

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(conditions: &[&str]) -> bool {
        let json = r#"{"status":"active","limit":"10","on":true,"none":null,"types":["a","b"],
            "lines":[{"sku":"X"},{"sku":"Y"}],"start":"2026-06-01T00:00:00.000001Z","of":{"n":2}}"#;
        let json: Json = serde_json::from_str(json).unwrap_or_default();
        let own =
            Attributes::from([("status".into(), "other".into()), ("class".into(), "MR".into())]);
        let parsed: Result<Vec<_>, _> =
            conditions.iter().map(|one| Condition::parse(one)).collect();
        parsed.is_ok_and(|conditions| fits(&conditions, &json, &[None, Some(&own)]))
    }

    #[test]
    fn fields_say_what_they_must() {
        let truths: [(&[&str], bool); 22] = [
            (&[], true),
            (&["status=active"], true),
            (&["status=other"], false),
            (&["class=MR"], true),
            (&["status=other", "status=active"], true),
            (&["status=active", "limit=11"], false),
            (&["limit=10.0"], true),
            (&["limit>9"], true),
            (&["limit>=x"], false),
            (&["on=true"], true),
            (&["none="], false),
            (&["types=b"], true),
            (&["types!=b"], false),
            (&["lines.sku=Y"], true),
            (&["of.n<=2"], true),
            (&["start>2026-06-01"], true),
            (&["start<2026-06-01"], false),
            (&["status~CTI"], true),
            (&["what!=x"], true),
            (&["what=x"], false),
            (&["what<1"], false),
            (&["status!=active", "status!=other"], false),
        ];
        for (conditions, expected) in truths {
            assert_eq!(holds(conditions), expected, "{conditions:?}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in ["", "status", "=active", "status!active", "!=x"] {
            let refused = Condition::parse(text).map(|_| ()).map_err(|error| error.code());
            assert_eq!(refused, Err("condition-malformed"), "{text}");
        }
        let parsed = Condition::parse("name=a=b").map(|condition| condition.text);
        assert_eq!(parsed, Ok("a=b".to_owned()));
    }
}
