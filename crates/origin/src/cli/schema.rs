//! `edgegrant schema`

use super::Outcome;
use crate::facts;
use crate::failure::{Exit, Failure};

/// Print the JSON Schema of one line of facts.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> Outcome {
    let schema = serde_json::to_string_pretty(&facts::schema());
    say!("{}", schema.map_err(|error| Failure::bad_input("schema", error.to_string()))?);
    Ok(Exit::Ok)
}
