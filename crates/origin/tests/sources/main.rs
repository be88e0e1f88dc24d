//! Importers: their shapes, their traps, the recorded answers, and what is then decided at a gate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod alert_logic;
mod astra;
mod aws_marketplace;
mod kit;
mod meraki;
