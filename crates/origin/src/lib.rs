//! The origin: facts in, signed snapshots out.
//!
//! [`sources`] turns what other systems export into facts, [`facts`] reads and checks them, and
//! [`cli`] is the `edgegrant` command line over both.

mod bearer;
pub mod cli;
pub mod compat;
pub mod diff;
pub mod disk;
pub mod facts;
pub mod failure;
pub mod folder;
pub mod gc;
pub mod generate;
pub mod heads;
mod input;
pub mod merge;
pub mod progress;
pub mod publish;
pub mod pull;
mod reach;
pub mod read;
mod select;
pub mod serve;
pub mod sources;
mod spill;
mod threads;

pub use failure::{Exit, Failure};
