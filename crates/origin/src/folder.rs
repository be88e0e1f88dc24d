//! The folder that an origin serves, and what the publisher keeps beside it.
//!
//! `public/head` is for everybody. `private/pack/<name>` and `private/part/<digest>` are for
//! whoever may see every subject. `state/` is for the publisher alone and never served.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use edgegrant::gate::bundle;
use edgegrant::snapshot::{Digest, Roots};
use edgegrant::trust::{HEAD_BYTES_MAX, Head, read_unverified};

use crate::failure::Failure;

/// A published folder.
///
/// ```
/// use edgegrant_origin::folder::Folder;
///
/// assert!(Folder::new("out").head().ends_with("public/head"));
/// ```
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at a path.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The signed head.
    #[must_use]
    pub fn head(&self) -> PathBuf {
        self.0.join("public/head")
    }

    /// The body in one file, named by what its head commits to.
    #[must_use]
    pub fn pack(&self, roots: &Roots) -> PathBuf {
        self.0.join("private/pack").join(roots.pack_name())
    }

    /// A catalogue, node or page.
    #[must_use]
    pub fn part(&self, digest: &Digest) -> PathBuf {
        self.0.join("private/part").join(digest.to_string())
    }

    /// What the publisher keeps from one publishing to the next.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.0.join("state/publisher.json")
    }

    /// The file whose lock keeps two publishers apart.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("state/lock")
    }

    /// The published head and the pack that it names in one file, not verified.
    ///
    /// # Errors
    /// A file that cannot be read, and a head that is none.
    pub fn bundle(&self) -> Result<Vec<u8>, Failure> {
        let head = read(&self.head(), HEAD_BYTES_MAX as u64)?;
        let roots = roots(&read_unverified(&head)?.head);
        let pack = read(&self.pack(&roots), roots.pack_length)?;
        Ok(bundle(&head, &pack))
    }

    /// Makes the folders.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn make(&self) -> Result<(), Failure> {
        for folder in ["public", "private/pack", "private/part", "state"] {
            let path = self.0.join(folder);
            fs::create_dir_all(&path).map_err(|error| Failure::io(&path, &error))?;
        }
        Ok(())
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

/// Writes a file that appears whole or not at all, readable as the process's mask says.
///
/// # Errors
/// A file that cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    replace(&temporary(), path, bytes)
}

/// As [`write`], for what only its owner may read.
///
/// # Errors
/// A file that cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    replace(&tempfile::Builder::new(), path, bytes)
}

fn replace(builder: &tempfile::Builder<'_, '_>, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::io(path, &error);
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map(|_| ()).map_err(|error| failed(error.error))
}

/// A temporary file with the permissions of an ordinary one.
#[must_use]
pub fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}

/// Writes a file that only its owner may read, unless it is there already.
///
/// # Errors
/// A file that exists or cannot be written.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::io(path, &error);
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)
}

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// A file that cannot be read, and `file-too-large`.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let failed = |error: io::Error| Failure::io(path, &error);
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        let message = format!("{}: the file has more than {most} bytes", path.display());
        return Err(Failure::bad_input("file-too-large", message));
    }
    Ok(bytes)
}
