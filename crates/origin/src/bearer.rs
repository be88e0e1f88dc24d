//! The token that a request shows.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// The bearer token, if there is one. The scheme's name is of any case (RFC 9110, section 11.1).
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}
