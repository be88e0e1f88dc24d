//! What the class `Gate` is asked about several entitlements at once.

use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::{Gate, ask};
use crate::amount::Amount;
use crate::error::Error;
use crate::gate::{self, Clock, Demand, Filter, Listing};
use crate::wasm::told::{self, handed, millis, told};
use crate::wasm::{instant, parse, thrown, wanted};

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
        entitlements(self.gate.find(&filter, &listing(now, at, limit, &after)))
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
        catalogue(self.gate.catalogue(features.as_deref()))
    }
}

fn listing(now: f64, at: f64, limit: f64, after: &Option<String>) -> Listing<'_> {
    let (clock, at) = (Clock::from_millis(now), instant(at));
    Listing { clock, at, limit: limit as usize, after: after.as_deref() }
}

fn entitlements(
    found: Result<gate::Listed<gate::FoundEntitlement>, Error>,
) -> Result<JsValue, JsValue> {
    let gate::Listed { items, next } = handed(found)?;
    let items = items.iter().map(|item| Entitlement {
        subject: &item.subject,
        feature: &item.feature,
        overage: item.answer.overage.map(Amount::to_f64),
        grace_until: item.grace_until.map(millis),
        ends: item.ends.iter().map(Ending::of).collect(),
    });
    Ok(told(&Listed { items: items.collect(), next }))
}

fn catalogue(found: Result<Vec<gate::CatalogueFeature>, Error>) -> Result<JsValue, JsValue> {
    let features = handed(found)?;
    let features = features.iter().map(|feature| CatalogueFeature {
        feature: &feature.feature,
        unit: feature.unit.as_deref(),
        when_expired: feature.when_expired.as_str(),
        policy_source: (feature.policy_source == gate::PolicySource::Local).then_some("local"),
    });
    Ok(told(&features.collect::<Vec<_>>()))
}

#[derive(Serialize)]
struct Listed<'a> {
    items: Vec<Entitlement<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entitlement<'a> {
    subject: &'a str,
    feature: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    overage: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_until: Option<f64>,
    ends: Vec<Ending<'a>>,
}

#[derive(Serialize)]
struct Ending<'a> {
    at: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<f64>,
}

impl<'a> Ending<'a> {
    fn of(ending: &'a gate::Ending) -> Self {
        let grant = ending.grant.as_ref().map(|(id, amount)| (id.as_str(), amount.to_f64()));
        let (grant, amount) = grant.unzip();
        Self { at: millis(ending.at), grant, amount }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CatalogueFeature<'a> {
    feature: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    when_expired: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_source: Option<&'static str>,
}
