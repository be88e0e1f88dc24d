//! What the classes `Gate` and `SliceGate` are asked about several entitlements at once.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::gate::{Gate, ask};
use super::slice::SliceGate;
use super::{amount, instant, thrown, told};
use crate::amount::Amount;
use crate::error::Error;
use crate::gate::{Clock, Demand, Expression, Filter, Listing};

#[wasm_bindgen]
impl Gate {
    /// Entitlements that fit a filter: `{ items, next }`, without their decisions.
    ///
    /// # Errors
    /// Those of [`find`](crate::gate::Gate::find).
    #[allow(clippy::too_many_arguments, reason = "what crosses one by one takes the fewest bytes")]
    pub fn find(
        &self,
        subjects: Option<Vec<String>>,
        features: Option<Vec<String>>,
        grants: Option<Vec<String>>,
        access: Option<bool>,
        over: bool,
        ending_by: f64,
        now: f64,
        at: f64,
        limit: f64,
        after: Option<String>,
    ) -> Result<JsValue, JsValue> {
        let ending_by = instant(ending_by);
        let filter = Filter { subjects, features, grants, access, over, ending_by };
        told::entitlements(self.gate.find(&filter, &listing(now, at, limit, &after)))
    }

    /// Lets lists of a feature go by an index.
    ///
    /// # Errors
    /// Those of [`index`](crate::gate::Gate::index).
    pub fn index(&mut self, feature: &str) -> Result<(), JsValue> {
        self.gate.index(feature).map_err(|error| thrown(&error))
    }

    /// Whether so much of each feature fits: `{ fits, missing, unknown }`.
    ///
    /// # Errors
    /// Those of [`can_fit`](crate::gate::Gate::can_fit).
    #[wasm_bindgen(js_name = canFit)]
    pub fn can_fit(
        &self,
        subject: &str,
        features: Vec<String>,
        amounts: &[f64],
        now: f64,
        at: f64,
    ) -> Result<JsValue, JsValue> {
        let wanted = wanted(features, amounts);
        let clock = Clock::from_millis(now);
        told::fit(self.gate.can_fit(&Demand { subject, wanted: &wanted, clock, at: instant(at) }))
    }

    /// Whether an expression over features holds.
    ///
    /// # Errors
    /// Those of [`Expression::parse`].
    pub fn satisfies(&self, s: &str, expression: &str, now: f64, at: f64) -> Result<bool, JsValue> {
        let expression = parse(expression)?;
        Ok(self.gate.satisfies(&ask(s, "", now, at, f64::NAN, f64::NAN), &expression))
    }

    /// What features there are.
    ///
    /// # Errors
    /// Those of [`catalogue`](crate::gate::Gate::catalogue).
    pub fn catalogue(&self, features: Option<Vec<String>>) -> Result<JsValue, JsValue> {
        told::catalogue(self.gate.catalogue(features.as_deref()))
    }
}

#[wasm_bindgen]
impl SliceGate {
    /// Whether so much of each feature fits: `{ fits, missing, unknown }`.
    ///
    /// # Errors
    /// Those of [`can_fit`](crate::gate::SliceGate::can_fit).
    #[wasm_bindgen(js_name = canFit)]
    pub fn can_fit(
        &self,
        features: Vec<String>,
        amounts: &[f64],
        now: f64,
        at: f64,
    ) -> Result<JsValue, JsValue> {
        let wanted = wanted(features, amounts);
        let (subject, clock) = (self.gate.subject(), Clock::from_millis(now));
        told::fit(self.gate.can_fit(&Demand { subject, wanted: &wanted, clock, at: instant(at) }))
    }

    /// Whether an expression over features holds.
    ///
    /// # Errors
    /// Those of [`Expression::parse`].
    pub fn satisfies(&self, expression: &str, now: f64, at: f64) -> Result<bool, JsValue> {
        let expression = parse(expression)?;
        Ok(self.gate.satisfies(&self.ask("", now, at, f64::NAN, f64::NAN), &expression))
    }
}

fn listing(now: f64, at: f64, limit: f64, after: &Option<String>) -> Listing<'_> {
    let (clock, at) = (Clock::from_millis(now), instant(at));
    Listing { clock, at, limit: limit as usize, after: after.as_deref() }
}

fn wanted(features: Vec<String>, amounts: &[f64]) -> Vec<(String, Amount)> {
    let amounts = amounts.iter().map(|number| amount(*number).unwrap_or_default());
    features.into_iter().zip(amounts).collect()
}

fn parse(expression: &str) -> Result<Expression, JsValue> {
    Expression::parse(expression).map_err(|error: Error| thrown(&error))
}
