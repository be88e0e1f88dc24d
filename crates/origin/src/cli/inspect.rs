//! `edgegrant inspect`

mod sizes;

use std::path::Path;

use edgegrant::Instant;
use edgegrant::snapshot::{Body, Digest};
use edgegrant::trust::{Head, KeyId, UnverifiedHead, read_unverified};
use serde_json::{Value, json};

use super::{Outcome, output};
use crate::disk;
use crate::failure::{Exit, Failure};
use crate::folder::{self, Folder};
use crate::read::{Snapshot, Target};

/// Show what a snapshot says of itself and how large its parts are, without asking who signed it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A folder, `<folder>@<version>`, a file that `publish --bundle` wrote, or a head alone.
    target: String,
    /// The instant for which its age is told; now when absent.
    #[arg(long, value_parser = output::instant)]
    now: Option<Instant>,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let now = args.now.unwrap_or_else(output::now);
    let view = match head_alone(&args.target)? {
        Some(head) => head_view(&head, now),
        None => {
            let mut snapshot = Snapshot::open(Target::parse(&args.target))?;
            let mut view = head_view(&snapshot.head, now);
            let sizes = sizes::view(&mut snapshot)?;
            if let Some(view) = view.as_object_mut() {
                view.insert("catalogue".into(), catalogue_view(&snapshot.body));
                view.insert("sizes".into(), sizes);
            }
            view
        }
    };
    if json {
        say!("{view}");
    } else {
        say!("{view:#}");
    }
    Ok(Exit::Ok)
}

/// A file that is a head and nothing else.
fn head_alone(target: &str) -> Result<Option<UnverifiedHead>, Failure> {
    let path = Path::new(target);
    if !path.is_file() {
        return Ok(None);
    }
    let length = std::fs::metadata(path).map_err(|error| Failure::io(path, &error))?.len();
    if length > edgegrant::trust::HEAD_BYTES_MAX as u64 {
        return Ok(None);
    }
    Ok(read_unverified(&disk::read(path, length)?).ok())
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

fn head_view(UnverifiedHead { head, signers }: &UnverifiedHead, now: Instant) -> Value {
    let key = |id: &KeyId| {
        let text = id.to_string();
        let fingerprint = text.split_once(':').map_or("", |(_, fingerprint)| fingerprint);
        json!({ "epoch": id.epoch(), "fingerprint": fingerprint })
    };
    json!({
        "audience": head.audience, "version": head.version,
        "issuedAt": head.issued_at.to_string(), "staleAfter": head.stale_after.to_string(),
        "expiresAt": head.expires_at.to_string(), "deadAt": head.dead_at.to_string(),
        "state": state(head, now), "ageMs": now.millis() - head.issued_at.millis(),
        "usageAsOf": head.usage_as_of.to_string(), "root": Digest(head.root).to_string(),
        "catalogueDigest": Digest(head.catalogue).to_string(), "packLength": head.pack_length,
        "shrunkAtVersion": head.shrunk_at_version,
        "signers": signers.iter().map(key).collect::<Vec<_>>(),
    })
}

/// The rung of the ladder on which a head stands.
fn state(head: &Head, now: Instant) -> &'static str {
    match now {
        now if now >= head.dead_at => "dead",
        now if now >= head.expires_at => "expired",
        now if now >= head.stale_after => "stale",
        _ => "fresh",
    }
}

fn catalogue_view(body: &Body) -> Value {
    let catalogue = body.catalogue();
    let features = catalogue.features().map(|feature| {
        json!({
            "feature": feature.key, "unit": feature.unit,
            "whenExpired": feature.when_expired.as_str(),
        })
    });
    let features: Vec<Value> = features.collect();
    let counts = catalogue.counts();
    json!({
        "features": features, "pages": body.pages(), "subjects": counts.subjects,
        "aliases": counts.aliases, "entitlements": counts.entitlements,
    })
}
