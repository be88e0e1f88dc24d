//! From facts to a signed snapshot in a folder.
//!
//! Parts are written before what names them: pages, nodes, catalogue, pack, and the head last. A
//! reader that holds an older head goes on finding everything it names until [`gc`](crate::gc).

mod body;
mod deltas;
mod draft;
mod kept;
mod lock;
pub(crate) mod pending;
mod state;

use std::path::PathBuf;

use edgegrant::snapshot::Settings;
use edgegrant::trust::{SecretKey, TrustedKey};
use edgegrant::{Error, Instant, Interval};
use serde::{Deserialize, Serialize};

use self::body::Body;
use self::draft::{Draft, blank, distinct, number};
pub(crate) use self::lock::Lock;
pub use self::pending::{ToSign, Unsigned, complete};
use self::state::State;
pub(crate) use self::state::{has_shrunk, random};
use crate::facts::{Gathered, gather};
use crate::failure::{Exit, Failure};
use crate::folder::{self, Folder};
use crate::heads;
use crate::progress::Progress;
use crate::reach::{self, Reach};

/// For whom a snapshot is and how long it holds.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Whom the snapshot is for: tenant and environment.
    pub audience: String,
    /// The instant of publishing.
    pub now: Instant,
    /// How long after it answers are fresh.
    pub stale_after: Interval,
    /// How long after it answers are given as they stand.
    pub expires_after: Interval,
    /// How long after it there are answers at all.
    pub dead_after: Interval,
}

/// What to publish.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files of facts that belong together; `-` is standard input.
    pub facts: Vec<PathBuf>,
    /// For whom, and how long it holds.
    pub terms: Terms,
    /// Accept that more than half of the subjects are gone.
    pub allow_shrink: bool,
}

/// What was published.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// When it expires.
    pub expires_at: String,
    /// The public keys that signed, to be trusted by gates.
    pub trusted_keys: Vec<String>,
}

/// Publishes facts into a folder, signed by keys that are at hand, one to eight.
///
/// # Errors
/// Facts that are refused, `key-duplicate` and `signature-count`, with which nothing is written; a
/// folder that another publisher works on or that cannot be written.
///
/// ```
/// use edgegrant::trust::SecretKey;
/// use edgegrant::{Instant, Interval};
/// use edgegrant_origin::folder::Folder;
/// use edgegrant_origin::publish::{Options, Terms, publish, renew};
///
/// let root = tempfile::tempdir()?;
/// let facts = root.path().join("facts.ndjson");
/// std::fs::write(&facts, "{\"feature\":\"sso\"}\n{\"subject\":\"acme\"}\n")?;
/// let terms = Terms {
///     audience: "acme/production".to_owned(),
///     now: Instant::parse("2026-01-01T00:00:00Z")?,
///     stale_after: Interval::parse("PT2M")?,
///     expires_after: Interval::parse("P1D")?,
///     dead_after: Interval::parse("P7D")?,
/// };
/// let options = Options { facts: vec![facts], terms, allow_shrink: false };
/// let keys = [SecretKey::from_seed(1, [7; 32])];
/// let folder = Folder::new(root.path().join("out"));
/// let published = publish(&options, &keys, &folder)?;
/// assert_eq!(published.subjects, 1);
///
/// let later = Terms { now: Instant::parse("2026-01-01T01:00:00Z")?, ..options.terms };
/// let renewed = renew(&later, &keys, &folder)?;
/// assert!(renewed.version > published.version);
/// assert_eq!(renewed.new_parts, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn publish(
    options: &Options,
    keys: &[SecretKey],
    folder: &Folder,
) -> Result<Published, Failure> {
    publish_telling(options, keys, folder, &Progress::default())
}

/// As [`publish`], telling how far it is.
///
/// # Errors
/// As [`publish`].
pub fn publish_telling(
    options: &Options,
    keys: &[SecretKey],
    folder: &Folder,
    progress: &Progress<'_>,
) -> Result<Published, Failure> {
    let work = Work::of_facts(options, &public(keys), folder, progress)?;
    work.draft.sign(keys, folder)
}

/// Does all of [`publish`] that needs no secret, and hands out what is to be signed elsewhere. What
/// was published before stays in place until [`complete`].
///
/// # Errors
/// As [`publish`].
pub fn prepare(
    options: &Options,
    keys: &[TrustedKey],
    folder: &Folder,
) -> Result<Unsigned, Failure> {
    let work = Work::of_facts(options, keys, folder, &Progress::default())?;
    work.draft.wait(keys, work.before, folder)
}

/// Signs the present body anew under a new version, for as long as nothing has changed. Usage is as
/// it was, and so is `usageAsOf`.
///
/// # Errors
/// `nothing-published`; `head-unknown` when the present head is none that this publisher signed;
/// `folder-damaged` when a file of the body is missing; and as [`publish`].
pub fn renew(terms: &Terms, keys: &[SecretKey], folder: &Folder) -> Result<Published, Failure> {
    let work = Work::of_present(terms, &public(keys), folder)?;
    work.draft.sign(keys, folder)
}

