//! The command line, as a user calls it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod flow;
mod query;
mod reading;
mod rows;
mod shell;
mod signing;
