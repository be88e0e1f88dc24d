//! `edgegrant inspect`

use std::path::{Path, PathBuf};

use edgegrant::snapshot::{Body, Digest, WhenExpired};
use edgegrant::trust::{Head, KeyId, UnverifiedHead, read_unverified};
use serde_json::{Value, json};

use super::Outcome;
use crate::disk;
use crate::failure::{Exit, Failure};
use crate::folder::{self, Folder};

/// Show what a head and its catalogue say, without asking who signed them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder that publish wrote, or a head alone.
    path: PathBuf,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let (head, folder) = match args.path.is_dir() {
        true => (Folder::new(&args.path).head(), Some(Folder::new(&args.path))),
        false => (args.path.clone(), None),
    };
    let head = read_head(&head)?;
    let mut view = head_view(&head);
    if let (Some(folder), Some(view)) = (folder, view.as_object_mut()) {
        let body = read_body(&folder, &head.head)?;
        view.insert("catalogue".into(), catalogue_view(&body));
    }
    if json {
        say!("{view}");
    } else {
        say!("{view:#}");
    }
    Ok(Exit::Ok)
}

pub(super) fn read_head(path: &Path) -> Result<UnverifiedHead, Failure> {
    let bytes = disk::read(path, 1 << 16)?;
    read_unverified(&bytes).map_err(|error| Failure::refused(&error))
}

pub(super) fn read_body(folder: &Folder, head: &Head) -> Result<Body, Failure> {
    let roots = folder::roots(head);
    let pack = disk::read(&folder.pack(&roots), roots.pack_length)?;
    Body::open(pack, &roots, head.usage_as_of).map_err(|error| Failure::refused(&error))
}

fn head_view(UnverifiedHead { head, signers }: &UnverifiedHead) -> Value {
    json!({
        "audience": head.audience, "version": head.version,
        "issuedAt": head.issued_at.to_string(), "staleAfter": head.stale_after.to_string(),
        "expiresAt": head.expires_at.to_string(), "deadAt": head.dead_at.to_string(),
        "usageAsOf": head.usage_as_of.to_string(), "root": Digest(head.root).to_string(),
        "catalogueDigest": Digest(head.catalogue).to_string(), "packLength": head.pack_length,
        "shrunkAtVersion": head.shrunk_at_version,
        "signers": signers.iter().map(KeyId::to_string).collect::<Vec<_>>(),
    })
}

fn catalogue_view(body: &Body) -> Value {
    let catalogue = body.catalogue();
    let policy = |policy| match policy {
        WhenExpired::LastKnown => "last-known",
        WhenExpired::Closed => "closed",
        WhenExpired::Open => "open",
    };
    let features: Vec<Value> = catalogue
        .features()
        .map(|feature| {
            json!({
                "feature": feature.key, "unit": feature.unit,
                "whenExpired": policy(feature.when_expired),
            })
        })
        .collect();
    let counts = catalogue.counts();
    json!({
        "features": features, "pages": 1_u64 << catalogue.page_bits(),
        "subjects": counts.subjects, "aliases": counts.aliases,
        "entitlements": counts.entitlements,
    })
}
