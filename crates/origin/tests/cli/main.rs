//! The command line, as a user calls it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

mod flow;
mod query;
mod reading;
mod shell;
mod signing;
