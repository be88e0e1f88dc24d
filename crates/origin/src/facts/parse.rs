//! From the bytes of a line to a fact, or to a problem with its path.

use edgegrant::model::{Fact, Feature, Subject};
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Problem;

/// Reads one line. What spans lines is checked by [`Checker`](super::Checker).
///
/// # Errors
/// A [`Problem`] without its line number when the bytes are not one fact.
///
/// ```
/// use edgegrant_origin::facts::parse_line;
///
/// let problem = parse_line(br#"{"subject":"acme","entitlements":[{"feature":7}]}"#).unwrap_err();
/// assert_eq!(problem.path, "entitlements[0].feature");
/// assert_eq!(problem.code, "wrong-type");
/// ```
pub fn parse_line(line: &[u8]) -> Result<Fact, Problem> {
    if line.starts_with(b"\xef\xbb\xbf") {
        return Err(Problem::new(
            "",
            "byte-order-mark",
            "the line begins with a byte order mark; save the file as UTF-8 without it",
        ));
    }
    let text = std::str::from_utf8(line).map_err(|_| {
        Problem::new("", "not-utf8", "the line is not UTF-8; save the file as UTF-8")
    })?;
    match first_kind(text) {
        Kind::Feature => typed::<Feature>(text).map(Fact::Feature),
        Kind::Subject => typed::<Subject>(text).map(Fact::Subject),
        Kind::Neither => Err(Problem::new(
            "",
            "not-a-fact",
            "the line has neither `feature` nor `subject`; write one of them",
        )),
    }
}

/// Whether a line declares a feature, or wants to.
pub(super) fn is_feature(line: &[u8]) -> bool {
    // Asked of every line, and of hardly any there is more to look at.
    if line.trim_ascii_start().starts_with(br#"{"subject""#) {
        return false;
    }
    std::str::from_utf8(line).is_ok_and(|text| matches!(first_kind(text), Kind::Feature))
}

enum Kind {
    Feature,
    Subject,
    Neither,
}

/// Which kind of fact the line wants to be, from the first key that says so.
///
/// A line that is broken before such a key counts as a subject, so that reading it says where.
fn first_kind(text: &str) -> Kind {
    struct Peek<'a>(&'a mut Kind);

    impl<'de> Visitor<'de> for Peek<'_> {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                match key.as_ref() {
                    "feature" => *self.0 = Kind::Feature,
                    "subject" => *self.0 = Kind::Subject,
                    _ => {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                }
                break;
            }
            Ok(())
        }
    }

    let mut kind = Kind::Neither;
    let mut reader = serde_json::Deserializer::from_str(text);
    let whole = reader.deserialize_map(Peek(&mut kind)).and_then(|()| reader.end());
    match kind {
        Kind::Neither if whole.is_err() => Kind::Subject,
        known => known,
    }
}

/// Reads a type; only a line that fails is read again for the path of its fault.
pub(crate) fn typed<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(value) => match reader.end() {
            Ok(()) => Ok(value),
            Err(_) => Err(Problem::new(
                "",
                "more-than-one-value",
                "something follows the object; write one object a line",
            )),
        },
        Err(error) => Err(described(error.path().to_string(), error.inner())),
    }
}

/// A problem from serde's error, without the values that serde quotes.
fn described(path: String, error: &serde_json::Error) -> Problem {
    // An object that breaks off has a last step without a name.
    let path = path.trim_end_matches(['?', '.']).to_owned();
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&position).unwrap_or(&text);
    if !error.is_data() {
        return syntax(path, text, error.column());
    }
    if let Some((code, message)) = text.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        return Problem::new(path, code, message);
    }
    let expected = text.rsplit_once(", expected ").map_or("", |(_, expected)| expected);
    let expected = match expected {
        "u8" => "a whole number from 0 to 255",
        "u32" => "a whole number from 0 to 4294967295",
        other => other,
    };
    if text.starts_with("invalid ") {
        return Problem::new(path, "wrong-type", format!("expected {expected}"));
    }
    let codes = [
        ("unknown field", "unknown-field", "the field is unknown; expected "),
        ("unknown variant", "unknown-value", "the value is unknown; expected "),
    ];
    for (prefix, code, message) in codes {
        if text.starts_with(prefix) {
            return Problem::new(path, code, format!("{message}{expected}"));
        }
    }
    let code = if text.starts_with("missing field") { "missing-field" } else { "duplicate-field" };
    Problem::new(path, code, text)
}

fn syntax(path: String, text: &str, column: usize) -> Problem {
    if text.starts_with("recursion limit") {
        return Problem::new(path, "too-deep", "the JSON nests too deeply; flatten it");
    }
    let message = format!("the line is not JSON: {text} at byte {column}");
    Problem::new(path, "json-malformed", message)
}