/// As [`renew`], signed elsewhere.
///
/// # Errors
/// As [`renew`].
pub fn prepare_renewal(
    terms: &Terms,
    keys: &[TrustedKey],
    folder: &Folder,
) -> Result<Unsigned, Failure> {
    let work = Work::of_present(terms, keys, folder)?;
    work.draft.wait(keys, work.before, folder)
}

fn public(keys: &[SecretKey]) -> Vec<TrustedKey> {
    keys.iter().map(SecretKey::trusted_key).collect()
}

/// A snapshot that only lacks its signatures.
struct Work {
    draft: Draft,
    /// The state of what is published now.
    before: State,
    _lock: Lock,
}

impl Work {
    fn of_facts(
        options: &Options,
        keys: &[TrustedKey],
        folder: &Folder,
        progress: &Progress<'_>,
    ) -> Result<Self, Failure> {
        distinct(keys)?;
        let Options { facts, terms, .. } = options;
        let present = State::load(folder, &terms.audience)?;
        let is_first = present.is_none();
        let before = present.map_or_else(|| State::first(&terms.audience), Ok)?;
        let gathered = gather(facts, terms.now, before.seed, &folder.aside(), progress)?;
        let plan = |before| Plan::of(&gathered, options, keys, before, folder, progress);
        if !is_first {
            folder.make()?;
            let lock = Lock::take(folder)?;
            let seed = before.seed;
            let before = State::load(folder, &terms.audience)?.filter(|now| now.seed == seed);
            return plan(before.ok_or_else(lock::busy)?)?.write(folder, lock, progress);
        }
        // A first publishing is planned before there is a folder, so that what is refused leaves
        // nothing behind.
        let plan = plan(before)?;
        folder.make()?;
        let lock = Lock::take(folder)?;
        if folder.state().exists() {
            return Err(lock::busy());
        }
        plan.write(folder, lock, progress)
    }

    fn of_present(terms: &Terms, keys: &[TrustedKey], folder: &Folder) -> Result<Self, Failure> {
        distinct(keys)?;
        let before = State::load(folder, &terms.audience)?.ok_or_else(nothing_published)?;
        let lock = Lock::take(folder)?;
        let present = heads::present(folder)?.ok_or_else(nothing_published)?;
        // What is signed anew is what this publisher remembers, not what lies in public.
        if !heads::kept(folder)?.contains(&present) {
            return Err(Failure { exit: Exit::Refused, ..HEAD_UNKNOWN.into() });
        }
        let mut reach = Reach::default();
        reach.add(folder, &present.head)?;
        reach.check(folder)?;
        let catalogue = reach::catalogue(folder, &present.head)?;
        let mut state = before.clone();
        number(&mut state, keys, folder, terms.now)?;
        let roots = folder::roots(&present.head);
        let usage_as_of = present.head.usage_as_of;
        let mut draft = Draft::new(terms, state, &roots, usage_as_of, catalogue.counts())?;
        draft.summary.parts = reach.parts.len();
        Ok(Self { draft, before, _lock: lock })
    }
}

/// A body that waits to be written, and the head that will name it.
struct Plan {
    body: Body,
    draft: Draft,
    before: State,
}

impl Plan {
    fn of(
        gathered: &Gathered<'_>,
        options: &Options,
        keys: &[TrustedKey],
        before: State,
        folder: &Folder,
        progress: &Progress<'_>,
    ) -> Result<Self, Failure> {
        let Options { terms, allow_shrink, .. } = options;
        let usage_as_of = gathered.usage_as_of(terms.now);
        let settings =
            Settings { seed: before.seed, usage_as_of, previous_page_bits: before.page_bits };
        let body = Body::encode(gathered, &settings, folder, progress)?;
        let mut state = State { page_bits: Some(body.page_bits), ..before.clone() };
        number(&mut state, keys, folder, terms.now)?;
        state.count(body.counts, *allow_shrink)?;
        let mut draft = Draft::new(terms, state, body.roots(), usage_as_of, body.counts)?;
        draft.summary.parts = body.parts();
        blank(&draft.head, keys)?;
        Ok(Self { body, draft, before })
    }

    fn write(self, folder: &Folder, lock: Lock, progress: &Progress<'_>) -> Result<Work, Failure> {
        let Self { body, mut draft, before } = self;
        draft.summary.new_parts = body.write(folder, progress)?;
        Ok(Work { draft, before, _lock: lock })
    }
}

pub(crate) fn nothing_published() -> Failure {
    NOTHING_PUBLISHED.into()
}

const NOTHING_PUBLISHED: Error =
    Error::new("nothing-published", "the folder holds no snapshot; publish facts into it first");
const HEAD_UNKNOWN: Error = Error::new(
    "head-unknown",
    "public/head is not a head that this publisher signed; publish again from facts",
);
