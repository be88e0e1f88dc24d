//! What JavaScript sees of the crate: the only wasm-bindgen code, and it takes no decision.

use wasm_bindgen::prelude::wasm_bindgen;

/// The version of this build, as in `package.json`.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
