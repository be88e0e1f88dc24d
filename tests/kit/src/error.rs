use std::fmt;

/// Why a file, a case or an answer could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitError(pub String);

impl fmt::Display for KitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KitError {}

impl From<serde_json::Error> for KitError {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<std::io::Error> for KitError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}
