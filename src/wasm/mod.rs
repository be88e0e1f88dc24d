//! What JavaScript sees of the crate: the only wasm-bindgen code, and it takes no decision.
//!
//! Strings cross as text, numbers as f64, instants as milliseconds since 1970. A number that is not
//! there crosses as NaN. The TypeScript has refused wrong types before; ranges are held here too.

mod answer;
#[cfg(feature = "gate")]
mod gate;
mod slice;
mod texts;
mod told;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::amount::Amount;
use crate::engine::WindowSize;
use crate::error::Error;
use crate::gate::{Expression, Reason, WhenExpired};
use crate::time::Instant;

#[cfg(feature = "gate")]
pub use gate::{Gate, Stream, bundle_head, patched};
pub use slice::SliceGate;

/// The version of this build, as in `package.json`.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The words for reasons, in the order of their codes.
#[wasm_bindgen]
#[must_use]
pub fn reasons() -> Vec<String> {
    Reason::ALL.iter().map(|reason| reason.as_str().to_owned()).collect()
}

/// The error as JavaScript throws it, with the code as its name.
fn thrown(error: &Error) -> JsValue {
    let thrown = js_sys::Error::new(error.message());
    thrown.set_name(error.code());
    thrown.into()
}

/// How long the windows of a history are.
const fn window(hourly: bool) -> WindowSize {
    if hourly { WindowSize::Hour } else { WindowSize::Day }
}

/// An amount held within what may cross; absent for NaN.
#[inline]
fn amount(number: f64) -> Option<Amount> {
    if number.is_nan() {
        return None;
    }
    // `clamp` would bring along the code that prints floats, for its panic: 20 kB.
    Amount::from_f64(number.max(0.0).min(Amount::MAX.to_f64())).ok()
}

/// An instant held within the years 1 to 9999; absent for NaN.
#[inline]
fn instant(millis: f64) -> Option<Instant> {
    if millis.is_nan() {
        return None;
    }
    let held = (millis.floor() as i64).clamp(Instant::MIN.millis(), Instant::MAX.millis());
    Instant::from_millis(held)
}

/// The TypeScript lets no other words through; the strictest policy is the one that cannot harm.
fn when_expired(word: &str) -> WhenExpired {
    match word {
        "open" => WhenExpired::Open,
        "last-known" => WhenExpired::LastKnown,
        _ => WhenExpired::Closed,
    }
}

fn wanted(features: Vec<String>, amounts: &[f64]) -> Vec<(String, Amount)> {
    let amounts = amounts.iter().map(|number| amount(*number).unwrap_or_default());
    features.into_iter().zip(amounts).collect()
}

fn parse(expression: &str) -> Result<Expression, JsValue> {
    Expression::parse(expression).map_err(|error| thrown(&error))
}
