//! `edgegrant generate`

use super::Outcome;
use crate::failure::Exit;

/// Write synthetic facts of any size.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> Outcome {
    Ok(Exit::Ok)
}
