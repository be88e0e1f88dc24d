//! The engine in wasm, asked what the npm package does not export.
#![cfg(target_arch = "wasm32")]

use edgegrant_testkit::answer::Answer;
use edgegrant_testkit::case::{self, Case};
use edgegrant_testkit::{KitError, engine};
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;

/// The answers to every case of a file, as JSON: a list for each case, which is empty for those
/// that the package answers.
///
/// # Errors
/// When the text is no file of cases.
#[wasm_bindgen]
pub fn answers(file: &str) -> Result<String, String> {
    let cases = case::parse(file).map_err(|error| error.to_string())?;
    let answers: Vec<Vec<Value>> = cases.iter().map(answers_of).collect();
    serde_json::to_string(&answers).map_err(|error| error.to_string())
}

fn answers_of(case: &Case) -> Vec<Value> {
    let packed = case.kind == "access" || case.kind.starts_with("metered.");
    if packed || case.skip.is_some() {
        return Vec::new();
    }
    case.asked.iter().map(|asked| told(engine::answer(&asked.question))).collect()
}

fn told(answer: Result<Answer, KitError>) -> Value {
    let told = answer.and_then(|answer| Ok(serde_json::to_value(answer)?));
    told.unwrap_or_else(|error| json!({ "error": error.to_string() }))
}
