//! The OpenMeter importer: its shapes, its two modes, and each trap of the API.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod generated;
mod kit;
mod ledger;
mod recorded;
mod shapes;
mod value;
mod worked;
