//! From facts to a signed snapshot in a folder.
//!
//! Parts are written before what names them: pages, nodes, catalogue, pack, and the head last. A
//! reader that holds an older head goes on finding everything it names.

mod records;
mod state;

use std::fs::File;
use std::path::PathBuf;

use edgegrant::snapshot::{Encoded, Settings, encode};
use edgegrant::trust::{Head, SecretKey, read_unverified, sign};
use edgegrant::{Instant, Interval, Recurrence};

use self::records::Records;
use self::state::State;
pub(crate) use self::state::random;
use crate::failure::{Exit, Failure};
use crate::folder::{self, Folder};

/// What to publish, for whom, and how long it holds.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files of facts that belong together; `-` is standard input.
    pub facts: Vec<PathBuf>,
    /// Whom the snapshot is for: tenant and environment.
    pub audience: String,
    /// Keys that sign, one to eight.
    pub keys: Vec<SecretKey>,
    /// The instant of publishing.
    pub now: Instant,
    /// How long after it answers are fresh.
    pub stale_after: Interval,
    /// How long after it answers are given as they stand.
    pub expires_after: Interval,
    /// How long after it there are answers at all.
    pub dead_after: Interval,
    /// Accept that more than half of the subjects are gone.
    pub allow_shrink: bool,
}

/// What was published.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// The version of the snapshot.
    pub version: u64,
    /// Subjects in it.
    pub subjects: u64,
    /// Entitlements in it.
    pub entitlements: u64,
    /// Bytes of the whole body.
    pub pack_bytes: u64,
    /// Parts of the body.
    pub parts: usize,
    /// Parts that the folder did not have.
    pub new_parts: usize,
    /// Usage before this is included, where an entitlement does not say otherwise.
    pub usage_as_of: String,
    /// The public keys that signed, to be trusted by gates.
    pub trusted_keys: Vec<String>,
}

/// Publishes facts into a folder.
///
/// # Errors
/// Facts that are refused, in which case nothing is written; a folder that another publisher works
/// on or that cannot be written.
pub fn publish(options: &Options, folder: &Folder) -> Result<Published, Failure> {
    let records = Records::read(&options.facts, options.now)?;
    folder.make()?;
    let _lock = lock(folder)?;
    let mut state = State::load(folder, &options.audience)?;
    let usage_as_of = records.usage_as_of(options.now);
    let settings = Settings { seed: state.seed, usage_as_of, previous_page_bits: state.page_bits };
    let encoded = encode(&settings, &records.features, records.subjects)?;
    let subjects = encoded.counts.subjects;
    state.version = next_version(folder, &state, options.now);
    state.page_bits = Some(encoded.page_bits);
    state.count(subjects, options.allow_shrink)?;
    let head = head(options, &encoded, &state, usage_as_of)?;
    let signed = sign(&head, &options.keys)?;
    let new_parts = write_parts(folder, &encoded)?;
    state.save(folder)?;
    folder::write(&folder.head(), &signed)?;
    Ok(Published {
        version: head.version,
        subjects,
        entitlements: encoded.counts.entitlements,
        pack_bytes: encoded.roots.pack_length,
        parts: parts(&encoded).count(),
        new_parts,
        usage_as_of: usage_as_of.to_string(),
        trusted_keys: options.keys.iter().map(|key| key.trusted_key().to_string()).collect(),
    })
}

/// Keeps other publishers out until it is dropped.
fn lock(folder: &Folder) -> Result<File, Failure> {
    let path = folder.lock();
    let file = File::create(&path).map_err(|error| Failure::io(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::Error(error)) => Err(Failure::io(&path, &error)),
        Err(std::fs::TryLockError::WouldBlock) => Err(Failure {
            code: "publisher-busy".into(),
            message: "another publisher works on this folder; wait until it is done".into(),
            exit: Exit::Io,
        }),
    }
}

/// A version above every earlier one, also of a head whose publisher's state is lost.
fn next_version(folder: &Folder, state: &State, now: Instant) -> u64 {
    let published = folder::read(&folder.head(), 1 << 16).ok();
    let published = published.and_then(|bytes| read_unverified(&bytes).ok());
    let last = published.map_or(0, |head| head.head.version).max(state.version);
    now.millis().unsigned_abs().max(last.saturating_add(1))
}

fn head(
    options: &Options,
    encoded: &Encoded,
    state: &State,
    usage_as_of: Instant,
) -> Result<Head, Failure> {
    let after = |interval: Interval| {
        let points = Recurrence { interval, anchor: options.now };
        let out_of_range = "the snapshot would hold beyond the year 9999; shorten its validity";
        points.nth(1).ok_or_else(|| Failure::bad_input("validity-out-of-range", out_of_range))
    };
    Ok(Head {
        audience: options.audience.clone(),
        version: state.version,
        issued_at: options.now,
        stale_after: after(options.stale_after)?,
        expires_at: after(options.expires_after)?,
        dead_at: after(options.dead_after)?,
        usage_as_of,
        root: encoded.roots.root.0,
        catalogue: encoded.roots.catalogue.0,
        pack_length: encoded.roots.pack_length,
        shrunk_at_version: state.shrunk_at_version,
    })
}

/// Parts in the order in which they are written: what is named before what names it.
fn parts(encoded: &Encoded) -> impl Iterator<Item = &edgegrant::snapshot::Part> {
    let nodes = encoded.nodes.iter().rev();
    encoded.pages.iter().chain(nodes).chain([&encoded.catalogue])
}

/// Writes the parts that are not there, and the pack.
fn write_parts(folder: &Folder, encoded: &Encoded) -> Result<usize, Failure> {
    let mut written = 0;
    for part in parts(encoded) {
        let path = folder.part(&part.digest);
        // The name is the digest of the content; only a crash can have left something else.
        if std::fs::read(&path).is_ok_and(|bytes| bytes == part.bytes) {
            continue;
        }
        folder::write(&path, &part.bytes)?;
        written += 1;
    }
    let pack = folder.pack(&encoded.roots);
    if written > 0 || !pack.exists() {
        folder::write(&pack, &encoded.pack())?;
    }
    Ok(written)
}
