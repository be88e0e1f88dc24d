//! `edgegrant gc`

use std::path::PathBuf;

use edgegrant::Instant;

use super::{Outcome, output};
use crate::failure::Exit;
use crate::folder::Folder;
use crate::gc::{self, Freed, Options};

/// Remove what no head reaches any more.
///
/// Kept is what the present head reaches, what earlier heads reach until they expire, and what
/// waits for signatures. Gates may read meanwhile; publishers are kept out.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder that publish wrote.
    folder: PathBuf,
    /// Keep only what the present head reaches. Gates with an older head may miss parts until they
    /// refresh; a subject that is in the facts no more is then in no file.
    #[arg(long)]
    only_present: bool,
    /// Say what would be removed and remove nothing.
    #[arg(long)]
    dry_run: bool,
    /// The instant by which heads have expired; now when absent.
    #[arg(long, value_parser = output::instant)]
    at: Option<Instant>,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let now = args.at.unwrap_or_else(output::now);
    let options = Options { now, only_present: args.only_present, dry_run: args.dry_run };
    let freed = gc::gc(&options, &Folder::new(&args.folder))?;
    if json {
        say!("{}", serde_json::json!(freed));
        return Ok(Exit::Ok);
    }
    let Freed { heads_kept, heads_forgotten, parts, packs, deltas, unfinished, bytes, .. } = freed;
    let verb = if freed.dry_run { "would remove" } else { "removed" };
    say!("{verb} {bytes} bytes: {parts} parts, {packs} packs, {deltas} deltas");
    say!("{heads_kept} heads hold files, {heads_forgotten} are forgotten");
    if freed.pending_forgotten {
        say!("the snapshot that waited for signatures is given up");
    }
    if unfinished > 0 {
        say!("{unfinished} unfinished files of interrupted publishers");
    }
    Ok(Exit::Ok)
}
