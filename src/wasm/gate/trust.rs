//! What the class `Gate` is told of local policies and of a store.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::Gate;
use crate::gate::Clock;
use crate::wasm::{thrown, when_expired};

#[wasm_bindgen]
impl Gate {
    /// Lets a feature answer at most so once a snapshot has expired.
    ///
    /// # Errors
    /// Those of [`Policies::tighten`](crate::gate::Policies::tighten).
    pub fn tighten(&mut self, feature: &str, policy: &str) -> Result<(), JsValue> {
        let policies = self.changing().policies();
        policies.tighten(feature, when_expired(policy)).map_err(|error| thrown(&error))
    }

    /// Lets a feature answer at least so once a snapshot has expired.
    ///
    /// # Errors
    /// Those of [`Policies::dangerously_loosen`](crate::gate::Policies::dangerously_loosen).
    #[wasm_bindgen(js_name = dangerouslyLoosen)]
    pub fn dangerously_loosen(&mut self, feature: &str, policy: &str) -> Result<(), JsValue> {
        let policies = self.changing().policies();
        policies.dangerously_loosen(feature, when_expired(policy)).map_err(|error| thrown(&error))
    }

    /// Whether a head names the present body.
    #[wasm_bindgen(js_name = namesBody)]
    pub fn names_body(&self, head: &[u8]) -> bool {
        self.gate.names_body(head)
    }

    /// Takes a floor from a store.
    ///
    /// # Errors
    /// Those of [`Gate::raise_floor`](crate::gate::Gate::raise_floor).
    #[wasm_bindgen(js_name = raiseFloor)]
    pub fn raise_floor(&mut self, head: &[u8], now: f64) -> Result<(), JsValue> {
        let raised = self.changing().raise_floor(head, Clock::from_millis(now));
        self.remains.note(&self.gate);
        raised.map_err(|error| thrown(&error))
    }

    /// Takes a snapshot in one file from a store.
    ///
    /// # Errors
    /// Those of [`Gate::restore`](crate::gate::Gate::restore).
    pub fn restore(&mut self, file: Vec<u8>, now: f64) -> Result<(), JsValue> {
        let restored = self.changing().restore(file, Clock::from_millis(now));
        self.remains.note(&self.gate);
        restored.map_err(|error| thrown(&error))
    }
}
