//! `edgegrant verify`

use std::path::PathBuf;

use edgegrant::gate::{Clock, Gate, Origin};
use edgegrant::trust::{VerifiedHead, verify};
use serde_json::json;

use super::gate::Keys;
use super::{Outcome, secrets};
use crate::failure::{Exit, Failure};
use crate::read::{Client, Snapshot, Target};

/// Verify a snapshot: its signatures and age, then every byte of its body.
///
/// Of a folder both the parts and the pack are verified, of an origin the parts as gates fetch
/// them, page by page. An origin that gives its private part to those without the token is refused.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A folder, `<folder>@<version>`, a file that `publish --bundle` wrote, or the address of an
    /// origin; with --head, a pack.
    #[arg(env = "EDGEGRANT_FOLDER")]
    target: String,
    /// The head of a pack.
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
    /// A file that holds the token of an origin's private part; else EDGEGRANT_TOKEN does.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Accept an origin whose private part is given to anybody.
    #[arg(long)]
    allow_public: bool,
    #[command(flatten)]
    keys: Keys,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let (target, client) = target(args)?;
    let head = verified_head(&args.keys, &target.head()?)?;
    let mut snapshot = Snapshot::open(target)?;
    if snapshot.head.head != *head.head() {
        return Err(Failure::bad_input("head-changed", "the head changed meanwhile; verify again"));
    }
    if let Some(client) = client {
        refuse_public(args, &client, &snapshot)?;
    }
    snapshot.verify()?;
    verify_pack(args, &snapshot)?;
    print(args, &head, &snapshot, json);
    Ok(Exit::Ok)
}

fn target(args: &Args) -> Result<(Target, Option<Client>), Failure> {
    let text = &args.target;
    if text.starts_with("https://") || text.starts_with("http://") {
        let client = Client::new(text, secrets::token(args.token_file.as_deref())?);
        return Ok((Target::Address(client.clone()), Some(client)));
    }
    let target = match &args.head {
        Some(head) => Target::Pack { head: head.clone(), pack: text.into() },
        None => Target::parse(text),
    };
    Ok((target, None))
}

/// The head, by those whom the arguments trust and at the time that they say.
fn verified_head(keys: &Keys, bytes: &[u8]) -> Result<VerifiedHead, Failure> {
    let refused = |error| Failure::refused(&error);
    let options = keys.options()?;
    let head = verify(bytes, &options.keyring, &options.audience).map_err(refused)?;
    Gate::new(options).offer(bytes, keys.clock(), Origin::Bytes).map_err(refused)?;
    Ok(head)
}

fn refuse_public(args: &Args, client: &Client, snapshot: &Snapshot) -> Result<(), Failure> {
    if args.allow_public || !client.gives_to_anybody(&snapshot.roots().catalogue)? {
        return Ok(());
    }
    Err(Failure {
        code: "private-part-public".into(),
        message: "the origin gives its private part, which shows every subject, to anybody; let \
                  it ask for a token, or say --allow-public"
            .into(),
        exit: Exit::Refused,
    })
}

/// The pack of a folder, which lies beside the parts.
fn verify_pack(args: &Args, snapshot: &Snapshot) -> Result<(), Failure> {
    let Target::Folder(folder) = Target::parse(&args.target) else { return Ok(()) };
    let roots = snapshot.roots();
    if args.head.is_some() || !roots.has_pack() {
        return Ok(());
    }
    let target = Target::Pack { head: folder.head(), pack: folder.pack(&roots) };
    Snapshot::open(target)?.verify()
}

fn print(args: &Args, head: &VerifiedHead, snapshot: &Snapshot, json: bool) {
    let counts = snapshot.body.catalogue().counts();
    let (epoch, head) = (head.epoch(), head.head());
    let Clock::At(now) = args.keys.clock() else { return };
    let stale = now >= head.stale_after;
    let age = now.millis() - head.issued_at.millis();
    if json {
        let view = json!({
            "verified": true, "version": head.version, "epoch": epoch,
            "subjects": counts.subjects, "aliases": counts.aliases,
            "entitlements": counts.entitlements, "pages": snapshot.body.pages(),
            "stale": stale, "ageMs": age, "expiresAt": head.expires_at.to_string(),
        });
        say!("{view}");
    } else {
        let stale = if stale { ", stale" } else { "" };
        say!("version {} of epoch {epoch}: {} subjects{stale}", head.version, counts.subjects);
        say!("every byte of {} pages is what the head names", snapshot.body.pages());
    }
}
