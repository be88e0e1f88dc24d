//! Keeping two publishers apart.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::failure::{Exit, Failure};
use crate::folder::Folder;

/// Keeps others out of a folder until it is dropped, also by the process's end.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a folder that was made.
    pub(crate) fn take(folder: &Folder) -> Result<Self, Failure> {
        Self::at(&folder.lock(), busy)
    }

    /// Takes the lock that a file stands for.
    pub(crate) fn at(path: &Path, busy: fn() -> Failure) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|error| Failure::io(path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::Error(error)) => Err(Failure::io(path, &error)),
            Err(TryLockError::WouldBlock) => Err(busy()),
        }
    }
}

/// Another publisher works on the folder.
pub(super) fn busy() -> Failure {
    Failure {
        code: "publisher-busy".into(),
        message: "another publisher works on this folder; wait until it is done".into(),
        exit: Exit::Io,
    }
}
