//! `edgegrant keygen`

use std::path::PathBuf;

use edgegrant::trust::SecretKey;

use super::Outcome;
use crate::disk;
use crate::failure::Exit;
use crate::publish::random;

/// Make a signing key: the secret goes to a file, the public key is printed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the secret goes, readable by its owner only; an existing file is left alone.
    #[arg(long, short)]
    out: PathBuf,
    /// The epoch that the key signs for; a new one starts versions anew.
    #[arg(long, default_value_t = 1)]
    epoch: u32,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let key = SecretKey::from_seed(args.epoch, random()?);
    disk::write_new_secret(&args.out, format!("{}\n", key.to_text()).as_bytes())?;
    let trusted = key.trusted_key().to_string();
    if json {
        say!("{}", serde_json::json!({ "trustedKey": trusted, "keyFile": args.out }));
    } else {
        say!("{trusted}");
    }
    Ok(Exit::Ok)
}
