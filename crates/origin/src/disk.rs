//! How files come and go: each whole or not at all.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::Path;

use crate::failure::Failure;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Whoever the process's mask lets.
    Masked,
    /// Its owner alone.
    Owner,
}

/// Changes of a folder, one at a time.
///
/// Every change of a published folder goes through here and each is whole or not there at all. So
/// whoever stops after any number of them has seen every state that a crash can leave.
pub trait Disk: Debug + Send + Sync {
    /// Puts a file in the place of what was there.
    ///
    /// # Errors
    /// A file that cannot be written; what was there stays.
    fn write(&self, path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Failure>;

    /// Puts a file in the place of what was there, piece by piece.
    ///
    /// # Errors
    /// A source that cannot be read, or a file that cannot be written; what was there stays.
    fn write_from(
        &self,
        path: &Path,
        source: &mut dyn Read,
        readers: Readers,
    ) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).map_err(|error| Failure::io(path, &error))?;
        self.write(path, &bytes, readers)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// A file that cannot be removed.
    fn remove(&self, path: &Path) -> Result<(), Failure>;

    /// Makes that what was written into a folder outlives a loss of power.
    ///
    /// # Errors
    /// A folder that cannot be opened.
    fn settle(&self, folder: &Path) -> Result<(), Failure>;
}

/// The disks of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

impl Disk for Local {
    fn write(&self, path: &Path, mut bytes: &[u8], readers: Readers) -> Result<(), Failure> {
        self.write_from(path, &mut bytes, readers)
    }

    fn write_from(
        &self,
        path: &Path,
        source: &mut dyn Read,
        readers: Readers,
    ) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::io(path, &error);
        if is_device(path) {
            let copied = open_device(path).and_then(|mut file| io::copy(source, &mut file));
            return copied.map(|_| ()).map_err(failed);
        }
        let mut file = beside(path, readers).map_err(failed)?;
        io::copy(source, &mut file).and_then(|_| file.as_file().sync_all()).map_err(failed)?;
        file.persist(path).map(|_| ()).map_err(|error| failed(error.error))
    }

    fn remove(&self, path: &Path) -> Result<(), Failure> {
        fs::remove_file(path).map_err(|error| Failure::io(path, &error))
    }

    fn settle(&self, folder: &Path) -> Result<(), Failure> {
        // Other systems do not open folders as files.
        if cfg!(unix) {
            let synced = File::open(folder).and_then(|folder| folder.sync_all());
            synced.map_err(|error| Failure::io(folder, &error))?;
        }
        Ok(())
    }
}

/// Whether a path is a device, a pipe or a socket, in whose place no file may be put.
pub(crate) fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Opens what [`is_device`] to be written to as it is.
pub(crate) fn open_device(path: &Path) -> io::Result<File> {
    File::options().write(true).open(path)
}

/// What the name of a file begins with until it is complete.
pub(crate) const UNFINISHED: &str = ".tmp";

/// A temporary file in the folder of a path.
pub(crate) fn beside(path: &Path, readers: Readers) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    // Without more said, only its owner may read a temporary file.
    #[cfg(unix)]
    if readers == Readers::Masked {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Writes a file that appears whole or not at all.
///
/// # Errors
/// A file that cannot be written.
pub fn write(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Failure> {
    Local.write(path, bytes, readers)
}

/// Writes a file that only its owner may read, unless there is one already.
///
/// # Errors
/// A file that exists or cannot be written.
pub fn write_new_secret(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::io(path, &error);
    let mut file = beside(path, Readers::Owner).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist_noclobber(path).map(|_| ()).map_err(|error| failed(error.error))
}

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// A file that cannot be read, and `file-too-large`.
///
/// ```
/// use edgegrant_origin::disk::{Readers, read, write};
///
/// let root = tempfile::tempdir()?;
/// let path = root.path().join("file");
/// write(&path, b"whole", Readers::Owner)?;
/// assert_eq!(read(&path, 5)?, b"whole");
/// assert_eq!(read(&path, 4).unwrap_err().code, "file-too-large");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
