//! Publishing into a folder, and letting go of what it held.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]
#![allow(non_snake_case, reason = "faults are named by their ids")]

mod basics;
mod crash;
mod deltas;
mod elsewhere;
mod erasure;
mod kit;
