//! What only tests need: the format of the conformance cases, a naive reference that answers them,
//! the comparison of answers, and random ledgers in the same format.
//!
//! ```
//! use edgegrant_testkit::{case, compare, naive};
//!
//! let text = r#"{"cases":[{"id":"p1","kind":"grant.activeAt",
//!     "input":{"effectiveAt":"2024-06-01T12:00:00Z","at":"2024-06-01T12:00:00Z"},
//!     "expected":{"active":true}}]}"#;
//! for case in case::parse(text)? {
//!     let found = compare::check(&case, compare::Rule::FLOATS, &mut naive::answer);
//!     assert!(found.is_empty());
//! }
//! # Ok::<(), edgegrant_testkit::KitError>(())
//! ```
#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    reason = "this crate is part of the tests: a broken assumption should stop them at once"
)]

mod amount;
pub mod answer;
pub mod case;
pub mod compare;
pub mod engine;
mod error;
mod interval;
pub mod ledger;
pub mod line;
pub mod naive;
pub mod property;
pub mod published;
pub mod question;

pub use amount::Amount;
pub use error::KitError;
pub use interval::Interval;

/// An instant in UTC, to the nanosecond; in JSON an RFC 3339 text.
pub type Instant = chrono::DateTime<chrono::Utc>;
