//! How a command ends.

use std::io;
use std::path::Path;

/// What the exit code of every command means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, and the answer is yes.
    Ok = 0,
    /// 1: done, and the answer is no.
    No = 1,
    /// 2: the arguments, facts or records are wrong; nothing was written.
    BadInput = 2,
    /// 3: a file or the network could not be read or written.
    Io = 3,
    /// 4: a signature, digest or snapshot was refused.
    Refused = 4,
}

/// Why a command did not do what it was asked.
///
/// ```
/// use edgegrant_origin::{Exit, Failure};
///
/// let failure = Failure::bad_input("no-files", "no file is named; name one or `-`");
/// assert_eq!(failure.exit, Exit::BadInput);
/// ```
#[derive(Clone, Debug)]
pub struct Failure {
    /// The stable kebab-case code.
    pub code: String,
    /// Cause and cure.
    pub message: String,
    /// How the process ends.
    pub exit: Exit,
}

impl Failure {
    /// Wrong arguments, facts or records.
    #[must_use]
    pub fn bad_input(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), exit: Exit::BadInput }
    }

    /// A signature, digest or snapshot that is not accepted.
    #[must_use]
    pub fn refused(error: &edgegrant::Error) -> Self {
        Self { code: error.code().into(), message: error.message().into(), exit: Exit::Refused }
    }

    /// A file that could not be read or written.
    #[must_use]
    pub fn io(path: &Path, error: &io::Error) -> Self {
        let message = format!("{}: {error}", path.display());
        Self { code: "io".into(), message, exit: Exit::Io }
    }
}

impl From<edgegrant::Error> for Failure {
    fn from(error: edgegrant::Error) -> Self {
        Self::bad_input(error.code(), error.message())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for Failure {}
