//! `edgegrant verify`

use edgegrant::snapshot::Body;
use edgegrant::trust::read_unverified;

use super::Outcome;
use super::gate::Trust;
use crate::disk;
use crate::failure::{Exit, Failure};
use crate::folder;

/// Verify a published snapshot: its signatures and age, then every byte of its body.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    trust: Trust,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let gate = args.trust.gate()?;
    let refused = |error| Failure::refused(&error);
    // The gate verifies a first body as it is touched; here all of it is.
    let folder = args.trust.folder();
    let bytes = disk::read(&folder.head(), 1 << 16)?;
    let head = read_unverified(&bytes).map_err(refused)?.head;
    let roots = folder::roots(&head);
    let pack = disk::read(&folder.pack(&roots), roots.pack_length)?;
    let body = Body::open(pack, &roots, head.usage_as_of).map_err(refused)?;
    body.verify().map_err(refused)?;
    let subjects = body.catalogue().counts().subjects;
    let Some(status) = gate.status(args.trust.clock()) else { return Ok(Exit::Refused) };
    if json {
        let view = serde_json::json!({
            "verified": true, "version": status.version, "epoch": status.epoch,
            "subjects": subjects, "stale": status.stale, "ageMs": status.age_millis,
        });
        say!("{view}");
    } else {
        let stale = if status.stale { ", stale" } else { "" };
        say!("version {} of epoch {}: {subjects} subjects{stale}", status.version, status.epoch);
    }
    Ok(Exit::Ok)
}
