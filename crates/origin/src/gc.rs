//! Letting go of what no head reaches any more.
//!
//! Heads are forgotten first and files removed after, so that whoever is interrupted leaves files
//! that nothing names, which the next run removes. What the present head reaches is never touched.

use std::fs::{self, DirEntry};
use std::path::Path;

use edgegrant::Instant;
use edgegrant::snapshot::Digest;

use crate::disk::UNFINISHED;
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::heads::{self, Kept};
use crate::publish::{Lock, nothing_published, pending};
use crate::reach::Reach;

/// What is kept.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The present: heads that expire until then hold no files.
    pub now: Instant,
    /// Keep only what the present head reaches. Gates that have an older one may miss parts until
    /// they refresh; what was removed from the facts is gone at once.
    pub only_present: bool,
    /// Change nothing.
    pub dry_run: bool,
}

/// What was let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Freed {
    /// Heads that hold files: the present one and earlier ones that have not expired.
    pub heads_kept: usize,
    /// Heads that were forgotten.
    pub heads_forgotten: usize,
    /// Whether a snapshot that waited for signatures was given up.
    pub pending_forgotten: bool,
    /// Catalogues, nodes and pages that were removed.
    pub parts: usize,
    /// Packs that were removed.
    pub packs: usize,
    /// Deltas that were removed.
    pub deltas: usize,
    /// What interrupted publishers had left.
    pub unfinished: usize,
    /// Bytes of all files that were removed.
    pub bytes: u64,
    /// Whether nothing was changed.
    pub dry_run: bool,
}

/// Removes the files of a folder that neither the present head reaches nor an earlier one that has
/// not expired nor a snapshot that waits for signatures.
///
/// # Errors
/// `nothing-published`; `publisher-busy`; `folder-damaged` when a file is missing without which it
/// cannot be said what is reached, in which case nothing is removed; a file that cannot be removed.
///
/// ```
/// use edgegrant::Instant;
/// use edgegrant_origin::folder::Folder;
/// use edgegrant_origin::gc::{Options, gc};
///
/// let now = Instant::parse("2026-01-01T00:00:00Z")?;
/// let options = Options { now, only_present: false, dry_run: true };
/// let refused = gc(&options, &Folder::new("nowhere")).unwrap_err();
/// assert_eq!(refused.code, "nothing-published");
/// # Ok::<(), edgegrant::Error>(())
/// ```
pub fn gc(options: &Options, folder: &Folder) -> Result<Freed, Failure> {
    if !folder.head().is_file() {
        return Err(nothing_published());
    }
    folder.make()?;
    let _lock = Lock::take(folder)?;
    let present = heads::present(folder)?.ok_or_else(nothing_published)?;
    let (held, forgotten) = sorted(options, heads::kept(folder)?, &present);
    let waiting = pending::head(folder)?;
    let mut reach = Reach::default();
    let waiting_held = waiting.iter().filter(|_| !options.only_present);
    let all = held.iter().map(|kept| &kept.head).chain(waiting_held).chain([&present.head]);
    all.clone().try_for_each(|head| reach.add(folder, head))?;
    let given_up = options.only_present && waiting.is_some();
    let mut sweep = Sweep::new(options.dry_run, folder);
    sweep.freed.heads_kept = held.iter().filter(|kept| kept.head != present.head).count() + 1;
    sweep.heads(&forgotten, given_up)?;
    sweep.files(&reach, &folder::roots(&present.head).pack_name())?;
    Ok(sweep.freed)
}

/// Heads that hold what they name, and heads that do not any more.
fn sorted(options: &Options, kept: Vec<Kept>, present: &Kept) -> (Vec<Kept>, Vec<Kept>) {
    kept.into_iter().partition(|kept| {
        let holds = !options.only_present && kept.head.expires_at > options.now;
        holds || kept.head.version == present.head.version
    })
}

struct Sweep<'a> {
    folder: &'a Folder,
    freed: Freed,
}

impl<'a> Sweep<'a> {
    fn new(dry_run: bool, folder: &'a Folder) -> Self {
        Self { folder, freed: Freed { dry_run, ..Freed::default() } }
    }

    fn heads(&mut self, forgotten: &[Kept], pending: bool) -> Result<(), Failure> {
        for kept in forgotten {
            self.remove(&self.folder.heads().join(kept.head.version.to_string()))?;
            self.freed.heads_forgotten += 1;
        }
        if pending {
            self.remove(&self.folder.pending())?;
            self.freed.pending_forgotten = true;
        }
        Ok(())
    }

    fn files(&mut self, reach: &Reach, present: &str) -> Result<(), Failure> {
        let folder = self.folder;
        let is_reached =
            |name: &str| Digest::parse(name).is_some_and(|name| reach.parts.contains(&name));
        let leads_here = |name: &str| name.split_once('-').is_some_and(|(_, to)| to == present);
        self.freed.deltas = self.sweep(&folder.deltas(), leads_here)?;
        self.freed.packs = self.sweep(&folder.packs(), |name| reach.packs.contains(name))?;
        self.freed.parts = self.sweep(&folder.parts(), is_reached)?;
        let elsewhere = ["public", "state", "state/heads"];
        for path in elsewhere.map(|name| folder.path().join(name)) {
            self.freed.unfinished += self.sweep(&path, |name| !name.starts_with(UNFINISHED))?;
        }
        Ok(())
    }

    /// Removes the files of a folder that are not kept, and says how many.
    fn sweep(&mut self, path: &Path, keep: impl Fn(&str) -> bool) -> Result<usize, Failure> {
        let failed = |error: std::io::Error| Failure::io(path, &error);
        let mut removed = 0;
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry: DirEntry = entry.map_err(failed)?;
            let is_file = entry.file_type().map_err(failed)?.is_file();
            if is_file && !entry.file_name().to_str().is_some_and(&keep) {
                self.remove(&entry.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn remove(&mut self, path: &Path) -> Result<(), Failure> {
        self.freed.bytes += fs::metadata(path).map_or(0, |metadata| metadata.len());
        if self.freed.dry_run { Ok(()) } else { self.folder.remove(path) }
    }
}
