//! Importers: one module for each system that facts come from.

pub mod alert_logic;
pub mod answers;
pub mod astra;
pub mod aws_marketplace;
mod ends;
mod gathered;
mod listed;
pub mod meraki;
pub mod openmeter;
pub(crate) mod wire;

pub use ends::Ends;

/// What an importer has to say about a record that it did not take over as it stands.
///
/// It names the record by the source's own id of the entitlement or grant, or by its place in a
/// list; never a subject, never a value.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// Whether the import goes on.
    pub level: Level,
    /// The stable kebab-case code.
    pub code: &'static str,
    /// Which record.
    pub record: String,
    /// Cause and cure.
    pub message: &'static str,
}

/// How much a [`Note`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The record was skipped or simplified; facts are written.
    Warning,
    /// The record cannot be answered for; no facts are written.
    Error,
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let level = if self.level == Level::Error { "error" } else { "warning" };
        write!(f, "{level}: {}: {} ({})", self.record, self.message, self.code)
    }
}

/// Why a record was not taken over: a code and a message, before the record is named.
type Reason = (&'static str, &'static str);

/// Where notes go.
#[derive(Debug, Default)]
pub struct Notes {
    notes: Vec<Note>,
    dropped: u64,
    errors: u64,
}

impl Notes {
    /// How many are kept; the rest is only counted.
    const KEPT: usize = 10_000;

    /// The notes, in the order in which they came.
    #[must_use]
    pub fn all(&self) -> &[Note] {
        &self.notes
    }

    /// How many notes say that the import fails.
    #[must_use]
    pub const fn errors(&self) -> u64 {
        self.errors
    }

    /// How many notes were too many to keep.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn warn(&mut self, record: impl Into<String>, reason: Reason) {
        self.add(Level::Warning, record.into(), reason);
    }

    fn error(&mut self, record: impl Into<String>, reason: Reason) {
        self.errors += 1;
        self.add(Level::Error, record.into(), reason);
    }

    fn add(&mut self, level: Level, record: String, (code, message): Reason) {
        if self.notes.len() == Self::KEPT {
            self.dropped += 1;
        } else {
            self.notes.push(Note { level, code, record, message });
        }
    }
}
