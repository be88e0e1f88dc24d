//! How amounts, instants and intervals stand in JSON.

use core::fmt;
use core::marker::PhantomData;
use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

use super::Config;
use crate::amount::Amount;
use crate::error::Error;
use crate::time::{ExpirationUnit, Interval, Timestamp};

impl Config {
    /// How deep lists and objects may nest.
    pub const MAX_DEPTH: usize = 32;

    /// Keeps a JSON text, without the spaces between its tokens.
    ///
    /// # Errors
    /// `config-malformed` when the text is not JSON, `config-too-deep` when it nests deeper than
    /// [`Config::MAX_DEPTH`].
    ///
    /// ```
    /// use edgegrant::model::Config;
    ///
    /// assert_eq!(Config::parse(r#"{ "a": [1, "b c"] }"#)?.as_str(), r#"{"a":[1,"b c"]}"#);
    /// # Ok::<(), edgegrant::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (compact, depth) = without_spaces(text);
        if depth > Self::MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        serde_json::from_str::<serde::de::IgnoredAny>(&compact).map_err(|_| MALFORMED)?;
        Ok(Self(compact))
    }

    /// The compact JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const MALFORMED: Error =
    Error::new("config-malformed", "the config is not JSON; check its quotes and commas");
const TOO_DEEP: Error =
    Error::new("config-too-deep", "the config nests deeper than 32 levels; flatten it");

/// The text without spaces outside strings, and its deepest nesting.
fn without_spaces(text: &str) -> (String, usize) {
    let mut compact = String::with_capacity(text.len());
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for character in text.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else {
            match character {
                ' ' | '\t' | '\n' | '\r' => continue,
                '"' => in_string = true,
                '{' | '[' => depth += 1,
                '}' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        deepest = deepest.max(depth);
        compact.push(character);
    }
    (compact, deepest)
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_token(self.0.clone(), serializer)
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(token.get()).map_err(coded)
    }
}

impl JsonSchema for Config {
    fn schema_name() -> Cow<'static, str> {
        "Config".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Any JSON value, nested at most 32 levels deep." })
    }
}

/// An error that keeps its code through serde, which carries only text: `[code] message`.
fn coded<E: serde::de::Error>(error: Error) -> E {
    E::custom(format_args!("[{}] {}", error.code(), error.message()))
}

/// Reads an object whose names must differ, where a map would keep the last of two.
pub(super) fn unique_names<'de, D, V>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    struct Names<V>(PhantomData<V>);

    impl<'de, V: Deserialize<'de>> Visitor<'de> for Names<V> {
        type Value = BTreeMap<String, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut values = BTreeMap::new();
            while let Some((name, value)) = map.next_entry()? {
                if values.insert(name, value).is_some() {
                    return Err(coded(DUPLICATE_NAME));
                }
            }
            Ok(values)
        }
    }

    deserializer.deserialize_map(Names(PhantomData))
}

const DUPLICATE_NAME: Error =
    Error::new("duplicate-name", "the object has the same name twice; keep one of them");

/// Writes a JSON text as it stands, so that no digit passes through a float.
fn serialize_token<S: Serializer>(token: String, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(token).map_err(S::Error::custom)?.serialize(serializer)
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_token(self.to_string(), serializer)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = Box::<RawValue>::deserialize(deserializer)?;
        let text = token.get();
        let number = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        Self::parse(number).map_err(coded)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A decimal with at most 9 fractional digits and a magnitude of at most \
                            9007199254740991, read exactly from a number or a string.",
            "type": ["number", "string"],
            "pattern": "^-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?$"
        })
    }
}

/// Types that stand in JSON as a string of their own grammar.
macro_rules! as_string {
    ($type:ty, $name:literal, $schema:tt) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(coded)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

as_string!(Timestamp, "Instant", { "type": "string", "format": "date-time" });
as_string!(Interval, "Interval", {
    "description": "An ISO 8601 duration of whole minutes, at least an hour.",
    "type": "string",
    "pattern": "^P([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$"
});
as_string!(ExpirationUnit, "ExpirationUnit", {
    "type": "string",
    "enum": ["HOUR", "DAY", "WEEK", "MONTH", "YEAR"]
});
