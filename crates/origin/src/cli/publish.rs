//! `edgegrant publish`

use std::path::PathBuf;

use edgegrant::trust::SecretKey;
use edgegrant::{Instant, Interval};

use super::{Outcome, output};
use crate::failure::{Exit, Failure};
use crate::folder::{self, Folder};
use crate::publish::{self, Published};

/// The environment's place for a secret key.
const KEY_VARIABLE: &str = "EDGEGRANT_SIGNING_KEY";

/// Compile facts, sign the snapshot and write its files.
///
/// The folder then holds public/head, private/pack/… and private/part/…, to be served as they are,
/// and state/, which stays with the publisher.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of facts that belong together, in this order; `-` is standard input.
    #[arg(required = true)]
    facts: Vec<PathBuf>,
    /// The folder to publish into.
    #[arg(long, short)]
    out: PathBuf,
    /// Whom the snapshot is for: tenant and environment, like acme/production.
    #[arg(long, env = "EDGEGRANT_AUDIENCE")]
    audience: String,
    /// Files that keygen wrote; with several, each signs. Without any, the environment's
    /// EDGEGRANT_SIGNING_KEY does.
    #[arg(long)]
    key_file: Vec<PathBuf>,
    /// How long answers are fresh.
    #[arg(long, value_parser = Interval::parse, default_value = "PT2M")]
    stale_after: Interval,
    /// How long answers are given as they stand, before each feature's policy.
    #[arg(long, value_parser = Interval::parse, default_value = "P1D")]
    expires_after: Interval,
    /// How long answers are given at all.
    #[arg(long, value_parser = Interval::parse, default_value = "P7D")]
    dead_after: Interval,
    /// Accept that more than half of the subjects are gone.
    #[arg(long)]
    allow_shrink: bool,
    /// Also write the whole snapshot, head and pack, into this one file.
    #[arg(long)]
    bundle: Option<PathBuf>,
    /// The instant to publish at; now when absent.
    #[arg(long, value_parser = output::instant)]
    at: Option<Instant>,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let options = publish::Options {
        facts: args.facts.clone(),
        audience: args.audience.clone(),
        keys: keys(&args.key_file)?,
        now: args.at.unwrap_or_else(output::now),
        stale_after: args.stale_after,
        expires_after: args.expires_after,
        dead_after: args.dead_after,
        allow_shrink: args.allow_shrink,
    };
    let folder = Folder::new(&args.out);
    let published = publish::publish(&options, &folder)?;
    if let Some(path) = &args.bundle {
        folder::write(path, &folder.bundle()?)?;
    }
    if json {
        say!("{}", serde_json::json!(published));
    } else {
        print(&published);
    }
    Ok(Exit::Ok)
}

fn print(published: &Published) {
    let Published { version, subjects, entitlements, pack_bytes, parts, new_parts, .. } = published;
    say!("version {version}: {subjects} subjects, {entitlements} entitlements");
    say!("{pack_bytes} bytes in {parts} parts, of which {new_parts} are new");
    for key in &published.trusted_keys {
        say!("signed by {key}");
    }
}

fn keys(files: &[PathBuf]) -> Result<Vec<SecretKey>, Failure> {
    let mut texts = Vec::new();
    for file in files {
        let bytes = folder::read(file, 4096)?;
        texts.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    if texts.is_empty() {
        texts.extend(std::env::var(KEY_VARIABLE));
    }
    if texts.is_empty() {
        let message = "no key signs; name a --key-file or set EDGEGRANT_SIGNING_KEY";
        return Err(Failure::bad_input("key-missing", message));
    }
    texts.iter().map(|text| SecretKey::parse(text.trim()).map_err(Failure::from)).collect()
}
