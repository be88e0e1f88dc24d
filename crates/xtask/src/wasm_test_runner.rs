//! The runner of `wasm-bindgen-test`, at exactly the locked version.

use std::ffi::OsString;

use anyhow::Result;

/// Runs the tests in the wasm file that `arguments` name, in Node.js.
///
/// # Errors
/// When a test fails or the file cannot be run.
pub(crate) fn run(arguments: Vec<OsString>) -> Result<()> {
    let arguments = std::iter::once(OsString::from("wasm-test-runner")).chain(arguments);
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(arguments)
}
