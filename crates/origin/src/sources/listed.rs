//! Records of a list, each kept as it came beside what is read of it.

use edgegrant::model::{Config, Record};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::answers::Answer;
use crate::facts;
use crate::failure::Failure;

/// One record.
#[derive(Clone, Debug)]
pub(super) struct Item<T> {
    /// The file and the place in it.
    pub(super) place: String,
    /// The record as it came.
    pub(super) json: Config,
    /// What is read of it.
    pub(super) value: T,
}

impl<T: DeserializeOwned> Item<T> {
    /// The records of a body that is a list, or the one that it is.
    ///
    /// # Errors
    /// The code of the field that is wrong, with its place.
    pub(super) fn all(answer: &Answer, kind: &str) -> Result<Vec<Self>, Failure> {
        let body = answer.body();
        let records = serde_json::from_str::<Vec<&RawValue>>(body);
        let records =
            records.map_or(vec![body], |all| all.into_iter().map(RawValue::get).collect());
        let place = |index| format!("{}: {kind} {}", answer.place(), index + 1);
        records.iter().enumerate().map(|(index, json)| Self::new(place(index), json)).collect()
    }

    /// One record from its text.
    ///
    /// # Errors
    /// As [`Item::all`].
    pub(super) fn new(place: String, json: &str) -> Result<Self, Failure> {
        let value = facts::typed(json).map_err(|problem| {
            let dot = if problem.path.is_empty() { "" } else { ": " };
            let message = format!("{place}{dot}{}: {}", problem.path, problem.message);
            Failure::bad_input(problem.code, message)
        })?;
        let json = Config::parse(json).map_err(|error| {
            Failure::bad_input(error.code(), format!("{place}: {}", error.message()))
        })?;
        Ok(Self { place, json, value })
    }
}

impl<T> Item<T> {
    /// The record for whoever asks in the source's words.
    pub(super) fn record(&self, system: &str, kind: &str, feature: Option<&str>) -> Record {
        Record {
            system: system.into(),
            kind: kind.into(),
            feature: feature.map(Into::into),
            json: self.json.clone(),
        }
    }
}
