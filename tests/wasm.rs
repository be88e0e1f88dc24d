//! The wasm as JavaScript sees it, run in Node.js by wasm-bindgen's own runner.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn the_version_is_the_package_s() {
    assert_eq!(edgegrant::wasm::version(), env!("CARGO_PKG_VERSION"));
}
