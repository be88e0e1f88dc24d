//! What OpenMeter's clients are answered from a published snapshot and the facts beside it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod conformance;
mod generated;
mod history;
mod kit;
mod lists;
mod recorded;
mod refused;
mod whole;
