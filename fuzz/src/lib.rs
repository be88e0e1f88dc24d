//! Functions that take any bytes and check what the readers of edgegrant make of them.
//!
//! Each target asks for no panic, for memory that grows with the bytes and not with what they
//! announce, and for consistency: what is accepted says the same when it is read independently or
//! encoded again. Most put their input behind digests or signatures that are right, so that the
//! parsers behind the signature are met too. The same functions run as properties in
//! `tests/targets.rs` and under libFuzzer by `cargo xtask fuzz`.
#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "this crate is part of the tests: a broken assumption should stop them at once"
)]

mod ask;
pub mod capped;
mod input;
pub mod mutate;
mod signed;
#[path = "../../tests/snapshot_support/mod.rs"]
mod support;
mod targets;
mod world;

pub use targets::{TARGETS, Target};
