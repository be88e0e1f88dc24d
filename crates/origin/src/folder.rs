//! The folder that an origin serves, and what the publisher keeps beside it.
//!
//! `public/head` is for everybody. `private/pack/<name>`, `private/part/<digest>` and
//! `private/delta/<from>-<to>` are for whoever may see every subject. `state/` is for the publisher
//! alone and never served.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use edgegrant::gate::{Clock, Gate, Offer, Origin, bundle};
use edgegrant::snapshot::{Digest, Roots, delta_name};
use edgegrant::trust::{HEAD_BYTES_MAX, Head, read_unverified};

use crate::disk::{self, Disk, Local, Readers};
use crate::failure::Failure;

/// A published folder.
///
/// ```
/// use edgegrant_origin::folder::Folder;
///
/// assert!(Folder::new("out").head().ends_with("public/head"));
/// ```
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    disk: Arc<dyn Disk>,
}

impl Folder {
    /// The folder at a path.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::on(path, Arc::new(Local))
    }

    /// The folder at a path, changed through a disk.
    #[must_use]
    pub fn on(path: impl Into<PathBuf>, disk: Arc<dyn Disk>) -> Self {
        Self { path: path.into(), disk }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The signed head.
    #[must_use]
    pub fn head(&self) -> PathBuf {
        self.path.join("public/head")
    }

    /// The body in one file, named by what its head commits to.
    #[must_use]
    pub fn pack(&self, roots: &Roots) -> PathBuf {
        self.packs().join(roots.pack_name())
    }

    /// A catalogue, node or page.
    #[must_use]
    pub fn part(&self, digest: &Digest) -> PathBuf {
        self.parts().join(digest.to_string())
    }

    /// What one body has and an earlier one has not.
    #[must_use]
    pub fn delta(&self, from: &Roots, to: &Roots) -> PathBuf {
        self.deltas().join(delta_name(from, to))
    }

    /// The folder of packs.
    #[must_use]
    pub fn packs(&self) -> PathBuf {
        self.path.join("private/pack")
    }

    /// The folder of catalogues, nodes and pages.
    #[must_use]
    pub fn parts(&self) -> PathBuf {
        self.path.join("private/part")
    }

    /// The folder of deltas.
    #[must_use]
    pub fn deltas(&self) -> PathBuf {
        self.path.join("private/delta")
    }

    /// The signed heads that were published, each named by its version.
    #[must_use]
    pub fn heads(&self) -> PathBuf {
        self.path.join("state/heads")
    }

    /// A snapshot that waits for signatures from elsewhere.
    #[must_use]
    pub fn pending(&self) -> PathBuf {
        self.path.join("state/pending.json")
    }

    /// What the publisher keeps from one publishing to the next.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.path.join("state/publisher.json")
    }

    /// From what each page of the last publishing was made, in digests.
    #[must_use]
    pub fn made_from(&self) -> PathBuf {
        self.path.join("state/made-from")
    }

    /// The file whose lock keeps two publishers apart.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.path.join("state/lock")
    }

    /// The published head and the pack that it names in one file, not verified.
    ///
    /// # Errors
    /// A file that cannot be read, and a head that is none.
    pub fn bundle(&self) -> Result<Vec<u8>, Failure> {
        let head = disk::read(&self.head(), HEAD_BYTES_MAX as u64)?;
        let roots = roots(&read_unverified(&head)?.head);
        if !roots.has_pack() {
            let message =
                "the snapshot exceeds 4 GiB and fits into no single file; serve its parts";
            return Err(Failure::bad_input("snapshot-without-pack", message));
        }
        let pack = disk::read(&self.pack(&roots), roots.pack_length)?;
        Ok(bundle(&head, &pack))
    }

    /// Gives a gate the snapshot of a head, which lies in one file.
    ///
    /// # Errors
    /// A head or a body that is refused, and a file that cannot be read.
    pub fn give(&self, gate: &mut Gate, head: &[u8], clock: Clock) -> Result<(), Failure> {
        let refused = |error| Failure::refused(&error);
        let offer = gate.offer(head, clock, Origin::Bytes).map_err(refused)?;
        let Offer::Body { name, length } = offer else { return Ok(()) };
        gate.accept(disk::read(&self.packs().join(name), length)?).map_err(refused)
    }

    /// Makes the folders; `state` and what is in it are for their owner alone.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn make(&self) -> Result<(), Failure> {
        let served = [self.path.join("public"), self.packs(), self.parts(), self.deltas()];
        for path in served {
            fs::create_dir_all(&path).map_err(|error| Failure::io(&path, &error))?;
        }
        let heads = self.heads();
        let mut state = fs::DirBuilder::new();
        state.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut state, 0o700);
        state.create(&heads).map_err(|error| Failure::io(&heads, &error))
    }

    /// Puts a file in its place, which is served.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn serve(&self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        self.disk.write(path, bytes, Readers::Masked)
    }

    /// Puts a file in its place, which is served, piece by piece.
    ///
    /// # Errors
    /// A source that cannot be read, and a file that cannot be written.
    pub fn serve_from(&self, path: &Path, source: &mut dyn Read) -> Result<(), Failure> {
        self.disk.write_from(path, source, Readers::Masked)
    }

    /// Where files without a name may wait: on the same disk, and nobody else's to see.
    #[must_use]
    pub(crate) fn aside(&self) -> PathBuf {
        let state = self.path.join("state");
        if state.is_dir() {
            return state;
        }
        // The last ancestor of a relative path is empty, which is where the program runs.
        let named = |path: &Path| {
            if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_path_buf() }
        };
        let mut folders = self.path.ancestors().map(named);
        folders.find(|path| path.is_dir()).unwrap_or_else(std::env::temp_dir)
    }

    /// Puts a file in its place, which is for the publisher alone.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn keep(&self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        self.disk.write(path, bytes, Readers::Owner)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn remove(&self, path: &Path) -> Result<(), Failure> {
        self.disk.remove(path)
    }

    /// Makes that what was written so far outlives a loss of power.
    ///
    /// # Errors
    /// A folder that cannot be opened.
    pub fn settle(&self) -> Result<(), Failure> {
        let folders = [self.parts(), self.packs(), self.deltas(), self.heads()];
        folders.iter().try_for_each(|folder| self.disk.settle(folder))
    }
}

/// The digests and the length by which a head names a body.
#[must_use]
pub const fn roots(head: &Head) -> Roots {
    Roots {
        root: Digest(head.root),
        catalogue: Digest(head.catalogue),
        pack_length: head.pack_length,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn files_without_a_name_wait_on_the_disk_of_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = |path: &Path| Folder::new(path).aside();
        assert_eq!(folder(&root.path().join("new/out")), root.path());
        assert_eq!(folder(root.path()), root.path());
        assert_eq!(folder(Path::new("no-such-folder")), Path::new("."));
        std::fs::create_dir(root.path().join("state")).unwrap();
        assert_eq!(folder(root.path()), root.path().join("state"));
    }
}
