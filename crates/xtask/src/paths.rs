//! Where things are in the repository.

use std::path::{Path, PathBuf};

/// The repository's root: cargo names this crate's folder, two levels below it.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// The npm package's folder.
pub(crate) fn package() -> PathBuf {
    root().join("pkg")
}

/// What is built into the npm package; never committed.
pub(crate) fn dist() -> PathBuf {
    package().join("dist")
}

/// The project that installs the packed npm package and tests it.
pub(crate) fn js_tests() -> PathBuf {
    root().join("tests/js")
}

/// The records that what is packed is compared with.
pub(crate) fn golden() -> PathBuf {
    root().join("tests/golden")
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The packed npm package.
pub(crate) fn tarball() -> PathBuf {
    target().join("package/edgegrant.tgz")
}
