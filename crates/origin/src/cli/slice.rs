//! `edgegrant slice`

use std::path::{Path, PathBuf};

use edgegrant::snapshot::cut;
use edgegrant::trust::{HEAD_BYTES_MAX, read_unverified};

use super::inspect::read_body;
use super::{Outcome, output};
use crate::disk;
use crate::failure::{Exit, Failure};
use crate::folder::Folder;

/// Cut out of a published folder what the browser of one customer may see.
///
/// No key is needed: whoever opens the slice verifies it, and names the subject by its id.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder that publish wrote.
    folder: PathBuf,
    /// The id or an alias of a subject.
    #[arg(long)]
    subject: String,
    /// Where the slice goes; `-` is standard output.
    #[arg(long, short, default_value = "-")]
    out: PathBuf,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let printed = args.out == Path::new("-");
    if printed && json {
        let message = "with --json standard output is for the result; name a file as --out";
        return Err(Failure::bad_input("out-missing", message));
    }
    let folder = Folder::new(&args.folder);
    let refused = |error| Failure::refused(&error);
    let signed = disk::read(&folder.head(), HEAD_BYTES_MAX as u64)?;
    let head = read_unverified(&signed).map_err(refused)?.head;
    let body = read_body(&folder, &head)?;
    let subject = body.subject(&args.subject).map_err(refused)?.ok_or_else(unknown)?;
    let slice = cut(&body, &subject, &signed).map_err(refused)?;
    let mut pending = output::Pending::new(&args.out)?;
    pending.bytes(&slice)?;
    pending.finish()?;
    let (id, version, bytes) = (subject.id(), head.version, slice.len());
    if json {
        say!("{}", serde_json::json!({ "subject": id, "version": version, "bytes": bytes }));
    } else if !printed {
        say!("{}: {bytes} bytes of version {version}", args.out.display());
    }
    Ok(Exit::Ok)
}

fn unknown() -> Failure {
    let message = "the snapshot has no subject of that name; check the name, and what is published";
    Failure { code: "unknown-subject".into(), message: message.into(), exit: Exit::No }
}
