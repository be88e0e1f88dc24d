//! What the engine promises, on every case at hand and on random ledgers.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first broken assumption"
)]

mod reference;
