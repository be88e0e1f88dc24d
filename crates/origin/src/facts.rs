//! Reading facts: NDJSON, one feature or subject a line, refused with line and path when wrong.
//!
//! Memory does not grow with the input except for one 128-bit hash for each subject id and alias,
//! which is what finding duplicates needs.

mod check;
mod common;
mod compiler;
mod cut;
mod frames;
mod gather;
mod known;
mod lines;
mod parse;
mod usage;

use std::io::BufRead;

pub use check::Checker;
use edgegrant::Instant;
use edgegrant::engine;
use edgegrant::model::{self, Fact, Feature, Subject};
use edgegrant::snapshot::{EntitlementRecord, FeatureRecord, SubjectRecord, WhenExpired};
pub(crate) use gather::{Gathered, gather, spilled};
pub use lines::MAX_LINE_BYTES;
pub use parse::parse_line;
pub(crate) use parse::typed;

use self::lines::{Line, Lines};

/// Why a line of facts was refused. It shows neither ids nor values, so that it may be logged.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: u64,
    /// The place in the line's JSON, like `entitlements[0].grants[1].amount`; empty for the whole.
    pub path: String,
    /// The stable kebab-case code.
    pub code: String,
    /// Cause and cure.
    pub message: String,
}

impl Problem {
    fn new(path: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { line: 0, path: path.into(), code: code.into(), message: message.into() }
    }

    fn at_line(self, line: u64) -> Self {
        Self { line, ..self }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{} ({})", self.message, self.code)
    }
}

/// Why reading stopped or a line was refused.
#[derive(Debug)]
pub enum ReadError {
    /// The input could not be read; nothing follows.
    Io(std::io::Error),
    /// A line was refused; the next one may be read.
    Refused(Problem),
}

/// A fact as a snapshot takes it.
#[derive(Debug)]
pub enum Entry {
    /// A declared feature.
    Feature(FeatureRecord),
    /// A subject and the programs of its entitlements, in their order.
    Subject(SubjectRecord),
}

impl Entry {
    /// Compiles a fact for a snapshot that is published at an instant.
    ///
    /// # Errors
    /// What [`engine::compile`] says, with the path from the subject on and no line number.
    pub fn new(fact: Fact, publish_at: Instant) -> Result<Self, Problem> {
        let subject = match fact {
            Fact::Feature(feature) => return Ok(Self::Feature(feature_record(feature))),
            Fact::Subject(subject) => subject,
        };
        let mut entitlements = Vec::with_capacity(subject.entitlements.len());
        for (index, entitlement) in subject.entitlements.into_iter().enumerate() {
            let compiled = engine::compile(&entitlement, subject.status, publish_at);
            let compiled = compiled.map_err(|engine::Problem { path, error }| {
                let dot = if path.is_empty() { "" } else { "." };
                let path = format!("entitlements[{index}]{dot}{path}");
                Problem::new(path, error.code(), error.message())
            })?;
            entitlements.push(EntitlementRecord {
                feature: entitlement.feature,
                program: compiled.program,
                config: entitlement.config.map(|config| config.as_str().to_owned()),
                grant_ids: compiled.grant_ids,
                steady: compiled.steady,
            });
        }
        let Subject { subject: id, aliases, .. } = subject;
        Ok(Self::Subject(SubjectRecord { id, aliases, entitlements }))
    }
}

fn feature_record(feature: Feature) -> FeatureRecord {
    let when_expired = match feature.when_expired.unwrap_or_default() {
        model::WhenExpired::LastKnown => WhenExpired::LastKnown,
        model::WhenExpired::Closed => WhenExpired::Closed,
        model::WhenExpired::Open => WhenExpired::Open,
    };
    FeatureRecord { key: feature.feature, unit: feature.unit, when_expired }
}

/// Facts from a reader, line by line, checked and compiled as they come.
///
/// ```
/// use edgegrant::Instant;
/// use edgegrant_origin::facts::{Checker, Facts};
///
/// let text = "{\"feature\":\"sso\"}\n\
///     {\"subject\":\"acme\",\"entitlements\":[{\"feature\":\"sso\",\"type\":\"boolean\"}]}\n";
/// let publish_at = Instant::parse("2026-01-01T00:00:00Z")?;
/// let mut checker = Checker::default();
/// let facts = Facts::new(text.as_bytes(), publish_at, &mut checker);
/// assert_eq!(facts.filter(Result::is_ok).count(), 2);
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[derive(Debug)]
pub struct Facts<'a, R> {
    lines: Lines<R>,
    publish_at: Instant,
    checker: &'a mut Checker,
    failed: bool,
}

impl<'a, R: BufRead> Facts<'a, R> {
    /// Facts of one file. Files that belong together share a checker.
    pub fn new(input: R, publish_at: Instant, checker: &'a mut Checker) -> Self {
        Self { lines: Lines::new(input), publish_at, checker, failed: false }
    }
}

impl<R: BufRead> Iterator for Facts<'_, R> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let (number, line) = match self.lines.next_line() {
            Ok(next) => next?,
            Err(error) => {
                self.failed = true;
                return Some(Err(ReadError::Io(error)));
            }
        };
        let fact = match line {
            Line::Text(text) => parse_line(text),
            Line::TooLong => Err(lines::too_long()),
        };
        let checked = fact.and_then(|fact| self.checker.check(&fact).map(|()| fact));
        let compiled = checked.and_then(|fact| Entry::new(fact, self.publish_at));
        let compiled = compiled.and_then(|entry| self.checker.admit(&entry).map(|()| entry));
        Some(compiled.map_err(|problem| ReadError::Refused(problem.at_line(number))))
    }
}

/// The JSON Schema of one line of facts, generated from the Rust types.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Fact)
}
