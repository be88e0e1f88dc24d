//! `edgegrant generate`

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use edgegrant::Instant;

use super::bar::Bar;
use super::{Outcome, output};
use crate::failure::{Exit, Failure};
use crate::generate::{Export, Facts, GrantIds, facts, write_export};
use crate::progress::Stage;

/// Write synthetic facts of any size, or an OpenMeter export to try importing with.
///
/// The same arguments give the same bytes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many subjects.
    #[arg(long, default_value_t = 1000)]
    subjects: u64,
    /// Chooses the data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The present of the data: usage lies before it.
    #[arg(long, value_parser = output::instant, default_value = "2026-11-20T12:34:00Z")]
    at: Instant,
    /// How grants are named.
    #[arg(long, value_enum, default_value_t = GrantIds::Derived)]
    grant_ids: GrantIds,
    /// Write the files of an OpenMeter export of an API company into this folder instead.
    #[arg(long, value_name = "FOLDER", conflicts_with = "grant_ids")]
    openmeter: Option<PathBuf>,
    /// Where the facts go; `-` is standard output.
    #[arg(long, short, default_value = "-", conflicts_with = "openmeter")]
    out: PathBuf,
}

pub(super) fn run(args: &Args) -> Outcome {
    let Args { subjects, seed, at, grant_ids, .. } = *args;
    if let Some(folder) = &args.openmeter {
        write_export(&Export { customers: subjects, seed, at }, folder)?;
        return Ok(Exit::Ok);
    }
    let bar = Bar::new(Some(subjects), false);
    let facts =
        facts(Facts { subjects, seed, at, grant_ids })?.inspect(|_| bar.add(Stage::Generating, 1));
    if args.out.as_os_str() != "-" {
        let mut pending = output::Pending::new(&args.out)?;
        for fact in facts {
            pending.line(&fact)?;
        }
        bar.clear();
        pending.finish()?;
        return Ok(Exit::Ok);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    for fact in facts {
        let written = serde_json::to_writer(&mut out, &fact).map_err(io::Error::from);
        written
            .and_then(|()| out.write_all(b"\n"))
            .map_err(|error| Failure::io(&args.out, &error))?;
    }
    bar.clear();
    out.flush().map_err(|error| Failure::io(&args.out, &error))?;
    Ok(Exit::Ok)
}
