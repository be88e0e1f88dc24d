//! The class `SliceGate`.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::answer::Scratch;
use super::{amount, instant, parse, thrown, told, wanted, when_expired, window};
use crate::gate::{self, Ask, Clock, Demand, Options};
use crate::time::Instant;

/// A gate over a slice, and the place where it leaves its latest answer.
#[wasm_bindgen]
pub struct SliceGate {
    gate: gate::SliceGate,
    latest: Scratch,
}

#[wasm_bindgen]
impl SliceGate {
    /// Opens a slice of the named subject.
    ///
    /// # Errors
    /// Those of [`Options::parse`] and [`gate::SliceGate::open`].
    #[wasm_bindgen(constructor)]
    pub fn new(
        audience: String,
        trusted_keys: Vec<String>,
        threshold: f64,
        subject: String,
        slice: &[u8],
        min_version: f64,
    ) -> Result<SliceGate, JsValue> {
        let options = Options::parse(audience, &trusted_keys, threshold as usize);
        let open = |options| gate::SliceGate::open(options, subject, slice, min_version as u64);
        let gate = options.and_then(open).map_err(|error| thrown(&error))?;
        Ok(Self { gate, latest: Scratch::default() })
    }

    /// Takes a newer slice of the same subject.
    ///
    /// # Errors
    /// Those of [`gate::SliceGate::replace`].
    pub fn replace(&mut self, slice: &[u8], min_version: f64) -> Result<(), JsValue> {
        self.gate.replace(slice, min_version as u64).map_err(|error| thrown(&error))
    }

    /// Lets a feature answer at most so once the slice has expired.
    ///
    /// # Errors
    /// Those of [`Policies::tighten`](gate::Policies::tighten).
    pub fn tighten(&mut self, feature: &str, policy: &str) -> Result<(), JsValue> {
        let policies = self.gate.policies();
        policies.tighten(feature, when_expired(policy)).map_err(|error| thrown(&error))
    }

    /// Lets answers be given as if the slice had expired, until this is taken back.
    pub fn distrust(&mut self, distrusted: bool) {
        self.gate.distrust(distrusted);
    }

    /// Leaves the full decision where `latest` points.
    pub fn check(&mut self, f: &str, now: f64, at: f64, wanted: f64, used: f64) {
        let answer = self.gate.check(&self.ask(f, now, at, wanted, used));
        self.latest.keep(&answer.borrowed());
    }

    /// Leaves the decision where `latest` points and gives its derivation.
    pub fn explain(&mut self, f: &str, now: f64, at: f64, wanted: f64, used: f64) -> JsValue {
        let explained = self.gate.explain(&self.ask(f, now, at, wanted, used));
        let derivation = told::explanation(explained.explanation, &explained.grant_ids);
        self.latest.keep(&explained.answer.borrowed());
        derivation
    }

    /// Usage and balances from `from` to `to`.
    ///
    /// # Errors
    /// Those of [`gate::SliceGate::history`].
    pub fn history(
        &self,
        f: &str,
        now: f64,
        from: f64,
        to: f64,
        hourly: bool,
    ) -> Result<JsValue, JsValue> {
        let ask = self.ask(f, now, f64::NAN, f64::NAN, f64::NAN);
        let from = instant(from).unwrap_or(Instant::MIN);
        told::history(self.gate.history(&ask, from, instant(to), window(hourly)))
    }

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

    /// Where the numbers of the latest decision are in memory, for as long as the gate lives.
    #[wasm_bindgen(getter)]
    pub fn latest(&self) -> *const f64 {
        self.latest.numbers()
    }

    /// The config of the latest decision, once, if it has no number.
    #[wasm_bindgen(js_name = takeConfig)]
    pub fn take_config(&mut self) -> Option<String> {
        self.latest.take_config()
    }

    /// The text with a number that the latest decision names.
    pub fn text(&self, number: f64) -> Option<String> {
        self.latest.text(number)
    }

    /// The keys of the features that the subject is entitled to.
    pub fn features(&self) -> Vec<String> {
        self.gate.features()
    }

    /// What is known of the snapshot that the slice was cut from.
    pub fn status(&self, now: f64) -> JsValue {
        told::status(self.gate.status(Clock::from_millis(now)))
    }
}

impl SliceGate {
    fn ask<'a>(&'a self, feature: &'a str, now: f64, at: f64, wanted: f64, used: f64) -> Ask<'a> {
        Ask {
            subject: self.gate.subject(),
            feature,
            clock: Clock::from_millis(now),
            at: instant(at),
            amount: amount(wanted),
            used: amount(used),
        }
    }
}
