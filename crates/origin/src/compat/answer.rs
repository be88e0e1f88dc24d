//! What answers of every system are made of.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use edgegrant::Amount;
use serde::Serialize;
use serde_json::Value;

/// A JSON body under the type that a system gives it.
pub(super) fn json(
    status: StatusCode,
    content_type: &'static str,
    body: &impl Serialize,
) -> Response {
    let content_type = [(CONTENT_TYPE, HeaderValue::from_static(content_type))];
    match serde_json::to_vec(body) {
        Ok(text) => (status, content_type, text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A header, if it is there and is text.
pub(super) fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The number that an amount is on the wire.
pub(super) fn number(amount: Amount) -> Value {
    serde_json::from_str(&amount.to_string()).unwrap_or_default()
}
