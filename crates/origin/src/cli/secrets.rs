//! Secrets, which come from files and the environment and never from arguments.

use std::path::Path;

use crate::disk;
use crate::failure::Failure;

/// The environment's place for the token.
const TOKEN_VARIABLE: &str = "EDGEGRANT_TOKEN";

/// The token of the private part, from a file or else from the environment.
pub(super) fn token(file: Option<&Path>) -> Result<Option<String>, Failure> {
    let text = match file {
        Some(file) => String::from_utf8_lossy(&disk::read(file, 4096)?).into_owned(),
        None => std::env::var(TOKEN_VARIABLE).unwrap_or_default(),
    };
    let token = text.trim();
    Ok((!token.is_empty()).then(|| token.to_owned()))
}
