//! The work folder, which one run has for itself.

use std::path::Path;
use std::{fs, io};

use super::plan::Plan;
use crate::disk::UNFINISHED;
use crate::failure::{Exit, Failure};
use crate::publish::Lock;

/// No source can be called so.
const LOCK: &str = ".lock";

/// Takes the work folder, and removes what rounds that were killed left there unfinished.
pub(super) fn take(plan: &Plan) -> Result<Lock, Failure> {
    let work = &plan.work;
    fs::create_dir_all(work).map_err(|error| Failure::io(work, &error))?;
    let lock = Lock::at(&work.join(LOCK), busy)?;
    sweep(work)?;
    for source in &plan.sources {
        sweep(&work.join(&source.name))?;
    }
    Ok(lock)
}

fn sweep(folder: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::io(folder, &error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let is_unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        if is_unfinished && entry.file_type().map_err(failed)?.is_file() {
            fs::remove_file(entry.path()).map_err(failed)?;
        }
    }
    Ok(())
}

/// Another run works in the folder.
fn busy() -> Failure {
    Failure {
        code: "run-busy".into(),
        message: "another run works in this work folder; end it, or name another folder".into(),
        exit: Exit::Io,
    }
}
