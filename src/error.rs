//! The one error of the crate's edge: a stable code, and a message that names cause and cure.

use core::fmt;

/// Why something was refused.
///
/// The `code` is stable, kebab-case and the same in Rust, JavaScript and the command line. The
/// message names the cause and the cure; it never holds a secret or the id of a subject.
///
/// ```
/// use edgegrant::Amount;
///
/// let error = Amount::parse("1.0000000001").unwrap_err();
/// assert_eq!(error.code(), "amount-too-precise");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: &'static str,
    message: &'static str,
}

impl Error {
    /// An error with a stable code and a message.
    #[must_use]
    pub const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message }
    }

    /// The stable kebab-case code that programs may match on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Cause and cure, for a person.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl core::error::Error for Error {}
