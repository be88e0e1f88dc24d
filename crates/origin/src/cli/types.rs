//! `edgegrant types`

use std::path::PathBuf;

use super::Outcome;
use super::inspect::{read_body, read_head};
use crate::failure::{Exit, Failure};
use crate::folder::Folder;

/// Write the feature keys of a snapshot as a TypeScript type.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder that publish wrote.
    folder: PathBuf,
}

pub(super) fn run(args: &Args) -> Outcome {
    let folder = Folder::new(&args.folder);
    let head = read_head(&folder.head())?;
    let body = read_body(&folder, &head.head)?;
    let mut keys: Vec<&str> = body.catalogue().features().map(|feature| feature.key).collect();
    keys.sort_unstable();
    say!("// Written by `edgegrant types`; do not edit.");
    say!("export type FeatureKey ={}", union(&keys)?);
    Ok(Exit::Ok)
}

fn union(keys: &[&str]) -> Result<String, Failure> {
    let mut lines = String::new();
    for key in keys {
        // A JSON string is a TypeScript string.
        let literal = serde_json::to_string(key);
        let literal = literal.map_err(|error| Failure::bad_input("types", error.to_string()))?;
        lines.push_str(&format!("\n  | {literal}"));
    }
    if keys.is_empty() {
        lines.push_str(" never");
    }
    Ok(lines + ";")
}
