//! Where a snapshot lies.

use std::path::{Path, PathBuf};

use edgegrant::gate::unbundle;
use edgegrant::snapshot::{Digest, Roots};
use edgegrant::trust::HEAD_BYTES_MAX;

use super::client::Client;
use crate::disk;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::reach::PART_BYTES_MAX;

/// Where a snapshot lies.
#[derive(Debug)]
pub enum Target {
    /// The present snapshot of a folder.
    Folder(Folder),
    /// An earlier snapshot of a folder, by its version.
    Version(Folder, u64),
    /// Head and pack in one file.
    Bundle(PathBuf),
    /// Head and pack in a file each.
    Pack {
        /// The signed head.
        head: PathBuf,
        /// All parts in one file.
        pack: PathBuf,
    },
    /// An origin.
    Address(Client),
}

/// A pack is a little under 4 GiB at most.
const PACK_BYTES_MAX: u64 = u32::MAX as u64;

impl Target {
    /// Reads `<folder>`, `<folder>@<version>` or the name of a file that holds head and pack.
    ///
    /// ```
    /// use edgegrant_origin::read::Target;
    ///
    /// let root = tempfile::tempdir()?;
    /// let folder = root.path().display();
    /// assert!(matches!(Target::parse(&format!("{folder}")), Target::Folder(_)));
    /// assert!(matches!(Target::parse(&format!("{folder}@7")), Target::Version(_, 7)));
    /// assert!(matches!(Target::parse("snapshot.bin"), Target::Bundle(_)));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let path = Path::new(text);
        if path.is_dir() {
            return Self::Folder(Folder::new(path));
        }
        let version = text.rsplit_once('@').and_then(|(folder, version)| {
            Some((folder, version.parse().ok()?)).filter(|(folder, _)| Path::new(folder).is_dir())
        });
        match version {
            Some((folder, version)) => Self::Version(Folder::new(folder), version),
            None => Self::Bundle(path.to_owned()),
        }
    }

    /// Whether parts can be read one by one.
    pub(super) const fn has_parts(&self) -> bool {
        matches!(self, Self::Folder(_) | Self::Version(..) | Self::Address(_))
    }

    /// The signed head.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn head(&self) -> Result<Vec<u8>, Failure> {
        let most = HEAD_BYTES_MAX as u64;
        match self {
            Self::Folder(folder) => disk::read(&folder.head(), most),
            Self::Version(folder, version) => {
                disk::read(&folder.heads().join(version.to_string()), most)
            }
            Self::Bundle(path) => Ok(bundle(path)?.0),
            Self::Pack { head, .. } => disk::read(head, most),
            Self::Address(client) => client.head(),
        }
    }

    /// All parts in one file.
    pub(crate) fn pack(&self, roots: &Roots) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Folder(folder) | Self::Version(folder, _) => {
                disk::read(&folder.pack(roots), roots.pack_length)
            }
            Self::Bundle(path) => Ok(bundle(path)?.1),
            Self::Pack { pack, .. } => disk::read(pack, roots.pack_length),
            Self::Address(client) => client.pack(roots),
        }
    }

    /// A part of something that has parts; it is verified by whoever asked for it.
    pub(super) fn part(&self, name: &Digest) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Folder(folder) | Self::Version(folder, _) => {
                disk::read(&folder.part(name), PART_BYTES_MAX)
            }
            Self::Address(client) => client.part(name),
            Self::Bundle(_) | Self::Pack { .. } => {
                let message = "the snapshot is one file and has no parts apart";
                Err(Failure::bad_input("no-parts", message))
            }
        }
    }
}

fn bundle(path: &Path) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let file = disk::read(path, PACK_BYTES_MAX + 2 * HEAD_BYTES_MAX as u64)?;
    unbundle(file).map_err(|error| Failure::refused(&error))
}
