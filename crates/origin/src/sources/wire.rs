//! How amounts and instants stand in the JSON of more than one source.

use edgegrant::time::Timestamp;
use edgegrant::{Amount, Instant};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A number that was stored as a binary float, or as a string: what is finer than nine digits is
/// dust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) Amount);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        rounded(&text(deserializer)?).map(Self)
    }
}

/// An instant in seconds since 1970, in milliseconds where it would be after the year 5000, or in
/// RFC 3339, which command lines make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Epoch(pub(crate) Timestamp);

/// From here on a number counts milliseconds, which no source says of itself.
const MILLISECONDS_FROM: Amount = Amount::from_units(100_000_000_000);
const NANOS_PER_UNIT: i128 = 1_000_000_000;

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = text(deserializer)?;
        if let Ok(timestamp) = Timestamp::parse(&text) {
            return Ok(Self(timestamp));
        }
        let number = rounded(&text)?;
        let counted = if number < MILLISECONDS_FROM { number.times(1000) } else { number };
        let millis = i64::try_from(counted.nanos().div_euclid(NANOS_PER_UNIT)).ok();
        let instant = millis.and_then(Instant::from_millis);
        let late = "[instant-malformed] the instant is out of range; give seconds since 1970";
        instant.map(|at| Self(at.into())).ok_or_else(|| D::Error::custom(late))
    }
}

/// What is null is as what is absent: some servers write a list that they never made so.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A name; an empty one names nobody.
pub(crate) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    Ok(name.filter(|name| !name.is_empty()))
}

/// A number or a string that holds one.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let token = Box::<RawValue>::deserialize(deserializer)?;
    Ok(token.get().trim_matches('"').to_owned())
}

fn rounded<E: serde::de::Error>(text: &str) -> Result<Amount, E> {
    Amount::parse_rounded(text)
        .map_err(|error| E::custom(format_args!("[{}] {}", error.code(), error.message())))
}
