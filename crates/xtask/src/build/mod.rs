//! The build of the npm package: two wasms, each with its glue, and loaders of a few lines.

mod glue;
mod package;
mod toolchain;
mod wasm;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

pub(crate) use package::{install, install_tarball, install_tarball_into, pack_list, tool};
pub(crate) use wasm::SLICES;

use crate::paths;

/// Builds and packs everything, printing one line a stage.
///
/// # Errors
/// When a tool is missing or a stage fails; nothing older is left behind to be mistaken for it.
pub(crate) fn run() -> Result<()> {
    clear()?;
    toolchain::ensure()?;
    toolchain::ensure_node()?;
    let module = stage("wasm", || wasm::build(wasm::SNAPSHOTS))?;
    stage("glue", || glue::generate(&module, "edgegrant", "glue"))?;
    let module = stage("wasm for slices", || wasm::build(SLICES))?;
    stage("glue for slices", || glue::generate(&module, "slice", "slice-glue"))?;
    stage("package", package::build)?;
    eprintln!("built {}", paths::tarball().display());
    Ok(())
}

/// Builds the wasm that only tests ask, with a glue for Node.js, into a folder.
///
/// # Errors
/// When a stage fails.
pub(crate) fn test_wasm(folder: &Path) -> Result<()> {
    let module = stage("wasm for tests", wasm::build_for_tests)?;
    glue::for_node(&module, folder)
}

/// Builds the wasm of the package once more with the names of its functions, into a folder.
///
/// # Errors
/// When a stage fails.
pub(crate) fn wasm_with_names(folder: &Path) -> Result<()> {
    toolchain::ensure()?;
    let module = stage("wasm", || wasm::build(wasm::SNAPSHOTS))?;
    glue::with_names(&module, folder)
}

/// Installs the parts of the Rust toolchain that are missing.
pub(crate) fn ensure_toolchain() -> Result<()> {
    toolchain::ensure()
}

fn stage<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("building the {name}");
    work().with_context(|| format!("building the {name}"))
}

/// Removes the results of an earlier build, which a test could take for this one's.
fn clear() -> Result<()> {
    for path in [paths::dist(), paths::tarball()] {
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}
