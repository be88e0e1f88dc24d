//! The heads that a publisher signed, kept until they have expired: as long as one of them holds,
//! gates may ask for what it names.

use std::fs;

use edgegrant::trust::{HEAD_BYTES_MAX, Head, read_unverified};

use crate::disk;
use crate::failure::Failure;
use crate::folder::Folder;

/// A head that was published, in the words of its publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it says.
    pub head: Head,
    /// The signed bytes.
    pub bytes: Vec<u8>,
}

/// The head that gates are given now; `None` before the first publishing.
///
/// # Errors
/// A file that cannot be read, and a head that is none.
pub fn present(folder: &Folder) -> Result<Option<Kept>, Failure> {
    let path = folder.head();
    if path.exists() { read(&path).map(Some) } else { Ok(None) }
}

/// The heads that the publisher remembers, the oldest first.
///
/// # Errors
/// A folder or file that cannot be read, and a head that is none.
pub fn kept(folder: &Folder) -> Result<Vec<Kept>, Failure> {
    let path = folder.heads();
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut heads = Vec::new();
    for entry in fs::read_dir(&path).map_err(|error| Failure::io(&path, &error))? {
        let entry = entry.map_err(|error| Failure::io(&path, &error))?;
        // Whatever is not named by a version was left by a publisher that was interrupted.
        if entry.file_name().to_str().is_some_and(|name| name.parse::<u64>().is_ok()) {
            heads.push(read(&entry.path())?);
        }
    }
    heads.sort_unstable_by_key(|kept| kept.head.version);
    Ok(heads)
}

fn read(path: &std::path::Path) -> Result<Kept, Failure> {
    let bytes = disk::read(path, HEAD_BYTES_MAX as u64)?;
    let unverified = read_unverified(&bytes).map_err(|error| {
        let refused = Failure::refused(&error);
        Failure { message: format!("{}: {}", path.display(), refused.message), ..refused }
    })?;
    Ok(Kept { head: unverified.head, bytes })
}
