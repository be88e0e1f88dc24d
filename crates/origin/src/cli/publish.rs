//! `edgegrant publish`

use std::path::PathBuf;

use edgegrant::trust::{SecretKey, TrustedKey};
use edgegrant::{Instant, Interval};

use super::bar::{self, Bar};
use super::{Outcome, output};
use crate::disk::{self, Readers};
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use crate::progress::Progress;
use crate::publish::{self, Options, Published, Terms, Unsigned};

/// The environment's place for a secret key.
const KEY_VARIABLE: &str = "EDGEGRANT_SIGNING_KEY";

/// Compile facts, sign the snapshot and write its files.
///
/// The folder then holds public/head and private/…, to be served as they are, and state/, which
/// stays with the publisher. What earlier heads name stays until `gc`.
///
/// Where the key is elsewhere, `--unsigned-out` does all but signing and writes the messages to be
/// signed; `--signature` takes the signatures and lets gates see the snapshot.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of facts that belong together, in this order; `-` is standard input.
    #[arg(required_unless_present_any = ["renew", "signature"])]
    facts: Vec<PathBuf>,
    /// The folder to publish into.
    #[arg(long, short)]
    out: PathBuf,
    /// Whom the snapshot is for: tenant and environment, like acme/production.
    #[arg(long, env = "EDGEGRANT_AUDIENCE", required_unless_present = "signature")]
    audience: Option<String>,
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
    /// Accept that more than half of the subjects or of their entitlements are gone.
    #[arg(long)]
    allow_shrink: bool,
    /// Sign what is published already anew, under a new version; usage stays as it was.
    #[arg(long, conflicts_with = "facts")]
    renew: bool,
    /// Write what is to be signed into this file, as JSON, and wait for the signatures.
    #[arg(long, value_name = "FILE", requires = "signer", conflicts_with = "key_file")]
    unsigned_out: Option<PathBuf>,
    /// A public key, written eg1:…, that will sign what --unsigned-out writes; several all sign.
    #[arg(long, value_name = "KEY", requires = "unsigned_out")]
    signer: Vec<String>,
    /// A file with the signature of one signer, 64 bytes or their base64; give one of each.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["facts", "renew", "unsigned_out", "key_file", "allow_shrink"]
    )]
    signature: Vec<PathBuf>,
    /// Also write the whole snapshot, head and pack, into this one file.
    #[arg(long, conflicts_with = "unsigned_out")]
    bundle: Option<PathBuf>,
    /// The instant to publish at; now when absent.
    #[arg(long, value_parser = output::instant)]
    at: Option<Instant>,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let folder = Folder::new(&args.out);
    if args.unsigned_out.is_some() {
        return prepare(args, &folder, json);
    }
    let published = publish(args, &folder, json)?;
    warn_of_expiry(&published, json)?;
    if let Some(path) = &args.bundle {
        // It holds every subject, and who may read it is for its owner to say.
        disk::write(path, &folder.bundle()?, Readers::Owner)?;
    }
    if json {
        say!("{}", serde_json::json!(published));
    } else {
        print(&published);
    }
    Ok(Exit::Ok)
}

fn publish(args: &Args, folder: &Folder, json: bool) -> Result<Published, Failure> {
    if !args.signature.is_empty() {
        let read = |file: &PathBuf| disk::read(file, 4096);
        let signatures = args.signature.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        return publish::complete(&signatures, args.at.unwrap_or_else(output::now), folder);
    }
    let keys = keys(&args.key_file)?;
    if args.renew {
        publish::renew(&terms(args), &keys, folder)
    } else {
        let bar = Bar::new(bar::total_bytes(&args.facts), json);
        let tell = |stage, more| bar.add(stage, more);
        let progress = Progress::to(&tell);
        let published = publish::publish_telling(&options(args), &keys, folder, &progress);
        bar.clear();
        published
    }
}

fn prepare(args: &Args, folder: &Folder, json: bool) -> Outcome {
    let keys = args.signer.iter().map(|key| TrustedKey::parse(key));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let unsigned = if args.renew {
        publish::prepare_renewal(&terms(args), &keys, folder)?
    } else {
        publish::prepare(&options(args), &keys, folder)?
    };
    let text = serde_json::to_string_pretty(&unsigned).unwrap_or_default() + "\n";
    if let Some(path) = &args.unsigned_out {
        disk::write(path, text.as_bytes(), Readers::Masked)?;
    }
    let Unsigned { version, expires_at, to_sign } = &unsigned;
    if json {
        say!("{}", serde_json::json!(unsigned));
    } else {
        let keys = to_sign.len();
        say!("version {version} waits for {keys} signatures until {expires_at}");
    }
    Ok(Exit::Ok)
}

fn options(args: &Args) -> Options {
    let Args { facts, allow_shrink, .. } = args;
    Options { facts: facts.clone(), terms: terms(args), allow_shrink: *allow_shrink }
}

fn terms(args: &Args) -> Terms {
    Terms {
        audience: args.audience.clone().unwrap_or_default(),
        now: args.at.unwrap_or_else(output::now),
        stale_after: args.stale_after,
        expires_after: args.expires_after,
        dead_after: args.dead_after,
    }
}

/// Says so when no gate will take the snapshot by this machine's clock.
fn warn_of_expiry(published: &Published, json: bool) -> Result<(), Failure> {
    if Instant::parse(&published.expires_at)? <= output::now() {
        let message = "the snapshot has expired already, by this machine's clock, and gates will \
                       refuse it; give a later --at or a longer --expires-after";
        output::warn("head-expired", message, json);
    }
    Ok(())
}

fn print(published: &Published) {
    let Published { version, subjects, entitlements, pack_bytes, parts, new_parts, .. } = published;
    say!("version {version}: {subjects} subjects, {entitlements} entitlements");
    say!("{pack_bytes} bytes in {parts} parts, of which {new_parts} are new");
    for key in &published.trusted_keys {
        say!("signed by {key}");
    }
}

pub(super) fn keys(files: &[PathBuf]) -> Result<Vec<SecretKey>, Failure> {
    let mut texts = Vec::new();
    for file in files {
        let bytes = disk::read(file, 4096)?;
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
