//! The class `Gate`.

mod name;
mod query;
mod refresh;
mod remains;
mod trust;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::gate::{self, Ask, AskOptions, Clock, FeatureNumber, Options};
use crate::time::Instant;
use crate::wasm::answer::Scratch;
use crate::wasm::{amount, instant, thrown, told, window};
use name::Name;
use remains::Remains;

pub use refresh::{Stream, bundle_head};
pub use remains::patched;

/// A gate, the place where it is told a subject's name and that where it leaves its latest answer.
#[wasm_bindgen]
pub struct Gate {
    gate: gate::Gate,
    name: Name,
    latest: Scratch,
    remains: Remains,
}

#[wasm_bindgen]
impl Gate {
    /// A gate without a snapshot.
    ///
    /// # Errors
    /// Those of [`Options::parse`].
    #[wasm_bindgen(constructor)]
    pub fn new(
        audience: String,
        trusted_keys: Vec<String>,
        threshold: f64,
        dangerously_open_without_snapshot: bool,
    ) -> Result<Gate, JsValue> {
        let options = Options::parse(audience, &trusted_keys, threshold as usize);
        let options = options.map_err(|error| thrown(&error))?;
        let gate = gate::Gate::new(Options { dangerously_open_without_snapshot, ..options });
        Ok(Self {
            gate,
            name: Name::default(),
            latest: Scratch::default(),
            remains: Remains::default(),
        })
    }

    /// Where the id of a subject is to be written that a question is about. `name` below says how
    /// many bytes it has.
    #[wasm_bindgen(getter)]
    pub fn name(&self) -> *const u8 {
        self.name.address()
    }

    /// The number of a feature, which holds as long as the count of bodies behind `latest`. What no
    /// feature has is the number of those that do not exist.
    #[wasm_bindgen(js_name = featureNumber)]
    pub fn feature_number(&self, key: &str) -> u32 {
        self.gate.feature_number(key).0
    }

    /// Whether the feature may be used.
    #[wasm_bindgen(js_name = hasAccess)]
    pub fn has_access(
        &self,
        name: u32,
        feature: u32,
        now: f64,
        at: f64,
        wanted: f64,
        used: f64,
    ) -> bool {
        let options = options(now, at, wanted, used);
        self.gate.has_access_by_number(self.name.read(name), FeatureNumber(feature), &options)
    }

    /// Leaves the full decision where `latest` points.
    pub fn check(&mut self, name: u32, feature: u32, now: f64, at: f64, wanted: f64, used: f64) {
        let options = options(now, at, wanted, used);
        let name = self.name.read(name);
        self.latest.keep(&self.gate.check_by_number(name, FeatureNumber(feature), &options));
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

    /// Leaves the decision where `latest` points and gives its derivation.
    pub fn explain(
        &mut self,
        s: &str,
        f: &str,
        now: f64,
        at: f64,
        wanted: f64,
        used: f64,
    ) -> JsValue {
        let explained = self.gate.explain(&ask(s, f, now, at, wanted, used));
        let derivation = told::explanation(explained.explanation, &explained.grant_ids);
        self.latest.keep(&explained.answer.borrowed());
        derivation
    }

    /// Usage and balances from `from` to `to`.
    ///
    /// # Errors
    /// Those of [`gate::Gate::history`].
    pub fn history(
        &self,
        s: &str,
        f: &str,
        now: f64,
        from: f64,
        to: f64,
        hourly: bool,
    ) -> Result<JsValue, JsValue> {
        let ask = ask(s, f, now, f64::NAN, f64::NAN, f64::NAN);
        let from = instant(from).unwrap_or(Instant::MIN);
        told::history(self.gate.history(&ask, from, instant(to), window(hourly)))
    }

    /// The keys of the features that a subject is entitled to.
    ///
    /// # Errors
    /// Those of [`gate::Gate::features`].
    pub fn features(&self, subject: &str) -> Result<Vec<String>, JsValue> {
        self.gate.features(subject).map_err(|error| thrown(&error))
    }

    /// Counts usage seen here; whether there is an entitlement that counts it.
    pub fn record(&mut self, s: &str, f: &str, now: f64, at: f64, seen: f64) -> bool {
        let at = instant(at).or_else(|| self.gate.now(Clock::from_millis(now)));
        match (amount(seen), at) {
            (Some(seen), Some(at)) => {
                self.latest.count_record();
                self.gate.record(s, f, seen, at)
            }
            _ => false,
        }
    }

    /// Cuts the slice of a subject.
    ///
    /// # Errors
    /// Those of [`gate::Gate::slice`].
    pub fn slice(&self, subject: &str) -> Result<Vec<u8>, JsValue> {
        self.gate.slice(subject).map_err(|error| thrown(&error))
    }

    /// What is known of the snapshot, if there is one.
    pub fn status(&self, now: f64) -> JsValue {
        let status = self.gate.status(Clock::from_millis(now));
        status.map_or(JsValue::UNDEFINED, told::status)
    }
}

impl Gate {
    /// The gate, which is about to be changed.
    const fn changing(&mut self) -> &mut gate::Gate {
        self.latest.count_change();
        &mut self.gate
    }
}

#[inline]
fn ask<'a>(
    subject: &'a str,
    feature: &'a str,
    now: f64,
    at: f64,
    wanted: f64,
    used: f64,
) -> Ask<'a> {
    let AskOptions { clock, at, amount, used } = options(now, at, wanted, used);
    Ask { subject, feature, clock, at, amount, used }
}

#[inline(always)]
fn options(now: f64, at: f64, wanted: f64, used: f64) -> AskOptions {
    let clock = Clock::from_millis(now);
    AskOptions { clock, at: instant(at), amount: amount(wanted), used: amount(used) }
}
